//! Whether a remedy helped: the plan's checks on what is so now.
//!
//! Reads anew everything the checks are about, and looks anew at those that showed the condition. Judging is
//! done in `checks`, without a clock.

use futures::{StreamExt as _, stream};
use jiff::Timestamp;

use super::checks::{self, Holding, Look, Seen, Showing};
use super::clock;
use super::execute::Progress;
use super::failpoint::Failpoint;
use super::look::Reading;
use super::refused::Refused;
use super::seat::Seat;
use super::shared::Shared;
use crate::incident::{
    ChangeOutcome, Check, CheckResult, Entry, Execution, ExecutionId, ExecutionState, Incident, IncidentKey,
    ObjectRef, Outcome, Plan, Text, Verdict,
};

/// So many subjects are looked at anew before a condition counts as gone.
const MOST_LOOKS: usize = 50;
const AT_ONCE: usize = 4;

impl Shared {
    /// Looks once. Enters a verdict if there is one.
    pub(super) async fn verify(
        &self,
        incident: &Incident,
        id: &ExecutionId,
        deadline: Timestamp,
    ) -> Result<Progress, Refused> {
        let Some(execution) = incident.executions.get(id) else { return Ok(Progress::Later) };
        let Some(record) = incident.proposals.get(&execution.proposal) else { return Ok(Progress::Later) };
        let results = self.results(incident, execution, &record.proposal.plan).await;
        let held = self.holding.lock().get(id).copied().unwrap_or(Holding { since: None });
        match checks::verdict(&results, held, &self.look_of(incident, execution, deadline)) {
            Err(holding) => {
                self.holding.lock().insert(id.clone(), holding);
                Ok(Progress::Later)
            }
            Ok(verdict) => self.enter_verdict(incident, id, verdict, results).await,
        }
    }

    async fn enter_verdict(
        &self,
        incident: &Incident,
        id: &ExecutionId,
        verdict: Verdict,
        checks: Vec<CheckResult>,
    ) -> Result<Progress, Refused> {
        let verified = Entry::Verified { execution: id.clone(), verdict, checks };
        self.pass(Failpoint::BeforeVerified);
        let decide = |now: &Incident, _: Timestamp| -> Result<Vec<Entry>, Refused> {
            let waits =
                now.executions.get(id).is_some_and(|x| matches!(x.state, ExecutionState::Verifying { .. }));
            Ok(if waits { vec![verified.clone()] } else { Vec::new() })
        };
        self.change(&incident.id, decide).await?;
        self.pass(Failpoint::AfterVerified);
        self.holding.lock().remove(id);
        self.offers.lock().ask(&incident.id);
        self.keys.add(incident.finding.key.clone());
        metrics::counter!("kubemend_executions_total", "verdict" => word(verdict)).increment(1);
        tracing::info!(execution.id = %id, incident.id = %incident.id, "execution {id}: {}", word(verdict));
        Ok(Progress::Made)
    }

    fn look_of(&self, incident: &Incident, execution: &Execution, deadline: Timestamp) -> Look {
        let members =
            self.board.lock().group(&incident.finding.key).map_or(0, crate::incident::grouping::Group::len);
        Look {
            now: clock::now(),
            deadline,
            steady: self.options.steady,
            members_before: execution.members_before,
            members_now: u32::try_from(members).unwrap_or(u32::MAX),
        }
    }

    async fn results(&self, incident: &Incident, execution: &Execution, plan: &Plan) -> Vec<CheckResult> {
        let result = |check| self.result(incident, check, left_out(execution, plan, check));
        let results: Vec<_> = plan.checks.iter().map(result).collect();
        stream::iter(results).buffered(AT_ONCE).collect().await
    }

    async fn result(&self, incident: &Incident, check: &Check, left_out: Option<&Text>) -> CheckResult {
        let seat = self.seat(&incident.finding.key.cluster);
        match (check, checks::target(check)) {
            (_, Some(target)) => {
                let seen = match seat {
                    Some(seat) => seat.read(target).await,
                    None => Seen::Unreadable("its cluster is not configured any more".into()),
                };
                checks::of_object(check, &seen, left_out)
            }
            (Check::ConditionGone { condition: _, key }, None) => {
                checks::of_condition(check, &self.showing(seat, key).await)
            }
            (Check::Gone(_) | Check::Field { .. } | Check::RolledOut { .. } | Check::Ready(_), None) => {
                checks::of_object(check, &Seen::Unreadable("it names no object".into()), None)
            }
        }
    }

