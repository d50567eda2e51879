//! Proposals: made, decided about, and ended.
//!
//! Refuses a decision about another digest than the proposal's, a second approval by one person, and any
//! proposal that could be executed without an approval.

use jiff::Timestamp;

use super::Illegal;
use crate::incident::{
    Actor, Decision, DecisionKind, Execution, ExecutionState, Incident, Outcome, Proposal, ProposalId,
    ProposalRecord, ProposalState, Status, Text,
};

impl Incident {
    /// How many proposals that ended without an execution the state remembers; the entries keep all.
    pub const ENDED_KEPT: usize = 8;

    /// How many finished executions, with their proposals, the state remembers; the entries keep all.
    pub const EXECUTED_KEPT: usize = 16;

    /// The id of the next proposal to be made.
    pub fn next_proposal(&self) -> ProposalId {
        let last = self.proposals.keys().filter_map(|id| number(self, id)).max().unwrap_or(0);
        ProposalId::from(format!("{}.p{}", self.id, last + 1).as_str())
    }
}

impl ProposalRecord {
    /// Who approves now: approvals that were not withdrawn, in the order they were given.
    pub fn approvers(&self) -> Vec<&Actor> {
        let mut approvers: Vec<&Actor> = Vec::new();
        for decision in &self.decisions {
            match decision.kind {
                DecisionKind::Approve => approvers.push(&decision.by),
                DecisionKind::Withdraw => approvers.retain(|actor| !same_person(actor, &decision.by)),
                DecisionKind::Deny => {}
            }
        }
        approvers
    }

    /// Whether decisions or an execution may still come.
    pub fn is_live(&self) -> bool {
        match &self.state {
            ProposalState::Open | ProposalState::Approved => true,
            ProposalState::Denied
            | ProposalState::Expired
            | ProposalState::Stale { .. }
            | ProposalState::Superseded { .. }
            | ProposalState::Executed { .. } => false,
        }
    }
}

impl ProposalState {
    /// The state in a word or two.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open for decisions",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Stale { .. } => "out of date",
            Self::Superseded { .. } => "replaced by a newer one",
            Self::Executed { .. } => "executed",
        }
    }
}

/// Identities are compared by what was verified, never by the display name.
fn same_person(a: &Actor, b: &Actor) -> bool {
    a.via == b.via && a.id == b.id
}

fn number(incident: &Incident, id: &ProposalId) -> Option<u64> {
    id.as_str().strip_prefix(incident.id.as_str())?.strip_prefix(".p")?.parse().ok()
}

pub(super) fn propose(incident: &mut Incident, proposal: &Proposal) -> Result<(), Illegal> {
    let id = &proposal.id;
    if incident.proposals.contains_key(id) {
        return Err(Illegal::KnownProposal(id.clone()));
    }
    if *id != incident.next_proposal() {
        return Err(Illegal::ForeignProposal(id.clone()));
    }
    well_made(proposal)?;
    fits(incident, proposal)?;
    forget_the_oldest(incident);
    let record =
        ProposalRecord { proposal: proposal.clone(), state: ProposalState::Open, decisions: Vec::new() };
    incident.proposals.insert(id.clone(), record);
    Ok(())
}

fn well_made(proposal: &Proposal) -> Result<(), Illegal> {
    let id = &proposal.id;
    if proposal.plan.marker != *id {
        return Err(Illegal::OtherMarker(id.clone(), proposal.plan.marker.clone()));
    }
    let real = proposal.plan.digest();
    if real != proposal.digest {
        return Err(Illegal::OtherDigest { proposal: id.clone(), real, named: proposal.digest.clone() });
    }
    if proposal.policy.approvals == 0 {
        return Err(Illegal::NoApprovalAsked(id.clone()));
    }
    if proposal.expires <= proposal.made {
        return Err(Illegal::BornExpired(id.clone()));
    }
    Ok(())
}

