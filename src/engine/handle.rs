//! What people can ask of the engine, whichever way they come in.
//!
//! Owns the answers to persons: each names who asks, each change is judged by the gate and entered with their
//! name. Refuses to trust the way in for anything but the identity.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::broadcast;

use super::clock;
use super::failpoint::Failpoint;
use super::propose::Offered;
use super::refused::Refused;
use super::shared::Shared;
use super::status::EngineStatus;
use super::update::Update;
use crate::actions;
use crate::gate::{self, Ask, Policy, Refusal, Right};
use crate::incident::chain::Audited;
use crate::incident::{
    Actor, Brake, Decision, DecisionKind, Digest, Entry, Evidence, ExecutionId, Incident, IncidentId,
    ProposalId, ProposalRecord, Recorded, Remedy, Text,
};
use crate::playbook::Book;
use crate::store::{AuditFilter, IncidentFilter, Order, Pause};

/// The most entries of one incident that are shown at once; the newest.
const MOST_ENTRIES: u32 = 500;

/// The engine, for others. Clones are one engine.
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<Shared>,
}

/// An incident with its history.
#[derive(Clone, Debug)]
pub struct IncidentView {
    pub incident: Arc<Incident>,
    /// Oldest first; the newest 500.
    pub entries: Vec<Recorded>,
    /// The newest evidence.
    pub evidence: Option<Box<Evidence>>,
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Decides about a proposal as it was seen. `confirmation` is what was typed, where something was.
    pub async fn decide(
        &self,
        who: &Actor,
        id: &ProposalId,
        kind: DecisionKind,
        seen: Digest,
        confirmation: Option<String>,
        note: Text,
    ) -> Result<ProposalRecord, Refused> {
        let incident = incident_of_proposal(id)?;
        let policy = self.shared.policy();
        self.shared.pass(Failpoint::BeforeDecided);
        let decide = |incident: &Incident, now: Timestamp| -> Result<Vec<Entry>, Refused> {
            let record = incident.proposals.get(id).ok_or_else(|| Refused::NoProposal(id.clone()))?;
            let decision =
                Decision { kind, by: who.clone(), digest: seen.clone(), at: now, note: note.clone() };
            gate::decide(&policy, record, &incident.finding, &decision, confirmation.as_deref(), now)?;
            Ok(vec![Entry::Decided { proposal: id.clone(), decision }])
        };
        let decided = self.shared.change(&incident, decide).await.map_err(|refused| named(refused, id))?;
        self.shared.pass(Failpoint::AfterDecided);
        if kind == DecisionKind::Deny {
            self.shared.offers.lock().ask(&incident);
        }
        tracing::info!(proposal.id = %id, actor.id = %who.id, "{} decided about {id}: {kind:?}", who.name);
        decided.proposals.get(id).cloned().ok_or_else(|| Refused::NoProposal(id.clone()))
    }

    /// Keeps an incident quiet until then.
    pub async fn silence(
        &self,
        who: &Actor,
        id: &IncidentId,
        until: Timestamp,
        note: Text,
    ) -> Result<Arc<Incident>, Refused> {
        gate::can(&self.shared.policy(), who, Right::Silence)?;
        let entry = Entry::Silenced { until, by: who.clone(), note };
        self.shared.change(id, |_, _| Ok(vec![entry.clone()])).await
    }

    /// Ends the silence of an incident.
    pub async fn unsilence(&self, who: &Actor, id: &IncidentId) -> Result<Arc<Incident>, Refused> {
        gate::can(&self.shared.policy(), who, Right::Silence)?;
        let entry = Entry::Unsilenced { by: who.clone() };
        self.shared.change(id, |_, _| Ok(vec![entry.clone()])).await
    }

    /// Proposes to take an execution back. It must be approved like anything else.
    pub async fn undo(&self, who: &Actor, id: &ExecutionId) -> Result<ProposalId, Refused> {
        known(&self.shared.policy(), who)?;
        let (incident, record) = self.execution(id).await?;
        let cluster = &incident.finding.key.cluster;
        let seat = self.shared.seat(cluster).ok_or_else(|| Refused::Cluster {
            cluster: cluster.to_string(),
            why: "it is not configured any more".to_owned(),
        })?;
        let plan = actions::undo_plan(&incident.next_proposal(), &record.proposal.plan)
            .map_err(|error| Refused::Impossible(error.why.to_string()))?;
        let (preview, missing) = (seat.preview(&plan).await, seat.missing(&plan.rules).await);
        let remedy = Remedy {
            id: Text::from(format!("undo-{}", record.proposal.remedy.id)),
            title: Text::from(format!("Take back: {}", record.proposal.remedy.title)),
            parameters: record.proposal.remedy.parameters.clone(),
        };
        let offered = Offered {
            remedy,
            plan,
            preview,
            missing,
            undoes: Some(id.clone()),
            requested_by: Some(who.clone()),
        };
        let made = self.shared.put_forward(&incident.id, &offered, None).await?;
        made.ok_or_else(|| Refused::Busy(incident.id.clone()))
    }

