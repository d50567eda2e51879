//! Incidents of a cluster that nobody watches, written straight into a store: as many as wanted, with whatever
//! text in them.

#![allow(dead_code, unreachable_pub, reason = "tests and benchmarks use their own part of this")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kubemend::incident::objects::{Container, Event, Meta, Pod};
use kubemend::incident::{
    ApiKind, ApprovalPolicy, Change, Delete, Entry, Evidence, Finding, Gathered, IncidentKey, LogTail,
    Members, ObjectRef, Operation, Place, Plan, Preview, Proposal, ProposalId, Quote, Remedy, Risk, Scope,
    Severity, Source, Target, Text, Undo, apply,
};
use kubemend::store::{Append, Store};

/// Opens `count` incidents, each with an open proposal; `text` stands wherever a cluster could have put it.
pub async fn incidents(store: &Store, count: usize, text: &str, now: Timestamp) {
    for number in 0..count {
        let id = store.new_incident().await.expect("the store can be written");
        let opened = now.checked_sub(SignedDuration::from_mins(number as i64 % 1400)).expect("in range");
        let name = format!("{text}-{number}");
        let entries = [
            opened_by(&name, number),
            proposed(&ProposalId::from(format!("{id}.p1").as_str()), &name, opened),
        ];
        let mut state = None;
        for entry in &entries {
            state = Some(apply(state, &id, opened, entry).expect("a legal entry"));
        }
        let entries = entries.into_iter().map(|entry| (opened, entry)).collect();
        let append = Append { state: state.expect("two entries"), entries };
        store.append(&append).await.expect("the store can be written");
    }
}

fn opened_by(name: &str, number: usize) -> Entry {
    let subject = pod(name);
    let key = IncidentKey {
        cluster: "elsewhere".into(),
        condition: "image.auth-missing".into(),
        place: Place {
            scope: Scope::Workload,
            name: format!("Deployment shop-{}/{name}", number % 20).into(),
        },
    };
    let severity = [Severity::Info, Severity::Warning, Severity::Critical][number % 3];
    let finding = Finding {
        condition: key.condition.clone(),
        playbook: kubemend::incident::Digest::of_bytes(b"playbook"),
        severity,
        title: Text::from(format!("Private registry without credentials {name}")),
        cause: format!("The pod pulls {name} without credentials"),
        subject: subject.clone(),
        places: vec![key.place.clone()],
        key,
        quotes: vec![Quote {
            source: Source::Event,
            origin: Text::from(name),
            text: Text::from(format!("Failed to pull image: {name}")),
            at: None,
        }],
        variables: BTreeMap::from([("image".into(), Text::from(name))]),
        also_possible: vec!["image.not-found".into()],
        hold_off_seconds: 10,
        since: None,
    };
    let members = Members { now: 3, peak: 3, listed: vec![subject, pod("other")] };
    Entry::Opened { finding: Box::new(finding), evidence: Box::new(evidence(name)), members }
}

fn evidence(name: &str) -> Evidence {
    let text = || Text::from(name);
    let meta = Meta {
        name: text(),
        namespace: "shop".into(),
        labels: BTreeMap::from([(text(), text())]),
        ..Meta::default()
    };
    let container = Container { name: text(), image: text(), ..Container::default() };
    let event = Event {
        meta: meta.clone(),
        kind: "Warning".into(),
        reason: text(),
        message: text(),
        component: text(),
        count: 4,
        first: Some(Timestamp::UNIX_EPOCH),
        last: Some(Timestamp::UNIX_EPOCH),
        ..Event::default()
    };
    let seen = Gathered {
        subject: pod(name),
        pod: Some(Pod { meta, message: text(), containers: vec![container], ..Pod::default() }),
        events: vec![event],
        logs: vec![LogTail { container: text(), previous: false, lines: vec!["line one".into(), text()] }],
        ..Gathered::default()
    };
    Evidence { seen, ..Evidence::default() }
}

fn proposed(id: &ProposalId, name: &str, made: Timestamp) -> Entry {
    let target = Target {
        api: ApiKind::known("Pod").expect("known"),
        namespace: "shop".into(),
        name: name.into(),
        uid: "uid".into(),
    };
    let change = Change {
        target,
        relies_on: Vec::new(),
        operation: Operation::Delete(Delete { grace_seconds: None }),
        summary: Text::from(format!("delete pod shop/{name}")),
    };
    let plan = Plan {
        marker: id.clone(),
        actions: vec!["pods.delete".into()],
        changes: vec![change],
        checks: Vec::new(),
        check_timeout_seconds: 60,
        risk: Risk::Low,
        undo: Undo::Needless("the controller makes a new pod".into()),
        rules: Vec::new(),
        warnings: vec![Text::from(name)],
    };
    let proposal = Proposal {
        id: id.clone(),
        remedy: Remedy {
            id: "replace-pod".into(),
            title: "Replace the pod".into(),
            parameters: BTreeMap::new(),
        },
        digest: plan.digest(),
        plan,
        preview: Preview {
            diff: format!("--- a\n+++ b\n@@ -1,3 +1,3 @@\n kind: Pod\n-  image: {name}\n+  image: x\n"),
            kubectl: vec![format!("kubectl delete pod '{name}'")],
            ..Preview::default()
        },
        missing_rights: Vec::new(),
        policy: ApprovalPolicy { approvals: 1, requester_counts: true, typed_confirmation: None },
        made,
        // Longer than the oldest of them is old.
        expires: made.checked_add(SignedDuration::from_hours(100)).expect("in range"),
        requested_by: None,
        undoes: None,
    };
    Entry::Proposed { proposal: Box::new(proposal) }
}

fn pod(name: &str) -> ObjectRef {
    ObjectRef {
        cluster: "elsewhere".into(),
        api: ApiKind::known("Pod").expect("known"),
        namespace: "shop".into(),
        name: name.into(),
        uid: "uid".into(),
    }
}
