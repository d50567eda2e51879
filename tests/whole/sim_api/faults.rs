//! Injected faults as a client sees them.

use futures::TryStreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::{Error, ResourceExt};
use kubemend::sim::api::{Fault, Match, What, gvr};
use serde_json::json;

use super::support::{Server, start};

fn arm(server: &Server, when: Match, what: What) {
    server.api.faults().add(Fault { when, what, times: 1 });
}

fn pods(server: &Server) -> Api<Pod> {
    Api::namespaced(server.client(), "default")
}

fn labelled(value: &str) -> Patch<serde_json::Value> {
    Patch::Merge(json!({"metadata": {"labels": {"x": value}}}))
}

#[tokio::test]
async fn a_write_cut_after_it_was_done_is_an_error_and_has_happened() {
    let server = start().await;
    server.put_pod("a");
    arm(&server, Match::on("patch", "pods"), What::CutAfter);
    let answer = pods(&server).patch("a", &PatchParams::default(), &labelled("1")).await;
    assert!(matches!(answer, Err(Error::HyperError(_) | Error::Service(_))), "{answer:?}");
    let stored = server.api.get(&gvr::PODS, Some("default"), "a").unwrap();
    assert_eq!(stored["metadata"]["labels"]["x"], "1");
    let seen = server.api.requests();
    assert_eq!((seen.len(), seen[0].method.as_str(), seen[0].code), (1, "PATCH", 0));
    assert_eq!(seen[0].body, r#"{"metadata":{"labels":{"x":"1"}}}"#);
    assert_eq!(seen[0].user, "demo-admin");
}

#[tokio::test]
async fn a_write_cut_before_it_was_done_has_not_happened() {
    let server = start().await;
    server.put_pod("a");
    arm(&server, Match::on("patch", "pods"), What::CutBefore);
    let answer = pods(&server).patch("a", &PatchParams::default(), &labelled("1")).await;
    assert!(matches!(answer, Err(Error::HyperError(_) | Error::Service(_))), "{answer:?}");
    let stored = server.api.get(&gvr::PODS, Some("default"), "a").unwrap();
    assert!(stored["metadata"]["labels"]["x"].is_null());
}

#[tokio::test]
async fn codes_are_answered_once_and_then_all_is_well() {
    let server = start().await;
    server.put_pod("a");
    for code in [409, 429, 500, 503] {
        arm(&server, Match::on("patch", "pods"), What::Status(code, 0));
        match pods(&server).patch("a", &PatchParams::default(), &labelled("1")).await {
            Err(Error::Api(status)) => assert_eq!(status.code, code),
            other => panic!("{other:?}"),
        }
        pods(&server).patch("a", &PatchParams::default(), &labelled("1")).await.unwrap();
    }
}

#[tokio::test]
async fn watches_are_cut_ended_doubled_and_silenced() {
    let server = start().await;
    let api = pods(&server);
    server.put_pod("a");
    let open = |what: What| {
        arm(&server, Match::on("watch", "pods"), what);
        let api = api.clone();
        async move { Box::pin(api.watch(&WatchParams::default().timeout(1), "0").await.unwrap()) }
    };
    let mut gone = open(What::Gone).await;
    assert!(
        matches!(gone.try_next().await.unwrap().unwrap(), WatchEvent::Error(status) if status.code == 410)
    );
    let mut cut = open(What::CutAfter).await;
    assert!(matches!(cut.try_next().await.unwrap().unwrap(), WatchEvent::Added(_)));
    assert!(!matches!(cut.try_next().await, Ok(Some(_))));
    let mut silent = open(What::SilentWatch).await;
    assert!(matches!(silent.try_next().await, Ok(None)));
    let since = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    arm(&server, Match::on("watch", "pods"), What::Duplicate);
    server.put_pod("b");
    let mut double = Box::pin(api.watch(&WatchParams::default(), &since).await.unwrap());
    for _ in 0..2 {
        let event = double.try_next().await.unwrap().unwrap();
        assert!(matches!(event, WatchEvent::Added(pod) if pod.name_any() == "b"));
    }
    arm(&server, Match::on("watch", "pods"), What::Reorder);
    server.put_pod("c");
    let mut turned = Box::pin(api.watch(&WatchParams::default(), &since).await.unwrap());
    let mut names = Vec::new();
    for _ in 0..2 {
        if let WatchEvent::Added(pod) = turned.try_next().await.unwrap().unwrap() {
            names.push(pod.name_any());
        }
    }
    assert_eq!(names, ["c", "b"]);
}
