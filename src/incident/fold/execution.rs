//! Executions: started under approvals, journalled change by change, finished and verified.
//!
//! Refuses a change without its intent, an outcome without its change, a second execution of a proposal,
//! and any change after one that was not made.

use jiff::Timestamp;

use super::Illegal;
use crate::incident::{
    Actor, ChangeOutcome, CheckResult, Digest, Execution, ExecutionId, ExecutionState, Incident, Outcome,
    ProposalId, ProposalRecord, ProposalState, Receipt, Text, Verdict,
};

impl ExecutionState {
    /// The state in a word or two.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ready => "between changes",
            Self::Intended { .. } => "waiting for the outcome of a change",
            Self::Unsettled { .. } => "waiting for a person to settle a change",
            Self::Verifying { .. } => "being verified",
            Self::Finished { .. } => "finished",
        }
    }

    /// Whether objects may still be changed under it.
    pub fn is_changing(&self) -> bool {
        match self {
            Self::Ready | Self::Intended { .. } | Self::Unsettled { .. } => true,
            Self::Verifying { .. } | Self::Finished { .. } => false,
        }
    }
}

impl Execution {
    /// How many changes were made.
    pub fn applied(&self) -> u32 {
        let made = self.done.iter().filter(|o| matches!(o, ChangeOutcome::Applied { .. })).count();
        u32::try_from(made).unwrap_or(u32::MAX)
    }

    /// How many changes are behind it, made or needless: the number of the next one.
    pub fn settled(&self) -> u32 {
        let behind =
            |o: &&ChangeOutcome| matches!(o, ChangeOutcome::Applied { .. } | ChangeOutcome::Needless { .. });
        u32::try_from(self.done.iter().filter(behind).count()).unwrap_or(u32::MAX)
    }

    /// Why it must not go on, if its last change was not made.
    pub fn stopped_by(&self) -> Option<&Text> {
        match self.done.last()? {
            ChangeOutcome::Applied { .. } | ChangeOutcome::Needless { .. } => None,
            ChangeOutcome::Stale { why }
            | ChangeOutcome::Refused { why, code: _ }
            | ChangeOutcome::Unknown { why } => Some(why),
        }
    }
}

pub(super) fn start(
    incident: &mut Incident,
    at: Timestamp,
    id: &ExecutionId,
    proposal: &ProposalId,
    digest: &Digest,
    approvers: &[Actor],
) -> Result<(), Illegal> {
    may_start(incident, at, id, proposal, digest, approvers)?;
    let record =
        incident.proposals.get_mut(proposal).ok_or_else(|| Illegal::UnknownProposal(proposal.clone()))?;
    record.state = ProposalState::Executed { execution: id.clone() };
    let execution = Execution {
        id: id.clone(),
        proposal: proposal.clone(),
        digest: digest.clone(),
        approvers: approvers.to_vec(),
        started: at,
        members_before: incident.members.now,
        state: ExecutionState::Ready,
        done: Vec::new(),
    };
    incident.executions.insert(id.clone(), execution);
    Ok(())
}

fn may_start(
    incident: &Incident,
    at: Timestamp,
    id: &ExecutionId,
    proposal: &ProposalId,
    digest: &Digest,
    approvers: &[Actor],
) -> Result<(), Illegal> {
    if *id != ExecutionId::of(proposal) {
        return Err(Illegal::OtherExecution(id.clone(), proposal.clone()));
    }
    if incident.executions.contains_key(id) {
        return Err(Illegal::KnownExecution(id.clone()));
    }
    if let Some(other) = incident.executions.values().find(|x| x.state.is_changing()) {
        return Err(Illegal::AnotherRuns(other.id.clone()));
    }
    let record =
        incident.proposals.get(proposal).ok_or_else(|| Illegal::UnknownProposal(proposal.clone()))?;
    if record.state != ProposalState::Approved {
        return Err(Illegal::NotApproved(proposal.clone(), record.state.word()));
    }
    if *digest != record.proposal.digest {
        let (real, named) = (record.proposal.digest.clone(), digest.clone());
        return Err(Illegal::OtherDigest { proposal: proposal.clone(), real, named });
    }
    if at >= record.proposal.expires {
        return Err(Illegal::PastExpiry(proposal.clone(), record.proposal.expires));
    }
    if !stand_behind(record, approvers) {
        return Err(Illegal::OtherApprovers(proposal.clone()));
    }
    Ok(())
}

/// Enough of those who approved, and nobody else: the gate leaves out who may not any more.
fn stand_behind(record: &ProposalRecord, named: &[Actor]) -> bool {
    let approved = record.approvers();
    let all_approved = named.iter().all(|actor| approved.contains(&actor));
    let distinct = named.iter().enumerate().all(|(n, actor)| !named[..n].contains(actor));
    all_approved && distinct && named.len() >= usize::from(record.proposal.policy.approvals)
}

pub(super) fn intend(incident: &mut Incident, id: &ExecutionId, index: u32) -> Result<(), Illegal> {
    let changes = changes(incident, id)?;
    let execution = find(incident, id)?;
    match &execution.state {
        ExecutionState::Ready => {}
        state @ (ExecutionState::Intended { .. }
        | ExecutionState::Unsettled { .. }
        | ExecutionState::Verifying { .. }
        | ExecutionState::Finished { .. }) => return Err(Illegal::NotReady(id.clone(), state.word())),
    }
    if execution.stopped_by().is_some() {
        return Err(Illegal::StoppedAlready(id.clone()));
    }
    let expected = execution.settled();
    if index != expected {
        return Err(Illegal::OtherChange { execution: id.clone(), expected, named: index });
    }
    if index >= changes {
        return Err(Illegal::NoSuchChange(id.clone(), index));
    }
    execution.state = ExecutionState::Intended { index };
    Ok(())
}

