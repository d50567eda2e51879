//! The whole loop in Slack, over the real engine and a simulated cluster: what people do and see, as transcripts.

use crate::scene::{ALERTS, ANN, BEN, GUS, SAM, Scene, VIC, Wanted};
use crate::support::story::approve_label;
use kubemend::sim::api::gvr;
use serde_json::json;

const APPROVE_LOW: &str = "Approve (low risk)";
const APPROVE_MEDIUM: &str = "Approve (medium risk)";
const APPROVE_HIGH: &str = "Approve (high risk)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_first_sight_over_preview_and_approval_to_fixed() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let first = scene.shown(&ts);
    scene.tell("first sight", &without_states(&first));
    let label = approve_label(&first);
    scene.slack.click(ANN, ALERTS, &ts, "Preview").await;
    let modal = scene.modal(ANN, &["Preview"]).await;
    scene.tell("ann previews", &modal);
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    let said = scene.whispers(ANN, &["recorded"]).await;
    scene.tell("ann approves and alone is told", &said);
    scene.shows(&ts, &["fixed"]).await;
    scene.shows(&ts, &["over since"]).await;
    let last = scene.shown(&ts);
    scene.tell("in the end the message shows", &without_states(&last));
    scene.thread_tells(&ts, &["ann approved", "Carrying out", "Change 1 made", "Fixed. Checked"]).await;
    assert_eq!(scene.slack.posted(ALERTS).len(), 1, "one message, edited in place");
    assert_eq!(scene.stage.written().len(), 1);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_decide_is_told_so_alone_and_a_denial_ends_a_proposal() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&ts));
    for (user, name, word) in [(VIC, "vic", "role"), (SAM, "sam", "does not know"), (GUS, "gus", "guests")] {
        scene.slack.click(user, ALERTS, &ts, &label).await;
        let said = scene.whispers(user, &[word]).await;
        scene.tell(&format!("{name} clicks approve and alone is told"), &said);
    }
    assert_eq!(scene.stage.sent(), []);
    scene.slack.click(BEN, ALERTS, &ts, "Deny").await;
    let said = scene.whispers(BEN, &["denied"]).await;
    scene.tell("ben denies and alone is told", &said);
    scene.thread_tells(&ts, &["ben denied"]).await;
    assert_eq!(scene.stage.sent(), []);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_approvers_are_two_people() {
    let mut scene = Scene::start(&Wanted { approvals: 2, ..Wanted::default() }).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&ts));
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    let said = scene.whispers(ANN, &["1 more"]).await;
    scene.tell("ann approves and alone is told", &said);
    scene.shows(&ts, &["1 of 2 approvals"]).await;
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    let said = scene.whispers(ANN, &["Not done"]).await;
    scene.tell("ann approves again and alone is told", &said);
    assert_eq!(scene.stage.sent(), []);
    scene.slack.click(BEN, ALERTS, &ts, &label).await;
    scene.shows(&ts, &["fixed"]).await;
    scene.thread_tells(&ts, &["ann approved", "ben approved", "approved by ann, ben", "Fixed"]).await;
    assert_eq!(scene.stage.written().len(), 1);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn high_risk_is_confirmed_by_typing_the_name() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("finalizer").await;
    let ts = scene.message(ALERTS, &[APPROVE_HIGH]).await;
    scene.slack.click(ANN, ALERTS, &ts, APPROVE_HIGH).await;
    let asked = scene.modal(ANN, &["Type export-worker to confirm", "[[Approve]]"]).await;
    scene.tell("ann is asked", &asked);
    let question = "Type export-worker to confirm";
    scene.slack.submit(ANN, &[(question, "export-workers")]).await;
    let said = scene.modal(ANN, &["Not done"]).await;
    scene.tell("ann types something else", &said);
    assert_eq!(scene.stage.sent(), []);
    scene.slack.click(ANN, ALERTS, &ts, APPROVE_HIGH).await;
    scene.modal(ANN, &["[[Approve]]"]).await;
    scene.slack.submit(ANN, &[(question, "export-worker")]).await;
    let said = scene.modal(ANN, &["recorded"]).await;
    scene.tell("ann types the name", &said);
    scene.shows(&ts, &["fixed"]).await;
    assert_eq!(scene.stage.written().len(), 1);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_are_chosen_in_a_modal() {
    let mut scene = Scene::start(&Wanted { pace: 4.0, ..Wanted::default() }).await;
    scene.stage.play("pull-secret").await;
    let who = kubemend::sim::api::User::new("somebody", &["system:masters"]);
    let api = scene.stage.sim.api();
    let secret = api.get(&gvr::SECRETS, Some("payments"), "harbor-pull").expect("the scenario made it");
    let mut secret = secret.as_ref().clone();
    secret["metadata"] = json!({"name": "harbor-spare", "namespace": "payments"});
    api.create(&who, &gvr::SECRETS, Some("payments"), secret).expect("there is no such secret yet");
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let id = scene.incident(&ts);
    let mut asked = String::new();
    for _ in 0..40 {
        scene.slack.command(ANN, ALERTS, &format!("run {id} add-pull-secret")).await;
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        asked = scene.slack.modal(ANN).unwrap_or_default();
        if asked.contains("harbor-spare") {
            break;
        }
    }
    assert!(
        asked.contains("harbor-spare"),
        "the other secret is offered: {asked}\n{}",
        scene.slack.transcript()
    );
    scene.tell("ann is asked which secret", &asked);
    scene.slack.submit(ANN, &[("secret", "harbor-spare")]).await;
    let said = scene.modal(ANN, &["Proposed as"]).await;
    assert!(said.contains("harbor-spare"), "{said}");
    scene.thread_tells(&ts, &["ann asked for"]).await;
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_decides_expires_and_a_fresh_proposal_takes_its_place() {
    let mut scene = Scene::start(&Wanted { lives: "5s", ..Wanted::default() }).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let old = scene.slack.with(|state| state.message(ALERTS, &ts).cloned().unwrap());
    scene.thread_tells(&ts, &["expired: nobody decided in time"]).await;
    // Somebody whose Slack still shows the old message clicks what is over.
    let label = approve_label(&crate::fake_slack::show::message(&old));
    let action = crate::fake_slack::show::action(&old, &label).unwrap();
    let payload = scene.slack.with(|state| {
        let trigger = crate::fake_slack::calls::trigger(state, ANN);
        json!({"type": "block_actions", "user": {"id": ANN, "team_id": "T1"}, "team": {"id": "T1"},
            "trigger_id": trigger, "channel": {"id": ALERTS}, "message": old, "actions": [action],
            "container": {"type": "message", "message_ts": ts, "channel_id": ALERTS}})
    });
    scene.slack.deliver("interactive", payload, None).await;
    let said = scene.whispers(ANN, &["Not done"]).await;
    let first = scene.thread(&ts);
    let first = first.lines().find(|line| line.contains("expired")).expect("it was told").to_owned();
    scene.tell("the thread tells", &first);
    scene.tell("ann clicks what is over and alone is told", said.split(" at 20").next().unwrap());
    assert_eq!(scene.stage.sent(), []);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_changed_is_left_alone_and_the_message_says_so() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("bad-release").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&ts));
    scene.slack.command(BEN, ALERTS, "pause").await;
    let said = scene.whispers(BEN, &["stopped"]).await;
    scene.tell("ben pauses and alone is told", &said);
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    scene.whispers(ANN, &["recorded"]).await;
    let who = kubemend::sim::api::User::new("somebody", &["system:masters"]);
    let api = scene.stage.sim.api();
    let change = |deployment: &mut serde_json::Value| deployment["spec"]["minReadySeconds"] = json!(1);
    api.modify(&who, &gvr::DEPLOYMENTS, None, Some("orders"), "orders-api", change).expect("it is there");
    scene.slack.command(BEN, ALERTS, "resume").await;
    scene.thread_tells(&ts, &["is not done"]).await;
    assert_eq!(scene.stage.written(), [], "nothing was written");
    scene.shows(&ts, &["[*Approve"]).await;
    let told = Scene::lines(&scene.thread(&ts), &["ann approved", "is not done"]);
    // Told one by one, or some of them together.
    scene.tell("the thread tells", &told.replace("• ", ""));
    let offered = Scene::lines(&scene.shown(&ts), &["[*Approve"]);
    scene.tell("and the message offers anew", &offered);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_can_be_taken_back() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("bad-release").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let id = scene.incident(&ts);
    let label = approve_label(&scene.shown(&ts));
    scene.slack.click(ANN, ALERTS, &ts, &label).await;
    scene.shows(&ts, &["fixed"]).await;
    let proposal = scene.stage.api().get(&format!("/api/v1/incidents/{id}")).await;
    let executions = proposal["incident"]["executions"].as_object().cloned().unwrap_or_default();
    let execution = executions.keys().next().expect("it was carried out").clone();
    scene.slack.command(ANN, ALERTS, &format!("undo {execution}")).await;
    let said = scene.whispers(ANN, &["Proposed as", "Take back"]).await;
    scene.tell("ann regrets it and alone is shown", &said);
    assert_eq!(scene.stage.written().len(), 1, "it must be approved like anything else");
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_can_be_kept_quiet() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    scene.slack.click(ANN, ALERTS, &ts, "Quiet for an hour").await;
    let said = scene.whispers(ANN, &["is quiet until"]).await;
    scene.tell("ann keeps it quiet and alone is told", &said);
    scene.shows(&ts, &["quiet until", "End the quiet"]).await;
    let shown = Scene::lines(&scene.shown(&ts), &["*State*", "End the quiet"]);
    scene.tell("the message shows", &shown);
    scene.slack.click(VIC, ALERTS, &ts, "End the quiet").await;
    let said = scene.whispers(VIC, &["Not done"]).await;
    scene.tell("vic would end it and alone is told", &said);
    scene.slack.click(ANN, ALERTS, &ts, "End the quiet").await;
    let said = scene.whispers(ANN, &["told again"]).await;
    scene.tell("ann ends it and alone is told", &said);
    scene.thread_tells(&ts, &["ann keeps this quiet until", "ann ended the quiet"]).await;
    let told = Scene::lines(&scene.thread(&ts), &["quiet"]).replace("• ", "");
    let moment = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\dZ").unwrap();
    scene.tell("the thread tells", &moment.replace_all(&told, "[time]"));
    insta::assert_snapshot!(scene.end().await);
}

