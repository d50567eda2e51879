//! Watching over HTTP against a scripted server: whatever goes wrong on the way, the cache ends at the level
//! that the server has.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "events are dated now, and states are polled with a deadline")]

use std::time::Duration;

use crate::far_side::{Act, FarSide, Lists, eventually};
use kubemend::cluster::{Access, Cluster, ClusterChange, ClusterConfig, Timing};
use kubemend::incident::ObjectRef;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/pods";
const NODES: &str = "/api/v1/nodes";
const EVENTS: &str = "/api/v1/events";
/// Where events of one namespace are asked for.
const OF_SHOP: &str = "/api/v1/namespaces/shop/events";

fn pod(name: &str, waiting: Option<&str>) -> Value {
    let state = waiting.map_or(json!({"running": {}}), |reason| json!({"waiting": {"reason": reason}}));
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "c", "state": state}]}})
}

fn ok(name: &str) -> Value {
    pod(name, None)
}

fn bad(name: &str) -> Value {
    pod(name, Some("ImagePullBackOff"))
}

fn config(access: Access) -> ClusterConfig {
    let millis = Duration::from_millis;
    let mut config = ClusterConfig::new("test", access);
    config.timing = Timing {
        probe: millis(300),
        answer: millis(1500),
        idle: millis(600),
        backoff: millis(10),
        backoff_most: millis(80),
        forbidden: millis(150),
        settle: Duration::from_secs(5),
        ..Timing::default()
    };
    config
}

async fn connect(far: &FarSide) -> Cluster {
    let cluster = Cluster::connect(config(far.access())).await.unwrap();
    cluster.settled().await;
    cluster
}

fn suspects(cluster: &Cluster) -> Vec<String> {
    let mut names: Vec<String> = cluster.suspects().iter().map(ToString::to_string).collect();
    names.sort();
    names
}

fn held(cluster: &Cluster, name: &str) -> bool {
    let api = kubemend::incident::ApiKind::known("Pod").unwrap();
    let subject = ObjectRef { api, namespace: "shop".into(), name: name.into(), ..ObjectRef::default() };
    cluster.cache().pod(&subject).is_some()
}

/// The cache shows exactly the pods of the server, and exactly the bad ones as suspects.
async fn is_level(far: &FarSide, cluster: &Cluster) {
    eventually("the cache is level with the server", || {
        let wanted = far.names(PODS);
        let bad: Vec<String> = far.bad(PODS).iter().map(|name| format!("Pod shop/{name}")).collect();
        cluster.status().pods == wanted.len()
            && wanted.iter().all(|name| held(cluster, name))
            && suspects(cluster) == bad
    })
    .await;
}

#[tokio::test]
async fn a_large_listing_comes_in_pages() {
    let far = FarSide::start(Lists::Paged).await;
    for n in 0..350 {
        far.put(PODS, ok(&format!("p{n}")));
    }
    far.put(PODS, bad("sick"));
    let cluster = connect(&far).await;
    is_level(&far, &cluster).await;
    let pages = far.seen(PODS).iter().filter(|uri| uri.contains("limit=100")).count();
    assert_eq!(pages, 4);
}

#[tokio::test]
async fn a_server_that_streams_is_not_asked_for_pages() {
    let far = FarSide::start(Lists::Streamed).await;
    for n in 0..150 {
        far.put(PODS, ok(&format!("p{n}")));
    }
    let cluster = connect(&far).await;
    far.put(PODS, bad("later"));
    is_level(&far, &cluster).await;
    assert!(far.seen(PODS).iter().all(|uri| uri.contains("sendInitialEvents=true")), "{:?}", far.seen(PODS));
}

#[tokio::test]
async fn a_server_that_does_not_know_streamed_listings_or_refuses_them_is_asked_for_pages() {
    for lists in [Lists::IgnoresStreaming, Lists::RefusesStreaming] {
        let far = FarSide::start(lists).await;
        far.put(PODS, bad("sick"));
        let cluster = connect(&far).await;
        far.put(PODS, ok("later"));
        is_level(&far, &cluster).await;
    }
}

