//! The permit: the one value with which the writer changes a cluster.

use jiff::Timestamp;

use super::decide::{entitled, standing};
use super::policy::Policy;
use super::refusal::Refusal;
use crate::incident::{
    Actor, DecisionKind, Digest, Execution, ExecutionId, ExecutionState, Incident, Plan, ProposalId,
    ProposalRecord, ProposalState, Status, Text,
};

/// An approved plan, to be carried out now.
///
/// Only [`permit`] makes one: its fields are private, it is not cloned, stored or decoded. It is made anew for
/// every change, so that a pause, or a right that was taken away, holds the next one.
///
/// ```compile_fail,E0451
/// use kubemend::gate::Permit;
/// let forged = |plan, digest| Permit {
///     execution: "x-i-1.p1".into(),
///     proposal: "i-1.p1".into(),
///     cluster: "prod".into(),
///     digest,
///     plan,
///     approvers: Vec::new(),
/// };
/// ```
///
/// ```compile_fail,E0277
/// let decoded: kubemend::gate::Permit = serde_json::from_str("{}").unwrap();
/// ```
#[derive(Debug)]
pub struct Permit {
    execution: ExecutionId,
    proposal: ProposalId,
    cluster: Text,
    digest: Digest,
    plan: Plan,
    approvers: Vec<Actor>,
}

impl Permit {
    /// The execution it is for.
    pub fn execution(&self) -> &ExecutionId {
        &self.execution
    }

    /// The proposal that was approved.
    pub fn proposal(&self) -> &ProposalId {
        &self.proposal
    }

    /// The one cluster it is good for.
    pub fn cluster(&self) -> &Text {
        &self.cluster
    }

    /// What was approved.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The approved plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Those who approved it and still may.
    pub fn approvers(&self) -> &[Actor] {
        &self.approvers
    }
}

/// The permit to start an execution, or to go on with one after a change or a restart.
///
/// Everything is asked again, of the policy as it is now: the digest is computed from the plan itself, the
/// proposal must be neither ended nor expired (once it runs, it no longer expires), and enough of those who
/// approved must still be entitled to.
pub fn permit(
    policy: &Policy,
    incident: &Incident,
    id: &ProposalId,
    paused: bool,
    now: Timestamp,
) -> Result<Permit, Refusal> {
    let record = incident.proposals.get(id).ok_or_else(|| Refusal::NoProposal(id.clone()))?;
    if paused {
        return Err(Refusal::Paused);
    }
    let digest = record.proposal.plan.digest();
    if digest != record.proposal.digest {
        return Err(Refusal::Tampered(id.clone()));
    }
    match &record.state {
        ProposalState::Open | ProposalState::Approved => fresh(incident, record, now)?,
        ProposalState::Executed { execution } => running(incident.executions.get(execution), &digest, id)?,
        ProposalState::Denied
        | ProposalState::Expired
        | ProposalState::Stale { .. }
        | ProposalState::Superseded { .. } => return Err(Refusal::Closed { state: record.state.clone() }),
    }
    Ok(Permit {
        execution: ExecutionId::of(id),
        proposal: id.clone(),
        cluster: incident.finding.key.cluster.clone(),
        approvers: approvers(policy, incident, record)?,
        plan: record.proposal.plan.clone(),
        digest,
    })
}

/// An undo may be wanted after the incident is over; everything else has no object then.
fn fresh(incident: &Incident, record: &ProposalRecord, now: Timestamp) -> Result<(), Refusal> {
    let proposal = &record.proposal;
    match incident.status {
        Status::Resolved { .. } if proposal.undoes.is_none() => return Err(Refusal::IncidentOver),
        Status::Resolved { .. } | Status::Open | Status::Absorbed { .. } => {}
    }
    if now >= proposal.expires {
        return Err(Refusal::Expired(proposal.expires));
    }
    if !proposal.missing_rights.is_empty() {
        return Err(Refusal::MissingRights { rules: proposal.missing_rights.clone() });
    }
    Ok(())
}

fn running(execution: Option<&Execution>, digest: &Digest, id: &ProposalId) -> Result<(), Refusal> {
    let Some(execution) = execution else { return Err(Refusal::Tampered(id.clone())) };
    if execution.digest != *digest || execution.proposal != *id {
        return Err(Refusal::Tampered(id.clone()));
    }
    match execution.state {
        ExecutionState::Ready | ExecutionState::Intended { .. } => Ok(()),
        ExecutionState::Unsettled { .. }
        | ExecutionState::Verifying { .. }
        | ExecutionState::Finished { .. } => Err(Refusal::ExecutedAlready),
    }
}

/// Those who stand behind it and may, if they are enough.
fn approvers(policy: &Policy, incident: &Incident, record: &ProposalRecord) -> Result<Vec<Actor>, Refusal> {
    let denied = record.decisions.iter().any(|decision| decision.kind == DecisionKind::Deny);
    if denied {
        return Err(Refusal::Closed { state: ProposalState::Denied });
    }
    let risk = record.proposal.plan.risk;
    let may = |actor: &Actor| entitled(policy, actor, record, &incident.finding, risk).is_ok();
    let (still, lost): (Vec<_>, Vec<_>) =
        standing(policy, record).into_iter().partition(|(_, actor)| may(actor));
    let need = record.proposal.policy.approvals.max(1);
    if still.len() < usize::from(need) {
        let lost = lost.into_iter().map(|(person, _)| person.name().clone()).collect();
        return Err(Refusal::NotEnough { have: still.len(), need, lost });
    }
    Ok(still.into_iter().map(|(_, actor)| actor).collect())
}
