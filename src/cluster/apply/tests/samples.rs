//! Changes, objects, and permits that the gate itself made.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::gate::{GateConfig, Permit, Policy, permit};
use crate::incident::{
    Actor, ApiKind, ApprovalPolicy, Change, ConditionId, Decision, DecisionKind, Delete, Digest, Finding,
    Incident, IncidentKey, Members, ObjectRef, Operation, Patch, Place, Plan, Preview, Proposal,
    ProposalRecord, ProposalState, Reliance, Remedy, Risk, Scope, Severity, Status, Target, Undo, Via,
};

pub(super) fn target(kind: &str) -> Target {
    let api = ApiKind::known(kind).expect("known");
    Target { api, namespace: "payments".into(), name: "api".into(), uid: "u-1".into() }
}

pub(super) fn deployment() -> Value {
    json!({
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "payments", "uid": "u-1", "generation": 4, "resourceVersion": "7", "annotations": {"a": "b"}},
        "spec": {"paused": false},
    })
}

pub(super) fn patch() -> Change {
    Change {
        target: target("Deployment"),
        relies_on: vec![Reliance { pointer: "/metadata/generation".into(), value: json!(4) }],
        operation: Operation::Patch(Patch::Json(json!([
            {"op": "test", "path": "/metadata/uid", "value": "u-1"},
            {"op": "test", "path": "/metadata/generation", "value": 4},
            {"op": "add", "path": "/spec/paused", "value": true},
            {"op": "add", "path": "/metadata/annotations/kubemend.dev~1execution", "value": "i-1.p1"},
        ]))),
        summary: "change".into(),
    }
}

pub(super) fn pod(uid: &str) -> Value {
    json!({"kind": "Pod", "metadata": {"name": "api", "namespace": "payments", "uid": uid, "resourceVersion": "7"}, "status": {"phase": "Pending"}})
}

pub(super) fn delete(grace_seconds: Option<u32>) -> Change {
    Change {
        target: target("Pod"),
        relies_on: vec![Reliance { pointer: "/status/phase".into(), value: json!("Pending") }],
        operation: Operation::Delete(Delete { grace_seconds }),
        summary: "delete".into(),
    }
}

pub(super) fn policy() -> Policy {
    let config: GateConfig = serde_json::from_value(json!({
        "roles": {"all": {"grants": [{"actions": ["*"], "maxRisk": "high"}]}},
        "people": {"ann": {"roles": ["all"], "identities": [{"via": "api", "id": "ann"}]}},
    }))
    .expect("a configuration");
    Policy::new(config).expect("no mistakes")
}

pub(super) fn finding(cluster: &str) -> Finding {
    let condition = ConditionId::from("crash.app-exit");
    let place = Place { scope: Scope::Object, name: "x".into() };
    Finding {
        key: IncidentKey { cluster: cluster.into(), condition: condition.clone(), place },
        condition,
        playbook: Digest::of(&"a playbook"),
        severity: Severity::Warning,
        title: "t".into(),
        cause: "c".into(),
        subject: ObjectRef::default(),
        places: Vec::new(),
        quotes: Vec::new(),
        variables: [].into(),
        also_possible: Vec::new(),
        hold_off_seconds: 0,
        since: None,
    }
}

/// A permit for these changes, by the only way there is: through the gate.
pub(super) fn permit_for(cluster: &str, changes: Vec<Change>) -> Permit {
    let at: Timestamp = "2026-11-21T10:00:00Z".parse().expect("a timestamp");
    let plan = Plan {
        marker: "i-1.p1".into(),
        actions: vec!["pods.delete".into()],
        changes,
        checks: Vec::new(),
        check_timeout_seconds: 60,
        risk: Risk::Low,
        undo: Undo::Needless("x".into()),
        rules: Vec::new(),
        warnings: Vec::new(),
    };
    let ann = Actor { via: Via::Api, id: "ann".into(), name: "Ann".into() };
    let digest = plan.digest();
    let proposal = Proposal {
        id: "i-1.p1".into(),
        remedy: Remedy { id: "r".into(), title: "r".into(), parameters: [].into() },
        plan,
        digest: digest.clone(),
        preview: Preview::default(),
        missing_rights: Vec::new(),
        policy: ApprovalPolicy { approvals: 1, requester_counts: true, typed_confirmation: None },
        made: at,
        expires: "2026-11-21T11:00:00Z".parse().expect("a timestamp"),
        requested_by: None,
        undoes: None,
    };
    let decisions = vec![Decision { kind: DecisionKind::Approve, by: ann, digest, at, note: "".into() }];
    let record = ProposalRecord { proposal, state: ProposalState::Approved, decisions };
    let incident = Incident {
        id: "i-1".into(),
        status: Status::Open,
        finding: finding(cluster),
        members: Members::default(),
        opened: at,
        changed: at,
        version: 1,
        silenced_until: None,
        reopened: 0,
        came_back: None,
        proposals: [("i-1.p1".into(), record)].into(),
        executions: [].into(),
    };
    permit(&policy(), &incident, &"i-1.p1".into(), false, at).expect("a permit")
}
