//! A policy, people, and a proposal.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::gate::{GateConfig, Policy};
use crate::incident::{
    Actor, ApiKind, ApprovalPolicy, Change, ConditionId, Decision, DecisionKind, Delete, Digest, Finding,
    Incident, IncidentKey, Members, ObjectRef, Operation, Place, Plan, Preview, Proposal, ProposalRecord,
    ProposalState, Remedy, Risk, Scope, Severity, Status, Target, Undo, Via,
};

pub(super) fn config() -> GateConfig {
    serde_json::from_value(json!({
        "roles": {
            "operator": {"grants": [{"actions": ["pods.*"], "maxRisk": "medium", "namespaces": ["payments*"]}]},
            "sre": {"grants": [{"actions": ["*"], "maxRisk": "high"}], "rights": ["pause"]},
            "images": {"grants": [{"actions": ["*"], "maxRisk": "high", "clusters": ["prod"], "conditions": ["image.*"]}]},
            "nobody": {},
        },
        "people": {
            "ann": {"roles": ["operator"], "identities": [{"via": "api", "id": "ann"}, {"via": "slack", "id": "U1"}]},
            "bob": {"roles": ["sre"], "identities": [{"via": "api", "id": "bob"}]},
            "cyd": {"roles": ["sre"], "identities": [{"via": "api", "id": "cyd"}]},
            "dan": {"roles": ["nobody"], "identities": [{"via": "api", "id": "dan"}]},
            "eve": {"roles": ["images"], "identities": [{"via": "api", "id": "eve"}]},
            "fay": {"roles": [], "identities": [{"via": "api", "id": "fay"}]},
        },
    }))
    .expect("a configuration")
}

pub(super) fn policy() -> Policy {
    Policy::new(config()).expect("no mistakes")
}

pub(super) fn without(person: &str) -> Policy {
    let mut config = config();
    config.people.get_mut(person).expect("known").roles.clear();
    Policy::new(config).expect("no mistakes")
}

pub(super) fn actor(via: Via, id: &str) -> Actor {
    Actor { via, id: id.into(), name: id.into() }
}

pub(super) fn api(id: &str) -> Actor {
    actor(Via::Api, id)
}

pub(super) fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().expect("a timestamp")
}

pub(super) fn later(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

pub(super) fn plan(risk: Risk) -> Plan {
    let target = Target {
        api: ApiKind::known("Pod").expect("known"),
        namespace: "payments".into(),
        name: "api-1".into(),
        uid: "u-1".into(),
    };
    let change = Change {
        target,
        relies_on: Vec::new(),
        operation: Operation::Delete(Delete { grace_seconds: None }),
        summary: "delete".into(),
    };
    Plan {
        marker: "i-1.p1".into(),
        actions: vec!["pods.delete".into()],
        changes: vec![change],
        checks: Vec::new(),
        check_timeout_seconds: 60,
        risk,
        undo: Undo::Needless("a new one comes".into()),
        rules: Vec::new(),
        warnings: Vec::new(),
    }
}

pub(super) fn record(risk: Risk, approvals: u8) -> ProposalRecord {
    let plan = plan(risk);
    let proposal = Proposal {
        id: "i-1.p1".into(),
        remedy: Remedy { id: "replace".into(), title: "Replace".into(), parameters: [].into() },
        digest: plan.digest(),
        plan,
        preview: Preview::default(),
        missing_rights: Vec::new(),
        policy: ApprovalPolicy { approvals, requester_counts: true, typed_confirmation: None },
        made: now(),
        expires: later(60),
        requested_by: None,
        undoes: None,
    };
    ProposalRecord { proposal, state: ProposalState::Open, decisions: Vec::new() }
}

pub(super) fn finding() -> Finding {
    let condition = ConditionId::from("crash.stale-subpath");
    Finding {
        key: IncidentKey {
            cluster: "prod".into(),
            condition: condition.clone(),
            place: Place { scope: Scope::Object, name: "Pod payments/api-1".into() },
        },
        condition,
        playbook: Digest::of(&"a playbook"),
        severity: Severity::Warning,
        title: "t".into(),
        cause: "c".into(),
        subject: ObjectRef { cluster: "prod".into(), ..ObjectRef::default() },
        places: Vec::new(),
        quotes: Vec::new(),
        variables: [].into(),
        also_possible: Vec::new(),
        hold_off_seconds: 0,
        since: None,
    }
}

pub(super) fn incident(record: ProposalRecord) -> Incident {
    Incident {
        id: "i-1".into(),
        status: Status::Open,
        finding: finding(),
        members: Members::default(),
        opened: now(),
        changed: now(),
        version: 1,
        silenced_until: None,
        reopened: 0,
        came_back: None,
        proposals: [(record.proposal.id.clone(), record)].into(),
        executions: [].into(),
    }
}

pub(super) fn decision(kind: DecisionKind, by: Actor, record: &ProposalRecord) -> Decision {
    Decision { kind, by, digest: record.proposal.digest.clone(), at: now(), note: "".into() }
}