    /// Says what became of a change that the cluster could not tell about. Whoever may approve the proposal
    /// may say so.
    pub async fn settle(
        &self,
        who: &Actor,
        id: &ExecutionId,
        index: u32,
        applied: bool,
    ) -> Result<Arc<Incident>, Refused> {
        let (incident, record) = self.execution(id).await?;
        entitled(&self.shared.policy(), who, &incident, &record)?;
        let entry = Entry::Settled { execution: id.clone(), index, applied, by: who.clone() };
        self.shared.change(&incident.id, |_, _| Ok(vec![entry.clone()])).await
    }

    /// Stops all executions: none starts, and no further change is sent.
    pub async fn pause(&self, who: &Actor) -> Result<Pause, Refused> {
        gate::can(&self.shared.policy(), who, Right::Pause)?;
        self.shared.set_brake(Brake::On);
        let paused = self.shared.ledger.store().set_pause(who, clock::now()).await.map_err(Refused::Store)?;
        tracing::info!(actor.id = %who.id, "{} paused all executions", who.name);
        Ok(paused)
    }

    /// Lets executions go on.
    pub async fn resume(&self, who: &Actor) -> Result<(), Refused> {
        gate::can(&self.shared.policy(), who, Right::Pause)?;
        self.shared.ledger.store().clear_pause(who, clock::now()).await.map_err(Refused::Store)?;
        self.shared.set_brake(Brake::Off);
        for incident in self.shared.ledger.held() {
            self.shared.incidents.add(incident.id.clone());
        }
        tracing::info!(actor.id = %who.id, "{} let executions go on", who.name);
        Ok(())
    }

    /// At most `limit` incidents, newest first.
    pub async fn incidents(&self, filter: &IncidentFilter, limit: u32) -> Result<Vec<Incident>, Refused> {
        self.shared.ledger.store().incidents(filter, limit).await.map_err(Refused::Store)
    }

    /// An incident with its history.
    pub async fn incident(&self, id: &IncidentId) -> Result<IncidentView, Refused> {
        let (incident, store) = (self.shared.ledger.get(id).await?, self.shared.ledger.store());
        let after = incident.version.saturating_sub(u64::from(MOST_ENTRIES));
        let entries = store.entries(id, after, MOST_ENTRIES).await.map_err(Refused::Store)?;
        let newest = store.newest_evidence(id).await.map_err(Refused::Store)?;
        Ok(IncidentView { incident, entries, evidence: newest.and_then(|recorded| evidence(recorded.entry)) })
    }

    /// The incident that holds a proposal.
    pub async fn proposal(&self, id: &ProposalId) -> Result<Arc<Incident>, Refused> {
        let incident =
            self.shared.ledger.get(&incident_of_proposal(id)?).await.map_err(|refused| named(refused, id))?;
        if incident.proposals.contains_key(id) { Ok(incident) } else { Err(Refused::NoProposal(id.clone())) }
    }

    /// At most `limit` records of all that was done.
    pub async fn audit(
        &self,
        who: &Actor,
        filter: &AuditFilter,
        order: Order,
        limit: u32,
    ) -> Result<Vec<Audited>, Refused> {
        gate::can(&self.shared.policy(), who, Right::Audit)?;
        self.shared.ledger.store().audit(filter, order, limit).await.map_err(Refused::Store)
    }

    /// The entries after record number `after`, oldest first: for those who follow what happens.
    pub async fn entries_after(&self, after: u64, limit: u32) -> Result<Vec<Audited>, Refused> {
        let filter = AuditFilter { after: Some(after), ..AuditFilter::default() };
        self.shared.ledger.store().audit(&filter, Order::OldestFirst, limit).await.map_err(Refused::Store)
    }

    /// The number of the newest record.
    pub async fn newest(&self) -> Result<u64, Refused> {
        self.shared.ledger.store().head().await.map(|head| head.seq).map_err(Refused::Store)
    }

