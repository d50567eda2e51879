//! From an incident to its proposals: the playbook's remedies, planned on fresh evidence and live objects.
//!
//! What should be done about each remedy is said by `offer`; here it is done: read, plan, try, enter.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::clock;
use super::look::{Reading, Sight};
use super::offer::{self, Offer};
use super::planning::{Draft, NoDraft};
use super::refused::Refused;
use super::seat::Seat;
use super::shared::Shared;
use crate::gate;
use crate::incident::{
    Actor, Candidate, Decision, DecisionKind, Entry, ExecutionId, Incident, IncidentId, Plan, Preview,
    Proposal, ProposalId, ProposalRecord, Remedy, Rule, Text,
};
use crate::playbook;

/// How soon a pass over an incident's remedies may follow another.
const BETWEEN_PASSES: SignedDuration = SignedDuration::from_secs(2);

/// Which incidents ask for a pass over their remedies, and when the last one was.
#[derive(Default)]
pub(super) struct Offers(HashMap<IncidentId, Turn>);

#[derive(Clone, Copy, Default)]
struct Turn {
    asked: bool,
    last: Option<Timestamp>,
}

impl Offers {
    /// Something changed that proposals depend on.
    pub(super) fn ask(&mut self, id: &IncidentId) {
        self.0.entry(id.clone()).or_default().asked = true;
    }

    /// The incident is over.
    pub(super) fn forget(&mut self, id: &IncidentId) {
        self.0.remove(id);
    }

    /// When the next pass is due; a pass that is due by `now` counts as begun.
    fn begin(&mut self, id: &IncidentId, every: SignedDuration, now: Timestamp) -> Result<(), Timestamp> {
        let turn = self.0.entry(id.clone()).or_insert(Turn { asked: true, last: None });
        let wait = if turn.asked { BETWEEN_PASSES } else { every };
        let due = turn.last.map_or(now, |last| last.checked_add(wait).unwrap_or(last));
        if due > now {
            return Err(due);
        }
        *turn = Turn { asked: false, last: Some(now) };
        Ok(())
    }
}

/// A proposal before it has its place in the incident.
pub(super) struct Offered {
    pub remedy: Remedy,
    pub plan: Plan,
    pub preview: Preview,
    pub missing: Vec<Rule>,
    pub undoes: Option<ExecutionId>,
    pub requested_by: Option<Actor>,
}

impl Shared {
    /// Makes, compares and withdraws the proposals of an incident, if that is due. Gives the time to come again.
    pub(super) async fn propose(&self, incident: &Incident) -> Result<Option<Timestamp>, Refused> {
        if !offer::may_offer(incident) {
            return Ok(None);
        }
        let (every, now) = (self.options.refresh_every, clock::now());
        if let Err(due) = self.offers.lock().begin(&incident.id, every, now) {
            return Ok(Some(due));
        }
        let again = now.checked_add(every).ok();
        let Some(seat) = self.seat(&incident.finding.key.cluster) else { return Ok(again) };
        let Some((finding, sight)) = self.fresh_finding(incident).await else {
            self.offers.lock().ask(&incident.id);
            return Ok(now.checked_add(BETWEEN_PASSES).ok());
        };
        let book = self.book();
        let Some(playbook) = book.get(&finding.condition) else { return Ok(again) };
        let candidates = playbook::remedies(playbook, &finding, &sight.evidence);
        for candidate in &candidates {
            let draft = Draft { incident, candidate, finding: &finding, evidence: &sight.evidence };
            self.consider(seat, &draft).await?;
        }
        if sight.evidence.seen.gaps.is_empty() {
            self.withdraw(incident, &candidates).await?;
        }
        Ok(again)
    }

    /// The subject that speaks for the incident, looked at anew. `None`: it does not show it at this moment.
    pub(super) async fn fresh_finding(
        &self,
        incident: &Incident,
    ) -> Option<(crate::incident::Finding, Sight)> {
        let key = &incident.finding.key;
        let told = self
            .board
            .lock()
            .group(key)
            .filter(|group| !group.is_empty())
            .map(|g| g.finding.subject.clone())?;
        let sight = self.look(&told, Reading::Fresh).await?;
        let finding = sight.findings.iter().find(|finding| finding.key == *key).cloned()?;
        Some((finding, sight))
    }

