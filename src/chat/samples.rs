//! Messages to try templates with: `kubemend templates lint` and the previews render them.

#[cfg(test)]
mod any;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::answer::{Form, Input, InputKind};
use super::card::{Block, Card, Rich, Tone};
use super::hearing::Gap;
use super::tell::{Missed, Teller};
use super::words::Words;
use crate::engine::Book;
use crate::incident::{
    Actor, ApiKind, ApprovalPolicy, Change, Check, Decision, DecisionKind, Execution, ExecutionId,
    ExecutionState, Finding, Incident, IncidentKey, Members, ObjectRef, Operation, Outcome, Patch, Place,
    Plan, Preview, Proposal, ProposalId, ProposalRecord, ProposalState, Quote, Reliance, Remedy, Risk, Rule,
    Scope, Severity, Source, Status, Target, Text, Undo, Verdict, Via,
};

#[cfg(test)]
pub(super) use any::{any_card, any_form, any_incident};

/// One card of each kind, the incident's first.
pub fn cards(words: &Words) -> Vec<Card> {
    named(words).into_iter().map(|(_, card)| card).collect()
}

/// The same with a name for each.
pub fn named(words: &Words) -> Vec<(&'static str, Card)> {
    let book = Book::shipped();
    let teller = Teller { words, book: &book };
    let incident = incident();
    let previews = incident.proposals.values().map(|record| teller.preview(&incident, record));
    let mut permitted = incident.clone();
    permitted.proposals.values_mut().for_each(|record| record.proposal.missing_rights.clear());
    let over = fixed(&permitted);
    let mut cards = vec![
        ("incident", teller.incident(&permitted)),
        ("rights", teller.incident(&incident)),
        ("resolved", teller.incident(&over)),
    ];
    cards.extend(previews.map(|preview| ("preview", preview)));
    cards.push(("digest", teller.digest(&storm(&incident))));
    let gap = Gap { from: at(0), to: at(300), why: "no route to host".to_owned() };
    let missed = Missed { entries: 12, incidents: 4, expired: 1, waiting: 2 };
    cards.push(("gap", teller.gap(&gap, missed)));
    cards.push(("trouble", teller.trouble("C0123", "the channel is archived")));
    cards.push(("hostile", hostile()));
    cards
}

/// One form of each kind of question.
pub fn forms() -> Vec<Form> {
    let input = |name: &str, kind| Input {
        name: name.to_owned(),
        label: format!("Which {name}"),
        kind,
        value: String::new(),
        required: true,
    };
    let options = vec!["harbor-pull".to_owned(), "harbor-pull-2".to_owned()];
    let inputs = vec![
        input("secret", InputKind::Choice { options }),
        input("name", InputKind::Line { placeholder: "checkout".to_owned() }),
        input("reason", InputKind::Paragraph { placeholder: String::new() }),
    ];
    vec![Form {
        id: "k1.rn.i-42.add-pull-secret".to_owned(),
        title: "Ask for a remedy".to_owned(),
        intro: vec![Block::Text { text: Rich::plain("Choose what fits.") }],
        inputs,
        submit: "Ask for it".to_owned(),
    }]
}

