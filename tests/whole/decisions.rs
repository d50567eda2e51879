//! Who decides what, and what comes of it: many at once, stale digests, denials, withdrawals, time, rights,
//! the brake, targets that changed in between, and taking back.

use crate::support::api::id;
use crate::support::eventually;
use crate::support::stage::{LONG, POLICY, Setup, Stage};
use futures::future::join_all;
use http::StatusCode;
use kubemend::sim::api::{DeleteOptions, Gvr, User, gvr};
use serde_json::{Value, json};

const PEOPLE: &[(&str, &str)] = &[("alice", "admin"), ("bob", "admin"), ("vera", "viewer")];

/// The same policy with another number of approvals at medium risk.
fn approvals(number: u8) -> String {
    POLICY.replace("medium: {approvals: 1,", &format!("medium: {{approvals: {number},"))
}

async fn start(policy: &str) -> Stage {
    Stage::start(&Setup { people: PEOPLE, policy, pace: 5.0, ..Setup::default() }).await
}

/// A scenario that is broken and has a proposal.
async fn proposed(stage: &Stage, scenario: &str, action: &str, changes: usize) -> (Value, Value) {
    let scenario = stage.play(scenario).await;
    let incident = stage.api().incident(scenario.condition, scenario.namespace, LONG).await;
    let proposal = stage.proposal(&incident, action, changes).await;
    (incident, proposal)
}

/// The change happened once, and the verdict is in.
async fn fixed_once(stage: &Stage, proposal: &Value, changes: usize) {
    assert_eq!(stage.api().verdict(proposal, LONG).await, "fixed");
    let written = stage.written();
    assert_eq!(written.len(), changes, "{written:#?}");
}

