//! Carrying out what was approved: one stored entry before and one after every effect.
//!
//! Every function here does one step that `incident::next` named, and enters what came of it, provided that
//! the step is still the one that is due. Refuses to send without a permit made at that very moment, and to
//! send again what may have arrived, unless the writer says that a second sending is harmless.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::clock;
use super::failpoint::Failpoint;
use super::refused::Refused;
use super::shared::Shared;
use crate::cluster::apply::{Attempt, Writer};
use crate::gate::{self, Permit, Refusal};
use crate::incident::{
    Actor, ChangeOutcome, Entry, ExecutionId, Incident, IncidentId, Outcome, Plan, ProposalId, Step, Text,
    next,
};

/// How often a change is tried that was not sent, or is known not to have arrived.
const MOST_TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
/// For so long a cluster that does not answer is asked what became of a change; then a person is.
const ASKED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// What a step led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// Something was entered; ask for the next step.
    Made,
    /// Nothing can be done now; come back later.
    Later,
}

impl Shared {
    /// Does the step, which was due for the incident as given.
    pub(super) async fn step(&self, incident: &Incident, step: &Step) -> Result<Progress, Refused> {
        match step {
            Step::StartExecution { proposal } => self.start(incident, step, proposal).await,
            Step::SendChange { execution, index } => self.send(incident, step, execution, *index).await,
            Step::LookUp { execution, index } => self.look_up(incident, step, execution, *index).await,
            Step::FinishExecution { execution, outcome } => {
                self.finish(incident, step, execution, outcome).await
            }
            Step::MarkStale { proposal, why } => self.stale(incident, step, proposal, why.clone()).await,
            Step::Expire { proposal } => {
                let made =
                    self.enter_if_due(incident, step, &Entry::Expired { proposal: proposal.clone() }).await;
                self.offers.lock().ask(&incident.id);
                made
            }
            Step::Unsilence => {
                self.enter_if_due(incident, step, &Entry::Unsilenced { by: Actor::auto() }).await
            }
            Step::Verify { execution, deadline } => self.verify(incident, execution, *deadline).await,
        }
    }

    /// Enters, provided that the incident still asks for the step.
    pub(super) async fn enter_if_due(
        &self,
        incident: &Incident,
        step: &Step,
        entry: &Entry,
    ) -> Result<Progress, Refused> {
        let mut entered = false;
        let decide = |incident: &Incident, now: Timestamp| -> Result<Vec<Entry>, Refused> {
            entered = next(incident, now, self.brake()).step.as_ref() == Some(step);
            Ok(if entered { vec![entry.clone()] } else { Vec::new() })
        };
        self.change(&incident.id, decide).await?;
        Ok(if entered { Progress::Made } else { Progress::Later })
    }

    async fn stale(
        &self,
        incident: &Incident,
        step: &Step,
        proposal: &ProposalId,
        why: Text,
    ) -> Result<Progress, Refused> {
        let made = self.enter_if_due(incident, step, &Entry::Stale { proposal: proposal.clone(), why }).await;
        self.offers.lock().ask(&incident.id);
        made
    }

    async fn start(
        &self,
        incident: &Incident,
        step: &Step,
        proposal: &ProposalId,
    ) -> Result<Progress, Refused> {
        let permit = match self.permit(incident, proposal) {
            Ok(permit) => permit,
            Err(Refusal::Paused) => return Ok(Progress::Later),
            Err(refusal) => return self.stale(incident, step, proposal, refusal.to_string().into()).await,
        };
        let Some(seat) = self.seat(permit.cluster()) else { return Ok(Progress::Later) };
        let missing = seat.missing(&permit.plan().rules).await;
        if !missing.is_empty() {
            let refusal = Refusal::MissingRights { rules: missing };
            return self.stale(incident, step, proposal, refusal.to_string().into()).await;
        }
        let started = Entry::ExecutionStarted {
            execution: ExecutionId::of(proposal),
            proposal: proposal.clone(),
            digest: permit.digest().clone(),
            approvers: permit.approvers().to_vec(),
        };
        self.pass(Failpoint::BeforeStarted);
        let made = self.enter_if_due(incident, step, &started).await;
        self.pass(Failpoint::AfterStarted);
        made
    }

