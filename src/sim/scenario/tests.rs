//! Every scenario reaches its failing state, stays there untouched, and heals by its documented remedy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::sim::api::{DeleteOptions, User, gvr};
use crate::sim::objects::{annotation, controller_of, items, name};
use crate::sim::{Sim, SimOptions};

const PACE: f64 = 100.0;

async fn start() -> Sim {
    Sim::start(SimOptions { pace: PACE, background: false, ..SimOptions::default() }).await.unwrap()
}

fn person() -> User {
    User::new("demo-admin", &["system:masters"])
}

/// Waits for a state, and says which one did not come.
async fn until(sim: &Sim, what: &str, state: impl Fn(&ApiServer) -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !state(sim.api()) {
        assert!(Instant::now() < deadline, "waited in vain: {what}\n{}", dump(sim.api()));
        sim.api().clock().sleep(Duration::from_millis(50)).await;
    }
}

fn dump(api: &ApiServer) -> String {
    let pods = api.list(&gvr::PODS, None);
    let lines = pods.iter().map(|pod| {
        format!(
            "{} {} del={} {}",
            name(pod),
            pod["spec"]["nodeName"],
            pod["metadata"]["deletionTimestamp"],
            pod["status"]
        )
    });
    let events = api.list(&gvr::EVENTS, None);
    let told = events
        .iter()
        .map(|event| format!("{} {} {}", event["reason"], event["involvedObject"]["name"], event["message"]));
    lines.chain(told).collect::<Vec<_>>().join("\n")
}

/// Plays, checks that time alone does not heal, applies the remedy, waits for the end.
async fn check(scenario: &str, signs: &[(&str, &str)], remedy: impl Fn(&ApiServer)) {
    let sim = start().await;
    let played = find(scenario).unwrap();
    sim.play(scenario).await.unwrap();
    for (reason, text) in signs {
        until(&sim, &format!("{reason}: {text}"), |api| told(api, played.namespace, reason, text)).await;
    }
    let untouched = sim.api().clock().now() + Duration::from_secs(2);
    while sim.api().clock().now() < untouched {
        assert!(!(played.fixed)(sim.api()), "{scenario} healed by itself");
        sim.api().clock().sleep(Duration::from_millis(50)).await;
    }
    remedy(sim.api());
    until(&sim, "fixed", played.fixed).await;
    sim.stop().await;
}

fn told(api: &ApiServer, namespace: &str, reason: &str, text: &str) -> bool {
    api.list(&gvr::EVENTS, Some(namespace)).iter().any(|event| {
        event["reason"] == reason && event["message"].as_str().is_some_and(|message| message.contains(text))
    })
}

fn add_secret(api: &ApiServer, namespace: &str, secret: &str) {
    api.modify(&person(), &gvr::SERVICE_ACCOUNTS, None, Some(namespace), "default", |account| {
        let mut secrets = items(&account["imagePullSecrets"]).to_vec();
        secrets.push(json!({"name": secret}));
        account["imagePullSecrets"] = json!(secrets);
    })
    .unwrap();
}

fn delete_pods(api: &ApiServer, namespace: &str) {
    for pod in api.list(&gvr::PODS, Some(namespace)) {
        api.delete(&person(), &gvr::PODS, Some(namespace), name(&pod), DeleteOptions::default()).unwrap();
    }
}

fn force_delete(api: &ApiServer, namespace: &str, pod: &str) {
    api.delete(&person(), &gvr::PODS, Some(namespace), pod, DeleteOptions::now()).unwrap();
}