    async fn showing(&self, seat: Option<&Seat>, key: &IncidentKey) -> Showing {
        let Some(seat) = seat else {
            return Showing::Unknown("its cluster is not configured any more".into());
        };
        let members = || -> Vec<ObjectRef> {
            self.board
                .lock()
                .group(key)
                .map(|group| group.subjects().take(MOST_LOOKS).collect())
                .unwrap_or_default()
        };
        let looks: Vec<_> = members()
            .into_iter()
            .map(|subject| async move { self.look(&subject, Reading::Fresh).await })
            .collect();
        stream::iter(looks).buffer_unordered(AT_ONCE).for_each(|_| async {}).await;
        if !seat.is_fresh() {
            return Showing::Unknown("what the cluster shows is not up to date".into());
        }
        match self.board.lock().group(key).map_or(0, crate::incident::grouping::Group::len) {
            0 => Showing::No,
            count => Showing::On(count),
        }
    }
}

/// Why the change that the check is about was not made, where that is no fault: its object got well before its
/// turn, or there was no reason to go on. Such a check is not waited for.
fn left_out<'e>(execution: &'e Execution, plan: &Plan, check: &Check) -> Option<&'e Text> {
    let target = match check {
        Check::Gone(target) | Check::Field { target, .. } | Check::RolledOut { target, .. } => target,
        Check::Ready(_) | Check::ConditionGone { .. } => return None,
    };
    let index = plan.changes.iter().position(|change| change.target == *target)?;
    match (execution.done.get(index), &execution.state) {
        (Some(ChangeOutcome::Needless { why }), _)
        | (None, ExecutionState::Verifying { outcome: Outcome::Stopped { why, .. }, .. }) => Some(why),
        (Some(_) | None, _) => None,
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fixed => "fixed",
        Verdict::NotFixed => "notFixed",
        Verdict::Regressed => "regressed",
        Verdict::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::samples;

    fn execution(done: Vec<ChangeOutcome>, outcome: Outcome) -> Execution {
        let (entries, p) = samples::executing();
        let started = samples::fold(&entries).executions[&ExecutionId::of(&p.id)].clone();
        Execution { done, state: ExecutionState::Verifying { since: samples::at(9), outcome }, ..started }
    }

    fn is_left_out(execution: &Execution, index: usize) -> bool {
        let plan = samples::proposal(&"i-1.p1".into(), 1).plan;
        let check = Check::Gone(plan.changes[index].target.clone());
        left_out(execution, &plan, &check).is_some()
    }

    #[test]
    fn a_needless_change_is_left_out_and_one_that_failed_is_not() {
        let made = samples::applied(5);
        let needless = ChangeOutcome::Needless { why: "it is running".into() };
        let some = execution(vec![made.clone(), needless], Outcome::Applied);
        assert!(!is_left_out(&some, 0) && is_left_out(&some, 1));
        for failed in [
            ChangeOutcome::Stale { why: "another uid".into() },
            ChangeOutcome::Refused { code: 403, why: "forbidden".into() },
            ChangeOutcome::Unknown { why: "no answer".into() },
        ] {
            let outcome = Outcome::Stopped { at: 1, why: "failed".into() };
            let stopped = execution(vec![made.clone(), failed.clone()], outcome);
            assert!(!is_left_out(&stopped, 1), "{failed:?}");
        }
    }

    #[test]
    fn what_was_not_reached_is_left_out_only_if_the_execution_was_stopped() {
        let made = vec![samples::applied(5)];
        let stopped = Outcome::Stopped { at: 1, why: "paused for good".into() };
        assert!(is_left_out(&execution(made.clone(), stopped), 1));
        assert!(!is_left_out(&execution(made, Outcome::Applied), 1));
    }
}
