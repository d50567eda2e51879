//! What is due: the one step an incident asks for now, and when to look again.
//!
//! A question to the state, so that after a crash the same state gives the same step. Refuses to know how a
//! step is done, and everything about clusters.

use jiff::{SignedDuration, Timestamp};

use super::{
    ChangeOutcome, Execution, ExecutionId, ExecutionState, Incident, Outcome, ProposalId, ProposalRecord,
    ProposalState, Status, Text,
};

/// Something to do for an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A change was about to be sent and nothing says what came of it: ask the cluster, send nothing.
    LookUp { execution: ExecutionId, index: u32 },
    /// The next change: store the intent, then send it.
    SendChange { execution: ExecutionId, index: u32 },
    /// No further change will be sent; write down how it ended.
    FinishExecution { execution: ExecutionId, outcome: Outcome },
    /// The proposal no longer fits what is so.
    MarkStale { proposal: ProposalId, why: Text },
    /// Nobody executed it in time.
    Expire { proposal: ProposalId },
    /// Enough people approved.
    StartExecution { proposal: ProposalId },
    /// The silence is over.
    Unsilence,
    /// Look at the checks; from the deadline on, what is not true counts as not fixed.
    Verify { execution: ExecutionId, deadline: Timestamp },
}

/// The step that is due and the moment something else falls due without any new entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Next {
    pub step: Option<Step>,
    pub again: Option<Timestamp>,
}

/// Whether executions may go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Brake {
    Off,
    /// Somebody paused kubemend: nothing starts and no further change is sent. Looking stays allowed.
    On,
}

/// What the incident asks for at `now`.
pub fn next(incident: &Incident, now: Timestamp, brake: Brake) -> Next {
    let step = running(incident, brake)
        .or_else(|| ending(incident, now))
        .or_else(|| starting(incident, brake))
        .or_else(|| unsilencing(incident, now))
        .or_else(|| verifying(incident));
    Next { step, again: again(incident, now) }
}

/// At most one execution changes objects at a time; it goes first.
fn running(incident: &Incident, brake: Brake) -> Option<Step> {
    incident.executions.values().find_map(|execution| match &execution.state {
        ExecutionState::Intended { index } => {
            Some(Step::LookUp { execution: execution.id.clone(), index: *index })
        }
        ExecutionState::Ready => ready(incident, execution, brake),
        ExecutionState::Unsettled { .. }
        | ExecutionState::Verifying { .. }
        | ExecutionState::Finished { .. } => None,
    })
}

fn ready(incident: &Incident, execution: &Execution, brake: Brake) -> Option<Step> {
    let record = incident.proposals.get(&execution.proposal)?;
    let (settled, id) = (execution.settled(), execution.id.clone());
    let finish = |outcome| Some(Step::FinishExecution { execution: id.clone(), outcome });
    if let Some(why) = execution.stopped_by() {
        return finish(Outcome::Stopped { at: settled, why: why.clone() });
    }
    if usize::try_from(settled).is_ok_and(|behind| behind >= record.proposal.plan.changes.len()) {
        return finish(whole(execution));
    }
    if let Some(why) = pointless(incident, record) {
        return finish(Outcome::Stopped { at: settled, why });
    }
    match brake {
        Brake::On => None,
        Brake::Off => Some(Step::SendChange { execution: id, index: settled }),
    }
}

/// The end of an execution that went through its whole plan. Where every change was needless, nothing was
/// written, so it counts as stopped.
fn whole(execution: &Execution) -> Outcome {
    match execution.done.last() {
        Some(ChangeOutcome::Needless { why }) if execution.applied() == 0 => {
            Outcome::Stopped { at: execution.settled(), why: why.clone() }
        }
        _ => Outcome::Applied,
    }
}

/// A remedy for what is over must not be carried out. Taking something back stays possible.
fn pointless(incident: &Incident, record: &ProposalRecord) -> Option<Text> {
    match &incident.status {
        Status::Resolved { .. } if record.proposal.undoes.is_none() => Some("the condition is gone".into()),
        Status::Resolved { .. } | Status::Open | Status::Absorbed { .. } => None,
    }
}

fn ending(incident: &Incident, now: Timestamp) -> Option<Step> {
    incident.proposals.values().find_map(|record| {
        let proposal = record.proposal.id.clone();
        match &record.state {
            ProposalState::Open | ProposalState::Approved => {
                if let Some(why) = pointless(incident, record) {
                    return Some(Step::MarkStale { proposal, why });
                }
                (now >= record.proposal.expires).then_some(Step::Expire { proposal })
            }
            ProposalState::Executed { execution } => {
                let why = found_stale(incident.executions.get(execution)?)?;
                Some(Step::MarkStale { proposal, why })
            }
            ProposalState::Denied
            | ProposalState::Expired
            | ProposalState::Stale { .. }
            | ProposalState::Superseded { .. } => None,
        }
    })
}

/// Why an execution wrote nothing at all, if it found its proposal out of date.
fn found_stale(execution: &Execution) -> Option<Text> {
    let ExecutionState::Finished { outcome: Outcome::Stopped { at: _, why }, .. } = &execution.state else {
        return None;
    };
    let out_of_date = |change: &ChangeOutcome| match change {
        ChangeOutcome::Stale { .. } | ChangeOutcome::Needless { .. } => true,
        ChangeOutcome::Applied { .. } | ChangeOutcome::Refused { .. } | ChangeOutcome::Unknown { .. } => {
            false
        }
    };
    execution.done.iter().all(out_of_date).then(|| why.clone())
}

fn starting(incident: &Incident, brake: Brake) -> Option<Step> {
    let busy = incident.executions.values().any(|execution| execution.state.is_changing());
    if busy || brake == Brake::On {
        return None;
    }
    incident
        .proposals
        .values()
        .find(|record| record.state == ProposalState::Approved)
        .map(|record| Step::StartExecution { proposal: record.proposal.id.clone() })
}

fn unsilencing(incident: &Incident, now: Timestamp) -> Option<Step> {
    incident.silenced_until.filter(|until| *until <= now).map(|_| Step::Unsilence)
}

fn verifying(incident: &Incident) -> Option<Step> {
    incident.executions.values().find_map(|execution| {
        let deadline = deadline(incident, execution)?;
        Some(Step::Verify { execution: execution.id.clone(), deadline })
    })
}

fn deadline(incident: &Incident, execution: &Execution) -> Option<Timestamp> {
    match &execution.state {
        ExecutionState::Verifying { since, outcome: _ } => {
            let plan = &incident.proposals.get(&execution.proposal)?.proposal.plan;
            let allowed = SignedDuration::from_secs(i64::from(plan.check_timeout_seconds));
            Some(since.checked_add(allowed).unwrap_or(Timestamp::MAX))
        }
        ExecutionState::Ready
        | ExecutionState::Intended { .. }
        | ExecutionState::Unsettled { .. }
        | ExecutionState::Finished { .. } => None,
    }
}

fn again(incident: &Incident, now: Timestamp) -> Option<Timestamp> {
    let expiries = incident.proposals.values().filter(|r| r.is_live()).map(|r| r.proposal.expires);
    let deadlines = incident.executions.values().filter_map(|x| deadline(incident, x));
    expiries.chain(deadlines).chain(incident.silenced_until).filter(|at| *at > now).min()
}

#[cfg(test)]
mod tests;