    async fn consider(&self, seat: &Seat, draft: &Draft<'_>) -> Result<(), Refused> {
        let incident = draft.incident;
        match offer::offer(incident, draft.candidate, clock::now()) {
            Offer::Leave => Ok(()),
            Offer::Make => self.make(seat, draft, None).await,
            Offer::Compare(record) => match self.plan(seat, draft, &record.proposal.id).await {
                Ok(plan) => {
                    let missing = seat.missing(&plan.rules).await;
                    if offer::differs(record, &plan, &missing) {
                        return self.make(seat, draft, Some(record)).await;
                    }
                    Ok(())
                }
                Err(NoDraft::Refused(why)) => self.gone_stale(incident, &record.proposal.id, &why).await,
                Err(NoDraft::Unread(_)) => Ok(()),
            },
        }
    }

    async fn make(
        &self,
        seat: &Seat,
        draft: &Draft<'_>,
        old: Option<&ProposalRecord>,
    ) -> Result<(), Refused> {
        let Draft { incident, candidate, .. } = draft;
        let id = self.ledger.get(&incident.id).await?.next_proposal();
        let plan = match self.plan(seat, draft, &id).await {
            Ok(plan) => plan,
            Err(NoDraft::Refused(why)) => {
                return self.note_once(&candidate.condition, incident, &candidate.remedy, &why).await;
            }
            Err(NoDraft::Unread(why)) => {
                tracing::debug!(incident.id = %incident.id, "remedy {} waits: {why}", candidate.remedy);
                self.offers.lock().ask(&incident.id);
                return Ok(());
            }
        };
        let (preview, missing) = (seat.preview(&plan).await, seat.missing(&plan.rules).await);
        let remedy = Remedy {
            id: candidate.remedy.clone(),
            title: candidate.title.clone(),
            parameters: candidate.parameters.clone(),
        };
        let offered = Offered { remedy, plan, preview, missing, undoes: None, requested_by: None };
        let old = old.map(|record| &record.proposal.id);
        if let Some(made) = self.put_forward(&incident.id, &offered, old).await? {
            self.approve_automatically(&incident.id, &made, candidate).await;
        }
        Ok(())
    }

    /// Enters a proposal, in the place of `old` where there is one. `None`: it came too late to be entered.
    pub(super) async fn put_forward(
        &self,
        incident: &IncidentId,
        offered: &Offered,
        old: Option<&ProposalId>,
    ) -> Result<Option<ProposalId>, Refused> {
        let policy = self.policy();
        let mut made = None;
        let decide = |incident: &Incident, now: Timestamp| -> Result<Vec<Entry>, Refused> {
            made = None;
            let undecided = |old: &ProposalId| {
                incident
                    .proposals
                    .get(old)
                    .is_some_and(|record| record.is_live() && record.decisions.is_empty())
            };
            let welcome = offered.undoes.is_some() || offer::may_offer(incident);
            let in_time = incident.next_proposal() == offered.plan.marker && old.is_none_or(undecided);
            if !welcome || !in_time {
                return Ok(Vec::new());
            }
            let (wanted, lives) = gate::proposal_policy(&policy, &offered.plan, &incident.finding.key.place);
            let proposal = proposal(offered, wanted, now, lives);
            made = Some(proposal.id.clone());
            let superseded =
                old.map(|old| Entry::Superseded { proposal: old.clone(), by: proposal.id.clone() });
            let proposed = Entry::Proposed { proposal: Box::new(proposal) };
            Ok(std::iter::once(proposed).chain(superseded).collect())
        };
        self.change(incident, decide).await?;
        Ok(made)
    }