#[tokio::test]
async fn a_cut_watch_goes_on_where_it_was() {
    let far = FarSide::start(Lists::Paged).await;
    far.put(PODS, ok("a"));
    far.next_watch(PODS, Act::CutInLine);
    let cluster = connect(&far).await;
    far.put(PODS, bad("b"));
    far.put(PODS, bad("c"));
    is_level(&far, &cluster).await;
    assert_eq!(far.seen(PODS).iter().filter(|uri| uri.contains("limit=")).count(), 1, "no second listing");
}

#[tokio::test]
async fn what_went_while_the_version_expired_is_gone() {
    for at_start in [false, true] {
        let far = FarSide::start(Lists::Paged).await;
        far.put(PODS, bad("a"));
        far.put(PODS, bad("b"));
        let act = if at_start { Act::Status(410, None) } else { Act::ErrorLine(410) };
        far.next_watch(PODS, Act::Hold);
        far.next_watch(PODS, act);
        let cluster = connect(&far).await;
        eventually("both are suspects", || cluster.suspects().len() == 2).await;
        far.delete_unseen(PODS, "a");
        far.cut(PODS);
        is_level(&far, &cluster).await;
        let mut seen = Vec::new();
        while !cluster.changes().is_empty() {
            seen.push(cluster.changes().next().await);
        }
        let gone = |c: &ClusterChange| matches!(c, ClusterChange::Gone(o) if o.name == "a");
        assert!(seen.iter().any(|c| gone(c) || *c == ClusterChange::Everything), "{seen:?}");
    }
}

#[tokio::test]
async fn a_token_that_expires_between_pages_starts_the_listing_over() {
    let far = FarSide::start(Lists::Paged).await;
    for n in 0..250 {
        far.put(PODS, ok(&format!("p{n}")));
    }
    far.next_list(PODS, Act::Pass);
    far.next_list(PODS, Act::Status(410, None));
    let cluster = connect(&far).await;
    is_level(&far, &cluster).await;
}

#[tokio::test]
async fn a_server_that_asks_for_patience_gets_it() {
    let far = FarSide::start(Lists::Paged).await;
    far.put(PODS, bad("a"));
    far.next_list(PODS, Act::Status(429, Some(1)));
    let cluster = Cluster::connect(config(far.access())).await.unwrap();
    is_level(&far, &cluster).await;
    let times = far.times(PODS);
    assert!(times[1] - times[0] >= Duration::from_secs(1), "{:?}", times[1] - times[0]);
}

#[tokio::test]
async fn failing_answers_are_outlived() {
    let far = FarSide::start(Lists::Paged).await;
    far.put(PODS, bad("a"));
    for code in [500, 503, 504, 500] {
        far.next_list(PODS, Act::Status(code, None));
    }
    far.next_watch(PODS, Act::Status(500, None));
    far.next_watch(PODS, Act::ErrorLine(500));
    let cluster = connect(&far).await;
    far.put(PODS, bad("b"));
    is_level(&far, &cluster).await;
}

#[tokio::test]
async fn a_watch_that_falls_silent_is_given_up() {
    let far = FarSide::start(Lists::Paged).await;
    far.put(PODS, ok("a"));
    far.next_watch(PODS, Act::Silent);
    let cluster = connect(&far).await;
    far.put(PODS, bad("b"));
    is_level(&far, &cluster).await;
}

#[tokio::test]
async fn objects_that_do_not_parse_are_counted_named_and_skipped() {
    let far = FarSide::start(Lists::Paged).await;
    let garbage = |name: &str| json!({"metadata": {"name": name, "namespace": "shop"}, "status": "odd"});
    far.put(PODS, garbage("listed"));
    far.put(PODS, bad("a"));
    let cluster = connect(&far).await;
    far.put(PODS, garbage("watched"));
    far.raw(PODS, "this is no JSON\n");
    far.put(PODS, bad("b"));
    eventually("both good ones are there", || suspects(&cluster) == ["Pod shop/a", "Pod shop/b"]).await;
    let status = cluster.status();
    let pods = status.kinds.iter().find(|kind| kind.kind == "Pod").unwrap();
    assert_eq!(pods.unparsed, 3, "{pods:?}");
    assert!(pods.trouble.is_none(), "{pods:?}");
}