/// A resolved incident takes no remedies, but what was done in it may still be taken back.
fn fits(incident: &Incident, proposal: &Proposal) -> Result<(), Illegal> {
    let Some(undone) = &proposal.undoes else {
        return match &incident.status {
            Status::Open | Status::Absorbed { .. } => Ok(()),
            Status::Resolved { .. } => Err(Illegal::AlreadyResolved),
        };
    };
    let execution =
        incident.executions.get(undone).ok_or_else(|| Illegal::UnknownExecution(undone.clone()))?;
    match &execution.state {
        ExecutionState::Verifying { .. } | ExecutionState::Finished { .. } => Ok(()),
        ExecutionState::Ready | ExecutionState::Intended { .. } | ExecutionState::Unsettled { .. } => {
            Err(Illegal::UndoesUnfinished(proposal.id.clone(), undone.clone()))
        }
    }
}

/// Proposals of a long-lived incident come and go; the state keeps the last ones.
fn forget_the_oldest(incident: &mut Incident) {
    let ended =
        oldest(incident, |id, record| has_ended(record) && executions_of(incident, id).next().is_none());
    let surplus = (ended.len() + 1).saturating_sub(Incident::ENDED_KEPT);
    for id in ended.into_iter().take(surplus) {
        incident.proposals.remove(&id);
    }
    let executed = oldest(incident, |id, _| is_over_for_good(incident, id));
    let surplus = executed.len().saturating_sub(Incident::EXECUTED_KEPT);
    for id in executed.into_iter().take(surplus) {
        incident.proposals.remove(&id);
        incident.executions.retain(|_, execution| execution.proposal != id);
    }
}

/// The proposals in question, oldest first.
fn oldest(incident: &Incident, which: impl Fn(&ProposalId, &ProposalRecord) -> bool) -> Vec<ProposalId> {
    let of = incident.proposals.iter().filter(|(id, record)| which(id, record));
    let mut found: Vec<_> = of.filter_map(|(id, _)| Some((number(incident, id)?, id.clone()))).collect();
    found.sort();
    found.into_iter().map(|(_, id)| id).collect()
}

fn executions_of<'i>(incident: &'i Incident, id: &'i ProposalId) -> impl Iterator<Item = &'i Execution> {
    incident.executions.values().filter(move |execution| execution.proposal == *id)
}

/// Executed to the end, and nobody is about to take it back.
fn is_over_for_good(incident: &Incident, id: &ProposalId) -> bool {
    let taken_back = |execution: &Execution| {
        let undoes = |record: &ProposalRecord| record.proposal.undoes.as_ref() == Some(&execution.id);
        incident.proposals.values().any(|record| !has_ended(record) && undoes(record))
    };
    let over = |execution: &Execution| {
        matches!(execution.state, ExecutionState::Finished { .. }) && !taken_back(execution)
    };
    let mut executions = executions_of(incident, id).peekable();
    executions.peek().is_some() && executions.all(over)
}

fn has_ended(record: &ProposalRecord) -> bool {
    match &record.state {
        ProposalState::Denied
        | ProposalState::Expired
        | ProposalState::Stale { .. }
        | ProposalState::Superseded { .. } => true,
        ProposalState::Open | ProposalState::Approved | ProposalState::Executed { .. } => false,
    }
}

pub(super) fn decide(
    incident: &mut Incident,
    at: Timestamp,
    id: &ProposalId,
    decision: &Decision,
) -> Result<(), Illegal> {
    let record = find(incident, id)?;
    if decision.digest != record.proposal.digest {
        let (real, named) = (record.proposal.digest.clone(), decision.digest.clone());
        return Err(Illegal::OtherDigest { proposal: id.clone(), real, named });
    }
    if !record.is_live() {
        return Err(Illegal::NotOpenForDecisions(id.clone(), record.state.word()));
    }
    match decision.kind {
        DecisionKind::Approve => may_approve(record, at, decision)?,
        DecisionKind::Deny => {}
        DecisionKind::Withdraw => may_withdraw(record, decision)?,
    }
    record.decisions.push(decision.clone());
    record.state = decided(record, decision.kind);
    Ok(())
}