    /// What happens from now on. Whoever falls behind misses some, and reads them with [`Self::entries_after`].
    pub fn subscribe(&self) -> broadcast::Receiver<Update> {
        self.shared.ledger.subscribe()
    }

    /// How kubemend stands.
    pub fn status(&self) -> EngineStatus {
        self.shared.status()
    }

    /// The playbooks in force.
    pub fn book(&self) -> Arc<Book> {
        self.shared.book()
    }

    /// The roles of whoever asks; none for somebody unknown.
    pub fn roles(&self, who: &Actor) -> Vec<Text> {
        self.shared.policy().roles(who)
    }

    /// Puts other playbooks in force, from the next look on.
    pub fn put_book(&self, book: Book) {
        self.shared.put_book(book);
    }

    /// Puts another policy in force, from the next decision on.
    pub fn put_policy(&self, policy: Policy) {
        self.shared.put_policy(policy);
    }

    /// What its platform says of somebody's groups right now. It counts from the next decision and the next
    /// change on, until the platform says something else.
    pub fn put_groups(&self, who: &Actor, groups: BTreeSet<Text>) {
        let _ = self.shared.put_groups(who, groups);
    }

    /// The engine's clock.
    pub fn now(&self) -> Timestamp {
        clock::now()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn store(&self) -> &crate::store::Store {
        self.shared.ledger.store()
    }

    async fn execution(&self, id: &ExecutionId) -> Result<(Arc<Incident>, ProposalRecord), Refused> {
        let unknown = || Refused::NoExecution(id.clone());
        let proposal = id.as_str().strip_prefix("x-").map(ProposalId::from).ok_or_else(unknown)?;
        let incident = self.shared.ledger.get(&incident_of_proposal(&proposal).map_err(|_| unknown())?).await;
        let incident = incident.map_err(|refused| match refused {
            Refused::NoIncident(_) => unknown(),
            other => other,
        })?;
        let execution = incident.executions.get(id).ok_or_else(unknown)?;
        let record = incident.proposals.get(&execution.proposal).cloned().ok_or_else(unknown)?;
        Ok((incident, record))
    }
}

fn known(policy: &Policy, who: &Actor) -> Result<(), Refusal> {
    policy.person(who).map(drop).ok_or_else(|| Refusal::Unknown { who: who.clone() })
}

/// Whether somebody may have everything done that the proposal does.
fn entitled(
    policy: &Policy,
    who: &Actor,
    incident: &Incident,
    record: &ProposalRecord,
) -> Result<(), Refusal> {
    let plan = &record.proposal.plan;
    let key = &incident.finding.key;
    known(policy, who)?;
    plan.actions
        .iter()
        .flat_map(|action| plan.changes.iter().map(move |change| (action, change)))
        .try_for_each(|(action, change)| {
            let ask = Ask {
                action: action.clone(),
                cluster: key.cluster.clone(),
                namespace: change.target.namespace.clone(),
                condition: key.condition.clone(),
                risk: plan.risk,
            };
            gate::may(policy, who, &ask)
        })
}

/// `i-42` of `i-42.p1`.
fn incident_of_proposal(id: &ProposalId) -> Result<IncidentId, Refused> {
    let (incident, _) = id.as_str().rsplit_once(".p").ok_or_else(|| Refused::NoProposal(id.clone()))?;
    Ok(IncidentId::from(incident))
}

/// Who asked about a proposal is told about the proposal.
fn named(refused: Refused, id: &ProposalId) -> Refused {
    match refused {
        Refused::NoIncident(_) => Refused::NoProposal(id.clone()),
        other => other,
    }
}

pub(super) fn evidence(entry: Entry) -> Option<Box<Evidence>> {
    match entry {
        Entry::Opened { evidence, .. }
        | Entry::Updated { evidence, .. }
        | Entry::Reopened { evidence, .. } => Some(evidence),
        _ => None,
    }
}

impl Shared {
    /// Whether the incident says so already, in one of its newest entries.
    pub(super) async fn has_note(&self, id: &IncidentId, text: &Text) -> Result<bool, Refused> {
        let filter = AuditFilter {
            incident: Some(id.clone()),
            kind: Some("noted".to_owned()),
            ..AuditFilter::default()
        };
        let notes =
            self.ledger.store().audit(&filter, Order::NewestFirst, 50).await.map_err(Refused::Store)?;
        let says = |note: &Audited| match note {
            Audited::Incident(recorded) => {
                matches!(&recorded.entry, Entry::Noted { text: said } if said == text)
            }
            Audited::General(_) => false,
        };
        Ok(notes.iter().any(says))
    }
}