#[tokio::test]
async fn a_kind_without_rights_is_worked_without_and_tried_again() {
    let far = FarSide::start(Lists::Paged).await;
    far.put(PODS, bad("a"));
    far.forbid(NODES);
    let cluster = connect(&far).await;
    is_level(&far, &cluster).await;
    let nodes =
        |cluster: &Cluster| cluster.status().kinds.into_iter().find(|kind| kind.kind == "Node").unwrap();
    eventually("it is said", || nodes(&cluster).forbidden).await;
    eventually("the rest is in order", || cluster.status().connected).await;
    far.allow(NODES);
    eventually("the right is noticed", || nodes(&cluster).synced).await;
}

#[tokio::test]
async fn rights_for_some_namespaces_are_enough() {
    let far = FarSide::start(Lists::Paged).await;
    far.put("/api/v1/namespaces/shop/pods", bad("a"));
    far.forbid(PODS);
    let mut config = config(far.access());
    config.namespaces = vec!["shop".into(), "bank".into()];
    let cluster = Cluster::connect(config).await.unwrap();
    eventually("the pod is seen", || suspects(&cluster) == ["Pod shop/a"]).await;
    assert!(far.seen(PODS).is_empty());
    assert!(!far.seen("/api/v1/namespaces/bank/pods").is_empty());
}

#[tokio::test]
async fn an_expired_token_is_read_anew() {
    let far = FarSide::start(Lists::Paged).await;
    far.put(PODS, ok("a"));
    far.accept("first");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kubeconfig");
    let write = |token: &str| {
        let file = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": far.url()}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]});
        std::fs::write(&path, file.to_string()).unwrap();
    };
    write("first");
    let access = Access::Kubeconfig { path: Some(path.clone()), context: None };
    let cluster = Cluster::connect(config(access)).await.unwrap();
    is_level(&far, &cluster).await;
    far.accept("second");
    far.cut(PODS);
    write("second");
    far.put(PODS, bad("b"));
    is_level(&far, &cluster).await;
}

#[tokio::test]
async fn deliveries_twice_and_in_the_wrong_order_end_at_the_level() {
    let far = FarSide::start(Lists::Paged).await;
    far.put(PODS, ok("a"));
    let cluster = connect(&far).await;
    far.put(PODS, bad("a"));
    far.put(PODS, ok("a"));
    far.put(PODS, bad("b"));
    far.delete(PODS, "b");
    eventually("all is quiet", || suspects(&cluster).is_empty()).await;
    far.repeat_in_disorder(PODS);
    is_level(&far, &cluster).await;
    far.put(PODS, bad("c"));
    is_level(&far, &cluster).await;
}

#[tokio::test]
async fn old_events_are_no_news_at_the_start_and_a_bad_state_is() {
    let far = FarSide::start(Lists::Paged).await;
    far.put(PODS, ok("a"));
    far.put(PODS, bad("b"));
    let event = |pod: &Value, count: u32| {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "shop"},
            "type": "Warning", "reason": "BackOff", "count": count,
            "lastTimestamp": jiff::Timestamp::now().to_string(),
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "a", "uid": pod["metadata"]["uid"]}})
    };
    let a = far.get(PODS, "a");
    far.put(EVENTS, event(&a, 3));
    let cluster = connect(&far).await;
    let ClusterChange::Changed(first) = cluster.changes().next().await else { panic!("a change") };
    assert_eq!(first.name, "b");
    assert!(cluster.changes().is_empty());
    far.put(EVENTS, event(&a, 4));
    let ClusterChange::Changed(second) = cluster.changes().next().await else { panic!("a change") };
    assert_eq!(second.name, "a");
}

#[tokio::test]
async fn time_alone_makes_a_suspect() {
    let far = FarSide::start(Lists::Paged).await;
    let due = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(20);
    let mut going = ok("a");
    going["metadata"]["deletionTimestamp"] = json!(due.to_string());
    far.put(PODS, going);
    let cluster = connect(&far).await;
    assert!(cluster.suspects().is_empty());
    let ClusterChange::Changed(subject) = cluster.changes().next().await else { panic!("a change") };
    assert_eq!(subject.name, "a");
}

