//! What is concluded of a cluster that cannot be seen: nothing, least of all that all is well there.

use std::time::{Duration, Instant};

use crate::support::eventually;
use crate::support::house::{ALICE, House};
use crate::support::seed;
use jiff::{SignedDuration, Timestamp};
use kubemend::sim::api::{Fault, Match, What};
use serde_json::{Value, json};

const LONG: Duration = Duration::from_secs(120);
/// For how long nothing must show before an incident is resolved.
const SETTLE: SignedDuration = SignedDuration::from_secs(2);
/// Three times as long.
const LONG_ENOUGH: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_not_resolved_while_pods_cannot_be_seen_and_is_when_they_can() {
    let mut house = House::new(json!({})).await;
    house.options.rules.settle = SETTLE;
    house.options.reconcile_every = Duration::from_secs(1);
    // An incident of a pod that is gone by now.
    house.configure(|config| config["clusters"][0]["name"] = json!("elsewhere"));
    let store = house.store().await;
    seed::incidents(&store, 1, "checkout", Timestamp::now()).await;
    store.close().await;
    for verb in ["list", "watch"] {
        let when = Match::on(verb, "pods");
        house.sim.api().faults().add(Fault { when, what: What::Status(503, 0), times: u32::MAX });
    }
    house.begin().await;
    let api = house.api(ALICE);
    eventually("all but pods is seen", LONG, || async {
        let status = api.get("/api/v1/status").await;
        let kinds = status["clusters"][0]["kinds"].as_array().cloned().unwrap_or_default();
        let blind: Vec<&Value> = kinds.iter().filter(|kind| kind["synced"] != true).collect();
        let one = blind.len() == 1 && kinds.len() > 5 && blind[0]["kind"] == "Pod";
        if one { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    let began = Instant::now();
    while began.elapsed() < LONG_ENOUGH {
        let incident = api.get("/api/v1/incidents/i-1").await;
        assert_eq!(incident["incident"]["status"]["is"], "open", "nobody looked: {incident}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Anew, so that it is not waited for the next of ever rarer tries to read.
    house.stop().await;
    house.sim.api().faults().clear();
    house.start().await;
    house.api(ALICE).resolved("i-1", LONG).await;
    house.end().await;
}
