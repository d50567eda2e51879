//! SIGKILL at any moment after an approval. Afterwards each change has happened once, the chain of records holds,
//! and the API tells what is so. (`crash.rs` goes through the named points one by one.)

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::api::id;
use crate::support::eventually;
use crate::support::stage::{LONG, Setup, Stage};
use futures::{StreamExt as _, stream};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

const ACTION: &str = "pull-secrets.add";
/// One ServiceAccount, three pods.
const CHANGES: usize = 4;
/// As many clusters and processes at once as two cores bear.
const AT_ONCE: usize = 3;

async fn broken(stage: &Stage) -> Value {
    let scenario = stage.play("pull-secret").await;
    stage.api().incident(scenario.condition, scenario.namespace, LONG).await
}

/// Approves again only what nobody's approval was recorded for, and waits for the end.
async fn goes_on(stage: &Stage, incident: &Value) {
    let path = format!("/api/v1/incidents/{}", id(incident));
    let undecided = eventually("what became of the approval", LONG, || async {
        let detail = stage.api().get(&path).await;
        let records = detail["incident"]["proposals"].as_object().cloned().unwrap_or_default();
        let decided = records.values().any(|record| record["decisions"] != json!([]));
        let open = records.values().any(|record| record["state"]["is"] == "open");
        if decided || open { Ok(!decided) } else { Err(json!(records).to_string()) }
    })
    .await;
    if undecided {
        stage.approve(incident, ACTION, CHANGES).await;
    }
    eventually("the end of the execution", LONG, || async {
        let detail = stage.api().get(&path).await;
        match execution(&detail) {
            Some(execution) if execution["state"]["verdict"] == "fixed" => Ok(()),
            other => Err(format!("{other:?}; {}", states(&detail))),
        }
    })
    .await;
}

fn execution(detail: &Value) -> Option<Value> {
    detail["incident"]["executions"].as_object()?.values().next().cloned()
}

/// A waiting pod starts by itself once its image lies on its node, pulled for a pod that was replaced. If that
/// happens while kubemend is down, the pod is left alone, and that is said.
fn passed_over(done: &[Value]) -> usize {
    done.iter().filter(|outcome| outcome["is"] != "applied").count()
}

fn states(detail: &Value) -> Value {
    let records = detail["incident"]["proposals"].as_object().cloned().unwrap_or_default();
    records.into_iter().map(|(id, record)| json!([id, record["state"], record["decisions"]])).collect()
}

async fn tells_the_truth(stage: &Stage, incident: &Value, died: &str) {
    let mut received: BTreeMap<String, u32> = BTreeMap::new();
    for request in stage.written() {
        *received.entry(format!("{} {} {}", request.method, request.path, request.body)).or_default() += 1;
    }
    assert!(received.values().all(|times| *times == 1), "died at {died}: {received:#?}");
    let detail = stage.api().get(&format!("/api/v1/incidents/{}", id(incident))).await;
    assert_eq!(
        detail["incident"]["executions"].as_object().map(serde_json::Map::len),
        Some(1),
        "died at {died}"
    );
    let execution = execution(&detail).expect("there is one");
    let done = execution["done"].as_array().expect("outcomes");
    let applied = done.iter().filter(|outcome| outcome["is"] == "applied").count();
    assert_eq!(applied, received.len(), "died at {died}: what is told was received: {done:?} {received:#?}");
    assert_eq!(applied + passed_over(done), CHANGES, "died at {died}: {execution}");
    let count = |kind: &str| {
        let entries = detail["entries"].as_array().into_iter().flatten();
        entries.filter(|entry| entry["entry"]["type"] == kind).count()
    };
    for (kind, times) in [
        ("decided", 1),
        ("executionStarted", 1),
        ("changeIntended", done.len()),
        ("changeDone", done.len()),
        ("executionFinished", 1),
    ] {
        assert_eq!(count(kind), times, "died at {died}: {kind} in {}", detail["entries"]);
    }
    let scenario = kubemend::sim::scenario::find("pull-secret").expect("it was played");
    stage.repaired(scenario).await;
    stage.api().resolved(id(incident), LONG).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_a_change_happens_once_and_the_records_hold() {
    let seed = std::env::var_os("KUBEMEND_TEST_SEED")
        .and_then(|seed| seed.to_string_lossy().parse().ok())
        .unwrap_or_else(rand::random::<u64>);
    eprintln!("KUBEMEND_TEST_SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    // Most of an execution happens at its beginning.
    let moments: Vec<Duration> =
        (0..10).map(|_| Duration::from_secs_f64(10_f64.powf(dice.random_range(-2.5..0.5)))).collect();
    stream::iter(moments).for_each_concurrent(AT_ONCE, dies_after).await;
}

async fn dies_after(moment: Duration) {
    let mut stage = Stage::start(&Setup { shares_images: true, ..Setup::default() }).await;
    let incident = broken(&stage).await;
    let proposal = stage.proposal(&incident, ACTION, CHANGES).await;
    let approved = {
        let api = stage.api().clone();
        tokio::spawn(async move { api.try_approve(&proposal).await })
    };
    tokio::time::sleep(moment).await;
    stage.bot.restart(&[]);
    let _ = approved.await;
    stage.bot.api.wait_ready().await;
    goes_on(&stage, &incident).await;
    tells_the_truth(&stage, &incident, &format!("{moment:?}")).await;
    stage.end().await;
    eprintln!("killed {moment:?} after the approval: once, and recorded");
}
