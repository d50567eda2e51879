//! What takes long, or is long, in Discord: what a message cannot hold goes on in its thread, once, whatever goes
//! wrong; a diagnosis grows while somebody waits.

use std::time::Duration;

use crate::discord_scene::{ALERTS, ANN, BEN, FORUM, Scene, Wanted};
use crate::fake_discord::{Fault, Scope, permissions, show};
use crate::support::story::approve_label;
use jiff::{SignedDuration, Timestamp};
use kubemend::sim::api::{User, gvr};
use serde_json::{Value, json};

const POST: &str = "POST /channels/{channel_id}/messages";
const BEGIN: &str = "POST /channels/{channel_id}/messages/{message_id}/threads";
const ORIGINAL: &str = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original";

/// Each is escaped, so that three such quotes have no room in a message.
const STARS: usize = 420;

/// So much is said of what is broken that the message quotes three of five, and no more of each than has room.
async fn wordy(scene: &mut Scene, words: &str) {
    scene.stage.bot.kill();
    scene.stage.play("stale-subpath").await;
    let (api, who) = (scene.stage.sim.api(), User::new("somebody", &["system:masters"]));
    let tells =
        |event: &Value| event["message"].as_str().is_some_and(|text| text.contains("volume-subpaths"));
    let look = || api.list(&gvr::EVENTS, None).into_iter().find(|event| tells(event));
    let first = scene.until("the kubelet says why", look).await;
    let last: Timestamp = first["lastTimestamp"].as_str().expect("a time").parse().expect("a timestamp");
    for number in 1..=5 {
        let mut event = first.as_ref().clone();
        let space = event["metadata"]["namespace"].as_str().expect("it has a namespace").to_owned();
        // All that the container's state says stands in each.
        let told = event["message"].as_str().unwrap_or_default().trim_start_matches("Error: ");
        event["message"] = json!(format!("begin-{number} {words} StartError (exit code 128): {told}"));
        event["metadata"] = json!({"name": format!("wordy-{number}"), "namespace": space});
        // Newer than anything that the kubelet says meanwhile.
        let at = last + SignedDuration::from_mins(10) + SignedDuration::from_secs(number);
        event["firstTimestamp"] = json!(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        event["lastTimestamp"] = event["firstTimestamp"].clone();
        api.create(&who, &gvr::EVENTS, Some(&space), event).expect("there is no such event yet");
    }
    again(scene).await;
}

async fn again(scene: &mut Scene) {
    scene.stage.bot.restart(&[]);
    scene.stage.bot.api.wait_ready().await;
}

/// Killed, and started again when Discord has forgotten every nonce.
async fn much_later(scene: &mut Scene) {
    scene.stage.bot.kill();
    scene.discord.advance(Duration::from_secs(3600));
    again(scene).await;
}

/// What goes on in the thread of a message.
fn continued(scene: &Scene, id: &str) -> Vec<String> {
    let goes_on = |text: &String| text.contains("(continued)");
    scene.discord.thread(id).iter().map(show::message).filter(goes_on).collect()
}

/// Every message of a thread was sent for something else.
fn nothing_doubled_in(scene: &Scene, id: &str) {
    scene.discord.with(|state| {
        let told = &state.channels[id].messages;
        let mut nonces: Vec<_> =
            told.iter().filter_map(|message| state.named.get(message["id"].as_str()?)).collect();
        let all = nonces.len();
        nonces.sort();
        nonces.dedup();
        assert_eq!(nonces.len(), all, "{told:?}");
    });
}

/// Every file that was ever sent stands in the thread, once.
async fn each_file_once(scene: &Scene, id: &str) {
    let names = || {
        let told = scene.discord.thread(id);
        let files = told.iter().filter_map(|message| message["attachments"][0]["filename"].as_str());
        files.map(str::to_owned).collect::<Vec<_>>()
    };
    let sent = || scene.discord.with(|state| state.files.len());
    scene.until("every file that was sent is there", || (names().len() >= sent()).then_some(())).await;
    let (mut names, sent) = (names(), sent());
    assert_eq!(names.len(), sent, "{names:?}");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), sent, "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_for_which_a_message_has_no_room_goes_on_in_its_thread() {
    let mut scene = Scene::start(&Wanted::default()).await;
    wordy(&mut scene, "and so on").await;
    let id = scene.message(ALERTS, &["[*Approve"]).await;
    scene.thread_tells(&id, &["(continued)", "begin-5"]).await;
    let shown = scene.shown(&id);
    scene.tell("the message says", &shown);
    let told = continued(&scene, &id);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(!told[0].contains("begin-3") && told[0].contains("begin-4"), "{told:?}");
    scene.tell("its thread goes on", &told[0]);
    let label = approve_label(&shown);
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    scene.shows(&id, &["fixed"]).await;
    scene.thread_tells(&id, &["ann approved", "Fixed. Checked"]).await;
    nothing_doubled_in(&scene, &id);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_long_for_a_message_is_a_file_in_the_post_of_a_forum() {
    let chat = "  fallback: {discord: [\"440000000000000003\"]}\n";
    let mut scene = Scene::start(&Wanted { chat, ..Wanted::default() }).await;
    wordy(&mut scene, &"*".repeat(STARS)).await;
    let id = scene.message(FORUM, &["[*Approve"]).await;
    scene.thread_tells(&id, &["(continued)", "(file i-1-"]).await;
    scene
        .until("everything that goes on is a file", || {
            let (told, files) = (continued(&scene, &id), scene.discord.with(|state| state.files.len()));
            (told.len() == files).then_some(())
        })
        .await;
    // Once for each state of the message: before it could say what to do, and after.
    let told = continued(&scene, &id);
    assert!((1..=3).contains(&told.len()), "{told:?}");
    let shown = scene.shown(&id);
    assert!(shown.contains("Something was left out"), "{shown}");
    let last = told.last().expect("it goes on");
    let files = scene.discord.with(|state| state.files.clone());
    let (_, text) = files.iter().find(|(name, _)| last.contains(name.as_str())).expect("its file");
    for quote in ["begin-4", "begin-5"] {
        assert!(text.contains(&format!("{quote} {}", "*".repeat(STARS))), "whole, as it was said: {text}");
    }
    scene.tell("the post goes on", last);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_file_may_be_attached_a_message_holds_what_it_can() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.discord.forbid(ALERTS, permissions::ATTACH);
    wordy(&mut scene, &"*".repeat(STARS)).await;
    let id = scene.message(ALERTS, &["[*Approve"]).await;
    scene.thread_tells(&id, &["(continued)", "Something was left out"]).await;
    let tried = scene.discord.with(|state| state.files.len());
    assert!((1..=3).contains(&tried), "{tried} files were tried");
    assert!(!scene.thread(&id).contains("(file"), "{}", scene.thread(&id));
    nothing_doubled_in(&scene, &id);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_goes_on_it_is_found_again_however_long_that_took() {
    let mut scene = Scene::start(&Wanted::default()).await;
    // The message itself, then the first note, then the file: each is taken, and kubemend is never told.
    scene.discord.fail(POST, Fault::DoneUnanswered, 3);
    wordy(&mut scene, &"*".repeat(STARS)).await;
    scene.until("it was posted", || (!scene.discord.posted(ALERTS).is_empty()).then_some(())).await;
    much_later(&mut scene).await;
    let id = scene.message(ALERTS, &["[*Approve"]).await;
    scene.until("a thread has begun with a note", || (!scene.thread(&id).is_empty()).then_some(())).await;
    much_later(&mut scene).await;
    scene.thread_tells(&id, &["(file i-1-"]).await;
    much_later(&mut scene).await;
    scene.until("it is heard", || (scene.discord.linked() >= 1).then_some(())).await;
    let label = approve_label(&scene.shown(&id));
    let click = scene.discord.click(ANN, ALERTS, &id, &label).await;
    scene.discord.acknowledged(&click).await;
    // Of so many words the message itself has no room to say how it ended.
    scene.shows(&id, &["over since"]).await;
    scene.thread_tells(&id, &["ann approved", "Fixed. Checked"]).await;
    assert_eq!(scene.discord.posted(ALERTS).len(), 1, "{}", scene.discord.channel(ALERTS));
    assert_eq!(scene.thread(&id).matches("ann approved").count(), 1, "{}", scene.thread(&id));
    nothing_doubled_in(&scene, &id);
    each_file_once(&scene, &id).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_lost_answers_delay_what_goes_on_and_double_none_of_it() {
    let mut scene = Scene::start(&Wanted::default()).await;
    let second = Duration::from_millis(1_200);
    scene.discord.fail(POST, Fault::RateLimited(second, Scope::User), 2);
    scene.discord.fail(POST, Fault::DoneAnd502, 2);
    scene.discord.fail(POST, Fault::DoneAndCut, 1);
    scene.discord.fail(BEGIN, Fault::DoneAnd502, 1);
    wordy(&mut scene, &"*".repeat(STARS)).await;
    let id = scene.message(ALERTS, &["[*Approve"]).await;
    scene.thread_tells(&id, &["(continued)", "(file i-1-"]).await;
    scene
        .until("nothing goes wrong any more", || {
            let over = scene.discord.with(|state| state.rules.iter().all(|rule| rule.left == 0));
            over.then_some(())
        })
        .await;
    let label = approve_label(&scene.shown(&id));
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    // Of so many words the message itself has no room to say how it ended.
    scene.shows(&id, &["over since"]).await;
    scene.thread_tells(&id, &["ann approved", "Fixed. Checked"]).await;
    nothing_doubled_in(&scene, &id);
    each_file_once(&scene, &id).await;
    scene.end().await;
}

/// How often somebody's answer was edited.
fn edits(scene: &Scene) -> usize {
    scene.discord.called(ORIGINAL)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_diagnosis_grows_while_somebody_waits() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("bad-release").await;
    scene.message(ALERTS, &["[*Approve"]).await;
    let pod = scene.stage.slow_logs(Duration::from_secs(5));
    let (object, space) = (format!("pod/{pod}"), "orders");
    let of = [("object", object.as_str()), ("namespace", space)];
    let before = edits(&scene);
    scene.discord.command(ANN, ALERTS, "mend diagnose", &of).await;
    scene.whispers(ANN, &["Looking at"]).await;
    let first = scene.whispered(ANN);
    let growing = scene.whispers(ANN, &["Looking at", "the object itself", "event"]).await;
    scene.tell("while ann waits", &growing.replace(&pod, "[pod]"));
    let found = scene.whispers(ANN, &["ends by itself"]).await;
    assert!(!found.contains("Looking at"), "{found}");
    assert_eq!(scene.whispered(ANN), first, "one message that changed");
    let edited = edits(&scene) - before;
    assert!((2..=11).contains(&edited), "{edited} edits");

    // The same from a message that somebody points at, and for everybody.
    let text = scene.discord.write(BEN, ALERTS, &format!("what is it with {object} -n {space}?"));
    scene.discord.point(BEN, ALERTS, &text, "Diagnose").await;
    scene.whispers(BEN, &["Looking at", "the object itself"]).await;
    scene.whispers(BEN, &["ends by itself"]).await;
    let aloud = [of[0], of[1], ("here", "true")];
    scene.discord.command(BEN, ALERTS, "mend diagnose", &aloud).await;
    let told = scene.message(ALERTS, &["Looking at", "the object itself"]).await;
    scene.shows(&told, &["ends by itself"]).await;
    assert!(!scene.shown(&told).contains("Looking at"), "{}", scene.shown(&told));
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_diagnosis_that_meets_a_limit_or_outlasts_its_token_is_answered_all_the_same() {
    let scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("bad-release").await;
    let id = scene.message(ALERTS, &["[*Approve"]).await;
    let pod = scene.stage.slow_logs(Duration::from_secs(8));
    let object = format!("pod/{pod}");
    let of = [("object", object.as_str()), ("namespace", "orders")];
    scene.discord.fail(ORIGINAL, Fault::RateLimited(Duration::from_secs(2), Scope::User), 1);
    let before = edits(&scene);
    scene.discord.command(ANN, ALERTS, "mend diagnose", &of).await;
    scene.until("it was limited", || (edits(&scene) > before).then_some(())).await;
    scene.whispers(ANN, &["Looking at", "the object itself"]).await;
    scene.discord.advance(Duration::from_secs(16 * 60));
    let late = scene.message(ALERTS, &["<@550000000000000001>", "ends by itself"]).await;
    assert_ne!(late, id);
    let late = scene.discord.posted(ALERTS).iter().filter(|m| show::message(m).contains("<@55")).count();
    assert_eq!(late, 1, "once");
    let pinged = scene.discord.with(|state| std::mem::take(&mut state.pings));
    assert_eq!(pinged, ["@ann"], "whoever asked is called, and nobody else");
    let invalid = scene.discord.with(|state| state.invalid);
    assert!(invalid < 10, "{invalid} requests that count against the ban");
    scene.end().await;
}