/// What `kubectl rollout undo` sends.
fn undo(api: &ApiServer, namespace: &str, deployment: &str) {
    let mut sets: Vec<Arc<Value>> = api.list(&gvr::REPLICA_SETS, Some(namespace));
    sets.retain(|set| controller_of(set).is_some_and(|owner| owner["name"] == deployment));
    sets.sort_by_key(|set| {
        annotation(set, "deployment.kubernetes.io/revision").unwrap().parse::<i64>().unwrap()
    });
    let mut template = sets[sets.len() - 2]["spec"]["template"].clone();
    template["metadata"]["labels"].as_object_mut().unwrap().remove("pod-template-hash");
    api.modify(&person(), &gvr::DEPLOYMENTS, None, Some(namespace), deployment, |object| {
        object["spec"]["template"] = template.clone();
    })
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pull_secret_heals_when_the_account_names_the_secret_and_the_pods_are_new() {
    check("pull-secret", &[("Failed", "401 Unauthorized"), ("Failed", "Error: ImagePullBackOff")], |api| {
        add_secret(api, "payments", "harbor-pull");
        delete_pods(api, "payments");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn naming_the_secret_alone_does_not_heal_the_pods_that_are_there() {
    let sim = start().await;
    sim.play("pull-secret").await.unwrap();
    add_secret(sim.api(), "payments", "harbor-pull");
    let pulls = |api: &ApiServer| -> i64 {
        let events = api.list(&gvr::EVENTS, Some("payments"));
        events
            .iter()
            .filter(|event| event["reason"] == "Pulling")
            .filter_map(|event| event["count"].as_i64())
            .sum()
    };
    let before = pulls(sim.api());
    until(&sim, "more pulls", |api| pulls(api) >= before + 6).await;
    assert!(all_waiting(sim.api()));
    sim.stop().await;
}

fn all_waiting(api: &ApiServer) -> bool {
    api.list(&gvr::PODS, Some("payments")).iter().all(|pod| pod["status"]["phase"] == "Pending")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_secret_heals_with_the_good_one() {
    check("wrong-secret", &[("Failed", "401 Unauthorized")], |api| {
        add_secret(api, "billing", "harbor-pull");
        delete_pods(api, "billing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finalizer_holds_until_it_is_stripped() {
    check("finalizer", &[("Killing", "Stopping container worker")], |api| {
        api.modify(&person(), &gvr::PODS, None, Some("reports"), "export-worker", |pod| {
            pod["metadata"]["finalizers"] = json!([]);
        })
        .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_rollout_heals_by_undo_and_serves_meanwhile() {
    check(
        "bad-rollout",
        &[("Failed", "code = NotFound"), ("ScalingReplicaSet", "Scaled up replica set web-")],
        |api| {
            let available = api.get(&gvr::DEPLOYMENTS, Some("storefront"), "web").unwrap();
            assert!(
                available["status"]["availableReplicas"].as_i64().unwrap() >= 2,
                "the old revision serves"
            );
            undo(api, "storefront", "web");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_release_heals_by_undo() {
    check("bad-release", &[("BackOff", "Back-off restarting failed container")], |api| {
        undo(api, "orders", "orders-api");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oom_heals_by_undo() {
    check("oom", &[("BackOff", "Back-off restarting failed container")], |api| {
        let killed = states::pods_of(api, "search", "indexer").iter().any(|pod| {
            let last = &pod["status"]["containerStatuses"][0]["lastState"]["terminated"];
            last["reason"] == "OOMKilled" && last["exitCode"] == 137
        });
        assert!(killed);
        undo(api, "search", "indexer");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_lost_heals_by_force_deletion() {
    check(
        "node-lost",
        &[
            ("NodeNotReady", "Node is not ready"),
            ("TaintManagerEviction", "Marking for deletion Pod ledger/ledger-2"),
        ],
        |api| force_delete(api, "ledger", "ledger-2"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_node_is_repaired_once_its_pod_is_replaced() {
    let sim = start().await;
    sim.play("node-lost").await.unwrap();
    let lost = sim.api().get(&gvr::PODS, Some("ledger"), "ledger-2").unwrap()["spec"]["nodeName"].clone();
    let node = sim.api().get(&gvr::NODES, None, lost.as_str().unwrap()).unwrap();
    let ready = crate::sim::objects::condition(&node, "Ready").unwrap();
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("Unknown"), &json!("NodeStatusUnknown")));
    assert_eq!(ready["message"], "Kubelet stopped posting node status.");
    force_delete(sim.api(), "ledger", "ledger-2");
    until(&sim, "replaced elsewhere", |api| {
        states::stateful_fixed(api, "ledger", "ledger")
            && api
                .get(&gvr::PODS, Some("ledger"), "ledger-2")
                .is_some_and(|pod| pod["spec"]["nodeName"] != lost)
    })
    .await;
    until(&sim, "node back", states::node_of_lost_pod_back).await;
    until(&sim, "taints gone", |api| {
        api.get(&gvr::NODES, None, lost.as_str().unwrap()).is_some_and(|node| {
            items(&node["spec"]["taints"]).iter().all(|taint| taint["key"] == "dedicated")
        })
    })
    .await;
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_subpath_heals_by_deleting_the_pod() {
    check("stale-subpath", &[("Failed", "volume-subpaths/config/collector/0")], |api| {
        delete_pods(api, "metrics");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_config_heals_by_undo() {
    check("missing-config", &[("Failed", "Error: configmap \"catalog-flags\" not found")], |api| {
        undo(api, "catalog", "catalog-api");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_config_heals_too_when_the_config_map_appears() {
    check("missing-config", &[], |api| {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "catalog-flags"}, "data": {"BETA": "1"}});
        api.create(&person(), &gvr::CONFIG_MAPS, Some("catalog"), map).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_terminating_heals_by_force_deletion() {
    check("stuck-terminating", &[("FailedKillPod", "context deadline exceeded")], |api| {
        force_delete(api, "media", "transcoder-0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rate_limited_heals_when_pulls_log_in() {
    check("rate-limited", &[("Failed", "toomanyrequests: You have reached your pull rate limit")], |api| {
        add_secret(api, "website", "dockerhub-pull");
        delete_pods(api, "website");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registry_outage_hits_many_and_heals_by_itself() {
    let sim = start().await;
    sim.play("registry-outage").await.unwrap();
    until(&sim, "503", |api| told(api, "platform", "Failed", "503 Service Unavailable")).await;
    until(&sim, "healed", find("registry-outage").unwrap().fixed).await;
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restart_heals_by_a_rollout_restart() {
    check("restart", &[("BackOff", "Back-off restarting failed container")], |api| {
        api.modify(&person(), &gvr::DEPLOYMENTS, None, Some("fulfilment"), "picker", |object| {
            object["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
                json!("2026-11-21T12:00:00Z");
        })
        .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scenario_that_was_repaired_before_it_failed_wholly_was_played() {
    let sim =
        Sim::start(SimOptions { pace: 10.0, background: false, ..SimOptions::default() }).await.unwrap();
    let released = |api: &ApiServer| {
        let limit = "/spec/template/spec/containers/0/resources/limits/memory";
        api.get(&gvr::DEPLOYMENTS, Some("search"), "indexer")
            .is_some_and(|object| object.pointer(limit).and_then(Value::as_str) == Some("128Mi"))
    };
    let quick = async {
        while !released(sim.api()) {
            sim.api().clock().sleep(Duration::from_millis(5)).await;
        }
        apply::apply(sim.api(), include_str!("oom.yaml")).unwrap();
    };
    let (played, ()) = tokio::join!(sim.play("oom"), quick);
    played.unwrap();
    assert!(!told(sim.api(), "search", "BackOff", "restarting failed"), "it failed before it was repaired");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_background_is_healthy_and_stays_out_of_the_way() {
    let sim = Sim::start(SimOptions { pace: PACE, ..SimOptions::default() }).await.unwrap();
    until(&sim, "web", |api| states::deployment_fixed(api, "shop", "catalog-web")).await;
    until(&sim, "cache", |api| states::stateful_fixed(api, "shop", "cache")).await;
    until(&sim, "daemons", |api| {
        api.get(&gvr::DAEMON_SETS, Some("monitoring"), "node-exporter")
            .is_some_and(|set| set["status"]["numberReady"] == 3)
    })
    .await;
    until(&sim, "endpoints", |api| {
        api.get(&gvr::ENDPOINTS, Some("shop"), "catalog-web")
            .is_some_and(|one| items(&one["subsets"][0]["addresses"]).len() == 2)
    })
    .await;
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_ten_thousand_failing_pods_is_made_in_seconds() {
    let sim = Sim::start(SimOptions { pace: 1.0, background: false, ..SimOptions::default() }).await.unwrap();
    let begun = Instant::now();
    sim.storm(20, 500).await.unwrap();
    until(&sim, "10,000 pods", |api| api.list(&gvr::PODS, Some("storm")).len() == 10_000).await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(20), "took {took:?}");
    sim.stop().await;
}

#[test]
fn every_scenario_is_listed_once_and_has_words() {
    let mut names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 13);
    assert!(SCENARIOS.iter().all(|scenario| !scenario.title.is_empty() && !scenario.remedy.is_empty()));
}
