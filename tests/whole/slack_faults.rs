//! What goes wrong between kubemend and Slack, over the real engine and a simulated cluster: nothing is lost,
//! nothing is doubled.

use std::time::Duration;

use crate::fake_slack::{Fault, link, show};
use crate::scene::{ALERTS, ANN, SPARE, Scene, Wanted};
use crate::support::story::approve_label;

/// A scene in which something can be approved: the message and the label of its button.
async fn proposed(wanted: &Wanted<'_>) -> (Scene, String, String) {
    let scene = Scene::start(wanted).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&ts));
    (scene, ts, label)
}

async fn fixed_once(scene: &Scene, ts: &str) {
    scene.shows(ts, &["fixed"]).await;
    scene.thread_tells(ts, &["ann approved", "Fixed. Checked"]).await;
    assert_eq!(scene.thread(ts).matches("ann approved").count(), 1, "{}", scene.thread(ts));
    assert_eq!(scene.stage.written().len(), 1);
    scene.nothing_doubled(ALERTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_drop_in_mid_approval_lose_nothing_and_double_nothing() {
    let (scene, ts, label) = proposed(&Wanted::default()).await;
    scene.slack.to_all_links(&link::Order::Drop);
    let id = scene.slack.click(ANN, ALERTS, &ts, &label).await;
    scene.slack.to_all_links(&link::Order::Drop);
    scene.slack.acknowledged(&id).await;
    for _ in 0..3 {
        scene.slack.send_again(&id);
    }
    fixed_once(&scene, &ts).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_delivered_five_times_during_a_refresh_is_one_approval() {
    let (scene, ts, label) = proposed(&Wanted::default()).await;
    let old = scene.slack.to_oldest_link(link::disconnect("refresh_requested"));
    let id = scene.slack.click(ANN, ALERTS, &ts, &label).await;
    for _ in 0..4 {
        scene.slack.send_again(&id);
    }
    scene.slack.to_oldest_link(link::Order::Close);
    scene
        .until("the link was renewed", || {
            let links = scene.slack.links();
            (links.len() == 2 && !links.contains(&old)).then_some(())
        })
        .await;
    fixed_once(&scene, &ts).await;
    let gap = scene.slack.posted(ALERTS).len();
    assert_eq!(gap, 1, "there was no gap to tell of:\n{}", scene.slack.channel(ALERTS));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_link_makes_it_not_ready_and_the_gap_is_told_once() {
    let (scene, ts, label) = proposed(&Wanted::default()).await;
    scene.slack.fail("apps.connections.open", Fault::Status(503), 4);
    scene.slack.to_all_links(&link::Order::FallSilent);
    let id = scene.slack.click(ANN, ALERTS, &ts, &label).await;
    crate::support::eventually("it says that it is deaf", Duration::from_secs(180), || async {
        match scene.stage.bot.api.send(http::Method::GET, "/readyz", None).await {
            Ok((status, body)) if !status.is_success() && body.to_string().contains("slack") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    scene.slack.with(|state| state.links.clear());
    scene.slack.acknowledged(&id).await;
    fixed_once(&scene, &ts).await;
    scene.message(ALERTS, &["could not hear this channel", "repeat them"]).await;
    let told =
        scene.slack.posted(ALERTS).iter().filter(|m| show::message(m).contains("could not hear")).count();
    assert_eq!(told, 1);
    scene.stage.bot.api.wait_ready().await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_429_and_a_minute_of_5xx_delay_messages_and_lose_none() {
    let scene = Scene::start(&Wanted::default()).await;
    scene.slack.fail_for("chat.postMessage", Fault::RateLimited(1), Duration::from_secs(5));
    scene.slack.fail_for("chat.update", Fault::RateLimited(1), Duration::from_secs(5));
    for scenario in ["stale-subpath", "bad-release", "missing-config"] {
        scene.stage.play(scenario).await;
    }
    scene.until("429 was met", || (scene.slack.called("chat.postMessage") > 0).then_some(())).await;
    scene.slack.fail_for("chat.postMessage", Fault::Status(503), Duration::from_secs(10));
    scene.slack.fail_for("chat.update", Fault::Status(500), Duration::from_secs(10));
    let ts = scene.message(ALERTS, &["i-1", "[*Approve"]).await;
    scene
        .until("each has its message", || {
            let shown: Vec<String> = scene.slack.posted(ALERTS).iter().map(show::message).collect();
            ["i-1", "i-2", "i-3"].iter().all(|id| shown.iter().any(|text| text.contains(id))).then_some(())
        })
        .await;
    // Some were done and their answer was an error; they are found again instead of sent again.
    scene.slack.fail("chat.postMessage", Fault::DoneAnd502, 3);
    scene.slack.fail("chat.update", Fault::DoneAnd502, 3);
    let label = approve_label(&scene.shown(&ts));
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    scene.shows(&ts, &["fixed"]).await;
    scene.thread_tells(&ts, &["Fixed. Checked"]).await;
    assert_eq!(scene.thread(&ts).matches("Fixed. Checked").count(), 1, "{}", scene.thread(&ts));
    scene.nothing_doubled(ALERTS);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_minute_of_5xx_everywhere_loses_and_doubles_nothing() {
    let (mut scene, ts, label) = proposed(&Wanted::default()).await;
    let minute = Duration::from_secs(60);
    // What people type is known to be theirs; then nothing of Slack's works but its links.
    scene.slack.command(ANN, ALERTS, "whoami").await;
    scene.whispers(ANN, &["admin"]).await;
    let begun = std::time::Instant::now();
    scene.slack.fail_for("", Fault::Status(503), minute);
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    scene.slack.command(ANN, ALERTS, "status").await;
    scene.stage.play("missing-config").await;
    tokio::time::sleep(minute.saturating_sub(begun.elapsed())).await;
    assert_eq!(scene.slack.posted(ALERTS).len(), 1, "nothing came through");
    let said =
        scene.slack.with(|state| state.log.iter().filter(|line| line.contains("only ann sees")).count());
    assert_eq!(said, 1, "only the answer from before");
    fixed_once(&scene, &ts).await;
    scene.message(ALERTS, &["missing", "[*Approve"]).await;
    let heard = || {
        let told: Vec<String> =
            scene.slack.with(|state| state.ephemerals.iter().map(|e| show::message(&e.body)).collect());
        let once = |word: &str| told.iter().filter(|text| text.contains(word)).count() == 1;
        (once("recorded") && once("Open incidents")).then_some(())
    };
    scene.until("both were answered, once", heard).await;
    scene.tell("after the minute", &Scene::lines(&scene.slack.transcript(), &["ann alone", "only ann sees"]));
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_posting_and_remembering_it_finds_its_message_again() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.slack.fail("chat.postMessage", Fault::DoneUnanswered, 1);
    scene.stage.play("stale-subpath").await;
    scene.until("it was posted", || (!scene.slack.posted(ALERTS).is_empty()).then_some(())).await;
    scene.stage.bot.kill();
    scene.stage.bot.restart(&[]);
    scene.stage.bot.api.wait_ready().await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&ts));
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    fixed_once(&scene, &ts).await;
    assert_eq!(scene.slack.posted(ALERTS).len(), 1, "{}", scene.slack.channel(ALERTS));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_channel_is_reported_once_and_the_fallback_takes_over() {
    let chat = "  routes:\n  - {name: all, to: {slack: [CALERTS]}}\n  fallback: {slack: [CSPARE]}\n";
    let scene = Scene::start(&Wanted { chat, ..Wanted::default() }).await;
    scene.slack.with(|state| state.channels.get_mut(ALERTS).unwrap().archived = true);
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(SPARE, &["[*Approve"]).await;
    scene.message(SPARE, &["archived"]).await;
    let label = approve_label(&scene.shown(&ts));
    scene.slack.click(ANN, SPARE, &ts, &label).await;
    scene.shows(&ts, &["fixed"]).await;
    let told = scene.slack.posted(SPARE).iter().filter(|m| show::message(m).contains("archived")).count();
    assert_eq!(told, 1, "{}", scene.slack.channel(SPARE));
    scene.nothing_doubled(SPARE);
    scene.end().await;
}
