//! The real kube client: pages, watches that resume, conflicts, dry runs, apply, eviction, access.

use futures::TryStreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{
    Api, DeleteParams, EvictParams, ListParams, LogParams, Patch, PatchParams, PostParams, VersionMatch,
    WatchEvent, WatchParams,
};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Error, ResourceExt};
use kubemend::sim::api::gvr;
use serde_json::{Value, json};

use super::support::{Server, deployment, pod, start, until};

pub(super) fn code<T: std::fmt::Debug>(answer: Result<T, Error>) -> (u16, String) {
    match answer {
        Err(Error::Api(status)) => (status.code, status.message.clone()),
        other => panic!("not refused: {other:?}"),
    }
}

fn pods(server: &Server) -> Api<Pod> {
    Api::namespaced(server.client(), "default")
}

#[tokio::test]
async fn pages_show_one_moment_whatever_happens_between_them() {
    let server = start().await;
    for at in 0..7 {
        server.put_pod(&format!("p{at}"));
    }
    let api = pods(&server);
    let first = api.list(&ListParams::default().limit(3)).await.unwrap();
    assert_eq!(first.metadata.remaining_item_count, Some(4));
    server.put_pod("p55");
    api.delete("p6", &DeleteParams::default()).await.unwrap();
    let token = first.metadata.continue_.clone().unwrap();
    let rest = api.list(&ListParams::default().continue_token(&token)).await.unwrap();
    let names: Vec<String> = first.iter().chain(rest.iter()).map(ResourceExt::name_any).collect();
    assert_eq!(names, ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
    server.api.compact();
    let (status, _) = code(api.list(&ListParams::default().continue_token(&token)).await);
    assert_eq!(status, 410);
    let then = first.metadata.resource_version.unwrap();
    let exact = ListParams::default().at(&then).matching(VersionMatch::Exact);
    assert_eq!(code(api.list(&exact).await).0, 410);
}

#[tokio::test]
async fn a_watch_resumes_where_it_stopped_and_is_told_when_it_cannot() {
    let server = start().await;
    let api = pods(&server);
    server.put_pod("a");
    let since = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    server.put_pod("b");
    server.set_status(&gvr::PODS, "b", json!({"phase": "Running"}));
    let mut events = Box::pin(api.watch(&WatchParams::default(), &since).await.unwrap());
    for wanted in ["added", "modified"] {
        let kind = match events.try_next().await.unwrap().unwrap() {
            WatchEvent::Added(pod) if pod.name_any() == "b" => "added",
            WatchEvent::Modified(pod) if pod.name_any() == "b" => "modified",
            other => panic!("{other:?}"),
        };
        assert_eq!(kind, wanted);
    }
    server.api.compact();
    server.put_pod("c");
    let mut late = Box::pin(api.watch(&WatchParams::default(), &since).await.unwrap());
    match late.try_next().await.unwrap().unwrap() {
        WatchEvent::Error(status) => {
            assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn objects_enter_and_leave_a_selected_watch() {
    let server = start().await;
    let api = pods(&server);
    server.put_pod("a");
    let params = WatchParams::default().labels("app=web");
    let mut events = Box::pin(api.watch(&params, "0").await.unwrap());
    assert!(matches!(events.try_next().await.unwrap().unwrap(), WatchEvent::Added(_)));
    for (label, kind) in [("db", "deleted"), ("web", "added")] {
        let patch = json!({"metadata": {"labels": {"app": label}}});
        api.patch("a", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        let seen = match events.try_next().await.unwrap().unwrap() {
            WatchEvent::Deleted(_) => "deleted",
            WatchEvent::Added(_) => "added",
            other => panic!("{other:?}"),
        };
        assert_eq!(seen, kind);
    }
}

async fn initial(config: watcher::Config, client: Client) -> Vec<String> {
    let mut stream = Box::pin(watcher(Api::<Pod>::all(client), config));
    let mut names = Vec::new();
    loop {
        match stream.try_next().await.unwrap().unwrap() {
            Event::InitApply(pod) => names.push(pod.name_any()),
            Event::InitDone => return names,
            Event::Init | Event::Apply(_) | Event::Delete(_) => {}
        }
    }
}

#[tokio::test]
async fn the_watcher_starts_by_list_and_by_stream() {
    let server = start().await;
    server.put_pod("a");
    server.put_pod("b");
    assert_eq!(initial(watcher::Config::default(), server.client()).await, ["a", "b"]);
    assert_eq!(initial(watcher::Config::default().streaming_lists(), server.client()).await, ["a", "b"]);
}

#[tokio::test]
async fn an_old_version_cannot_overwrite_a_new_one() {
    let server = start().await;
    server.put(&gvr::DEPLOYMENTS, Some("default"), deployment("web"));
    let api: Api<Deployment> = Api::namespaced(server.client(), "default");
    let old = api.get("web").await.unwrap();
    let mut new = old.clone();
    new.spec.as_mut().unwrap().replicas = Some(5);
    let stored = api.replace("web", &PostParams::default(), &new).await.unwrap();
    assert_eq!(stored.metadata.generation, Some(2));
    let (status, message) = code(api.replace("web", &PostParams::default(), &old).await);
    assert_eq!(status, 409);
    assert!(message.contains("the object has been modified"), "{message}");
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_says_what_would_be() {
    let server = start().await;
    server.put(&gvr::DEPLOYMENTS, Some("default"), deployment("web"));
    let before = server.api.revision();
    let api: Api<Deployment> = Api::namespaced(server.client(), "default");
    let patch = Patch::Strategic(json!({"spec": {"replicas": 9}}));
    let seen =
        api.patch("web", &PatchParams { dry_run: true, ..PatchParams::default() }, &patch).await.unwrap();
    assert_eq!(seen.spec.unwrap().replicas, Some(9));
    api.delete("web", &DeleteParams { dry_run: true, ..DeleteParams::default() }).await.unwrap();
    let dry = PostParams { dry_run: true, field_manager: None };
    let fresh: Deployment = serde_json::from_value(deployment("other")).unwrap();
    api.create(&dry, &fresh).await.unwrap();
    assert_eq!(server.api.revision(), before);
}

#[tokio::test]
async fn a_delete_with_a_body_ignores_the_options_of_its_query_even_a_dry_run() {
    let server = start().await;
    let client = server.client();
    let delete = async |name: &str, query: &str, body: &str| {
        let path = format!("/api/v1/namespaces/default/configmaps/{name}?{query}");
        let request = http::Request::delete(path).header("content-type", "application/json");
        client.request_text(request.body(body.as_bytes().to_vec()).unwrap()).await.unwrap();
    };
    let there = |name: &str| server.api.get(&gvr::CONFIG_MAPS, Some("default"), name).is_some();
    for name in ["by-query", "by-body", "by-both"] {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        server.put(&gvr::CONFIG_MAPS, Some("default"), map);
    }
    delete("by-query", "dryRun=All", "").await;
    assert!(there("by-query"), "without a body the query's options count");
    delete("by-body", "", r#"{"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}"#).await;
    assert!(there("by-body"));
    delete("by-both", "dryRun=All", r#"{"kind": "DeleteOptions", "apiVersion": "v1"}"#).await;
    assert!(!there("by-both"), "beside a body the query's options do not count");
}

#[tokio::test]
async fn server_side_apply_creates_conflicts_and_forces() {
    let server = start().await;
    let api: Api<ConfigMap> = Api::namespaced(server.client(), "default");
    let config = |value: &str| {
        Patch::Apply(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": value}}),
        )
    };
    api.patch("c", &PatchParams::apply("one"), &config("1")).await.unwrap();
    let (status, message) = code(api.patch("c", &PatchParams::apply("two"), &config("2")).await);
    assert_eq!(status, 409);
    assert_eq!(message, "Apply failed with 1 conflict: conflict with \"one\": .data.k");
    let forced = api.patch("c", &PatchParams::apply("two").force(), &config("2")).await.unwrap();
    assert_eq!(forced.data.unwrap()["k"], "2");
    assert_eq!(forced.metadata.managed_fields.unwrap().len(), 1);
}

#[tokio::test]
async fn an_eviction_asks_the_disruption_budget() {
    let server = start().await;
    let api = pods(&server);
    let node = json!({"target": {"name": "n1"}});
    for name in ["a", "b"] {
        let mut one = pod(name);
        one["spec"]["nodeName"] = node["target"]["name"].clone();
        server.put(&gvr::PODS, Some("default"), one);
        server.set_status(&gvr::PODS, name, json!({"phase": "Running"}));
    }
    server.put(
        &gvr::POD_DISRUPTION_BUDGETS,
        Some("default"),
        json!({"apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget", "metadata": {"name": "b"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}),
    );
    let evict = EvictParams::default();
    assert_eq!(code(api.evict("a", &evict).await).0, 429, "not looked at yet");
    server.set_status(
        &gvr::POD_DISRUPTION_BUDGETS,
        "b",
        json!({"observedGeneration": 1, "disruptionsAllowed": 1,
        "desiredHealthy": 1, "currentHealthy": 2, "expectedPods": 2}),
    );
    api.evict("a", &evict).await.unwrap();
    assert!(api.get("a").await.unwrap().metadata.deletion_timestamp.is_some());
    let (status, message) = code(api.evict("b", &evict).await);
    assert_eq!(status, 429);
    assert_eq!(message, "Cannot evict pod as it would violate the pod's disruption budget.");
}

#[tokio::test]
async fn logs_follow_until_the_container_ends() {
    let server = start().await;
    let mut one = pod("a");
    one["spec"]["nodeName"] = json!("n");
    server.put(&gvr::PODS, Some("default"), one);
    let status = |state: Value| {
        json!({"phase": "Running", "containerStatuses":
        [{"name": "c", "restartCount": 0, "state": state}]})
    };
    server.set_status(&gvr::PODS, "a", status(json!({"running": {}})));
    let log = |line: &str| {
        server.api.logs().append(server.api.clock().now(), "default", "a", "c", 0, line);
    };
    log("one");
    let follow = LogParams { follow: true, ..LogParams::default() };
    let mut stream = pods(&server).log_stream("a", &follow).await.unwrap();
    log("two");
    server.set_status(&gvr::PODS, "a", status(json!({"terminated": {"exitCode": 0}})));
    let mut text = String::new();
    futures::AsyncReadExt::read_to_string(&mut stream, &mut text).await.unwrap();
    assert_eq!(text, "one\ntwo\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_pods_and_five_watchers_are_fine() {
    let server = start().await;
    for at in 0..10_000 {
        server.put_pod(&format!("p{at:05}"));
    }
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    for _ in 0..5 {
        let (client, seen) = (server.client(), std::sync::Arc::clone(&seen));
        tokio::spawn(async move {
            let mut stream = Box::pin(watcher(Api::<Pod>::all(client), watcher::Config::default()));
            while let Ok(Some(event)) = stream.try_next().await {
                if matches!(event, Event::InitDone | Event::Apply(_)) {
                    seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            }
        });
    }
    let count = || seen.load(std::sync::atomic::Ordering::Relaxed);
    let long = std::time::Duration::from_mins(2);
    let all = async {
        while count() < 5 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(long, all).await.expect("five initial lists");
    server.set_status(&gvr::PODS, "p00007", json!({"phase": "Running"}));
    until("every watcher hears of the change", || count() >= 10).await;
}