async fn state(stage: &Stage, proposal: &Value) -> Value {
    stage.api().look(proposal).await["state"]["is"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_approvals_at_the_same_moment_are_one_execution() {
    let stage = start(POLICY).await;
    let (_, proposal) = proposed(&stage, "stale-subpath", "pods.delete", 1).await;
    let people = [stage.bot.api.clone(), stage.bot.api_as("bob")];
    let clicks = (0..20).map(|click| {
        let (api, proposal) = (people[click % 2].clone(), proposal.clone());
        async move { api.approve(&proposal).await }
    });
    let answers = join_all(clicks).await;
    let taken = answers.iter().filter(|(status, _)| *status == StatusCode::OK).count();
    assert_eq!(taken, 1, "{answers:?}");
    assert!(
        answers.iter().all(|(status, _)| [StatusCode::OK, StatusCode::CONFLICT].contains(status)),
        "{answers:?}"
    );
    fixed_once(&stage, &proposal, 1).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_approvals_take_two_people_however_often_they_click() {
    let stage = start(&approvals(2)).await;
    let (_, proposal) = proposed(&stage, "pull-secret", "pull-secrets.add", 4).await;
    let (status, _) = stage.api().approve(&proposal).await;
    assert_eq!(status, StatusCode::OK);
    let (status, answer) = stage.api().approve(&proposal).await;
    assert_eq!(status, StatusCode::CONFLICT, "one person is one approval: {answer}");
    let (status, answer) = stage.api().decide("withdraw", &proposal, &proposal["digest"], &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, _) = stage.bot.api_as("bob").approve(&proposal).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(state(&stage, &proposal).await, "open", "a word that was taken back does not count");
    assert_eq!(stage.written(), [], "nothing is done before there are enough");
    let clicks = (0..12).map(|click| {
        let api = if click % 2 == 0 { stage.bot.api.clone() } else { stage.bot.api_as("bob") };
        let proposal = proposal.clone();
        async move { api.approve(&proposal).await.0 }
    });
    let taken = join_all(clicks).await.into_iter().filter(|status| *status == StatusCode::OK).count();
    assert_eq!(taken, 1, "bob's stands already, alice's is the second");
    fixed_once(&stage, &proposal, 4).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_about_a_decision_is_said_and_nothing_is_done() {
    let stage = start(POLICY).await;
    let (_, proposal) = proposed(&stage, "finalizer", "finalizers.strip", 1).await;
    let (digest, typed) = (&proposal["digest"], &proposal["policy"]["typedConfirmation"]);
    assert_eq!(*typed, "export-worker");
    let other = json!("0".repeat(64));
    let (status, answer) = stage.api().decide("approve", &proposal, &other, typed).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::CONFLICT, &json!("staleDigest")), "{answer}");
    let (status, answer) = stage.api().decide("approve", &proposal, digest, &json!("export-workers")).await;
    assert!(status.is_client_error() && answer.to_string().contains("export-worker"), "{status}: {answer}");
    let vera = stage.bot.api_as("vera");
    let (status, answer) = vera.approve(&proposal).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        answer["error"]["message"].as_str().is_some_and(|text| text.contains("the role admin")),
        "{answer}"
    );
    for path in ["/api/v1/pause", "/api/v1/resume"] {
        assert_eq!(vera.post(path, &json!({})).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    let (status, _) = stage.bot.api_as("bob").decide("deny", &proposal, digest, &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let (status, answer) = stage.api().approve(&proposal).await;
    assert_eq!(status, StatusCode::CONFLICT, "a denial is final: {answer}");
    assert_eq!(state(&stage, &proposal).await, "denied");
    assert_eq!(stage.sent(), []);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_that_nobody_approved_in_time_expires_and_a_fresh_one_takes_its_place() {
    let policy = POLICY.replace("lives: 8h", "lives: 6s");
    let stage = start(&policy).await;
    let (incident, proposal) = proposed(&stage, "stale-subpath", "pods.delete", 1).await;
    eventually("the proposal expires", LONG, || async {
        let state = state(&stage, &proposal).await;
        if state == "expired" { Ok(()) } else { Err(state.to_string()) }
    })
    .await;
    let (status, answer) = stage.api().approve(&proposal).await;
    assert!([StatusCode::CONFLICT, StatusCode::GONE].contains(&status), "{status}: {answer}");
    assert_eq!(stage.sent(), []);
    let fresh = stage.approve(&incident, "pods.delete", 1).await;
    assert_ne!(fresh["id"], proposal["id"]);
    fixed_once(&stage, &fresh, 1).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_lasts_until_somebody_ends_it() {
    let stage = start(POLICY).await;
    let (incident, _) = proposed(&stage, "finalizer", "finalizers.strip", 1).await;
    let silence = format!("/api/v1/incidents/{}/silence", id(&incident));
    let (status, _) = stage.bot.api_as("vera").post(&silence, &json!({"minutes": 5})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, answer) = stage.api().post(&silence, &json!({"minutes": 5, "note": "known"})).await;
    assert!(status == StatusCode::OK && answer["silencedUntil"].is_string(), "{status}: {answer}");
    let (status, answer) =
        stage.api().post(&format!("/api/v1/incidents/{}/unsilence", id(&incident)), &json!({})).await;
    assert!(status == StatusCode::OK && answer["silencedUntil"].is_null(), "{status}: {answer}");
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
    let (status, answer) = stage.api().post(&silence, &json!({"until": soon})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    eventually("the silence is over", LONG, || async {
        let detail = stage.api().get(&format!("/api/v1/incidents/{}", id(&incident))).await;
        let until = &detail["incident"]["silencedUntil"];
        if until.is_null() { Ok(()) } else { Err(until.to_string()) }
    })
    .await;
    stage.end().await;
}

/// Approves while kubemend is paused, lets the cluster change, and lets executions go on.
async fn approved_then(stage: &Stage, proposal: &Value, change: impl FnOnce(&Stage)) -> Value {
    let (status, _) = stage.api().post("/api/v1/pause", &json!({})).await;
    assert_eq!(status, StatusCode::OK);
    let (status, answer) = stage.api().approve(proposal).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(state(stage, proposal).await, "approved", "the brake holds it");
    change(stage);
    assert_eq!(stage.sent(), [], "nothing is sent while paused");
    let (status, _) = stage.api().post("/api/v1/resume", &json!({})).await;
    assert_eq!(status, StatusCode::OK);
    eventually("what became of it", LONG, || async {
        let detail = stage.api().look(proposal).await;
        let over = detail["state"]["is"] == "stale" || detail["execution"]["state"]["is"] == "finished";
        if over { Ok(detail.clone()) } else { Err(json!([detail["state"], detail["execution"]]).to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_holds_what_was_approved_and_a_resume_lets_it_go_on() {
    let stage = start(POLICY).await;
    let (_, proposal) = proposed(&stage, "stale-subpath", "pods.delete", 1).await;
    approved_then(&stage, &proposal, |_| ()).await;
    fixed_once(&stage, &proposal, 1).await;
    stage.end().await;
}

/// Nothing was written, and it is said why.
#[track_caller]
fn nothing_was_written(stage: &Stage, detail: &Value, why: &[&str]) {
    assert!(stage.written().is_empty(), "{:#?}", stage.written());
    let outcome = &detail["execution"]["state"]["outcome"];
    let told = [&detail["state"]["why"], &outcome["why"], &detail["execution"]["done"][0]["why"]];
    let told: Vec<&str> = told.into_iter().filter_map(Value::as_str).collect();
    assert!(why.iter().any(|why| told.iter().any(|told| told.contains(why))), "{detail:#}");
    assert!(outcome.is_null() || outcome["is"] == "stopped", "{outcome}");
}

fn change_object(stage: &Stage, kind: &Gvr, namespace: &str, name: &str, change: impl FnMut(&mut Value)) {
    let who = User::new("somebody", &["system:masters"]);
    stage.sim.api().modify(&who, kind, None, Some(namespace), name, change).expect("the object is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_was_made_anew_is_left_alone() {
    let stage = start(POLICY).await;
    let (_, proposal) = proposed(&stage, "stuck-terminating", "pods.force-delete", 1).await;
    let detail = approved_then(&stage, &proposal, |stage| {
        let who = User::new("somebody", &["system:masters"]);
        let gone =
            stage.sim.api().delete(&who, &gvr::PODS, Some("media"), "transcoder-0", DeleteOptions::now());
        gone.expect("the pod is there");
    })
    .await;
    nothing_was_written(&stage, &detail, &["uid", "another object", "not there", "gone", "over"]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finalizers_that_changed_are_not_stripped_and_a_fresh_proposal_says_what_there_is() {
    let stage = start(POLICY).await;
    held_twice(&stage);
    let incident = stage.api().incident("terminate.finalizers", "default", LONG).await;
    let proposal = stage.proposal(&incident, "finalizers.strip", 1).await;
    let detail = approved_then(&stage, &proposal, |stage| {
        // A deleted object gains no finalizers, but it loses them.
        change_object(stage, &gvr::PODS, "default", "held", |pod| {
            pod["metadata"]["finalizers"] = json!(["example.com/two"]);
        });
    })
    .await;
    nothing_was_written(&stage, &detail, &["finalizers"]);
    let fresh = stage.approve(&incident, "finalizers.strip", 1).await;
    assert_ne!(fresh["digest"], proposal["digest"]);
    fixed_once(&stage, &fresh, 1).await;
    stage.end().await;
}

/// A pod that is to go, and that two finalizers hold.
fn held_twice(stage: &Stage) {
    let who = User::new("somebody", &["system:masters"]);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "held", "namespace": "default", "finalizers": ["example.com/one", "example.com/two"]},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [{
            "name": "worker", "image": "registry.example.com/reports/export-worker:1.8.0", "imagePullPolicy": "IfNotPresent",
        }]},
    });
    stage.sim.api().create(&who, &gvr::PODS, Some("default"), pod).expect("there is no such pod");
    let marked = stage.sim.api().delete(&who, &gvr::PODS, Some("default"), "held", DeleteOptions::default());
    marked.expect("the pod is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_account_that_changed_is_left_alone_and_a_fresh_proposal_takes_over() {
    let stage = start(POLICY).await;
    let (incident, proposal) = proposed(&stage, "pull-secret", "pull-secrets.add", 4).await;
    let detail = approved_then(&stage, &proposal, |stage| {
        change_object(stage, &gvr::SERVICE_ACCOUNTS, "payments", "default", |account| {
            account["imagePullSecrets"] = json!([{"name": "somebody-elses"}]);
        });
    })
    .await;
    nothing_was_written(&stage, &detail, &["imagePullSecrets"]);
    let fresh = stage.approve(&incident, "pull-secrets.add", 4).await;
    assert_ne!(fresh["digest"], proposal["digest"]);
    fixed_once(&stage, &fresh, 4).await;
    let account =
        stage.sim.api().get(&gvr::SERVICE_ACCOUNTS, Some("payments"), "default").expect("it is there");
    assert_eq!(account["imagePullSecrets"], json!([{"name": "somebody-elses"}, {"name": "harbor-pull"}]));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_changed_is_left_alone_and_a_fresh_proposal_takes_over() {
    let stage = start(POLICY).await;
    let (incident, proposal) = proposed(&stage, "bad-release", "workloads.undo", 1).await;
    let detail = approved_then(&stage, &proposal, |stage| {
        change_object(stage, &gvr::DEPLOYMENTS, "orders", "orders-api", |deployment| {
            deployment["spec"]["minReadySeconds"] = json!(1);
        });
    })
    .await;
    nothing_was_written(&stage, &detail, &["generation"]);
    let fresh = stage.approve(&incident, "workloads.undo", 1).await;
    assert_ne!(fresh["digest"], proposal["digest"]);
    fixed_once(&stage, &fresh, 1).await;
    stage.end().await;
}

/// Repairs a scenario, and gives the proposal that would take it back.
async fn repaired_and_regretted(stage: &Stage, scenario: &str, action: &str, changes: usize) -> Value {
    let (incident, _) = proposed(stage, scenario, action, changes).await;
    let proposal = stage.approve(&incident, action, changes).await;
    fixed_once(stage, &proposal, changes).await;
    stage.api().resolved(id(&incident), LONG).await;
    let (status, undo) =
        stage.api().post(&format!("/api/v1/executions/x-{}/undo", id(&proposal)), &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{undo}");
    assert_eq!(undo["proposal"]["undoes"], json!(format!("x-{}", id(&proposal))));
    let undo = undo["proposal"].clone();
    let (status, answer) = stage.api().approve(&undo).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    undo
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_back_an_added_pull_secret_restores_the_list() {
    let stage = start(POLICY).await;
    let secrets = || {
        stage
            .sim
            .api()
            .get(&gvr::SERVICE_ACCOUNTS, Some("payments"), "default")
            .map(|account| account["imagePullSecrets"].as_array().cloned().unwrap_or_default())
    };
    repaired_and_regretted(&stage, "pull-secret", "pull-secrets.add", 4).await;
    eventually("the list is as it was", LONG, || async {
        let now = secrets();
        if now == Some(Vec::new()) { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_back_a_rollback_restores_the_release() {
    let stage = start(POLICY).await;
    let image = || {
        let deployment = stage.sim.api().get(&gvr::DEPLOYMENTS, Some("orders"), "orders-api");
        deployment
            .map(|set| set["spec"]["template"]["spec"]["containers"][0]["image"].clone())
            .unwrap_or_default()
    };
    repaired_and_regretted(&stage, "bad-release", "workloads.undo", 1).await;
    eventually("the release is back", LONG, || async {
        let now = image();
        let back = now.as_str().is_some_and(|image| !image.ends_with(":2.3.0"));
        if back { Ok(()) } else { Err(now.to_string()) }
    })
    .await;
    stage.end().await;
}
