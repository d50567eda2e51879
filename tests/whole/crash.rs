//! Kill -9 between any two steps of an execution: the change happens once, the records are whole, and the API
//! tells the truth.
//!
//! The real binary, before a simulated cluster that counts what it is sent. At each failpoint the process aborts,
//! is started again, and must bring the remedy to its end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::support::bot::Bot;
use crate::support::eventually;
use http::{Method, StatusCode};
use kubemend::engine::Failpoint;
use kubemend::sim::{Sim, SimOptions};
use kubemend::store::Store;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const LONG: Duration = Duration::from_mins(4);
/// So many clusters and bots run side by side.
const AT_ONCE: usize = 3;
/// One ServiceAccount, three pods.
const CHANGES: usize = 4;

const SETTINGS: &str = "gate:
  roles:
    admin:
      grants:
      - {actions: ['*'], maxRisk: high}
      rights: [pause, silence, audit]
incidents:
  holdOffPercent: 0
  settleSeconds: 2
";

/// Where the process ends, and where it ends once more after it was started again.
fn endings() -> Vec<Vec<String>> {
    let in_order = |point: &Failpoint| match point {
        Failpoint::BeforeLookUp | Failpoint::AfterLookUp => {
            vec![Failpoint::AfterSend.name().to_owned(), point.name().to_owned()]
        }
        _ => vec![point.name().to_owned()],
    };
    let mut endings: Vec<Vec<String>> = Failpoint::ALL.iter().map(in_order).collect();
    // In the middle of a plan: the deletion of a pod, which is looked up in another way than a patch.
    for point in [Failpoint::AfterIntended, Failpoint::AfterSend, Failpoint::AfterDone] {
        endings.push(vec![format!("{}:2", point.name())]);
    }
    endings.push(vec!["before-send".to_owned(), "before-send".to_owned(), "after-send".to_owned()]);
    endings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wherever_the_process_ends_each_change_is_made_once() {
    let (places, mut tasks) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for points in endings() {
        let places = Arc::clone(&places);
        tasks.spawn(async move {
            let _place = places.acquire_owned().await.expect("never closed");
            check(points).await
        });
    }
    let mut checked = 0;
    while let Some(ended) = tasks.join_next().await {
        ended.expect("a check that holds");
        checked += 1;
    }
    assert_eq!(checked, endings().len());
}

async fn check(points: Vec<String>) {
    let sim = Sim::start(SimOptions { pace: 4.0, background: false, ..SimOptions::default() }).await;
    let sim = sim.expect("the simulated cluster starts");
    sim.play("pull-secret").await.expect("the scenario plays");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, sim.kubeconfig()).expect("the temporary folder can be written");
    let mut bot = Bot::start(&kubeconfig, SETTINGS);
    bot.api.wait_ready().await;
    let incident = bot.api.incident("image.auth-missing", "payments", LONG).await;
    let incident = incident["id"].as_str().expect("an id").to_owned();
    let proposal = bot.api.proposal_with(&incident, "pull-secrets.add", CHANGES, LONG).await;
    for point in &points {
        bot.restart(&["--crash-at", point]);
        decide(&bot, &proposal).await;
        let status = tokio::task::block_in_place(|| bot.wait_gone());
        assert!(!status.success(), "{point}: the process must end by itself, ended with {status}");
    }
    bot.restart(&[]);
    bot.api.wait_ready().await;
    decide(&bot, &proposal).await;
    let path = format!("/api/v1/proposals/{}", proposal["id"].as_str().expect("an id"));
    let detail = eventually("the execution ends", LONG, || async {
        let detail = bot.api.get(&path).await;
        if detail["execution"]["state"]["is"] == "finished" {
            Ok(detail)
        } else {
            Err(detail["execution"].to_string())
        }
    })
    .await;
    bot.api.resolved(&incident, LONG).await;
    let store = Store::open(&bot.database()).await.expect("readable");
    store.verify().await.expect("the records are whole");
    store.close().await;
    drop(bot);
    made_once_and_told(&sim, &detail["execution"], &points);
    sim.stop().await;
}

/// The cluster was changed once by each change that the API says was made, and by nothing else. (A pod that got
/// well by itself while the process was down is not deleted any more.)
fn made_once_and_told(sim: &Sim, execution: &Value, points: &[String]) {
    let (patches, deletes, pods) = writes(sim);
    let done = execution["done"].as_array().expect("what became of the changes");
    let applied = done.iter().filter(|change| change["is"] == "applied").count();
    assert_eq!((patches, deletes), (1, pods), "{points:?}: each change once: {execution}");
    assert_eq!(applied, patches + deletes, "{points:?}: the API tells what was made: {execution}");
    let state = &execution["state"];
    assert_eq!(state["verdict"], "fixed", "{points:?}: {execution}");
}

/// Approves if that is still to be done. The process may end while it answers.
async fn decide(bot: &Bot, proposal: &Value) {
    let id = proposal["id"].as_str().expect("an id");
    let body = json!({"digest": proposal["digest"], "confirmation": proposal["policy"]["typedConfirmation"]});
    let path = format!("/api/v1/proposals/{id}/approve");
    eventually("the API answers, or ends", LONG, || async {
        match bot.api.send(Method::POST, &path, Some(&body)).await {
            Ok((StatusCode::OK | StatusCode::CONFLICT, _)) => Ok(()),
            Ok((status, body)) => Err(format!("{status}: {body}")),
            Err(_) if bot.has_ended() => Ok(()),
            Err(error) => Err(error),
        }
    })
    .await;
}

/// How often ServiceAccounts were patched and pods deleted, and how many pods that were.
fn writes(sim: &Sim) -> (usize, usize, usize) {
    let made: Vec<_> = sim
        .api()
        .requests()
        .into_iter()
        .filter(|request| (200..300).contains(&request.code) && !request.query.contains("dryRun"))
        .filter(|request| !request.body.contains("dryRun"))
        .collect();
    let count = |method: &str, part: &str| {
        made.iter().filter(|r| r.method == method && r.path.contains(part)).count()
    };
    let pods: BTreeSet<_> = made.iter().filter(|r| r.method == "DELETE").map(|r| &r.path).collect();
    (count("PATCH", "/serviceaccounts/"), count("DELETE", "/pods/"), pods.len())
}