pub(super) fn record(
    incident: &mut Incident,
    id: &ExecutionId,
    index: u32,
    outcome: &ChangeOutcome,
) -> Result<(), Illegal> {
    let execution = find(incident, id)?;
    if execution.state != (ExecutionState::Intended { index }) {
        return Err(Illegal::NotIntended(id.clone(), index));
    }
    execution.done.push(outcome.clone());
    execution.state = match outcome {
        ChangeOutcome::Applied { .. }
        | ChangeOutcome::Needless { .. }
        | ChangeOutcome::Stale { .. }
        | ChangeOutcome::Refused { .. } => ExecutionState::Ready,
        ChangeOutcome::Unknown { why } => ExecutionState::Unsettled { index, why: why.clone() },
    };
    Ok(())
}

pub(super) fn finish(
    incident: &mut Incident,
    at: Timestamp,
    id: &ExecutionId,
    outcome: &Outcome,
) -> Result<(), Illegal> {
    let changes = changes(incident, id)?;
    let execution = find(incident, id)?;
    let (applied, settled) = (execution.applied(), execution.settled());
    let stopped = execution.stopped_by().is_some();
    let fits = match (outcome, &execution.state) {
        (Outcome::Applied, ExecutionState::Ready) => !stopped && settled == changes && applied > 0,
        (Outcome::Stopped { at, .. }, ExecutionState::Ready) => {
            *at == settled && (stopped || settled < changes || applied == 0)
        }
        (Outcome::Unknown { at }, ExecutionState::Unsettled { index, .. }) => at == index,
        (
            Outcome::Applied | Outcome::Stopped { .. } | Outcome::Unknown { .. },
            ExecutionState::Ready
            | ExecutionState::Intended { .. }
            | ExecutionState::Unsettled { .. }
            | ExecutionState::Verifying { .. }
            | ExecutionState::Finished { .. },
        ) => false,
    };
    if !fits {
        return Err(Illegal::OtherOutcome(id.clone()));
    }
    execution.state = if applied > 0 {
        ExecutionState::Verifying { since: at, outcome: outcome.clone() }
    } else {
        ExecutionState::Finished { outcome: outcome.clone(), verdict: None, checks: Vec::new() }
    };
    Ok(())
}

pub(super) fn verify(
    incident: &mut Incident,
    id: &ExecutionId,
    verdict: Verdict,
    checks: &[CheckResult],
) -> Result<(), Illegal> {
    let execution = find(incident, id)?;
    match &execution.state {
        ExecutionState::Verifying { since: _, outcome } => {
            execution.state = ExecutionState::Finished {
                outcome: outcome.clone(),
                verdict: Some(verdict),
                checks: checks.to_vec(),
            };
            Ok(())
        }
        state @ (ExecutionState::Ready
        | ExecutionState::Intended { .. }
        | ExecutionState::Unsettled { .. }
        | ExecutionState::Finished { .. }) => Err(Illegal::NotVerifying(id.clone(), state.word())),
    }
}

/// A person's word stands for the receipt that was lost.
pub(super) fn settle(
    incident: &mut Incident,
    at: Timestamp,
    id: &ExecutionId,
    index: u32,
    applied: bool,
    by: &Actor,
) -> Result<(), Illegal> {
    let execution = find(incident, id)?;
    match &execution.state {
        ExecutionState::Unsettled { index: doubtful, .. } if *doubtful == index => {}
        ExecutionState::Unsettled { .. }
        | ExecutionState::Ready
        | ExecutionState::Intended { .. }
        | ExecutionState::Verifying { .. }
        | ExecutionState::Finished { .. } => return Err(Illegal::NotInDoubt(id.clone(), index)),
    }
    execution.done.pop();
    execution.done.push(if applied { seen_by_a_person(at) } else { denied_by_a_person(by) });
    execution.state = ExecutionState::Ready;
    Ok(())
}

fn seen_by_a_person(at: Timestamp) -> ChangeOutcome {
    let before = serde_json::Value::Null;
    ChangeOutcome::Applied {
        receipt: Receipt { at, resource_version: Text::default(), looked_up: true, before },
    }
}

fn denied_by_a_person(by: &Actor) -> ChangeOutcome {
    ChangeOutcome::Refused { code: 0, why: format!("{} looked: it did not happen", by.name).into() }
}

fn changes(incident: &Incident, id: &ExecutionId) -> Result<u32, Illegal> {
    let execution = incident.executions.get(id).ok_or_else(|| Illegal::UnknownExecution(id.clone()))?;
    let record = incident
        .proposals
        .get(&execution.proposal)
        .ok_or_else(|| Illegal::UnknownProposal(execution.proposal.clone()))?;
    Ok(u32::try_from(record.proposal.plan.changes.len()).unwrap_or(u32::MAX))
}

fn find<'a>(incident: &'a mut Incident, id: &ExecutionId) -> Result<&'a mut Execution, Illegal> {
    incident.executions.get_mut(id).ok_or_else(|| Illegal::UnknownExecution(id.clone()))
}
