//! What goes wrong between kubemend and Discord, over the real engine and a simulated cluster: nothing is lost,
//! nothing is doubled.

use std::time::Duration;

use crate::discord_scene::{ALERTS, ANN, LONG, SPARE, Scene, Wanted};
use crate::fake_discord::client::Small;
use crate::fake_discord::{Fault, Order, Scope, gateway, permissions, show};
use crate::support::story::approve_label;
use serde_json::json;

const POST: &str = "POST /channels/{channel_id}/messages";
const EDIT: &str = "PATCH /channels/{channel_id}/messages/{message_id}";
const BEGIN: &str = "POST /channels/{channel_id}/messages/{message_id}/threads";

async fn fixed_once(scene: &Scene, id: &str) {
    scene.shows(id, &["fixed"]).await;
    scene.thread_tells(id, &["ann approved", "Fixed. Checked"]).await;
    assert_eq!(scene.thread(id).matches("ann approved").count(), 1, "{}", scene.thread(id));
    assert_eq!(scene.thread(id).matches("Fixed. Checked").count(), 1, "{}", scene.thread(id));
    assert_eq!(scene.stage.written().len(), 1);
    scene.nothing_doubled(ALERTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_drops_in_mid_approval_loses_nothing_and_doubles_nothing() {
    let scene = Scene::start(&Wanted::default()).await;
    let (id, label) = scene.proposed().await;
    scene.discord.to_all_links(&Order::Drop);
    let click = scene.discord.click(ANN, ALERTS, &id, &label).await;
    scene.discord.to_all_links(&Order::Drop);
    scene.discord.acknowledged(&click).await;
    for _ in 0..3 {
        scene.discord.send_again(&click).await;
    }
    fixed_once(&scene, &id).await;
    assert_eq!(scene.discord.with(|state| state.identified), 1, "it was resumed");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_delivered_five_times_during_a_reconnect_is_one_approval() {
    let scene = Scene::start(&Wanted::default()).await;
    let (id, label) = scene.proposed().await;
    scene.discord.to_all_links(&gateway::reconnect());
    let click = scene.discord.click(ANN, ALERTS, &id, &label).await;
    for _ in 0..4 {
        scene.discord.send_again(&click).await;
    }
    scene.discord.acknowledged(&click).await;
    scene.until("it was resumed", || (scene.discord.with(|state| state.resumed) >= 1).then_some(())).await;
    fixed_once(&scene, &id).await;
    assert_eq!(
        scene.discord.posted(ALERTS).len(),
        1,
        "there was no gap to tell of:\n{}",
        scene.discord.channel(ALERTS)
    );
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_lost_makes_it_not_ready_and_the_gap_is_told_once() {
    let scene = Scene::start(&Wanted::default()).await;
    let (id, label) = scene.proposed().await;
    scene.discord.fail_for("GET /gateway/bot", Fault::Status(503), Duration::from_secs(6));
    scene.discord.forget_sessions();
    scene.discord.to_all_links(&gateway::invalid_session(false));
    crate::support::eventually("it says that it is deaf", LONG, || async {
        match scene.stage.bot.api.send(http::Method::GET, "/readyz", None).await {
            Ok((status, body)) if !status.is_success() && body.to_string().contains("discord") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    // Whoever clicks now is told by Discord that it failed, and nothing is done behind their back.
    let lost = scene.discord.click(ANN, ALERTS, &id, &label).await;
    scene.until("it is heard again", || (scene.discord.linked() == 1).then_some(())).await;
    assert_eq!(scene.discord.answered(&lost), (0, None));
    assert_eq!(scene.stage.sent(), []);
    scene.message(ALERTS, &["could not hear this channel"]).await;
    let click = scene.discord.click(ANN, ALERTS, &id, &label).await;
    scene.discord.acknowledged(&click).await;
    fixed_once(&scene, &id).await;
    let told =
        scene.discord.posted(ALERTS).iter().filter(|m| show::message(m).contains("could not hear")).count();
    assert_eq!(told, 1);
    scene.stage.bot.api.wait_ready().await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_every_kind_and_5xx_for_a_while_delay_messages_and_lose_none() {
    let scene = Scene::start(&Wanted::default()).await;
    let second = Duration::from_millis(1_200);
    scene.discord.fail(POST, Fault::RateLimited(second, Scope::User), 2);
    scene.discord.fail(POST, Fault::RateLimited(second, Scope::Shared), 1);
    scene.discord.fail("", Fault::RateLimited(second, Scope::Global), 2);
    for scenario in ["stale-subpath", "bad-release", "missing-config"] {
        scene.stage.play(scenario).await;
    }
    scene.until("limits were met", || (scene.discord.called(POST) > 0).then_some(())).await;
    scene.discord.fail_for(POST, Fault::Status(503), Duration::from_secs(8));
    scene.discord.fail_for(EDIT, Fault::Status(500), Duration::from_secs(8));
    scene.discord.fail_for(BEGIN, Fault::Cut, Duration::from_secs(8));
    let id = scene.message(ALERTS, &["i-1", "[*Approve"]).await;
    scene
        .until("each has its message", || {
            let shown: Vec<String> = scene.discord.posted(ALERTS).iter().map(show::message).collect();
            ["i-1", "i-2", "i-3"].iter().all(|id| shown.iter().any(|text| text.contains(id))).then_some(())
        })
        .await;
    // Some were done and their answer was an error; they are found again instead of sent again.
    scene.discord.fail(POST, Fault::DoneAnd502, 2);
    scene.discord.fail(POST, Fault::DoneAndCut, 1);
    scene.discord.fail(EDIT, Fault::DoneAnd502, 2);
    scene.discord.fail(BEGIN, Fault::DoneAnd502, 1);
    let label = approve_label(&scene.shown(&id));
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    fixed_once_of(&scene, &id).await;
    let invalid = scene.discord.with(|state| state.invalid);
    assert!(invalid < 30, "{invalid} requests that count against the ban");
    scene.end().await;
}

/// Where other incidents are told beside it.
async fn fixed_once_of(scene: &Scene, id: &str) {
    scene.shows(id, &["fixed"]).await;
    scene.thread_tells(id, &["Fixed. Checked"]).await;
    assert_eq!(scene.thread(id).matches("Fixed. Checked").count(), 1, "{}", scene.thread(id));
    assert_eq!(scene.thread(id).matches("ann approved").count(), 1, "{}", scene.thread(id));
    scene.nothing_doubled(ALERTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_posting_and_remembering_it_finds_its_message_again() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.discord.fail(POST, Fault::DoneUnanswered, 1);
    scene.stage.play("stale-subpath").await;
    scene.until("it was posted", || (!scene.discord.posted(ALERTS).is_empty()).then_some(())).await;
    restarted(&mut scene).await;
    let id = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&id));
    clicked(&scene, &id, &label).await;
    fixed_once(&scene, &id).await;
    assert_eq!(scene.discord.posted(ALERTS).len(), 1, "{}", scene.discord.channel(ALERTS));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_for_longer_than_discord_remembers_nonces_it_still_finds_its_message() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.discord.fail(POST, Fault::DoneUnanswered, 1);
    scene.stage.play("stale-subpath").await;
    scene.until("it was posted", || (!scene.discord.posted(ALERTS).is_empty()).then_some(())).await;
    scene.stage.bot.kill();
    scene.discord.advance(Duration::from_secs(3600));
    restarted(&mut scene).await;
    let id = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&id));
    clicked(&scene, &id, &label).await;
    fixed_once(&scene, &id).await;
    assert_eq!(scene.discord.posted(ALERTS).len(), 1, "{}", scene.discord.channel(ALERTS));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_its_thread_is_begun_and_written_it_tells_everything_once() {
    let mut scene = Scene::start(&Wanted::default()).await;
    let (id, label) = scene.proposed().await;
    scene.discord.fail(BEGIN, Fault::DoneUnanswered, 1);
    let begun = scene.discord.called(BEGIN);
    clicked(&scene, &id, &label).await;
    scene
        .until("the thread was begun", || {
            (scene.discord.called(BEGIN) > begun || !scene.thread(&id).is_empty()).then_some(())
        })
        .await;
    restarted(&mut scene).await;
    fixed_once(&scene, &id).await;
    scene.discord.with(|state| {
        let mut told: Vec<_> = state.channels[&id]
            .messages
            .iter()
            .filter_map(|m| state.named.get(m["id"].as_str().unwrap()))
            .collect();
        let all = told.len();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), all);
    });
    scene.end().await;
}

async fn restarted(scene: &mut Scene) {
    scene.stage.bot.kill();
    scene.stage.bot.restart(&[]);
    scene.stage.bot.api.wait_ready().await;
}

/// Clicks until it is heard: what comes while nobody hears is told the person as failed.
async fn clicked(scene: &Scene, id: &str, label: &str) {
    scene.until("it is heard", || (scene.discord.linked() >= 1).then_some(())).await;
    let click = scene.discord.click(ANN, ALERTS, id, label).await;
    scene.discord.acknowledged(&click).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_that_was_archived_goes_on_and_a_message_that_was_deleted_comes_once_more() {
    let scene = Scene::start(&Wanted::default()).await;
    let (id, label) = scene.proposed().await;
    scene.until("the thread has begun", || (!scene.thread(&id).is_empty()).then_some(())).await;
    scene.discord.with(|state| state.channels.get_mut(&id).unwrap().archived = true);
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    fixed_once(&scene, &id).await;
    // Another incident, whose message somebody deletes.
    scene.stage.play("bad-release").await;
    let other = scene.message(ALERTS, &["i-2", "[*Approve"]).await;
    let small = Small::new(&scene.discord);
    assert_eq!(small.send("DELETE", &format!("/channels/{ALERTS}/messages/{other}"), None).await.status, 204);
    let incident = [("incident", "i-2"), ("duration", "30m")];
    scene.discord.command(ANN, ALERTS, "mend silence", &incident).await;
    let anew = scene.message(ALERTS, &["i-2", "quiet until"]).await;
    assert_ne!(anew, other);
    let shown: Vec<String> = scene.discord.posted(ALERTS).iter().map(show::message).collect();
    assert_eq!(
        shown.iter().filter(|text| text.contains("i-2")).count(),
        1,
        "{}",
        scene.discord.channel(ALERTS)
    );
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_it_may_not_write_to_is_reported_once_and_the_fallback_takes_over() {
    for permission in [permissions::SEND, permissions::VIEW, permissions::EMBED] {
        let chat = "  routes:\n  - {name: all, to: {discord: [\"440000000000000001\"]}}\n  fallback: {discord: [\"440000000000000002\"]}\n";
        let scene = Scene::start(&Wanted { chat, ..Wanted::default() }).await;
        scene.discord.forbid(ALERTS, permission);
        scene.stage.play("stale-subpath").await;
        let id = scene.message(SPARE, &["[*Approve"]).await;
        let label = approve_label(&scene.shown(&id));
        scene.discord.click(ANN, SPARE, &id, &label).await;
        scene.shows(&id, &["fixed"]).await;
        let notices = || {
            let posted = scene.discord.posted(SPARE);
            posted
                .iter()
                .map(show::message)
                .filter(|text| text.contains(ALERTS) && !text.contains("Approve"))
                .count()
        };
        scene.until("it is reported", || (notices() > 0).then_some(())).await;
        assert_eq!(notices(), 1, "{}", scene.discord.channel(SPARE));
        scene.nothing_doubled(SPARE);
        assert_eq!(scene.discord.posted(ALERTS), [] as [serde_json::Value; 0]);
        let invalid = scene.discord.with(|state| state.invalid);
        assert!(invalid < 30, "{invalid} requests that count against the ban");
        scene.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_token_is_spent_comes_as_an_ordinary_message() {
    let scene = Scene::start(&Wanted::default()).await;
    let (id, _) = scene.proposed().await;
    let hook = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original";
    scene.discord.fail(hook, Fault::Slow(Duration::from_secs(3)), 1);
    let preview = scene.discord.click(ANN, ALERTS, &id, "Preview").await;
    scene.discord.acknowledged(&preview).await;
    scene
        .until("it answers", || {
            (scene.discord.with(|state| state.rules.iter().all(|rule| rule.left == 0))).then_some(())
        })
        .await;
    scene.discord.advance(Duration::from_secs(16 * 60));
    let late = scene.message(ALERTS, &["<@550000000000000001>", "Preview"]).await;
    assert_ne!(late, id);
    let pinged = scene.discord.with(|state| std::mem::take(&mut state.pings));
    assert_eq!(pinged, ["@ann"], "whoever asked is called, and nobody else");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_kubemends_with_one_token_do_not_act_twice() {
    let scene = Scene::start(&Wanted::default()).await;
    let (id, label) = scene.proposed().await;
    // Another program with the same token answers first.
    let small = Small::new(&scene.discord);
    scene.discord.fail(
        "POST /interactions/{interaction_id}/{interaction_token}/callback",
        Fault::Slow(Duration::from_secs(1)),
        1,
    );
    let click = scene.discord.click(ANN, ALERTS, &id, &label).await;
    scene
        .until("it answers", || {
            (scene.discord.with(|state| state.rules.iter().all(|rule| rule.left == 0))).then_some(())
        })
        .await;
    assert_eq!(small.answer(&scene.discord, &click, json!({"type": 6})).await.status, 204);
    scene
        .until("it was told so", || {
            scene.discord.with(|state| state.calls.iter().any(|call| call.code == 40060)).then_some(())
        })
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.stage.sent(), [], "whoever answered first acts");
    scene.discord.with(|state| state.calls.retain(|call| call.code != 40060));
    scene.end().await;
}