/// Texts that try to be more than texts.
fn hostile() -> Card {
    let text = "@everyone <!channel> <@U1> [x](https://example.com) ```\n# *b* _i_ ~s~ `c` \" \\ </script>";
    Card {
        tone: Tone::Critical,
        summary: text.to_owned(),
        title: text.to_owned(),
        blocks: vec![
            Block::Heading { text: text.to_owned() },
            Block::Text { text: Rich::plain(text.repeat(40)).strong(text) },
            Block::Quote { origin: text.to_owned(), at: Some(at(0)), text: text.repeat(40) },
            Block::Code { text: text.repeat(60) },
            Block::Diff { text: text.repeat(60) },
            Block::List { items: vec![Rich::plain(text); 60] },
            Block::Note { text: Rich::plain(text.repeat(40)) },
        ],
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("within the years that a timestamp has")
}

/// A private image without credentials, with a proposal that one of two people has approved.
pub fn incident() -> Incident {
    let record = ProposalRecord {
        decisions: vec![Decision {
            kind: DecisionKind::Approve,
            by: Actor { via: Via::Slack, id: "U1".into(), name: "Ann".into() },
            digest: plan().digest(),
            at: at(120),
            note: Text::default(),
        }],
        proposal: proposal(),
        state: ProposalState::Open,
    };
    Incident {
        id: "i-42".into(),
        status: Status::Open,
        finding: finding(),
        members: Members { now: 3, peak: 5, listed: vec![pod()] },
        opened: at(30),
        changed: at(120),
        version: 7,
        silenced_until: None,
        reopened: 1,
        came_back: Some(at(0)),
        proposals: BTreeMap::from([(record.proposal.id.clone(), record)]),
        executions: BTreeMap::new(),
    }
}

/// The same after it was repaired.
fn fixed(incident: &Incident) -> Incident {
    let mut over =
        Incident { status: Status::Resolved { at: at(900) }, changed: at(900), ..incident.clone() };
    for record in over.proposals.values_mut() {
        let id = ExecutionId::of(&record.proposal.id);
        record.state = ProposalState::Executed { execution: id.clone() };
        let names = ["Ann", "Ben"].into_iter().zip(["U1", "U2"]);
        let execution = Execution {
            id: id.clone(),
            proposal: record.proposal.id.clone(),
            digest: record.proposal.digest.clone(),
            approvers: names
                .map(|(name, id)| Actor { via: Via::Slack, id: id.into(), name: name.into() })
                .collect(),
            started: at(180),
            members_before: 3,
            state: ExecutionState::Finished {
                outcome: Outcome::Applied,
                verdict: Some(Verdict::Fixed),
                checks: Vec::new(),
            },
            done: Vec::new(),
        };
        over.executions.insert(id, execution);
    }
    over
}

/// Many at once, each of another workload.
fn storm(incident: &Incident) -> Vec<Incident> {
    let names = ["checkout", "ledger", "invoices", "mailer", "search", "export"];
    let severities = [Severity::Critical, Severity::Warning, Severity::Warning];
    let one = |number: usize| {
        let mut one = incident.clone();
        one.id = format!("i-{}", 72 - number).as_str().into();
        one.finding.severity = severities[number % severities.len()];
        one.finding.key.place.name =
            format!("Deployment payments/{}-{number}", names[number % names.len()]).into();
        one
    };
    (0..30).map(one).collect()
}

fn pod() -> ObjectRef {
    ObjectRef {
        cluster: "production".into(),
        api: ApiKind::new("", "v1", "Pod", "pods"),
        namespace: "payments".into(),
        name: "checkout-6f9c7b-x2x4z".into(),
        uid: "3c0f".into(),
    }
}

fn finding() -> Finding {
    let place = Place { scope: Scope::Workload, name: "Deployment payments/checkout".into() };
    Finding {
        condition: "image.auth-missing".into(),
        playbook: crate::incident::Digest::of_bytes(b"sample"),
        severity: Severity::Critical,
        title: "Private registry without credentials".into(),
        cause:
            "The pod pulls registry.example.com/payments/checkout:v7 without credentials for that registry."
                .to_owned(),
        subject: pod(),
        key: IncidentKey {
            cluster: "production".into(),
            condition: "image.auth-missing".into(),
            place: place.clone(),
        },
        places: vec![place],
        quotes: vec![
            Quote {
                source: Source::Event,
                origin: "event Failed".into(),
                text: "Failed to pull image \"registry.example.com/payments/checkout:v7\": 401 Unauthorized"
                    .into(),
                at: Some(at(10)),
            },
            Quote {
                source: Source::Computed,
                origin: Text::default(),
                text: "secret harbor-pull covers registry.example.com".into(),
                at: None,
            },
        ],
        variables: BTreeMap::new(),
        also_possible: vec!["image.auth-rejected".into()],
        hold_off_seconds: 30,
        since: Some(at(0)),
    }
}

fn target() -> Target {
    Target {
        api: ApiKind::new("", "v1", "ServiceAccount", "serviceaccounts"),
        namespace: "payments".into(),
        name: "default".into(),
        uid: "9ab1".into(),
    }
}

fn change() -> Change {
    Change {
        target: target(),
        relies_on: vec![Reliance { pointer: "/imagePullSecrets".into(), value: json!(null) }],
        operation: Operation::Patch(Patch::Merge(json!({"imagePullSecrets": [{"name": "harbor-pull"}]}))),
        summary: "add pull secret harbor-pull to ServiceAccount payments/default".into(),
    }
}

fn plan() -> Plan {
    Plan {
        marker: ProposalId::from("i-42.p1"),
        actions: vec!["pull-secrets.add".into()],
        changes: vec![change()],
        checks: vec![Check::Ready(target())],
        check_timeout_seconds: 120,
        risk: Risk::Medium,
        undo: Undo::Changes(vec![change()]),
        rules: Vec::new(),
        warnings: vec![
            "Argo CD manages this ServiceAccount and will revert it; change deploy/base/sa.yaml instead."
                .into(),
        ],
    }
}

fn proposal() -> Proposal {
    let plan = plan();
    Proposal {
        id: "i-42.p1".into(),
        remedy: Remedy {
            id: "add-pull-secret".into(),
            title: "Add a pull secret".into(),
            parameters: BTreeMap::from([("secret".into(), "harbor-pull".into())]),
        },
        digest: plan.digest(),
        plan,
        preview: Preview {
            diff: " apiVersion: v1\n+imagePullSecrets:\n+- name: harbor-pull\n kind: ServiceAccount".to_owned(),
            kubectl: vec![
                "kubectl -n payments patch serviceaccount default -p '{\"imagePullSecrets\":[{\"name\":\"harbor-pull\"}]}'"
                    .to_owned(),
            ],
            gaps: Vec::new(),
        },
        missing_rights: vec![Rule {
            verb: "patch".into(),
            group: Text::default(),
            resource: "serviceaccounts".into(),
            namespace: "payments".into(),
            name: Text::default(),
        }],
        policy: ApprovalPolicy { approvals: 2, requester_counts: true, typed_confirmation: None },
        made: at(60),
        expires: at(3660),
        requested_by: None,
        undoes: None,
    }
}
