//! The cache as its readers see it: levels, changes and times, without a server.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Cache, ClusterChange, Delivery, Order, PodFound};
use crate::cluster::kind::Watched;
use crate::cluster::wire::{decode, decode_all};
use crate::incident::Text;

const NOW: &str = "2026-01-01T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn cache() -> Cache {
    let cache = Cache::new(&Text::new("test"));
    cache.changes().open();
    cache
}

fn uid(n: u32) -> String {
    format!("00000000-0000-0000-0000-{n:012}")
}

/// A pod that is ready, on node-1, of ReplicaSet `rs`.
fn pod(n: u32) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("p{n}"), "namespace": "shop", "uid": uid(n), "resourceVersion": "10",
            "ownerReferences": [{"kind": "ReplicaSet", "name": "rs", "uid": "rs-uid", "controller": true}]},
        "spec": {"nodeName": "node-1", "serviceAccountName": "default", "restartPolicy": "Always",
            "containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "c", "ready": true, "state": {"running": {}}}]}})
}

fn waiting(n: u32) -> Value {
    let mut pod = pod(n);
    pod["status"]["containerStatuses"][0] =
        json!({"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "m"}}});
    pod
}

fn node(ready: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "uid": "node-uid"},
        "status": {"conditions": [{"type": "Ready", "status": ready}]}})
}

fn put(cache: &Cache, object: &Value) -> Order {
    put_at(cache, object, now())
}

fn put_at(cache: &Cache, object: &Value, at: Timestamp) -> Order {
    let kind = Watched::of(object["kind"].as_str().unwrap()).unwrap();
    cache.apply(kind, decode(object.to_string().as_bytes()).unwrap(), 1, Delivery::Watched, at)
}

fn delete(cache: &Cache, object: &Value) {
    let kind = Watched::of(object["kind"].as_str().unwrap()).unwrap();
    cache.delete(kind, &decode(object.to_string().as_bytes()).unwrap(), now());
}

fn suspects(cache: &Cache) -> Vec<String> {
    let mut names: Vec<String> = cache.suspects().iter().map(ToString::to_string).collect();
    names.sort();
    names
}

async fn changes(cache: &Cache) -> Vec<String> {
    let mut found = Vec::new();
    while !cache.changes().is_empty() {
        found.push(match cache.changes().next().await {
            ClusterChange::Changed(subject) => format!("{subject}"),
            ClusterChange::Gone(subject) => format!("gone: {subject}"),
            ClusterChange::Everything => "everything".to_owned(),
        });
    }
    found
}

#[tokio::test]
async fn a_healthy_pod_is_a_digest_and_no_news() {
    let cache = cache();
    put(&cache, &pod(1));
    assert_eq!(cache.detailed_pods(), 0);
    assert!(changes(&cache).await.is_empty());
    let subject = crate::incident::ObjectRef {
        namespace: "shop".into(),
        name: "p1".into(),
        api: Watched::Pod.api().clone(),
        ..Default::default()
    };
    let Some(PodFound::Digest(found)) = cache.pod(&subject) else { panic!("a digest") };
    assert_eq!((found.name.as_str(), found.uid.as_str()), ("p1", uid(1).as_str()));
}

#[tokio::test]
async fn falling_ill_and_getting_well_are_changes_and_staying_so_is_not() {
    let cache = cache();
    put(&cache, &waiting(1));
    assert_eq!(changes(&cache).await, ["Pod shop/p1"]);
    put(&cache, &waiting(1));
    assert!(changes(&cache).await.is_empty(), "a delivery twice");
    let mut well = pod(1);
    well["metadata"]["resourceVersion"] = json!("11");
    put(&cache, &well);
    assert_eq!(changes(&cache).await, ["Pod shop/p1"]);
    assert!(cache.suspects().is_empty());
    delete(&cache, &well);
    assert!(changes(&cache).await.is_empty(), "a healthy pod may go");
}

#[tokio::test]
async fn a_suspect_that_is_deleted_is_gone_and_no_late_update_brings_it_back() {
    let cache = cache();
    put(&cache, &waiting(1));
    delete(&cache, &waiting(1));
    assert_eq!(changes(&cache).await, ["gone: Pod shop/p1"]);
    put(&cache, &waiting(1));
    assert_eq!(cache.count(Watched::Pod), 0);
    let listed = decode(waiting(1).to_string().as_bytes()).unwrap();
    cache.apply(Watched::Pod, listed, 2, Delivery::Listed, now());
    assert_eq!(cache.count(Watched::Pod), 1, "a listing is believed");
}