    async fn send(
        &self,
        incident: &Incident,
        step: &Step,
        execution: &ExecutionId,
        index: u32,
    ) -> Result<Progress, Refused> {
        let Some(proposal) = proposal_of(incident, execution) else { return Ok(Progress::Later) };
        let permit = match self.permit(incident, proposal) {
            Ok(permit) => permit,
            Err(Refusal::Paused) => return Ok(Progress::Later),
            Err(refusal) => {
                let outcome = Outcome::Stopped { at: index, why: refusal.to_string().into() };
                return self.stop(incident, step, execution, outcome).await;
            }
        };
        let Some(seat) = self.seat(permit.cluster()) else { return Ok(Progress::Later) };
        self.pass(Failpoint::BeforeIntended);
        let intended = Entry::ChangeIntended { execution: execution.clone(), index };
        if self.enter_if_due(incident, step, &intended).await? == Progress::Later {
            return Ok(Progress::Later);
        }
        self.pass(Failpoint::AfterIntended);
        self.pass(Failpoint::BeforeSend);
        let attempt = first_sending(&seat.writer(), &permit, at(index)).await;
        self.pass(Failpoint::AfterSend);
        self.conclude(&incident.id, execution, index, attempt).await
    }

    /// After a crash or a lost answer: looks, and sends again only what is known not to be there.
    async fn look_up(
        &self,
        incident: &Incident,
        step: &Step,
        execution: &ExecutionId,
        index: u32,
    ) -> Result<Progress, Refused> {
        let Some((proposal, plan)) = plan_of(incident, execution) else { return Ok(Progress::Later) };
        let Some(seat) = self.seat(&incident.finding.key.cluster) else { return Ok(Progress::Later) };
        self.pass(Failpoint::BeforeLookUp);
        let mut attempt = seat.writer().look_up_plan(plan, at(index)).await;
        self.pass(Failpoint::AfterLookUp);
        if let Attempt::NotMade { .. } = &attempt {
            attempt = match self.permit(incident, proposal) {
                Ok(permit) if self.is_due(incident, step).await? => {
                    self.pass(Failpoint::BeforeSend);
                    let again = seat.writer().apply_again(&permit, at(index)).await;
                    self.pass(Failpoint::AfterSend);
                    again
                }
                Ok(_) | Err(Refusal::Paused) => return Ok(Progress::Later),
                Err(refusal) => Attempt::Over(ChangeOutcome::Unknown {
                    why: format!("the cluster shows no trace of it, and it may not be sent again: {refusal}")
                        .into(),
                }),
            };
        }
        self.conclude(&incident.id, execution, index, attempt).await
    }

    async fn is_due(&self, incident: &Incident, step: &Step) -> Result<bool, Refused> {
        let fresh = self.ledger.get(&incident.id).await?;
        Ok(next(&fresh, clock::now(), self.brake()).step.as_ref() == Some(step))
    }

    /// Enters what became of a change, once that is known or nothing more is tried.
    async fn conclude(
        &self,
        incident: &IncidentId,
        execution: &ExecutionId,
        index: u32,
        attempt: Attempt,
    ) -> Result<Progress, Refused> {
        let outcome = match attempt {
            Attempt::Over(outcome) => outcome,
            Attempt::NotMade { .. } | Attempt::Unreachable { .. } if self.may_ask_on(execution) => {
                return Ok(Progress::Later);
            }
            Attempt::NotSent { .. } | Attempt::NotMade { .. } | Attempt::Unreachable { .. } => {
                attempt.given_up()
            }
        };
        self.in_doubt.lock().remove(execution);
        log(execution, index, &outcome);
        self.pass(Failpoint::BeforeDone);
        let done = Entry::ChangeDone { execution: execution.clone(), index, outcome };
        self.change(incident, |_, _| -> Result<Vec<Entry>, Refused> { Ok(vec![done.clone()]) }).await?;
        self.pass(Failpoint::AfterDone);
        Ok(Progress::Made)
    }

