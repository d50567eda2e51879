//! The far side of the benchmarks, in a process of its own: a cluster of so many pods, listed in pages or
//! streamed, and on demand a flood of changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, Uri};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::pods::{PER_NAMESPACE, PER_NODE, PER_OWNER, SICK, Template, node, owner, uid};

/// The first version that the flood writes.
const AFTER_LISTING: usize = 1_000_000;

struct Load {
    pods: usize,
    template: Template,
    flood: Notify,
    flooding: AtomicUsize,
}

/// Serves until it is killed; says its address on standard output.
pub(crate) async fn serve(pods: usize) {
    let load = Load { pods, template: Template::new(), flood: Notify::new(), flooding: AtomicUsize::new(0) };
    let router = Router::new().fallback(answer).with_state(Arc::new(load));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
    println!("{}", listener.local_addr().expect("it is bound"));
    axum::serve(listener, router).await.expect("serving goes on");
}

async fn answer(State(load): State<Arc<Load>>, uri: Uri) -> Response<Body> {
    let query: HashMap<&str, &str> =
        uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')).collect();
    let streamed = query.contains_key("sendInitialEvents");
    match (uri.path(), query.contains_key("watch")) {
        ("/flood", _) => {
            load.flooding.store(number(&query, "events", 0), Ordering::SeqCst);
            load.flood.notify_one();
            Response::new(Body::empty())
        }
        ("/api/v1/pods", true) => watch_pods(load, streamed),
        ("/api/v1/pods", false) => list_pods(&load, &query),
        (path, true) => others_watched(if streamed { others(&load, path) } else { Vec::new() }, streamed),
        (path, false) => listed(&others(&load, path)),
    }
}