#[test]
fn an_older_version_after_a_newer_one_is_not_believed_and_puts_the_order_in_doubt() {
    let cache = cache();
    let mut newer = waiting(1);
    newer["metadata"]["resourceVersion"] = json!("11");
    assert_eq!(put(&cache, &newer), Order::Kept);
    assert_eq!(put(&cache, &pod(1)), Order::Broken);
    assert_eq!(suspects(&cache), ["Pod shop/p1"]);
}

#[test]
fn a_listing_sweeps_what_it_does_not_name_in_its_namespace_alone() {
    let cache = cache();
    let mut other = waiting(3);
    other["metadata"]["namespace"] = json!("elsewhere");
    for pod in [waiting(1), waiting(2), other] {
        put(&cache, &pod);
    }
    let listed = decode(waiting(2).to_string().as_bytes()).unwrap();
    cache.apply(Watched::Pod, listed, 2, Delivery::Listed, now());
    cache.sweep(Watched::Pod, Some("shop"), 2, now());
    assert_eq!(suspects(&cache), ["Pod elsewhere/p3", "Pod shop/p2"]);
}

#[test]
fn counts_by_owner_and_node_follow_the_pods() {
    let cache = cache();
    (1..=3).for_each(|n| {
        put(&cache, &pod(n));
    });
    put(&cache, &waiting(4));
    let mut sick = waiting(3);
    sick["metadata"]["resourceVersion"] = json!("11");
    sick["status"]["conditions"] = json!([{"type": "Ready", "status": "False"}]);
    put(&cache, &sick);
    let neighbours = cache.neighbours("node-1");
    assert_eq!((neighbours.node_pods, neighbours.node_unhealthy), (4, 2));
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "rs", "namespace": "shop", "uid": "rs-uid"}});
    put(&cache, &set);
    let set = cache.workload("ReplicaSet", "shop", "rs").unwrap();
    let siblings = cache.siblings(&set);
    assert_eq!((siblings.ready, siblings.total), (3, 4));
    (1..=4).for_each(|n| delete(&cache, &pod(n)));
    assert_eq!(cache.neighbours("node-1").node_pods, 0);
}

#[tokio::test]
async fn a_pod_beyond_its_grace_comes_up_by_time_alone() {
    let cache = cache();
    let mut going = pod(1);
    going["metadata"]["deletionTimestamp"] = json!(NOW);
    put(&cache, &going);
    assert!(cache.suspects().is_empty());
    let next = cache.tick(now()).unwrap();
    assert_eq!(next, now() + SignedDuration::from_secs(30));
    assert!(cache.suspects().is_empty());
    assert_eq!(cache.tick(next), None);
    assert_eq!(changes(&cache).await, ["Pod shop/p1"]);
    assert_eq!(suspects(&cache), ["Pod shop/p1"]);
}

#[tokio::test]
async fn an_object_held_by_finalizers_comes_up_by_time_alone() {
    let cache = cache();
    put(
        &cache,
        &json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "shop", "uid": "c", "deletionTimestamp": NOW,
            "finalizers": ["example.com/guard"]}, "status": {"phase": "Bound"}}),
    );
    let next = cache.tick(now()).unwrap();
    cache.tick(next);
    assert_eq!(changes(&cache).await, ["PersistentVolumeClaim shop/data"]);
    assert_eq!(cache.tick(next), None, "once is enough");
}

#[tokio::test]
async fn a_restart_is_of_interest_for_a_while() {
    let cache = cache();
    let mut restarted = pod(1);
    restarted["status"]["containerStatuses"][0] = json!({"name": "c", "ready": true, "restartCount": 1,
        "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": NOW}}});
    put(&cache, &restarted);
    assert_eq!(suspects(&cache), ["Pod shop/p1"]);
    let next = cache.tick(now()).unwrap();
    cache.tick(next);
    assert!(cache.suspects().is_empty());
    assert_eq!(cache.detailed_pods(), 0, "a digest again");
}

