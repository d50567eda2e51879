//! A bad network and an overloaded API server: everything converges, and no change is made twice.

use std::time::Duration;

use crate::support::api::id;
use crate::support::eventually;
use crate::support::stage::{LONG, Setup, Stage, USER, simulated};
use kubemend::sim::api::{Fault, Match, Options, What};
use serde_json::{Value, json};

const ACTION: &str = "pull-secrets.add";
/// One ServiceAccount, three pods.
const CHANGES: usize = 4;
const PACE: f64 = 4.0;
const ACCOUNT: &str = "/api/v1/namespaces/payments/serviceaccounts/default";

fn fault(verb: &str, resource: &str, skip: u32, what: What, times: u32) -> Fault {
    Fault { when: Match { skip, user: Some(USER.to_owned()), ..Match::on(verb, resource) }, what, times }
}

/// The same for all resources.
fn everywhere(verb: &str, what: What, times: u32) -> Fault {
    Fault {
        when: Match { verb: Some(verb.to_owned()), user: Some(USER.to_owned()), ..Match::default() },
        what,
        times,
    }
}

/// A kubemend that meets those faults from its first request on.
async fn start(faults: Vec<Fault>) -> Stage {
    let setup = Setup { pace: PACE, ..Setup::default() };
    let sim = simulated(&setup).await;
    faults.into_iter().for_each(|fault| sim.api().faults().add(fault));
    Stage::around(sim, &setup).await
}

async fn broken(stage: &Stage) -> Value {
    let scenario = stage.play("pull-secret").await;
    stage.api().incident(scenario.condition, scenario.namespace, LONG).await
}

async fn fixed(stage: &Stage, incident: &Value, proposal: &Value) {
    assert_eq!(stage.api().verdict(proposal, LONG).await, "fixed");
    stage.api().resolved(id(incident), LONG).await;
    let scenario = kubemend::sim::scenario::find("pull-secret").expect("it was played");
    stage.repaired(scenario).await;
}

