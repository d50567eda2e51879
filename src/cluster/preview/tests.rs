//! Previews against a far side that tries changes and keeps nothing.

use std::sync::Arc;

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::json;
use tower::BoxError;

use super::*;
use crate::incident::{ApiKind, Delete, Patch, Risk, Target, Undo};

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "payments", "uid": "u-1", "resourceVersion": "7", "generation": 4,
            "managedFields": [{"manager": "kubectl"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"password\":\"hunter2\"}"}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "api", "image": "api:2",
            "env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}]}}},
        "status": {"replicas": 2},
    })
}

type Seen = Arc<Mutex<Vec<(Method, String, Value)>>>;

/// Answers reads with the object and tries with what would come of them; refuses everything else loudly.
fn cluster(refusal: Option<u16>) -> (Client, Seen) {
    let seen: Seen = Arc::default();
    let kept = Arc::clone(&seen);
    let service = tower::service_fn(move |request: Request<Body>| {
        let kept = Arc::clone(&kept);
        async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect().await?.to_bytes();
            let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            kept.lock().push((parts.method.clone(), parts.uri.to_string(), body.clone()));
            let mut object = deployment();
            if parts.method == Method::PATCH {
                let patch: json_patch::Patch = serde_json::from_value(body)?;
                json_patch::patch(&mut object, &patch)?;
                object["metadata"]["resourceVersion"] = json!("8");
            }
            let code = if parts.method == Method::GET { 200 } else { refusal.unwrap_or(200) };
            let body = if code == 200 { object } else { json!({"message": "exceeded quota"}) };
            let body = Body::from(body.to_string().into_bytes());
            Ok::<_, BoxError>(Response::builder().status(code).body(body)?)
        }
    });
    (Client::new(service, "default"), seen)
}

fn change(operation: Operation, summary: &str) -> Change {
    let api = ApiKind::known("Deployment").expect("known");
    let target = Target { api, namespace: "payments".into(), name: "api".into(), uid: "u-1".into() };
    Change { target, relies_on: Vec::new(), operation, summary: summary.into() }
}

fn image() -> Change {
    let operations = json!([
        {"op": "test", "path": "/metadata/uid", "value": "u-1"},
        {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "api:1"},
    ]);
    change(Operation::Patch(Patch::Json(operations)), "roll back")
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        marker: "i-1.p1".into(),
        actions: vec!["workloads.undo".into()],
        changes,
        checks: Vec::new(),
        check_timeout_seconds: 60,
        risk: Risk::Low,
        undo: Undo::Needless("x".into()),
        rules: Vec::new(),
        warnings: Vec::new(),
    }
}

#[tokio::test]
async fn a_patch_is_tried_and_only_what_changes_is_shown() {
    let (client, seen) = cluster(None);
    let preview = preview(&client, "prod", &plan(vec![image()])).await;
    let changed: Vec<&str> = preview.diff.lines().filter(|l| l.starts_with(['+', '-'])).collect();
    assert_eq!(
        changed,
        [
            "--- Deployment payments/api (now)",
            "+++ Deployment payments/api (then)",
            "-        image: api:2",
            "+        image: api:1",
        ]
    );
    assert_eq!(preview.gaps, Vec::<Text>::new());
    assert!(preview.kubectl[0].starts_with("kubectl --context=prod"), "{:?}", preview.kubectl);
    let tries: Vec<String> =
        seen.lock().iter().filter(|(m, _, _)| *m != Method::GET).map(|(_, uri, _)| uri.clone()).collect();
    assert_eq!(tries, ["/apis/apps/v1/namespaces/payments/deployments/api?fieldManager=kubemend&dryRun=All"]);
}

#[tokio::test]
async fn no_credential_and_no_noise_of_the_server_is_shown() {
    let operations = json!([{"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "A", "value": "b"}}]);
    let (client, _) = cluster(None);
    let preview =
        preview(&client, "", &plan(vec![change(Operation::Patch(Patch::Json(operations)), "x")])).await;
    assert!(preview.diff.contains("[hidden]") && preview.diff.contains("value: b"), "{}", preview.diff);
    for hidden in ["hunter2", "managedFields", "resourceVersion", "last-applied", "status"] {
        assert!(!preview.diff.contains(hidden), "{hidden} in {}", preview.diff);
    }
}

#[tokio::test]
async fn a_refused_try_is_said_and_the_plan_is_shown_instead() {
    let (client, _) = cluster(Some(403));
    let preview = preview(&client, "", &plan(vec![image()])).await;
    assert_eq!(
        preview.gaps,
        ["dry run for Deployment payments/api: refused with 403: exceeded quota"].map(Text::from)
    );
    assert!(preview.diff.contains("@@ roll back @@"), "{}", preview.diff);
}

#[tokio::test]
async fn a_delete_is_tried_too_and_a_step_after_another_is_shown_from_the_plan() {
    let delete = change(Operation::Delete(Delete { grace_seconds: None }), "delete it");
    let (client, seen) = cluster(None);
    let preview = preview(&client, "", &plan(vec![image(), delete.clone()])).await;
    assert!(preview.diff.contains("-Deployment payments/api (uid u-1)"), "{}", preview.diff);
    assert!(preview.gaps[0].contains("changed by an earlier step"), "{:?}", preview.gaps);
    assert_eq!(seen.lock().iter().filter(|(m, _, _)| *m == Method::DELETE).count(), 0);
    let (client, seen) = cluster(None);
    assert!(super::preview(&client, "", &plan(vec![delete])).await.gaps.is_empty());
    let tries: Vec<Value> = seen
        .lock()
        .iter()
        .filter(|(m, _, _)| *m == Method::DELETE)
        .map(|(_, _, body)| body.clone())
        .collect();
    // A real API server ignores `?dryRun=All` on a DELETE with a body, and deletes.
    let expected = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "u-1"}, "dryRun": ["All"]});
    assert_eq!(tries, [expected]);
}
