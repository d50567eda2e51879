//! Small, well-formed values for the tests of several rooms.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::*;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("in range")
}

pub(crate) fn pod(name: &str) -> ObjectRef {
    ObjectRef {
        cluster: "demo".into(),
        api: ApiKind::known("Pod").expect("known"),
        namespace: "payments".into(),
        name: name.into(),
        uid: format!("uid-{name}").into(),
    }
}

pub(crate) fn finding(condition: &str, scope: Scope, place: &str, subject: &str) -> Finding {
    let key = IncidentKey {
        cluster: "demo".into(),
        condition: condition.into(),
        place: Place { scope, name: place.into() },
    };
    Finding {
        condition: condition.into(),
        playbook: Digest::of_bytes(b"playbook"),
        severity: Severity::Warning,
        title: "Private registry without credentials".into(),
        cause: "The pod pulls without credentials".into(),
        subject: pod(subject),
        places: vec![key.place.clone(), Place { scope: Scope::Registry, name: "harbor.example.com".into() }],
        key,
        quotes: Vec::new(),
        variables: BTreeMap::new(),
        also_possible: Vec::new(),
        hold_off_seconds: 10,
        since: None,
    }
}

pub(crate) fn auth_missing(subject: &str) -> Finding {
    finding("image.auth-missing", Scope::Workload, "Deployment payments/checkout", subject)
}

pub(crate) fn members(now: u32) -> Members {
    Members { now, peak: now, listed: vec![pod("a")] }
}

pub(crate) fn opened() -> Entry {
    Entry::Opened { finding: Box::new(auth_missing("a")), evidence: Box::default(), members: members(1) }
}

pub(crate) fn actor(name: &str) -> Actor {
    Actor { via: Via::Api, id: name.into(), name: name.into() }
}

pub(crate) fn change(name: &str) -> Change {
    let target = Target {
        api: ApiKind::known("Pod").expect("known"),
        namespace: "payments".into(),
        name: name.into(),
        uid: format!("uid-{name}").into(),
    };
    Change {
        target,
        relies_on: Vec::new(),
        operation: Operation::Delete(Delete { grace_seconds: None }),
        summary: format!("delete pod payments/{name}").into(),
    }
}

/// A proposal with two changes, made at 0, living for an hour.
pub(crate) fn proposal(id: &ProposalId, approvals: u8) -> Proposal {
    let plan = Plan {
        marker: id.clone(),
        actions: vec!["pods.delete".into()],
        changes: vec![change("a"), change("b")],
        checks: Vec::new(),
        check_timeout_seconds: 60,
        risk: Risk::Low,
        undo: Undo::Needless("the controller makes a new pod".into()),
        rules: Vec::new(),
        warnings: Vec::new(),
    };
    Proposal {
        id: id.clone(),
        remedy: Remedy {
            id: "replace-pod".into(),
            title: "Replace the pod".into(),
            parameters: BTreeMap::new(),
        },
        digest: plan.digest(),
        plan,
        preview: Preview::default(),
        missing_rights: Vec::new(),
        policy: ApprovalPolicy { approvals, requester_counts: true, typed_confirmation: None },
        made: at(0),
        expires: at(3600),
        requested_by: None,
        undoes: None,
    }
}

pub(crate) fn decided(proposal: &Proposal, kind: DecisionKind, by: &str, when: i64) -> Entry {
    let decision = Decision {
        kind,
        by: actor(by),
        digest: proposal.digest.clone(),
        at: at(when),
        note: Text::default(),
    };
    Entry::Decided { proposal: proposal.id.clone(), decision }
}

pub(crate) fn started(proposal: &Proposal, approvers: &[&str]) -> Entry {
    Entry::ExecutionStarted {
        execution: ExecutionId::of(&proposal.id),
        proposal: proposal.id.clone(),
        digest: proposal.digest.clone(),
        approvers: approvers.iter().map(|name| actor(name)).collect(),
    }
}

pub(crate) fn applied(when: i64) -> ChangeOutcome {
    let receipt =
        Receipt { at: at(when), resource_version: "7".into(), looked_up: false, before: json!(null) };
    ChangeOutcome::Applied { receipt }
}

/// Applies entries one second apart, from second 0 on; the entries must be legal.
#[track_caller]
pub(crate) fn fold(entries: &[Entry]) -> Incident {
    let mut state = None;
    for (second, entry) in entries.iter().enumerate() {
        let when = at(i64::try_from(second).expect("few"));
        state = Some(apply(state, &"i-1".into(), when, entry).expect("a legal entry"));
    }
    state.expect("at least one entry")
}

/// An incident whose first proposal, with two changes, is being executed.
pub(crate) fn executing() -> (Vec<Entry>, Proposal) {
    let proposal = proposal(&"i-1.p1".into(), 1);
    let entries = vec![
        opened(),
        Entry::Proposed { proposal: Box::new(proposal.clone()) },
        decided(&proposal, DecisionKind::Approve, "ann", 2),
        started(&proposal, &["ann"]),
    ];
    (entries, proposal)
}
