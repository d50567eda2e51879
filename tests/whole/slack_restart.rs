//! Slack over a restart: whatever was acknowledged is answered, though the process was killed in between; a
//! decision is taken once; nothing that could answer stays on the disk.

use std::time::Duration;

use crate::fake_slack::Fault;
use crate::scene::{ALERTS, ANN, BEN, GIL, Scene, Wanted};
use crate::support::story::approve_label;
use kubemend::store::Store;

const APPROVE: [&str; 3] = ["Approve (low risk)", "Approve (medium risk)", "Approve (high risk)"];

/// Starts it again without crash points and waits until it hears.
async fn again(scene: &mut Scene) {
    scene.stage.bot.restart(&[]);
    scene.stage.bot.api.wait_ready().await;
}

async fn gone(scene: &mut Scene) {
    crate::support::eventually("it ended at its crash point", Duration::from_secs(120), || async {
        if scene.stage.bot.has_ended() { Ok(()) } else { Err("it runs".to_owned()) }
    })
    .await;
}

/// Nothing is owed any more, and no way to answer is left in the file.
async fn nothing_is_owed(mut scene: Scene) -> String {
    let started = std::time::Instant::now();
    let url = format!("{}/response/", scene.slack.with(|state| state.own_url.clone()));
    loop {
        scene.stage.bot.kill();
        let path = scene.stage.bot.database();
        let store = Store::open(&path).await.unwrap();
        let owed = store.owed("slack", jiff::Timestamp::now()).await.unwrap();
        store.close().await;
        if owed.is_empty() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !crate::support::sent::contains(&bytes, url.as_bytes()),
                "a response URL is left in the store"
            );
            return scene.end().await;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "still owed: {owed:?}");
        again(&mut scene).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_that_was_acknowledged_and_then_lost_is_taken_after_all_and_once() {
    let wanted = Wanted { flags: &["--crash-at", "before-decided"], ..Wanted::default() };
    let mut scene = Scene::start(&wanted).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&ts));
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    gone(&mut scene).await;
    assert_eq!(scene.stage.sent(), [], "nothing was decided yet");
    again(&mut scene).await;
    let said = scene.whispers(ANN, &["recorded"]).await;
    scene.tell("after the restart ann alone is told", &said);
    scene.shows(&ts, &["fixed"]).await;
    scene.thread_tells(&ts, &["ann approved", "Fixed. Checked"]).await;
    assert_eq!(scene.thread(&ts).matches("ann approved").count(), 1, "{}", scene.thread(&ts));
    assert_eq!(scene.stage.written().len(), 1);
    insta::assert_snapshot!(nothing_is_owed(scene).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_that_was_recorded_before_the_crash_is_told_and_not_taken_again() {
    let wanted = Wanted { flags: &["--crash-at", "after-decided"], approvals: 2, ..Wanted::default() };
    let mut scene = Scene::start(&wanted).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&ts));
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    gone(&mut scene).await;
    again(&mut scene).await;
    let said = scene.whispers(ANN, &["recorded", "1 more"]).await;
    scene.tell("after the restart ann alone is told", &said);
    scene.slack.click(BEN, ALERTS, &ts, &label).await;
    scene.shows(&ts, &["fixed"]).await;
    assert_eq!(scene.thread(&ts).matches("ann approved").count(), 1, "{}", scene.thread(&ts));
    assert_eq!(scene.stage.written().len(), 1);
    nothing_is_owed(scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filled_in_form_survives_and_its_modal_shows_what_became_of_it() {
    let wanted = Wanted { flags: &["--crash-at", "before-decided"], ..Wanted::default() };
    let mut scene = Scene::start(&wanted).await;
    scene.stage.play("finalizer").await;
    let ts = scene.message(ALERTS, &[APPROVE[2]]).await;
    scene.slack.click(ANN, ALERTS, &ts, APPROVE[2]).await;
    scene.modal(ANN, &["[[Approve]]"]).await;
    scene.slack.submit(ANN, &[("Type export-worker to confirm", "export-worker")]).await;
    gone(&mut scene).await;
    again(&mut scene).await;
    let said = scene.modal(ANN, &["recorded"]).await;
    scene.tell("after the restart ann's modal says", &said);
    scene.shows(&ts, &["fixed"]).await;
    assert_eq!(scene.stage.written().len(), 1);
    insta::assert_snapshot!(nothing_is_owed(scene).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_slack_does_not_take_are_shown_when_it_does() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let id = scene.incident(&ts);
    // The URL cannot be used any more, and the other way is rate limited; meanwhile it is killed.
    scene.slack.fail("response_url", Fault::Status(404), usize::MAX);
    scene.slack.fail("chat.postEphemeral", Fault::RateLimited(60), usize::MAX);
    scene.slack.command(ANN, ALERTS, &format!("silence {id} 30m too loud")).await;
    scene.slack.command(BEN, ALERTS, "incidents").await;
    scene.shows(&ts, &["quiet until"]).await;
    scene.until("Slack refused", || (scene.slack.called("chat.postEphemeral") >= 2).then_some(())).await;
    scene.stage.bot.kill();
    scene.slack.with(|state| state.rules.retain(|rule| rule.method == "response_url"));
    again(&mut scene).await;
    scene.whispers(ANN, &["quiet until"]).await;
    scene.whispers(BEN, &[&id]).await;
    scene.thread_tells(&ts, &["ann keeps this quiet until"]).await;
    let told = scene.thread(&ts).matches("ann keeps this quiet until").count();
    assert_eq!(told, 1, "it was done once:\n{}", scene.thread(&ts));
    nothing_is_owed(scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_answer_is_not_doubled_by_a_crash() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.slack.fail("response_url", Fault::DoneUnanswered, 1);
    scene.slack.command(ANN, ALERTS, "status --here").await;
    scene.message(ALERTS, &["Open incidents"]).await;
    scene.stage.bot.kill();
    again(&mut scene).await;
    // A later question is answered after the one before.
    scene.slack.command(BEN, ALERTS, "whoami").await;
    scene.whispers(BEN, &["admin"]).await;
    assert_eq!(scene.slack.posted(ALERTS).len(), 1, "{}", scene.slack.channel(ALERTS));
    nothing_is_owed(scene).await;
}

/// Waits until it is recorded that everybody was answered.
async fn answered(scene: &Scene) {
    let url = format!("sqlite:{}", scene.stage.bot.database().display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    crate::support::eventually("nothing is owed", crate::support::stage::LONG, || async {
        let owed: i64 = sqlx::query_scalar("SELECT count(*) FROM owed").fetch_one(&pool).await.unwrap();
        if owed == 0 { Ok(()) } else { Err(owed.to_string()) }
    })
    .await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_that_rests_on_a_group_does_not_go_stale_by_a_restart() {
    let mut scene = Scene::start(&Wanted { approvals: 2, ..Wanted::default() }).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&ts));
    scene.slack.click(GIL, ALERTS, &ts, &label).await;
    scene.whispers(GIL, &["recorded", "1 more"]).await;
    answered(&scene).await;
    scene.stage.bot.kill();
    // Slack does not tell of groups for a while; what it told a moment ago counts.
    scene.slack.fail("usergroups.list", Fault::Status(503), usize::MAX);
    again(&mut scene).await;
    scene.slack.click(BEN, ALERTS, &ts, &label).await;
    scene.shows(&ts, &["fixed"]).await;
    scene.thread_tells(&ts, &["gil approved", "ben approved", "approved by ben, gil"]).await;
    assert_eq!(scene.stage.written().len(), 1);
    nothing_is_owed(scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mentions_that_were_missed_are_answered_or_named() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.bot.kill();
    let url = format!("sqlite:{}", scene.stage.bot.database().display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let long_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(30);
    sqlx::query("INSERT OR REPLACE INTO heard (platform, at) VALUES ('slack', ?)")
        .bind(i64::try_from(long_ago.as_nanosecond()).unwrap())
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    scene.slack.mention_unheard(BEN, ALERTS, "status", Duration::from_secs(45 * 60));
    scene.slack.mention_unheard(BEN, ALERTS, "pause, now!", Duration::from_secs(20 * 60));
    scene.slack.mention_unheard(ANN, ALERTS, "whoami", Duration::from_secs(20));
    again(&mut scene).await;
    let said = scene.whispers(ANN, &["admin"]).await;
    scene.tell("ann asked a moment ago and alone is told", &said);
    let ts = scene.message(ALERTS, &["was not running", "pause, now!"]).await;
    let told = scene.shown(&ts).lines().filter(|line| !line.starts_with('~')).collect::<Vec<_>>().join("\n");
    let lasted = regex::Regex::new(r"for [0-9hms ]+").unwrap();
    scene.tell("and the channel", &lasted.replace(&told, "for [duration] "));
    assert!(!told.contains("status"), "that was before");
    scene.slack.command(BEN, ALERTS, "status").await;
    scene.whispers(BEN, &["running"]).await;
    again(&mut scene).await;
    scene.slack.command(BEN, ALERTS, "whoami").await;
    scene.whispers(BEN, &["admin"]).await;
    let alone = scene.slack.with(|state| state.ephemerals.iter().filter(|e| e.user == ANN).count());
    assert_eq!(alone, 1, "answered once:\n{}", scene.slack.transcript());
    assert_eq!(scene.slack.posted(ALERTS).len(), 1, "{}", scene.slack.channel(ALERTS));
    scene.slack.with(|state| state.pings.retain(|ping| ping != "<@UBEN>"));
    insta::assert_snapshot!(nothing_is_owed(scene).await);
}
