//! Ways to ask in Slack beside buttons and commands: the home, windows, the shortcut, mentions; over HTTP; when
//! a window cannot be opened any more; and what grows while somebody waits.

use std::time::Duration;

use crate::fake_slack::{Fault, show};
use crate::scene::{ALERTS, ANN, BEN, GIL, SAM, Scene, VIC, Wanted};
use crate::support::story::approve_label;

const APPROVE: [&str; 3] = ["Approve (low risk)", "Approve (medium risk)", "Approve (high risk)"];

/// Waits until somebody's home says all of these.
async fn home(scene: &Scene, user: &str, holding: &[&str]) -> String {
    let look = || {
        let shown = scene.slack.with(|state| state.homes.get(user).map(show::message))?;
        holding.iter().all(|part| shown.contains(part)).then_some(shown)
    };
    scene.until(&format!("the home of {user} shows {holding:?}"), look).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_home_shows_what_awaits_ones_decision_and_is_kept_up() {
    let mut scene = Scene::start(&Wanted { approvals: 2, ..Wanted::default() }).await;
    scene.stage.play("stale-subpath").await;
    scene.message(ALERTS, &["[*Approve"]).await;
    scene.slack.open_home(SAM).await;
    home(&scene, SAM, &["does not know you"]).await;
    scene.slack.open_home(VIC).await;
    let shown = home(&scene, VIC, &["Nothing awaits your decision", "Open incidents"]).await;
    scene.tell("vic, who may not approve, sees at home", &shown);
    scene.slack.open_home(ANN).await;
    let shown = home(&scene, ANN, &["Look at", "Open incidents"]).await;
    scene.tell("ann sees at home", &shown);
    let look = shown.lines().find_map(|line| line.split('[').nth(1)?.split(']').next()).unwrap().to_owned();
    scene.slack.press_at_home(ANN, &look).await;
    let asked = scene.modal(ANN, &["Preview", "[*Approve"]).await;
    let label = approve_label(&asked);
    scene.slack.press_in_modal(ANN, &label).await;
    let said = scene.modal(ANN, &["recorded"]).await;
    scene.tell("ann approves in the window, which then says", &said);
    let shown = home(&scene, ANN, &["Nothing awaits your decision"]).await;
    scene.tell("without being opened again, ann's home shows", &shown);
    assert_eq!(scene.stage.sent(), [], "another approval is needed");
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_the_whole_loop_is_the_same() {
    let mut scene = Scene::start(&Wanted { http: true, ..Wanted::default() }).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&ts));
    scene.slack.click(ANN, ALERTS, &ts, "Preview").await;
    scene.modal(ANN, &["Preview"]).await;
    scene.slack.command(VIC, ALERTS, "whoami").await;
    let said = scene.whispers(VIC, &["viewer"]).await;
    scene.tell("vic asks who they are and alone is told", &said);
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    let said = scene.whispers(ANN, &["recorded"]).await;
    scene.tell("ann approves and alone is told", &said);
    scene.shows(&ts, &["fixed"]).await;
    scene.thread_tells(&ts, &["ann approved", "Fixed. Checked"]).await;
    assert_eq!(scene.slack.posted(ALERTS).len(), 1);
    assert_eq!(scene.stage.written().len(), 1);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_cannot_be_opened_any_more_is_asked_for_again() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("finalizer").await;
    let ts = scene.message(ALERTS, &[APPROVE[2]]).await;
    scene.slack.fail("views.open", Fault::Slow(Duration::from_millis(3500)), 1);
    scene.slack.click(ANN, ALERTS, &ts, APPROVE[2]).await;
    let said = scene.whispers(ANN, &["Press it again"]).await;
    scene.tell("the trigger expired, and ann alone is told", &said);
    assert_eq!(scene.stage.sent(), []);
    scene.slack.click(ANN, ALERTS, &ts, APPROVE[2]).await;
    scene.modal(ANN, &["[[Approve]]"]).await;
    insta::assert_snapshot!(scene.end().await);
}

/// A pod whose program ends, and whose logs take their time to be read.
async fn slow_logs() -> (Scene, String) {
    let scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("bad-release").await;
    scene.message(ALERTS, &["[*Approve"]).await;
    let pod = scene.stage.slow_logs(Duration::from_secs(3));
    (scene, format!("diagnose pod/{pod} -n orders"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_diagnosis_grows_while_somebody_waits_and_so_does_one_by_mention_and_shortcut() {
    let (scene, line) = slow_logs().await;
    scene.slack.command(ANN, ALERTS, &line).await;
    scene.whispers(ANN, &["Looking at"]).await;
    scene.whispers(ANN, &["Looking at", "the object itself", "event"]).await;
    let found = scene.whispers(ANN, &["ends by itself"]).await;
    assert!(!found.contains("Looking at"), "{found}");
    let uses = scene.slack.with(|state| state.responses.values().map(|url| url.uses).max().unwrap());
    assert!((2..=5).contains(&uses), "{uses} of five");
    let alone = scene.slack.with(|state| state.ephemerals.iter().filter(|e| e.user == ANN).count());
    assert_eq!(alone, 1, "one message that changed");

    scene.slack.shortcut(BEN, ALERTS, "diagnose", &line.replace("diagnose ", "what is it with ")).await;
    scene.whispers(BEN, &["Looking at"]).await;
    scene.whispers(BEN, &["ends by itself"]).await;

    scene.slack.mention(BEN, ALERTS, &line).await;
    let replies = || {
        scene.slack.with(|state| {
            let all = &state.channels[ALERTS].messages;
            let asked = all.iter().rev().find(|m| m["user"] == BEN).map(|m| m["ts"].clone()).unwrap();
            all.iter().filter(|m| m["thread_ts"] == asked).map(show::message).collect::<Vec<_>>()
        })
    };
    scene
        .until("it begins in the thread", || replies().iter().any(|r| r.contains("Looking at")).then_some(()))
        .await;
    let found =
        scene.until("it is found", || replies().into_iter().find(|r| r.contains("ends by itself"))).await;
    assert!(!found.contains("Looking at"), "{found}");
    assert_eq!(replies().len(), 1, "one message, edited in place");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_groups_cannot_be_read_is_told_to_whoever_it_may_concern() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.slack.fail("usergroups.list", Fault::Status(500), usize::MAX);
    scene.slack.command(GIL, ALERTS, "whoami").await;
    let said = scene.whispers(GIL, &["Groups could not be read"]).await;
    scene.tell("gil is in a group that Slack does not tell of", &said);
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&ts));
    scene.slack.click(VIC, ALERTS, &ts, &label).await;
    let said = scene.whispers(VIC, &["Groups could not be read"]).await;
    scene.tell("vic may not approve, perhaps because of that", &said);
    scene.slack.with(|state| state.rules.clear());
    let whoami = || async {
        scene.slack.command(GIL, ALERTS, "whoami").await;
        match scene.slack.whispered(GIL) {
            Some(said) if said.contains("admin") && !said.contains("could not be read") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    };
    crate::support::eventually("groups count again", Duration::from_secs(60), whoami).await;
    insta::assert_snapshot!(scene.end().await);
}