fn may_approve(record: &ProposalRecord, at: Timestamp, decision: &Decision) -> Result<(), Illegal> {
    let id = &record.proposal.id;
    if at >= record.proposal.expires {
        return Err(Illegal::PastExpiry(id.clone(), record.proposal.expires));
    }
    if !record.proposal.missing_rights.is_empty() {
        return Err(Illegal::MissingRights(id.clone()));
    }
    if record.state == ProposalState::Approved {
        return Err(Illegal::NotOpenForDecisions(id.clone(), record.state.word()));
    }
    if record.approvers().into_iter().any(|actor| same_person(actor, &decision.by)) {
        return Err(Illegal::ApprovedTwice(id.clone(), Box::new(decision.by.clone())));
    }
    Ok(())
}

fn may_withdraw(record: &ProposalRecord, decision: &Decision) -> Result<(), Illegal> {
    if record.approvers().into_iter().any(|actor| same_person(actor, &decision.by)) {
        return Ok(());
    }
    Err(Illegal::NothingToWithdraw(record.proposal.id.clone(), Box::new(decision.by.clone())))
}

fn decided(record: &ProposalRecord, kind: DecisionKind) -> ProposalState {
    match kind {
        DecisionKind::Deny => ProposalState::Denied,
        DecisionKind::Approve | DecisionKind::Withdraw => {
            let enough = record.approvers().len() >= usize::from(record.proposal.policy.approvals);
            if enough { ProposalState::Approved } else { ProposalState::Open }
        }
    }
}

pub(super) fn expire(incident: &mut Incident, at: Timestamp, id: &ProposalId) -> Result<(), Illegal> {
    let record = live(incident, id)?;
    if at < record.proposal.expires {
        return Err(Illegal::NotYetExpired(id.clone(), record.proposal.expires));
    }
    record.state = ProposalState::Expired;
    Ok(())
}

/// Out of date, either before it was executed or because its execution found so before anything was written.
pub(super) fn stale(incident: &mut Incident, id: &ProposalId, why: &Text) -> Result<(), Illegal> {
    let wrote_nothing = incident.executions.values().any(|x| {
        x.proposal == *id
            && matches!(&x.state, ExecutionState::Finished { outcome: Outcome::Stopped { .. }, .. })
            && x.applied() == 0
    });
    let record = if wrote_nothing { find(incident, id)? } else { live(incident, id)? };
    if let ProposalState::Stale { .. } = record.state {
        return Err(Illegal::NotOpenForDecisions(id.clone(), record.state.word()));
    }
    record.state = ProposalState::Stale { why: why.clone() };
    Ok(())
}

pub(super) fn supersede(incident: &mut Incident, id: &ProposalId, by: &ProposalId) -> Result<(), Illegal> {
    if id == by {
        return Err(Illegal::SupersededByItself(id.clone()));
    }
    if !incident.proposals.contains_key(by) {
        return Err(Illegal::UnknownProposal(by.clone()));
    }
    live(incident, id)?.state = ProposalState::Superseded { by: by.clone() };
    Ok(())
}

fn find<'a>(incident: &'a mut Incident, id: &ProposalId) -> Result<&'a mut ProposalRecord, Illegal> {
    incident.proposals.get_mut(id).ok_or_else(|| Illegal::UnknownProposal(id.clone()))
}

fn live<'a>(incident: &'a mut Incident, id: &ProposalId) -> Result<&'a mut ProposalRecord, Illegal> {
    let record = find(incident, id)?;
    if record.is_live() {
        Ok(record)
    } else {
        Err(Illegal::NotOpenForDecisions(id.clone(), record.state.word()))
    }
}