#[tokio::test]
async fn events_that_there_was_no_room_for_are_read_once_when_they_are_needed() {
    let far = FarSide::start(Lists::Paged).await;
    let at = jiff::Timestamp::now().to_string();
    let event = |name: &str, pod: &Value, message: &str| {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "shop"},
            "type": "Warning", "reason": "Failed", "message": message, "lastTimestamp": at,
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": pod["metadata"]["name"],
                "uid": pod["metadata"]["uid"]}})
    };
    far.put(PODS, bad("a"));
    far.put(PODS, bad("b"));
    let mut config = config(far.access());
    config.events = 2;
    let cluster = Cluster::connect(config).await.unwrap();
    cluster.settled().await;
    let (a, b) = (far.get(PODS, "a"), far.get(PODS, "b"));
    let said = event("a.1", &a, "denied: password=hunter2hunter2");
    far.put(EVENTS, said.clone());
    far.put(OF_SHOP, said);
    let api = kubemend::incident::ApiKind::known("Pod").unwrap();
    let subject = |name: &str| ObjectRef {
        api: api.clone(),
        namespace: "shop".into(),
        name: name.into(),
        ..ObjectRef::default()
    };
    let held = |pod: &Value| {
        let uid = pod["metadata"]["uid"].as_str().unwrap().into();
        cluster.events(&ObjectRef { uid, ..subject(pod["metadata"]["name"].as_str().unwrap()) }).len()
    };
    eventually("its event is held", || held(&a) == 1).await;
    for n in 0..2 {
        far.put(EVENTS, event(&format!("b.{n}"), &b, &format!("denied {n}")));
    }
    eventually("it made room", || held(&a) == 0 && held(&b) == 2).await;
    let wants = kubemend::incident::Wants { logs: true, ..Default::default() };
    let now = jiff::Timestamp::now();
    cluster.gather(&subject("a"), kubemend::incident::Wants::default(), now).await;
    cluster.gather(&subject("b"), wants, now).await;
    assert!(far.seen(OF_SHOP).is_empty(), "nobody needs more than what is held: {:?}", far.seen(OF_SHOP));
    let gathered = cluster.gather(&subject("a"), wants, now).await;
    let told: Vec<&str> = gathered.events.iter().map(|event| event.message.as_str()).collect();
    assert_eq!(told, ["denied: password=[redacted]"]);
    let asked = far.seen(OF_SHOP);
    assert!(
        asked.len() == 1 && asked[0].contains("involvedObject.uid%3D") && asked[0].contains("limit="),
        "{asked:?}"
    );
    far.forbid(OF_SHOP);
    let gathered = cluster.gather(&subject("a"), wants, now).await;
    assert_eq!(gathered.gaps[0].what, "older events of Pod shop/a");
}

#[tokio::test]
async fn a_warning_about_an_object_that_is_not_watched_is_news() {
    let far = FarSide::start(Lists::Paged).await;
    let cluster = connect(&far).await;
    let event = |name: &str, kind: &str| {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "shop"}, "type": kind,
            "reason": "FailedGetResourceMetric", "message": "no metrics", "lastTimestamp": jiff::Timestamp::now().to_string(),
            "involvedObject": {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "namespace": "shop",
                "name": name, "uid": "00000000-0000-0000-0000-00000000aaaa"}})
    };
    far.put(EVENTS, event("quiet", "Normal"));
    far.put(EVENTS, event("api", "Warning"));
    let ClusterChange::Changed(subject) = cluster.changes().next().await else { panic!("a change") };
    assert_eq!(subject.to_string(), "HorizontalPodAutoscaler shop/api");
    assert_eq!(
        (subject.api.group.as_str(), subject.api.plural.as_str()),
        ("autoscaling", "horizontalpodautoscalers")
    );
    assert_eq!(cluster.events(&subject)[0].message, "no metrics");
    assert!(cluster.changes().is_empty());
}