    fn may_ask_on(&self, execution: &ExecutionId) -> bool {
        let now = clock::now();
        let since = *self.in_doubt.lock().entry(execution.clone()).or_insert(now);
        now.duration_since(since) < ASKED_FOR
    }

    async fn finish(
        &self,
        incident: &Incident,
        step: &Step,
        execution: &ExecutionId,
        outcome: &Outcome,
    ) -> Result<Progress, Refused> {
        self.stop(incident, step, execution, outcome.clone()).await
    }

    async fn stop(
        &self,
        incident: &Incident,
        step: &Step,
        execution: &ExecutionId,
        outcome: Outcome,
    ) -> Result<Progress, Refused> {
        self.pass(Failpoint::BeforeFinished);
        let finished = Entry::ExecutionFinished { execution: execution.clone(), outcome };
        let made = self.enter_if_due(incident, step, &finished).await;
        self.offers.lock().ask(&incident.id);
        self.pass(Failpoint::AfterFinished);
        made
    }

    fn permit(&self, incident: &Incident, proposal: &ProposalId) -> Result<Permit, Refusal> {
        let paused = self.brake() == crate::incident::Brake::On;
        gate::permit(&self.policy(), incident, proposal, paused, clock::now())
    }
}

/// Tries again what was not sent; what was sent and is known not to have arrived is sent once more.
async fn first_sending(writer: &Writer, permit: &Permit, index: usize) -> Attempt {
    let mut attempt = writer.apply(permit, index).await;
    for _ in 1..MOST_TRIES {
        attempt = match attempt {
            Attempt::Over(_) | Attempt::Unreachable { .. } => return attempt,
            Attempt::NotSent { .. } => {
                pause().await;
                writer.apply(permit, index).await
            }
            Attempt::NotMade { .. } => {
                pause().await;
                writer.apply_again(permit, index).await
            }
        };
    }
    attempt
}

#[expect(clippy::disallowed_methods, reason = "a pause between two tries")]
async fn pause() {
    tokio::time::sleep(BETWEEN_TRIES).await;
}

fn proposal_of<'i>(incident: &'i Incident, execution: &ExecutionId) -> Option<&'i ProposalId> {
    incident.executions.get(execution).map(|execution| &execution.proposal)
}

fn plan_of<'i>(incident: &'i Incident, execution: &ExecutionId) -> Option<(&'i ProposalId, &'i Plan)> {
    let proposal = proposal_of(incident, execution)?;
    Some((proposal, &incident.proposals.get(proposal)?.proposal.plan))
}

fn at(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

fn log(execution: &ExecutionId, index: u32, outcome: &ChangeOutcome) {
    let (word, why) = match outcome {
        ChangeOutcome::Applied { receipt } if receipt.looked_up => ("was found made", ""),
        ChangeOutcome::Applied { .. } => ("was made", ""),
        ChangeOutcome::Stale { why } => ("was not sent: ", why.as_str()),
        ChangeOutcome::Needless { why } => ("is needless: ", why.as_str()),
        ChangeOutcome::Refused { why, .. } => ("was refused: ", why.as_str()),
        ChangeOutcome::Unknown { why } => ("is in doubt: ", why.as_str()),
    };
    metrics::counter!("kubemend_changes_total", "outcome" => label(outcome)).increment(1);
    tracing::info!(execution.id = %execution, change.index = index, "change {index} of {execution} {word}{why}");
}

fn label(outcome: &ChangeOutcome) -> &'static str {
    match outcome {
        ChangeOutcome::Applied { .. } => "applied",
        ChangeOutcome::Stale { .. } => "stale",
        ChangeOutcome::Needless { .. } => "needless",
        ChangeOutcome::Refused { .. } => "refused",
        ChangeOutcome::Unknown { .. } => "unknown",
    }
}