    async fn withdraw(&self, incident: &Incident, candidates: &[Candidate]) -> Result<(), Refused> {
        let now = self.ledger.get(&incident.id).await?;
        for proposal in offer::withdrawn(&now, candidates) {
            self.gone_stale(&now, proposal, "the remedy does not fit any more").await?;
        }
        Ok(())
    }

    async fn gone_stale(&self, incident: &Incident, proposal: &ProposalId, why: &str) -> Result<(), Refused> {
        let decide = |now: &Incident, _: Timestamp| -> Result<Vec<Entry>, Refused> {
            let undecided = |record: &ProposalRecord| record.is_live() && record.decisions.is_empty();
            let stale = Entry::Stale { proposal: proposal.clone(), why: why.into() };
            Ok(if now.proposals.get(proposal).is_some_and(undecided) { vec![stale] } else { Vec::new() })
        };
        self.change(&incident.id, decide).await.map(drop)
    }

    /// Says why a remedy could not be planned, unless the incident says so already.
    async fn note_once(
        &self,
        condition: &crate::incident::ConditionId,
        incident: &Incident,
        remedy: &Text,
        why: &str,
    ) -> Result<(), Refused> {
        let text = offer::unplanned(condition, remedy, why);
        if self.has_note(&incident.id, &text).await? {
            return Ok(());
        }
        let noted = Entry::Noted { text };
        self.change(&incident.id, |_, _| -> Result<Vec<Entry>, Refused> { Ok(vec![noted.clone()]) })
            .await
            .map(drop)
    }

    /// A remedy in mode `auto` is approved by kubemend itself, within its budget and if the gate lets it.
    async fn approve_automatically(
        &self,
        incident: &IncidentId,
        proposal: &ProposalId,
        candidate: &Candidate,
    ) {
        let Some(budget) = offer::auto_budget(candidate) else { return };
        let policy = self.policy();
        let decide = |incident: &Incident, now: Timestamp| -> Result<Vec<Entry>, Refused> {
            let Some(record) = incident.proposals.get(proposal) else { return Ok(Vec::new()) };
            if offer::executions_within_an_hour(incident, now) >= budget {
                return Ok(Vec::new());
            }
            let digest = record.proposal.digest.clone();
            let note = "the playbook is in mode auto".into();
            let decision = Decision { kind: DecisionKind::Approve, by: Actor::auto(), digest, at: now, note };
            gate::decide(&policy, record, &incident.finding, &decision, None, now)?;
            Ok(vec![Entry::Decided { proposal: proposal.clone(), decision }])
        };
        if let Err(refused) = self.change(incident, decide).await {
            tracing::info!(proposal.id = %proposal, "proposal {proposal} waits for a person: {refused}");
        }
    }
}

fn proposal(
    offered: &Offered,
    policy: crate::incident::ApprovalPolicy,
    now: Timestamp,
    lives: SignedDuration,
) -> Proposal {
    let Offered { remedy, plan, preview, missing, undoes, requested_by } = offered;
    Proposal {
        id: plan.marker.clone(),
        remedy: remedy.clone(),
        digest: plan.digest(),
        plan: plan.clone(),
        preview: preview.clone(),
        missing_rights: missing.clone(),
        policy,
        made: now,
        expires: now.checked_add(lives).unwrap_or(Timestamp::MAX),
        requested_by: requested_by.clone(),
        undoes: undoes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    const EVERY: SignedDuration = SignedDuration::from_secs(30);

    #[test]
    fn a_pass_follows_soon_when_asked_for_and_seldom_otherwise() {
        let (mut offers, id) = (Offers::default(), IncidentId::from("i-1"));
        assert_eq!(offers.begin(&id, EVERY, at(0)), Ok(()));
        assert_eq!(offers.begin(&id, EVERY, at(1)), Err(at(30)));
        offers.ask(&id);
        assert_eq!(offers.begin(&id, EVERY, at(1)), Err(at(2)));
        assert_eq!(offers.begin(&id, EVERY, at(2)), Ok(()));
        assert_eq!(offers.begin(&id, EVERY, at(31)), Err(at(32)));
        assert_eq!(offers.begin(&id, EVERY, at(32)), Ok(()));
    }
}
