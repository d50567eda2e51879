//! Discord over a restart: whatever was acknowledged is answered, though the process was killed in between; a
//! decision is taken once, and not long after; nothing that could answer stays on the disk.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kubemend::store::Store;

use crate::discord_scene::{ALERTS, ANN, BEN, Scene, Wanted};
use crate::fake_discord::{Fault, Scope, show};

const CALLBACK: &str = "POST /interactions/{interaction_id}/{interaction_token}/callback";
const ORIGINAL: &str = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original";

/// Starts it again without crash points and waits until it hears.
async fn again(scene: &mut Scene) {
    scene.stage.bot.restart(&[]);
    scene.stage.bot.api.wait_ready().await;
    scene.until("it is heard", || (scene.discord.linked() >= 1).then_some(())).await;
}

async fn gone(scene: &mut Scene) {
    crate::support::eventually("it ended at its crash point", Duration::from_secs(120), || async {
        if scene.stage.bot.has_ended() { Ok(()) } else { Err("it runs".to_owned()) }
    })
    .await;
}

/// What is owed was asked so much longer ago.
async fn age(scene: &Scene, by: SignedDuration) {
    let url = format!("sqlite:{}", scene.stage.bot.database().display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let by = i64::try_from(by.as_nanos()).unwrap();
    let aged = sqlx::query("UPDATE owed SET since = since - ? WHERE platform = 'discord'").bind(by);
    assert_eq!(aged.execute(&pool).await.unwrap().rows_affected(), 1);
    pool.close().await;
}

/// Nothing is owed any more, and no token is left in the file.
async fn nothing_is_owed(mut scene: Scene) {
    let started = Instant::now();
    let tokens: Vec<String> =
        scene.discord.with(|state| state.interactions.values().map(|one| one.token.clone()).collect());
    assert!(!tokens.is_empty());
    loop {
        scene.stage.bot.kill();
        let path = scene.stage.bot.database();
        let store = Store::open(&path).await.unwrap();
        let owed = store.owed("discord", Timestamp::now()).await.unwrap();
        store.close().await;
        if owed.is_empty() {
            let bytes = std::fs::read(&path).unwrap();
            let left = tokens.iter().filter(|token| crate::support::sent::contains(&bytes, token.as_bytes()));
            assert_eq!(left.count(), 0, "a token is left in the store");
            scene.end().await;
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "still owed: {}", owed.len());
        again(&mut scene).await;
    }
}

/// How often somebody alone was shown something.
fn shown_alone(scene: &Scene, user: &str, holding: &str) -> usize {
    let fits = |body: &serde_json::Value| show::message(body).contains(holding);
    scene.discord.with(|state| {
        let own = state.ephemerals.iter().filter(|one| one.user == user).map(|one| &one.body);
        let mut ids: Vec<_> = own.filter(|body| fits(body)).map(|body| body["id"].clone()).collect();
        ids.sort_by_key(ToString::to_string);
        ids.dedup();
        ids.len()
    })
}

async fn fixed_once(scene: &Scene, id: &str) {
    scene.shows(id, &["fixed"]).await;
    scene.thread_tells(id, &["ann approved", "Fixed. Checked"]).await;
    assert_eq!(scene.thread(id).matches("ann approved").count(), 1, "{}", scene.thread(id));
    assert_eq!(scene.stage.written().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_that_was_acknowledged_and_then_lost_is_taken_after_all_and_once() {
    for http in [false, true] {
        let wanted = Wanted { flags: &["--crash-at", "before-decided"], http, ..Wanted::default() };
        let mut scene = Scene::start(&wanted).await;
        let (id, label) = scene.proposed().await;
        let click = scene.discord.click(ANN, ALERTS, &id, &label).await;
        scene.discord.acknowledged(&click).await;
        gone(&mut scene).await;
        assert_eq!(scene.stage.sent(), [], "nothing was decided yet");
        scene.stage.bot.restart(&[]);
        scene.whispers(ANN, &["recorded"]).await;
        fixed_once(&scene, &id).await;
        assert_eq!(shown_alone(&scene, ANN, "recorded"), 1);
        if http {
            scene.end().await;
        } else {
            nothing_is_owed(scene).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_that_was_recorded_before_the_crash_is_told_and_not_taken_again() {
    let wanted = Wanted { flags: &["--crash-at", "after-decided"], approvals: 2, ..Wanted::default() };
    let mut scene = Scene::start(&wanted).await;
    let (id, label) = scene.proposed().await;
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    gone(&mut scene).await;
    again(&mut scene).await;
    scene.whispers(ANN, &["recorded", "1 more"]).await;
    scene.discord.click(BEN, ALERTS, &id, &label).await;
    fixed_once(&scene, &id).await;
    nothing_is_owed(scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_acknowledged_and_then_lost_takes_the_place_of_thinking_once() {
    let mut scene = Scene::start(&Wanted::default()).await;
    let (id, _) = scene.proposed().await;
    let incident = scene.incident(&id);
    scene.discord.fail(ORIGINAL, Fault::RateLimited(Duration::from_secs(20), Scope::User), usize::MAX);
    let asked = scene.discord.command(BEN, ALERTS, "mend incidents", &[]).await;
    scene.discord.acknowledged(&asked).await;
    scene.until("Discord refused", || (scene.discord.called(ORIGINAL) >= 1).then_some(())).await;
    scene.stage.bot.kill();
    scene.discord.with(|state| state.rules.clear());
    again(&mut scene).await;
    scene.whispers(BEN, &[&incident]).await;
    assert_eq!(shown_alone(&scene, BEN, &incident), 1);
    assert_eq!(scene.discord.posted(ALERTS).len(), 1, "{}", scene.discord.channel(ALERTS));
    nothing_is_owed(scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_was_asked_for_long_ago_is_not_made_and_the_asker_is_told() {
    let wanted = Wanted { flags: &["--crash-at", "before-decided"], ..Wanted::default() };
    let mut scene = Scene::start(&wanted).await;
    let (id, label) = scene.proposed().await;
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    gone(&mut scene).await;
    age(&scene, SignedDuration::from_mins(6)).await;
    again(&mut scene).await;
    scene.whispers(ANN, &["not"]).await;
    assert_eq!(shown_alone(&scene, ANN, "recorded"), 0);
    assert!(!scene.thread(&id).contains("ann approved"), "{}", scene.thread(&id));
    assert_eq!(scene.stage.sent(), []);
    nothing_is_owed(scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_token_was_spent_over_the_restart_is_an_ordinary_message_for_the_asker() {
    let mut scene = Scene::start(&Wanted::default()).await;
    let (id, _) = scene.proposed().await;
    scene.discord.fail(ORIGINAL, Fault::RateLimited(Duration::from_secs(20), Scope::User), usize::MAX);
    scene.discord.command(ANN, ALERTS, "mend whoami", &[]).await;
    scene.until("Discord refused", || (scene.discord.called(ORIGINAL) >= 1).then_some(())).await;
    scene.stage.bot.kill();
    scene.discord.with(|state| state.rules.clear());
    age(&scene, SignedDuration::from_mins(16)).await;
    scene.discord.advance(Duration::from_secs(16 * 60));
    again(&mut scene).await;
    let late = scene.message(ALERTS, &["<@550000000000000001>", "admin"]).await;
    assert_ne!(late, id);
    let pinged = scene.discord.with(|state| std::mem::take(&mut state.pings));
    assert_eq!(pinged, ["@ann"], "whoever asked is called, once");
    nothing_is_owed(scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_discord_told_the_person_had_failed_is_not_done_after_a_restart() {
    let mut scene = Scene::start(&Wanted::default()).await;
    let (id, _) = scene.proposed().await;
    let incident = scene.incident(&id);
    scene.discord.fail(CALLBACK, Fault::Status(503), usize::MAX);
    let about = [("incident", incident.as_str()), ("duration", "30m")];
    let asked = scene.discord.command(ANN, ALERTS, "mend silence", &about).await;
    scene.until("Discord refused", || (scene.discord.called(CALLBACK) >= 1).then_some(())).await;
    scene.stage.bot.kill();
    scene.discord.with(|state| state.rules.clear());
    again(&mut scene).await;
    // A later question is answered after the one before was looked at.
    scene.discord.command(BEN, ALERTS, "mend whoami", &[]).await;
    scene.whispers(BEN, &["admin"]).await;
    assert_eq!(scene.discord.answered(&asked).1, None);
    assert_eq!(shown_alone(&scene, ANN, "quiet"), 0);
    assert!(!scene.shown(&id).contains("quiet until"), "{}", scene.shown(&id));
    nothing_is_owed(scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_lost_their_role_meanwhile_decides_nothing() {
    let wanted = Wanted { flags: &["--crash-at", "before-decided"], ..Wanted::default() };
    let mut scene = Scene::start(&wanted).await;
    let (id, label) = scene.proposed().await;
    scene.discord.click(BEN, ALERTS, &id, &label).await;
    gone(&mut scene).await;
    scene.discord.with(|state| state.users.get_mut(BEN).unwrap().roles = Some(BTreeSet::new()));
    again(&mut scene).await;
    scene.whispers(BEN, &["does not know"]).await;
    assert!(!scene.thread(&id).contains("ben approved"), "{}", scene.thread(&id));
    assert_eq!(scene.stage.sent(), []);
    nothing_is_owed(scene).await;
}
