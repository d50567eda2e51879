//! The whole loop in Discord, over the real engine and a simulated cluster: what people do and see, as
//! transcripts.

use crate::discord_scene::{ALERTS, ANN, BEN, FORUM, SAM, SPARE, Scene, VIC, Wanted};
use crate::fake_discord::people::Place;
use crate::fake_discord::show;
use crate::support::story::approve_label;
use kubemend::sim::api::gvr;
use serde_json::json;

const APPROVE_HIGH: &str = "Approve (high risk)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_first_sight_over_preview_and_approval_to_fixed() {
    let mut scene = Scene::start(&Wanted::default()).await;
    let (id, label) = scene.proposed().await;
    let first = scene.shown(&id);
    scene.tell("first sight", &first);
    scene.discord.click(ANN, ALERTS, &id, "Preview").await;
    let preview = scene.whispers(ANN, &["Preview", "Digest"]).await;
    scene.tell("ann previews and alone is shown", &preview);
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    let said = scene.whispers(ANN, &["recorded"]).await;
    scene.tell("ann approves and alone is told", &said);
    scene.shows(&id, &["fixed"]).await;
    scene.shows(&id, &["over since"]).await;
    let last = scene.shown(&id);
    scene.tell("in the end the message shows", &last);
    scene.thread_tells(&id, &["ann approved", "Carrying out", "Change 1 made", "Fixed. Checked"]).await;
    assert_eq!(scene.discord.posted(ALERTS).len(), 1, "one message, edited in place");
    assert_eq!(scene.stage.written().len(), 1);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_the_same_loop_is_closed() {
    let scene = Scene::start(&Wanted { http: true, ..Wanted::default() }).await;
    // What kubemend sends after its answer is there before the answer is read.
    scene.discord.with(|state| state.reads_after = std::time::Duration::from_millis(300));
    let (id, label) = scene.proposed().await;
    scene.discord.click(ANN, ALERTS, &id, "Preview").await;
    scene.whispers(ANN, &["Preview", "Digest"]).await;
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    scene.whispers(ANN, &["recorded"]).await;
    scene.shows(&id, &["fixed"]).await;
    scene.thread_tells(&id, &["ann approved", "Fixed. Checked"]).await;
    assert!(!scene.discord.transcript().contains("the interaction failed"), "{}", scene.discord.transcript());
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_decide_is_told_so_alone_and_a_denial_ends_a_proposal() {
    let mut scene = Scene::start(&Wanted::default()).await;
    let (id, label) = scene.proposed().await;
    for (user, name, word) in [(VIC, "vic", "role"), (SAM, "sam", "does not know")] {
        scene.discord.click(user, ALERTS, &id, &label).await;
        let said = scene.whispers(user, &[word]).await;
        scene.tell(&format!("{name} clicks approve and alone is told"), &said);
    }
    for (place, name) in [(Place::Direct, "a direct message"), (Place::Elsewhere, "another server")] {
        scene.discord.with(|state| state.ephemerals.clear());
        scene.discord.press(ANN, place, &id, &label).await;
        let said = scene.whispers(ANN, &["nothing can be decided here"]).await;
        scene.tell(&format!("ann approves from {name} and is told"), &said);
    }
    scene.discord.with(|state| state.users.get_mut(BEN).unwrap().roles.as_mut().unwrap().clear());
    scene.discord.click(BEN, ALERTS, &id, "Deny").await;
    let said = scene.whispers(BEN, &["does not know"]).await;
    scene.tell("ben, whose role was taken away, is told", &said);
    assert_eq!(scene.stage.sent(), []);
    scene.discord.click(ANN, ALERTS, &id, "Deny").await;
    let said = scene.whispers(ANN, &["denied"]).await;
    scene.tell("ann denies and alone is told", &said);
    scene.thread_tells(&id, &["ann denied"]).await;
    assert_eq!(scene.stage.sent(), []);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_approvers_are_two_people() {
    let mut scene = Scene::start(&Wanted { approvals: 2, ..Wanted::default() }).await;
    let (id, label) = scene.proposed().await;
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    let said = scene.whispers(ANN, &["1 more"]).await;
    scene.tell("ann approves and alone is told", &said);
    scene.shows(&id, &["1 of 2 approvals"]).await;
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    let said = scene.whispers(ANN, &["Not done"]).await;
    scene.tell("ann approves again and alone is told", &said);
    assert_eq!(scene.stage.sent(), []);
    scene.discord.click(BEN, ALERTS, &id, &label).await;
    scene.shows(&id, &["fixed"]).await;
    scene.thread_tells(&id, &["ann approved", "ben approved", "approved by ann, ben", "Fixed"]).await;
    assert_eq!(scene.stage.written().len(), 1);
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn high_risk_is_confirmed_by_typing_the_name() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("finalizer").await;
    let id = scene.message(ALERTS, &[APPROVE_HIGH]).await;
    let asked = ask(&scene, ANN, &id, APPROVE_HIGH, "export-worker").await;
    scene.tell("ann is asked", &asked);
    let question = question(&asked);
    scene.discord.submit(ANN, &[(&question, "export-workers")]).await;
    let said = scene.whispers(ANN, &["Not done"]).await;
    scene.tell("ann types something else", &said);
    assert_eq!(scene.stage.sent(), []);
    ask(&scene, ANN, &id, APPROVE_HIGH, "export-worker").await;
    scene.discord.submit(ANN, &[(&question, "export-worker")]).await;
    let said = scene.whispers(ANN, &["recorded"]).await;
    scene.tell("ann types the name", &said);
    scene.shows(&id, &["fixed"]).await;
    assert_eq!(scene.stage.written().len(), 1);
    insta::assert_snapshot!(scene.end().await);
}

/// Presses something that asks back. On a busy machine the questions come behind a button.
async fn ask(scene: &Scene, user: &str, message: &str, label: &str, word: &str) -> String {
    scene.discord.with(|state| state.ephemerals.clear());
    scene.discord.click(user, ALERTS, message, label).await;
    let shown = || {
        scene.discord.modal(user).is_some()
            || scene.discord.whispered(user).is_some_and(|body| show::message(&body).contains("[*Answer]"))
    };
    scene.until("questions, or a button that opens them", || shown().then_some(())).await;
    if scene.discord.modal(user).is_none() {
        scene.discord.click(user, ALERTS, &scene.whispered(user), "Answer").await;
    }
    scene.modal(user, &[word]).await
}

/// The label of a modal's only question.
fn question(modal: &str) -> String {
    let line = modal.lines().find_map(|line| line.strip_prefix("? ")).expect("it asks something");
    line.split(": <").next().expect("a label").to_owned()
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
    let id = scene.message(ALERTS, &["[*Approve"]).await;
    let incident = scene.incident(&id);
    let mut asked = String::new();
    let started = std::time::Instant::now();
    while !asked.contains("harbor-spare") {
        assert!(
            started.elapsed() < crate::discord_scene::LONG,
            "the other secret is offered: {asked}\n{}",
            scene.discord.transcript()
        );
        scene.discord.with(|state| (state.ephemerals.clear(), state.modals.clear()));
        let options = [("incident", incident.as_str()), ("remedy", "add-pull-secret")];
        let typed = scene.discord.command(ANN, ALERTS, "mend run", &options).await;
        scene.discord.acknowledged(&typed).await;
        let said = || {
            scene
                .discord
                .whispered(ANN)
                .map(|body| show::message(&body))
                .filter(|said| !said.contains("thinking"))
        };
        let last = scene.until("it is answered", said).await;
        if last.contains("[*Answer]") {
            scene.discord.click(ANN, ALERTS, &scene.whispered(ANN), "Answer").await;
            asked = scene.modal(ANN, &["secret"]).await;
        }
    }
    scene.tell("ann is asked which secret", &asked);
    let question = question(&asked);
    scene.discord.submit(ANN, &[(&question, "harbor-spare")]).await;
    let said = scene.whispers(ANN, &["Proposed as"]).await;
    assert!(said.contains("harbor-spare"), "{said}");
    scene.thread_tells(&id, &["ann asked for"]).await;
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_decides_expires_and_an_old_picture_of_it_decides_nothing() {
    let scene = Scene::start(&Wanted { lives: "5s", ..Wanted::default() }).await;
    let (id, label) = scene.proposed().await;
    let old = scene.discord.with(|state| state.message(ALERTS, &id).cloned().unwrap());
    scene.thread_tells(&id, &["expired: nobody decided in time"]).await;
    // Somebody whose Discord still shows the old message clicks what is over.
    scene.discord.press_old(ANN, ALERTS, &old, &label).await;
    scene.whispers(ANN, &["Not done"]).await;
    assert_eq!(scene.stage.sent(), []);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_changed_is_left_alone_and_the_message_says_so() {
    let scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("bad-release").await;
    let id = scene.message(ALERTS, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&id));
    scene.discord.command(BEN, ALERTS, "mend pause", &[]).await;
    scene.whispers(BEN, &["stopped"]).await;
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    scene.whispers(ANN, &["recorded"]).await;
    let who = kubemend::sim::api::User::new("somebody", &["system:masters"]);
    let api = scene.stage.sim.api();
    let change = |deployment: &mut serde_json::Value| deployment["spec"]["minReadySeconds"] = json!(1);
    api.modify(&who, &gvr::DEPLOYMENTS, None, Some("orders"), "orders-api", change).expect("it is there");
    scene.discord.command(BEN, ALERTS, "mend resume", &[]).await;
    scene.thread_tells(&id, &["is not done"]).await;
    assert_eq!(scene.stage.written(), [], "nothing was written");
    scene.shows(&id, &["[*Approve"]).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_can_be_taken_back() {
    let mut scene = Scene::start(&Wanted::default()).await;
    scene.stage.play("bad-release").await;
    let id = scene.message(ALERTS, &["[*Approve"]).await;
    let incident = scene.incident(&id);
    let label = approve_label(&scene.shown(&id));
    scene.discord.click(ANN, ALERTS, &id, &label).await;
    scene.shows(&id, &["fixed"]).await;
    let held = scene.stage.api().get(&format!("/api/v1/incidents/{incident}")).await;
    let executions = held["incident"]["executions"].as_object().cloned().unwrap_or_default();
    let execution = executions.keys().next().expect("it was carried out").clone();
    scene.discord.command(ANN, ALERTS, "mend undo", &[("execution", &execution)]).await;
    let said = scene.whispers(ANN, &["Proposed as", "Take back"]).await;
    scene.tell("ann regrets it and alone is shown", &said);
    assert_eq!(scene.stage.written().len(), 1, "it must be approved like anything else");
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_can_be_kept_quiet() {
    let scene = Scene::start(&Wanted::default()).await;
    let (id, _) = scene.proposed().await;
    scene.discord.click(ANN, ALERTS, &id, "Quiet for an hour").await;
    scene.whispers(ANN, &["is quiet until"]).await;
    scene.shows(&id, &["quiet until", "End the quiet"]).await;
    scene.discord.click(VIC, ALERTS, &id, "End the quiet").await;
    scene.whispers(VIC, &["Not done"]).await;
    scene.discord.click(ANN, ALERTS, &id, "End the quiet").await;
    scene.whispers(ANN, &["told again"]).await;
    scene.thread_tells(&id, &["ann keeps this quiet until", "ann ended the quiet"]).await;
    scene.end().await;
}

/// The text without quotes of container states: which one a container is in depends on the moment.
fn without_states(said: &str) -> String {
    let mut lines = said.lines();
    let mut kept = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with("`container ") {
            lines.next();
        } else if !(line.is_empty() && kept.last().is_some_and(|last: &&str| last.is_empty())) {
            kept.push(line);
        }
    }
    kept.join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_command_answers() {
    /// A subcommand, its options, and what its answer holds.
    type Typed<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let mut scene = Scene::start(&Wanted::default()).await;
    let (id, _) = scene.proposed().await;
    let incident = scene.incident(&id);
    let of = [("incident", incident.as_str())];
    let proposal = format!("{incident}.p99");
    let silence = [of[0], ("duration", "30m"), ("reason", "too loud")];
    let lines: [Typed<'_>; 13] = [
        ("help", &[], "audit"),
        ("help", &[("command", "silence")], "silence"),
        ("status", &[], "sim"),
        ("incidents", &[], &incident),
        ("show", &of, "What happened"),
        ("diagnose", &[("object", "pod/nobody"), ("namespace", "default")], "is not there"),
        ("actions", &of, "/mend run"),
        ("deny", &[("proposal", &proposal)], "Not done"),
        ("undo", &[("execution", "x-i-1.p99")], "Not done"),
        ("silence", &silence, "quiet until"),
        ("pause", &[], "stopped"),
        ("resume", &[], "go on"),
        ("whoami", &[], "admin"),
    ];
    for (command, options, word) in lines {
        scene.discord.with(|state| state.ephemerals.clear());
        scene.discord.command(ANN, ALERTS, &format!("mend {command}"), options).await;
        let said = scene.whispers(ANN, &[word]).await;
        let typed: Vec<String> = options.iter().map(|(name, value)| format!(" {name}:{value}")).collect();
        scene.tell(&format!("/mend {command}{}", typed.concat()), &without_states(&said));
    }
    scene.discord.command(ANN, ALERTS, "mend audit", &of).await;
    scene.whispers(ANN, &["ann"]).await;
    let approve = format!("{incident}.p1");
    scene.discord.command(ANN, ALERTS, "mend approve", &[("proposal", &approve)]).await;
    scene.whispers(ANN, &["Preview"]).await;
    scene.discord.command(ANN, ALERTS, "mend status", &[("here", "true")]).await;
    scene.message(ALERTS, &["Status"]).await;
    let text = scene.discord.write(VIC, ALERTS, "why is pod/nobody -n default so slow?");
    scene.discord.point(ANN, ALERTS, &text, "Diagnose").await;
    scene.whispers(ANN, &["is not there"]).await;
    insta::assert_snapshot!(scene.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_meant_is_offered_while_something_is_typed_and_to_nobody_who_may_not_know() {
    let scene = Scene::start(&Wanted::default()).await;
    let (id, _) = scene.proposed().await;
    let incident = scene.incident(&id);
    let offered = scene.discord.complete(ANN, ALERTS, "mend show", &[], ("incident", "")).await;
    assert!(offered.iter().any(|(_, value)| *value == incident), "{offered:?}");
    let of = [("incident", incident.as_str())];
    let offered = scene.discord.complete(ANN, ALERTS, "mend run", &of, ("remedy", "re")).await;
    assert!(!offered.is_empty(), "remedies of the incident");
    let offered = scene.discord.complete(ANN, ALERTS, "mend diagnose", &[], ("namespace", "met")).await;
    assert!(offered.iter().any(|(_, value)| value == "metrics"), "{offered:?}");
    assert_eq!(scene.discord.complete(SAM, ALERTS, "mend show", &[], ("incident", "")).await, []);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_is_told_in_one_message() {
    let chat = "  routes:\n  - {name: all, to: {discord: [\"440000000000000001\"]}, budget: {messages: 1, perMinutes: 60}}\n  fallback: {discord: [\"440000000000000002\"]}\n";
    let scene = Scene::start(&Wanted { chat, ..Wanted::default() }).await;
    for scenario in ["stale-subpath", "bad-release", "missing-config", "finalizer"] {
        scene.stage.play(scenario).await;
    }
    let look = || {
        let posted = scene.discord.posted(ALERTS);
        let lists = |message: &serde_json::Value| {
            let shown = show::message(message);
            ["i-1", "i-2", "i-3", "i-4"].iter().filter(|id| shown.contains(*id)).count() >= 3
        };
        (posted.len() == 2 && posted.iter().any(lists)).then_some(())
    };
    scene.until("one message and one digest of the others", look).await;
    assert_eq!(scene.discord.posted(SPARE).len(), 0);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_forum_an_incident_is_a_post_whose_tags_say_how_it_stands() {
    let chat = "  fallback: {discord: [\"440000000000000003\"]}\n";
    let mut scene = Scene::start(&Wanted { chat, ..Wanted::default() }).await;
    scene.stage.play("stale-subpath").await;
    let id = scene.message(FORUM, &["[*Approve"]).await;
    let label = approve_label(&scene.shown(&id));
    let tags = |scene: &Scene| {
        scene
            .discord
            .with(|state| state.channels[&id].tags.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>())
    };
    let has = |scene: &Scene, tag: &str| tags(scene).iter().any(|own| own == tag);
    scene.until("it waits for a decision", || has(&scene, "needs a decision").then_some(())).await;
    assert!(has(&scene, "warning") && !has(&scene, "open"), "{:?}", tags(&scene));
    scene.discord.click(ANN, &id, &id, &label).await;
    scene.whispers(ANN, &["recorded"]).await;
    scene.shows(&id, &["fixed"]).await;
    scene.thread_tells(&id, &["ann approved", "Fixed. Checked"]).await;
    scene.until("it is over", || has(&scene, "over").then_some(())).await;
    assert!(!has(&scene, "needs a decision") && has(&scene, "warning"), "{:?}", tags(&scene));
    assert_eq!(scene.discord.posted(FORUM).len(), 1, "{}", scene.discord.channel(FORUM));
    let name = scene.discord.with(|state| state.channels[&id].name.clone());
    scene.tell("the post is called", &name);
    insta::assert_snapshot!(scene.end().await);
}
