//! Planners, each against objects as an API server gives them.

mod composing;
mod finalizers;
mod hostile;
mod pods;
mod pull_secrets;
mod workloads;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{LiveObjects, Order, PlanError, Why, inputs, plan};
use crate::incident::{
    ApiKind, Change, ConditionId, Digest, Evidence, Finding, IncidentKey, ObjectRef, Operation, Patch, Place,
    Plan, ProposalId, Risk, Scope, Severity, Target, Text,
};

const AT: &str = "2026-11-21T10:00:00Z";

fn at() -> Timestamp {
    AT.parse().expect("a timestamp")
}

fn finding() -> Finding {
    let subject = ObjectRef {
        cluster: "prod".into(),
        api: ApiKind::known("Pod").expect("known"),
        namespace: "payments".into(),
        name: "api-1".into(),
        uid: "u-pod".into(),
    };
    let condition = ConditionId::from("image.auth-missing");
    Finding {
        key: IncidentKey {
            cluster: "prod".into(),
            condition: condition.clone(),
            place: Place { scope: Scope::ServiceAccount, name: "payments/default".into() },
        },
        condition,
        playbook: Digest::of(&"a playbook"),
        severity: Severity::Warning,
        title: "Private registry without credentials".into(),
        cause: "no secret".into(),
        subject,
        places: Vec::new(),
        quotes: Vec::new(),
        variables: [].into(),
        also_possible: Vec::new(),
        hold_off_seconds: 0,
        since: None,
    }
}

fn evidence() -> Evidence {
    let mut evidence = Evidence::default();
    evidence.seen.at = at();
    evidence.seen.subject = finding().subject;
    evidence
}

/// The objects that the steps name, from a list of JSON objects as the API server gives them.
fn live(steps: &[(Text, Value)], evidence: &Evidence, objects: &[Value]) -> LiveObjects {
    let mut live = LiveObjects::default();
    for target in inputs(steps, evidence).unwrap_or_default() {
        let found = objects.iter().find(|json| is(json, &target)).cloned();
        live.insert(&target, found);
    }
    live
}

fn is(json: &Value, target: &Target) -> bool {
    json["kind"] == target.api.kind.as_str() && json["metadata"]["name"] == target.name.as_str()
}

fn planned(steps: &[(&str, Value)], evidence: &Evidence, objects: &[Value]) -> Result<Plan, PlanError> {
    let steps: Vec<(Text, Value)> =
        steps.iter().map(|(name, args)| (Text::from(*name), args.clone())).collect();
    let live = live(&steps, evidence, objects);
    planned_with(&steps, evidence, &live)
}

fn planned_with(steps: &[(Text, Value)], evidence: &Evidence, live: &LiveObjects) -> Result<Plan, PlanError> {
    inputs(steps, evidence)?;
    plan(&Order {
        marker: &ProposalId::from("i-1.p1"),
        steps,
        finding: &finding(),
        evidence,
        live,
        checks: &[],
        check_timeout_seconds: 300,
        risk: Risk::Low,
    })
}

fn refusal(result: Result<Plan, PlanError>) -> String {
    match result {
        Err(PlanError { why: Why::Refused(text), .. }) => text,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// What the API server would make of a JSON patch; an error is its 422.
fn applied(change: &Change, object: &Value) -> Result<Value, String> {
    let Operation::Patch(Patch::Json(operations)) = &change.operation else {
        panic!("no JSON patch: {change:?}")
    };
    let patch: json_patch::Patch = serde_json::from_value(operations.clone()).expect("a JSON patch");
    let mut after = object.clone();
    json_patch::patch(&mut after, &patch).map_err(|error| error.to_string())?;
    Ok(after)
}

fn holds(change: &Change, object: &Value) -> bool {
    change.relies_on.iter().all(|held| object.pointer(&held.pointer).unwrap_or(&Value::Null) == &held.value)
}

fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "payments", "uid": format!("u-{name}"), "resourceVersion": "7",
            "ownerReferences": [{"kind": "ReplicaSet", "name": "api-5d", "uid": "u-rs", "controller": true}]},
        "spec": {"nodeName": "node-1"},
        "status": {"phase": "Pending"},
    })
}

fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let map = object.pointer_mut(parent).expect("the parent is there");
    map[key] = value;
    object
}