#[tokio::test]
async fn a_lost_node_is_one_change_and_not_one_for_each_of_its_pods() {
    let cache = cache();
    put(&cache, &node("True"));
    (1..=3).for_each(|n| {
        put(&cache, &pod(n));
    });
    put(&cache, &node("Unknown"));
    for n in 1..=3 {
        let mut unready = pod(n);
        unready["metadata"]["resourceVersion"] = json!("11");
        unready["status"]["conditions"] =
            json!([{"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
        put(&cache, &unready);
    }
    assert_eq!(changes(&cache).await, ["Node node-1"]);
    assert_eq!(cache.neighbours("node-1").node_unhealthy, 3);
    let mut going = pod(1);
    going["metadata"]["resourceVersion"] = json!("12");
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T11:00:00Z");
    put(&cache, &going);
    assert_eq!(suspects(&cache), ["Node node-1", "Pod shop/p1"]);
}

#[tokio::test]
async fn an_account_with_other_pull_secrets_is_a_change_of_its_suspects() {
    let cache = cache();
    let account = |secrets: Value| {
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": "shop", "uid": "a"}, "imagePullSecrets": secrets})
    };
    put(&cache, &account(json!([])));
    put(&cache, &waiting(1));
    put(&cache, &pod(2));
    changes(&cache).await;
    put(&cache, &account(json!([{"name": "pull"}])));
    assert_eq!(changes(&cache).await, ["Pod shop/p1"]);
}

#[tokio::test]
async fn events_are_news_when_they_happen_and_not_when_they_are_listed() {
    let cache = cache();
    let event = |kind: &str, count: u32| {
        json!({"apiVersion": "v1", "kind": "Event", "type": kind, "reason": "Failed", "count": count,
            "metadata": {"name": format!("e-{kind}"), "namespace": "shop"}, "lastTimestamp": NOW,
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "p1", "uid": uid(1)}})
    };
    put(&cache, &pod(1));
    let listed = decode(event("Warning", 1).to_string().as_bytes()).unwrap();
    cache.apply(Watched::Event, listed, 1, Delivery::Listed, now());
    put(&cache, &event("Normal", 1));
    assert!(changes(&cache).await.is_empty(), "listed, or normal about a healthy pod");
    put(&cache, &event("Warning", 1));
    assert!(changes(&cache).await.is_empty(), "nothing new in it");
    put(&cache, &event("Warning", 2));
    assert_eq!(changes(&cache).await, ["Pod shop/p1"]);
    let mut sick = waiting(1);
    sick["metadata"]["resourceVersion"] = json!("11");
    put(&cache, &sick);
    changes(&cache).await;
    put(&cache, &event("Normal", 2));
    assert_eq!(changes(&cache).await, ["Pod shop/p1"], "decisive events are often normal");
    assert_eq!(cache.events(&cache.suspects()[0]).len(), 2);
}

#[test]
fn every_recorded_failure_with_a_bad_pod_is_a_suspect() {
    for (case, dump) in [
        (
            "img-401-no-secret",
            include_bytes!("../../../tests/fixtures/img-401-no-secret/objects.json").as_slice(),
        ),
        ("crash-oomkilled", include_bytes!("../../../tests/fixtures/crash-oomkilled/objects.json")),
        (
            "config-missing-configmap-key",
            include_bytes!("../../../tests/fixtures/config-missing-configmap-key/objects.json"),
        ),
        ("term-pod-finalizer", include_bytes!("../../../tests/fixtures/term-pod-finalizer/objects.json")),
    ] {
        let cache = cache();
        let objects: Vec<_> = decode_all(dump).into_iter().map(Result::unwrap).collect();
        let latest = objects.iter().filter_map(|o| o.meta().deleting.or(o.meta().created)).max().unwrap();
        for object in objects {
            let kind = match &object {
                crate::cluster::wire::AnyObject::Pod(_) => Watched::Pod,
                crate::cluster::wire::AnyObject::Node(_) => Watched::Node,
                _ => continue,
            };
            cache.apply(kind, object, 1, Delivery::Listed, latest + SignedDuration::from_secs(61));
        }
        assert!(cache.suspects().iter().any(|s| s.api.kind == "Pod"), "{case}: {:?}", suspects(&cache));
    }
}

#[test]
fn names_are_told_with_what_is_sick_first_and_no_more_than_asked_for() {
    let cache = cache();
    put(
        &cache,
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "ns-uid"}}),
    );
    put(
        &cache,
        &json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "d-uid"}, "spec": {"replicas": 1},
        "status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1}}),
    );
    put(&cache, &pod(1));
    put(&cache, &waiting(2));
    let named = |most| -> Vec<String> {
        let found = cache.named(most, |_, meta| meta.name != "node-1");
        found.iter().map(|object| format!("{} {}", object.api.kind, object.name)).collect()
    };
    assert_eq!(
        named(9),
        ["Pod p2", "Deployment web", "Namespace shop"],
        "each once; healthy pods have no name here"
    );
    assert_eq!(named(1), ["Pod p2"]);
    assert_eq!(cache.named(9, |kind, _| kind == Watched::Namespace).len(), 1);
}
