//! The controllers in a running cluster: rollouts of all three kinds, their history, and what stalls them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::sim::api::{ApiServer, DeleteOptions, Gvr, User, gvr};
use crate::sim::objects::{annotation, condition, count, generation, is_true, items, name};
use crate::sim::{Sim, SimOptions};

const GOOD: &str = "registry.example.com/shop/redis:7.4.0";
const BETTER: &str = "registry.example.com/shop/catalog-web:9.4.1";
const BAD: &str = "registry.example.com/shop/redis:7.5.0-typo";

async fn start() -> Sim {
    Sim::start(SimOptions { pace: 100.0, background: false, ..SimOptions::default() }).await.unwrap()
}

fn person() -> User {
    User::new("demo-admin", &["system:masters"])
}

async fn until(sim: &Sim, what: &str, state: impl Fn(&ApiServer) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !state(sim.api()) {
        let pods = sim.api().list(&gvr::PODS, Some("default"));
        assert!(Instant::now() < deadline, "waited in vain: {what}; pods: {pods:?}");
        sim.api().clock().sleep(Duration::from_millis(20)).await;
    }
}

fn workload(kind: &str, replicas: i64, image: &str) -> Value {
    let mut spec = json!({
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{
                "name": "web", "image": image, "imagePullPolicy": "IfNotPresent",
                "readinessProbe": {"httpGet": {"path": "/", "port": 80}},
            }]},
        },
    });
    if kind != "DaemonSet" {
        spec["replicas"] = json!(replicas);
    }
    if kind == "StatefulSet" {
        spec["serviceName"] = json!("web");
    }
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec})
}

fn set_image(api: &ApiServer, resource: &Gvr, image: &str) {
    api.modify(&person(), resource, None, Some("default"), "web", |object| {
        object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    })
    .unwrap();
}

fn images(api: &ApiServer) -> Vec<String> {
    let pods = api.list(&gvr::PODS, Some("default"));
    let running = pods.iter().filter(|pod| is_true(pod, "Ready"));
    running.map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()).collect()
}

fn settled(api: &ApiServer, image: &str, pods: usize) -> bool {
    let all = api.list(&gvr::PODS, Some("default"));
    all.len() == pods && images(api) == vec![image.to_owned(); pods]
}

fn observed(api: &ApiServer, resource: &Gvr) -> Option<Arc<Value>> {
    let object = api.get(resource, Some("default"), "web")?;
    (object["status"]["observedGeneration"].as_i64() == Some(generation(&object))).then_some(object)
}