/// The text without quotes of container states: which one a container is in depends on the moment.
fn without_states(said: &str) -> String {
    let mut lines = said.lines();
    let mut kept = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with("`container ") {
            lines.next();
        } else {
            kept.push(line);
        }
    }
    kept.join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_command_answers() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("stale-subpath").await;
    let ts = scene.message(ALERTS, &["[*Approve"]).await;
    let id = scene.incident(&ts);
    let lines = [
        ("help".to_owned(), "audit"),
        ("status".to_owned(), "sim"),
        ("incidents".to_owned(), id.as_str()),
        (format!("show {id}"), "What happened"),
        ("diagnose pod/nobody -n default".to_owned(), "is not there"),
        (format!("actions {id}"), "/mend run"),
        (format!("deny {id}.p99"), "Not done"),
        ("undo x-i-1.p99".to_owned(), "Not done"),
        (format!("silence {id} 30m too loud"), "quiet until"),
        ("pause".to_owned(), "stopped"),
        ("resume".to_owned(), "go on"),
        (format!("audit {id}"), "ann"),
        ("whoami".to_owned(), "admin"),
        ("incidnets".to_owned(), "incidents"),
        (String::new(), "/mend help"),
    ];
    for (line, word) in &lines {
        scene.slack.with(|state| state.ephemerals.clear());
        scene.slack.command(ANN, ALERTS, line).await;
        let said = scene.whispers(ANN, &[word]).await;
        scene.tell(&format!("/mend {line}"), &without_states(&said));
    }
    scene.slack.command(ANN, ALERTS, &format!("run {id} replace-pod")).await;
    let said = scene.whispers(ANN, &["Proposed as"]).await;
    scene.tell(&format!("/mend run {id} replace-pod"), &said);
    let proposal = scene.stage.api().get(&format!("/api/v1/incidents/{id}")).await;
    let newest = proposal["incident"]["proposals"].as_object().unwrap().keys().next_back().unwrap().clone();
    scene.slack.command(ANN, ALERTS, &format!("approve {newest}")).await;
    let said = scene.modal(ANN, &["Preview"]).await;
    scene.tell("/mend approve shows it, in a window", &said);
    scene.slack.command(ANN, ALERTS, "status --here").await;
    let said = scene.message(ALERTS, &["Status"]).await;
    scene.tell("/mend status --here, for everybody", &scene.shown(&said));
    scene.slack.mention(ANN, ALERTS, "whoami").await;
    let said = scene.whispers(ANN, &["admin"]).await;
    scene.tell("@kubemend whoami", &said);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_is_told_in_one_message() {
    let chat = "  routes:\n  - {name: all, to: {slack: [CALERTS]}, budget: {messages: 1, perMinutes: 60}}\n  fallback: {slack: [CSPARE]}\n";
    let mut scene = Scene::start(&Wanted { chat, ..Wanted::default() }).await;
    scene.stage.play("stale-subpath").await;
    scene.message(ALERTS, &["[*Approve"]).await;
    for scenario in ["bad-release", "missing-config", "finalizer"] {
        scene.stage.play(scenario).await;
    }
    let look = || {
        let posted = scene.slack.posted(ALERTS);
        let lists = |message: &serde_json::Value| {
            let shown = crate::fake_slack::show::message(message);
            (shown.matches("• *i-").count() == 3).then_some(shown)
        };
        (posted.len() == 2).then(|| posted.iter().find_map(lists)).flatten()
    };
    let digest = scene.until("one message and one digest of the others", look).await;
    let mut lines: Vec<&str> = digest.lines().collect();
    lines.sort_unstable_by_key(|line| line.split("* ").nth(1).unwrap_or_default().to_owned());
    scene.tell("the others are told together", &lines.join("\n"));
    assert_eq!(scene.slack.posted(crate::scene::SPARE).len(), 0);
    insta::assert_snapshot!(scene.end().await);
}