fn number(query: &HashMap<&str, &str>, name: &str, otherwise: usize) -> usize {
    query.get(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

fn list_pods(load: &Load, query: &HashMap<&str, &str>) -> Response<Body> {
    let from = number(query, "continue", 0);
    let to = (from + number(query, "limit", load.pods)).min(load.pods);
    let mut out = String::with_capacity((to - from) * 13_000);
    let more = if to < load.pods { to.to_string() } else { String::new() };
    out.push_str(&format!(
        "{{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{{\"resourceVersion\":\"{}\",\"continue\":\"{more}\"}},\"items\":[",
        AFTER_LISTING - 1
    ));
    for n in from..to {
        if n > from {
            out.push(',');
        }
        load.template.write(&mut out, n, n + 1);
    }
    out.push_str("]}");
    Response::new(Body::from(out))
}

fn watch_pods(load: Arc<Load>, streamed: bool) -> Response<Body> {
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(async move {
        if streamed {
            for n in 0..load.pods {
                if sender.send(line(&load, "ADDED", n, n + 1)).await.is_err() {
                    return;
                }
            }
            let _ = sender.send(end()).await;
        }
        let mut version = AFTER_LISTING;
        loop {
            load.flood.notified().await;
            for _ in 0..load.flooding.load(Ordering::SeqCst) {
                // A prime step: neighbours in the stream are not neighbours in memory.
                let n = version.wrapping_mul(7_919) % load.pods;
                if sender.send(line(&load, "MODIFIED", n, version)).await.is_err() {
                    return;
                }
                version += 1;
            }
            // The last one is for the clock: a pod that is deleted has a meaning of its own to both sides.
            if sender.send(line(&load, "DELETED", load.pods - 1, version)).await.is_err() {
                return;
            }
            version += 1;
        }
    });
    stream(receiver)
}

fn line(load: &Load, kind: &str, n: usize, version: usize) -> String {
    let mut out = String::with_capacity(14_000);
    out.push_str("{\"type\":\"");
    out.push_str(kind);
    out.push_str("\",\"object\":");
    load.template.write(&mut out, n, version);
    out.push_str("}\n");
    out
}

fn stream(receiver: mpsc::Receiver<String>) -> Response<Body> {
    let lines = ReceiverStream::new(receiver).map(|line| Ok::<_, std::io::Error>(Bytes::from(line)));
    Response::new(Body::from_stream(lines))
}

/// A watch of a collection in which nothing happens, after its listing if that was asked for.
fn others_watched(items: Vec<Value>, streamed: bool) -> Response<Body> {
    let (sender, receiver) = mpsc::channel::<String>(64);
    tokio::spawn(async move {
        for item in items {
            let line = json!({"type": "ADDED", "object": item});
            if sender.send(format!("{line}\n")).await.is_err() {
                return;
            }
        }
        if streamed && sender.send(end()).await.is_err() {
            return;
        }
        sender.closed().await;
    });
    stream(receiver)
}

fn end() -> String {
    let end = json!({"k8s.io/initial-events-end": "true"});
    let meta = json!({"resourceVersion": (AFTER_LISTING - 1).to_string(), "annotations": end});
    let line = json!({"type": "BOOKMARK", "object": {"kind": "Any", "apiVersion": "v1", "metadata": meta}});
    format!("{line}\n")
}

fn listed(items: &[Value]) -> Response<Body> {
    let list = json!({"metadata": {"resourceVersion": (AFTER_LISTING - 1).to_string()}, "items": items});
    Response::new(Body::from(list.to_string()))
}

fn others(load: &Load, path: &str) -> Vec<Value> {
    let since = "2026-01-01T00:00:00Z";
    match path.rsplit('/').next().unwrap_or_default() {
        "namespaces" => (0..=load.pods / PER_NAMESPACE)
            .map(|n| json!({"metadata": {"name": format!("team-{n}"), "uid": uid(3, n)}, "status": {"phase": "Active"}}))
            .collect(),
        "serviceaccounts" => (0..=load.pods / PER_NAMESPACE)
            .map(|n| json!({"metadata": {"name": "default", "namespace": format!("team-{n}"), "uid": uid(4, n)},
                "imagePullSecrets": [{"name": "registry-pull"}]}))
            .collect(),
        "nodes" => (0..=load.pods / PER_NODE)
            .map(|n| json!({"metadata": {"name": node(n), "uid": uid(5, n)},
                "status": {"conditions": [{"type": "Ready", "status": "True"}],
                    "allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"}}}))
            .collect(),
        "replicasets" => workloads(load, 2, since, |n| (owner(n), owner_of(n))),
        "deployments" => workloads(load, 6, since, |n| (format!("service-{n}"), Value::Null)),
        "events" => (0..load.pods / SICK)
            .map(|n| json!({"metadata": {"name": format!("e{n}"), "namespace": "team-0"}, "type": "Warning",
                "reason": "Failed", "count": 3, "lastTimestamp": jiff::Timestamp::now().to_string(),
                "message": "Failed to pull image: 401 Unauthorized",
                "involvedObject": {"kind": "Pod", "name": "x", "uid": uid(1, n * SICK)}}))
            .collect(),
        _ => Vec::new(),
    }
}

fn owner_of(n: usize) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("service-{n}"), "uid": uid(6, n),
        "controller": true}])
}

fn workloads(load: &Load, kind: usize, since: &str, names: impl Fn(usize) -> (String, Value)) -> Vec<Value> {
    let containers = ["service", "proxy"]
        .map(|name| json!({"name": name, "image": format!("registry.example.com/team/{name}:1.14.2")}));
    let template = json!({"spec": {"serviceAccountName": "default", "containers": containers}});
    (0..load.pods / PER_OWNER)
        .map(|n| {
            let (name, owners) = names(n);
            json!({"metadata": {"name": name, "namespace": format!("team-{}", n * PER_OWNER / PER_NAMESPACE),
                    "uid": uid(kind, n), "creationTimestamp": since, "ownerReferences": owners,
                    "labels": {"app.kubernetes.io/name": name},
                    "annotations": {"deployment.kubernetes.io/revision": "4"}},
                "spec": {"replicas": PER_OWNER, "template": template,
                    "selector": {"matchLabels": {"app.kubernetes.io/name": name}}},
                "status": {"replicas": PER_OWNER, "readyReplicas": PER_OWNER - 1}})
        })
        .collect()
}