fn revisions(api: &ApiServer) -> Vec<(i64, String)> {
    let mut all: Vec<(i64, String)> = api
        .list(&gvr::CONTROLLER_REVISIONS, Some("default"))
        .iter()
        .map(|one| {
            let image = &one["data"]["spec"]["template"]["spec"]["containers"][0]["image"];
            (one["revision"].as_i64().unwrap(), image.as_str().unwrap().to_owned())
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_rolls_forward_keeps_its_history_and_rolls_back_to_the_same_replica_set() {
    let sim = start().await;
    let api = sim.api();
    api.create(&person(), &gvr::DEPLOYMENTS, Some("default"), workload("Deployment", 3, GOOD)).unwrap();
    until(&sim, "first revision", |api| settled(api, GOOD, 3)).await;
    let first = name(&api.list(&gvr::REPLICA_SETS, Some("default"))[0]).to_owned();
    set_image(api, &gvr::DEPLOYMENTS, BETTER);
    until(&sim, "second revision", |api| settled(api, BETTER, 3)).await;
    set_image(api, &gvr::DEPLOYMENTS, GOOD);
    until(&sim, "back", |api| settled(api, GOOD, 3)).await;
    let sets = api.list(&gvr::REPLICA_SETS, Some("default"));
    assert_eq!(sets.len(), 2);
    let first = sets.iter().find(|set| name(set) == first).unwrap();
    assert_eq!(annotation(first, "deployment.kubernetes.io/revision"), Some("3"));
    assert_eq!(annotation(first, "deployment.kubernetes.io/revision-history"), Some("1"));
    until(&sim, "status", |api| {
        observed(api, &gvr::DEPLOYMENTS).is_some_and(|object| {
            annotation(&object, "deployment.kubernetes.io/revision") == Some("3")
                && count(&object["status"]["availableReplicas"]) == 3
                && condition(&object, "Progressing")
                    .is_some_and(|one| one["reason"] == "NewReplicaSetAvailable")
        })
    })
    .await;
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_rollout_keeps_the_old_pods_and_exceeds_its_deadline() {
    let sim = start().await;
    let mut object = workload("Deployment", 4, GOOD);
    object["spec"]["progressDeadlineSeconds"] = json!(60);
    sim.api().create(&person(), &gvr::DEPLOYMENTS, Some("default"), object).unwrap();
    until(&sim, "first revision", |api| settled(api, GOOD, 4)).await;
    set_image(sim.api(), &gvr::DEPLOYMENTS, BAD);
    until(&sim, "deadline", |api| {
        observed(api, &gvr::DEPLOYMENTS).is_some_and(|object| {
            condition(&object, "Progressing").is_some_and(|one| {
                one["reason"] == "ProgressDeadlineExceeded"
                    && one["message"]
                        .as_str()
                        .is_some_and(|text| text.ends_with("has timed out progressing."))
            })
        })
    })
    .await;
    assert_eq!(images(sim.api()), vec![GOOD; 3], "25% of four may be missing, no more");
    assert_eq!(sim.api().list(&gvr::PODS, Some("default")).len(), 5, "and 25% may be there beyond");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stateful_set_waits_for_its_stuck_pod_even_after_an_undo_until_somebody_deletes_it() {
    let sim = start().await;
    let api = sim.api();
    api.create(&person(), &gvr::STATEFUL_SETS, Some("default"), workload("StatefulSet", 3, GOOD)).unwrap();
    until(&sim, "first revision", |api| settled(api, GOOD, 3)).await;
    set_image(api, &gvr::STATEFUL_SETS, BAD);
    until(&sim, "web-2 stuck", |api| {
        api.get(&gvr::PODS, Some("default"), "web-2").is_some_and(|pod| {
            pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
        })
    })
    .await;
    set_image(api, &gvr::STATEFUL_SETS, GOOD);
    until(&sim, "undo seen", |api| {
        observed(api, &gvr::STATEFUL_SETS).is_some()
            && revisions(api).last().is_some_and(|one| *one == (3, GOOD.into()))
    })
    .await;
    let stuck = api.get(&gvr::PODS, Some("default"), "web-2").unwrap();
    assert_eq!(stuck["spec"]["containers"][0]["image"], BAD);
    api.delete(&person(), &gvr::PODS, Some("default"), "web-2", DeleteOptions::default()).unwrap();
    until(&sim, "healed", |api| settled(api, GOOD, 3)).await;
    assert_eq!(revisions(api), [(2, BAD.to_owned()), (3, GOOD.to_owned())]);
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_set_rolls_node_by_node() {
    let sim = start().await;
    let api = sim.api();
    api.create(&person(), &gvr::DAEMON_SETS, Some("default"), workload("DaemonSet", 0, GOOD)).unwrap();
    until(&sim, "first revision", |api| settled(api, GOOD, 3)).await;
    set_image(api, &gvr::DAEMON_SETS, BETTER);
    until(&sim, "second revision", |api| settled(api, BETTER, 3)).await;
    assert_eq!(revisions(api), [(1, GOOD.to_owned()), (2, BETTER.to_owned())]);
    until(&sim, "status", |api| {
        observed(api, &gvr::DAEMON_SETS).is_some_and(|set| {
            let status = &set["status"];
            [&status["desiredNumberScheduled"], &status["updatedNumberScheduled"], &status["numberAvailable"]]
                .iter()
                .all(|one| count(one) == 3)
        })
    })
    .await;
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_keeps_failing_reaches_its_limit() {
    let sim = start().await;
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"},
        "spec": {"backoffLimit": 2, "template": {"metadata": {"labels": {"app": "migrate"}}, "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "migrate", "image": "registry.example.com/storm/crashing:1.0", "imagePullPolicy": "IfNotPresent"}],
        }}},
    });
    sim.api().create(&person(), &gvr::JOBS, Some("default"), job).unwrap();
    until(&sim, "failed", |api| {
        api.get(&gvr::JOBS, Some("default"), "migrate").is_some_and(|job| {
            count(&job["status"]["failed"]) == 3
                && condition(&job, "Failed")
                    .is_some_and(|one| one["message"] == "Job has reached the specified backoff limit")
        })
    })
    .await;
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_fits_nowhere_says_why() {
    let sim = start().await;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "huge"}, "spec": {
        "containers": [{"name": "a", "image": GOOD, "resources": {"requests": {"memory": "64Gi"}}}],
    }});
    sim.api().create(&person(), &gvr::PODS, Some("default"), pod).unwrap();
    until(&sim, "unschedulable", |api| {
        api.get(&gvr::PODS, Some("default"), "huge").is_some_and(|pod| {
            items(&pod["status"]["conditions"]).iter().any(|one| {
                one["reason"] == "Unschedulable"
                    && one["message"] == "0/4 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/control-plane: }, that the pod didn't tolerate, 3 Insufficient memory."
            })
        })
    })
    .await;
    sim.stop().await;
}