/// From first sight to fixed, with every change sent once, and all faults that end struck.
async fn converges(faults: Vec<Fault>) {
    let endless = faults.iter().filter(|fault| fault.times == u32::MAX).count();
    let stage = start(faults).await;
    let incident = broken(&stage).await;
    let proposal = stage.approve(&incident, ACTION, CHANGES).await;
    fixed(&stage, &incident, &proposal).await;
    assert_eq!(stage.sent().len(), CHANGES, "{:#?}", stage.sent());
    assert_eq!(stage.sim.api().faults().waiting(), endless, "every fault struck");
    let others = stage.incidents().await;
    assert_eq!(others.len(), 1, "{others:?}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_that_break_expire_and_repeat_themselves_lose_nothing() {
    converges(vec![
        fault("watch", "pods", 0, What::CutAfter, 3),
        fault("watch", "pods", 3, What::Gone, 1),
        fault("watch", "pods", 0, What::Duplicate, u32::MAX),
        fault("watch", "pods", 0, What::Reorder, u32::MAX),
        fault("watch", "events", 0, What::CutAfter, 2),
        fault("watch", "events", 0, What::Duplicate, u32::MAX),
        fault("watch", "replicasets", 0, What::CutBefore, 2),
        fault("watch", "serviceaccounts", 0, What::Gone, 1),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_falls_silent_is_noticed() {
    let setup = Setup { pace: PACE, ..Setup::default() };
    let sim = simulated(&setup).await;
    // Lists come by pages here, so that it is the watch after them that is silent, whether or not kubemend
    // asks for a streamed list first.
    sim.api().set_options(Options { watch_list: false, always_pull_images: true, ..Options::default() });
    sim.api().faults().add(fault("watch", "pods", 0, What::SilentWatch, 2));
    let stage = Stage::around(sim, &setup).await;
    let scenario = stage.play("pull-secret").await;
    let incident =
        stage.api().incident(scenario.condition, scenario.namespace, Duration::from_secs(300)).await;
    let proposal = stage.approve(&incident, ACTION, CHANGES).await;
    fixed(&stage, &incident, &proposal).await;
    assert_eq!(stage.sent().len(), CHANGES, "{:#?}", stage.sent());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_slow_busy_and_failing_is_waited_for() {
    converges(vec![
        everywhere("list", What::Status(429, 1), 4),
        everywhere("list", What::Status(500, 0), 4),
        everywhere("watch", What::Status(503, 0), 4),
        everywhere("get", What::Status(500, 0), 2),
        everywhere("get", What::Delay(Duration::from_millis(200)), u32::MAX),
        everywhere("patch", What::Delay(Duration::from_millis(300)), u32::MAX),
        everywhere("delete", What::Delay(Duration::from_millis(300)), u32::MAX),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_gets_well_before_its_turn_is_left_alone_and_not_waited_for() {
    let setup = Setup { shares_images: true, ..Setup::default() };
    let stage = Stage::start(&setup).await;
    // All pods on one node.
    stage.kubectl(&["cordon", "worker-2", "worker-3"]);
    let incident = broken(&stage).await;
    let proposal = stage.proposal(&incident, ACTION, CHANGES).await;
    // Looking at a pod takes longer than the kubelet waits before it tries again to start it, from the image
    // that by then was pulled for the pod that replaced the first one.
    let slow = fault("get", "pods", 1, What::Delay(Duration::from_secs(20)), 1);
    stage.sim.api().faults().add(slow);
    let (status, answer) = stage.api().approve(&proposal).await;
    assert!(status.is_success(), "{answer}");
    fixed(&stage, &incident, &proposal).await;
    let execution = stage.api().look(&proposal).await["execution"].clone();
    let done = execution["done"].as_array().expect("what became of the changes");
    let count = |what: &str| done.iter().filter(|one| one["is"] == what).count();
    assert_ne!(count("needless"), 0, "nobody got well by itself: {execution:#}");
    assert_eq!(count("applied") + count("needless"), done.len(), "{execution:#}");
    assert_eq!(count("applied"), stage.written().len(), "what is told was sent: {execution:#}");
    // Whether the second one is still looked at depends on whether the incident is over by then.
    let checks = execution["state"]["checks"].as_array().expect("the answers of the checks");
    let left = checks.iter().filter(|check| {
        check["passed"] == true && check["detail"].as_str().is_some_and(|why| why.contains("left alone"))
    });
    assert_eq!(left.count(), CHANGES - count("applied"), "{execution:#}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_may_not_be_read_is_said_and_worked_without() {
    let forbidden = |verb: &str| fault(verb, "nodes", 0, What::Status(403, 0), u32::MAX);
    let stage = start(vec![forbidden("list"), forbidden("watch"), forbidden("get")]).await;
    let incident = broken(&stage).await;
    let status = stage.api().get("/api/v1/status").await;
    let kinds = status["clusters"][0]["kinds"].as_array().cloned().unwrap_or_default();
    let troubled: Vec<&Value> = kinds.iter().filter(|kind| !kind["trouble"].is_null()).collect();
    assert_eq!(troubled.len(), 1, "{kinds:?}");
    assert_eq!(troubled[0]["kind"], "Node");
    let proposal = stage.approve(&incident, ACTION, CHANGES).await;
    fixed(&stage, &incident, &proposal).await;
    stage.end().await;
}

/// The faults strike the approved changes themselves.
async fn struck(faults: Vec<Fault>) -> (Stage, Value) {
    let stage = start(Vec::new()).await;
    let incident = broken(&stage).await;
    let proposal = stage.proposal(&incident, ACTION, CHANGES).await;
    faults.into_iter().for_each(|fault| stage.sim.api().faults().add(fault));
    let (status, answer) = stage.api().approve(&proposal).await;
    assert!(status.is_success(), "{answer}");
    fixed(&stage, &incident, &proposal).await;
    assert_eq!(stage.sim.api().faults().waiting(), 0, "every fault struck");
    let detail = stage.api().look(&proposal).await;
    (stage, detail)
}

fn looked_up(detail: &Value) -> Vec<bool> {
    let done = detail["execution"]["done"].as_array().cloned().unwrap_or_default();
    done.iter().map(|outcome| outcome["receipt"]["lookedUp"] == true).collect()
}

/// Paths and codes of what was sent, in order.
fn codes(stage: &Stage, method: &str) -> Vec<u16> {
    stage.sent().iter().filter(|request| request.method == method).map(|request| request.code).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_answer_is_lost_is_looked_up_and_not_repeated() {
    let (stage, detail) = struck(vec![
        fault("patch", "serviceaccounts", 0, What::CutAfter, 1),
        fault("delete", "pods", 1, What::CutAfter, 1),
    ])
    .await;
    assert_eq!(looked_up(&detail), [true, false, true, false], "{detail:#}");
    assert_eq!(codes(&stage, "PATCH"), [0]);
    assert_eq!(codes(&stage, "DELETE"), [200, 0, 200]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_never_arrived_is_sent_again_and_happens_once() {
    let (stage, _) = struck(vec![
        fault("patch", "serviceaccounts", 0, What::CutBefore, 1),
        fault("delete", "pods", 0, What::Status(500, 0), 1),
    ])
    .await;
    assert_eq!(codes(&stage, "PATCH"), [0, 200]);
    assert_eq!(codes(&stage, "DELETE"), [500, 200, 200, 200]);
    let account = stage
        .sim
        .api()
        .requests()
        .into_iter()
        .filter(|request| request.path == ACCOUNT && request.code == 200);
    assert!(account.filter(|request| !request.query.contains("dryRun")).count() == 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_ends_the_execution_and_a_fresh_proposal_takes_over() {
    let stage = start(Vec::new()).await;
    let incident = broken(&stage).await;
    let proposal = stage.proposal(&incident, ACTION, CHANGES).await;
    stage.sim.api().faults().add(fault("patch", "serviceaccounts", 0, What::Status(409, 0), 1));
    let (status, answer) = stage.api().approve(&proposal).await;
    assert!(status.is_success(), "{answer}");
    eventually("the execution ends", LONG, || async {
        let detail = stage.api().look(&proposal).await;
        let outcome = detail["execution"]["state"]["outcome"]["is"].clone();
        if outcome == "stopped" { Ok(()) } else { Err(detail["execution"].to_string()) }
    })
    .await;
    assert!(stage.written().is_empty(), "{:#?}", stage.written());
    let fresh = stage.approve(&incident, ACTION, CHANGES).await;
    assert_ne!(fresh["id"], proposal["id"]);
    fixed(&stage, &incident, &fresh).await;
    assert_eq!(stage.written().len(), CHANGES, "{:#?}", stage.written());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_failing_pods_is_a_few_incidents_that_count_every_pod() {
    // The storm of ten thousand pods is `benches/storm.rs`; this one is for two slow cores and no optimisation.
    const WORKLOADS: usize = 20;
    const PODS: usize = 20;
    let stage = Stage::start(&Setup::default()).await;
    stage.sim.storm(WORKLOADS, PODS).await.expect("the storm can be made");
    let counted = |incident: &Value| match incident["state"].as_str() {
        Some("open") => incident["members"].as_u64().expect("an open incident counts its members"),
        _ => 0,
    };
    let incidents = eventually("every pod is counted", Duration::from_secs(300), || async {
        let all = stage.incidents().await;
        let names: Vec<String> = all
            .iter()
            .map(|one| {
                format!("{} {} {} {}", one["condition"], one["place"]["name"], one["state"], one["members"])
            })
            .collect();
        match all.iter().map(counted).sum::<u64>() {
            sum if sum == u64::try_from(WORKLOADS * PODS).expect("small") => Ok(all),
            sum => Err(format!("{sum}: {names:?}")),
        }
    })
    .await;
    assert!(incidents.len() <= 40, "{} incidents", incidents.len());
    for incident in &incidents {
        let records = stage.records(incident).await;
        assert!(records.len() < 60, "{} has {} records", incident["id"], records.len());
    }
    let status = stage.api().get("/api/v1/status").await;
    assert_eq!(status["leftOut"], json!(0), "{status}");
    stage.end().await;
}
