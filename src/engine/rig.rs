//! For the tests of other rooms: an engine without a cluster, over a store that outlives it.

use std::sync::Arc;

use super::{Engine, Options, Parts, clock};
use crate::gate::{GateConfig, GrantConfig, IdentityConfig, PersonConfig, Policy, Right, RoleConfig};
use crate::incident::samples::{auth_missing, members, proposal};
use crate::incident::{Actor, Entry, Finding, Incident, IncidentId, Proposal, Risk, Severity, Text, Via};
use crate::playbook::Book;
use crate::store::Store;

/// Somebody who may do everything.
pub(crate) fn ann() -> Actor {
    Actor { via: Via::Slack, id: "U-ann".into(), name: "Ann".into() }
}

/// An engine in which Ann may do everything and nobody else anything.
pub(crate) async fn engine(store: &Store) -> Engine {
    let all = || vec![Text::from("*")];
    let grant = GrantConfig {
        actions: all(),
        max_risk: Risk::High,
        clusters: all(),
        namespaces: all(),
        conditions: all(),
    };
    let rights = [Right::Pause, Right::Silence, Right::Audit].into();
    let person = PersonConfig {
        roles: vec!["all".into()],
        identities: vec![IdentityConfig { via: ann().via, id: ann().id }],
    };
    let config = GateConfig {
        roles: [("all".into(), RoleConfig { grants: vec![grant], rights })].into(),
        people: [("ann".into(), person)].into(),
        ..GateConfig::default()
    };
    let parts = Parts {
        options: Options::default(),
        store: store.clone(),
        book: Book::default(),
        policy: Policy::new(config).expect("no mistakes"),
        posts: Vec::new(),
    };
    Engine::new(parts).await.expect("the store works")
}

/// Opens an incident about a workload of that name.
pub(crate) async fn open(engine: &Engine, name: &str, severity: Severity) -> Arc<Incident> {
    let mut finding = Finding { since: Some(clock::now()), severity, ..auth_missing(name) };
    finding.key.place.name = format!("Deployment payments/{name}").into();
    let opened = Entry::Opened { finding: Box::new(finding), evidence: Box::default(), members: members(1) };
    engine.shared.ledger.open(opened).await.expect("opened")
}

/// Enters something.
pub(crate) async fn enter(engine: &Engine, id: &IncidentId, entry: Entry) {
    let put = |_: &Incident, _| -> Result<Vec<Entry>, super::Refused> { Ok(vec![entry.clone()]) };
    engine.shared.change(id, put).await.expect("a legal entry");
}

/// Puts a proposal forward that takes so many approvals, and a typed name if one is given.
pub(crate) async fn propose(
    engine: &Engine,
    id: &IncidentId,
    approvals: u8,
    typed: Option<&str>,
) -> Proposal {
    let now = clock::now();
    let incident = engine.shared.ledger.get(id).await.expect("there");
    let expires = now.checked_add(jiff::SignedDuration::from_hours(1)).expect("in range");
    let mut proposal = Proposal { made: now, expires, ..proposal(&incident.next_proposal(), approvals) };
    proposal.policy.typed_confirmation = typed.map(Text::from);
    enter(engine, id, Entry::Proposed { proposal: Box::new(proposal.clone()) }).await;
    proposal
}
