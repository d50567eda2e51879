//! Which remedies an incident should have proposals for, and what to do about those it has. Pure.
//!
//! A question to the state: asked again it gives the same answer. Refuses to plan and to read.

use jiff::Timestamp;

use crate::incident::{
    Candidate, ConditionId, ExecutionState, Incident, Mode, ObjectRef, Outcome, Plan, ProposalId, ProposalRecord,
    ProposalState, Status, Text, Verdict,
};

/// After so many executions that did not help, a remedy is not offered again.
const MOST_FAILURES: usize = 2;
/// So many members are put into one proposal.
pub(super) const MOST_MEMBERS: usize = 40;

/// Whether proposals may be made now at all.
pub(super) fn may_offer(incident: &Incident) -> bool {
    let open = match &incident.status {
        Status::Open => true,
        Status::Absorbed { .. } | Status::Resolved { .. } => false,
    };
    open && !incident.executions.values().any(|x| !matches!(x.state, ExecutionState::Finished { .. }))
}

/// What is to be done about one remedy.
#[derive(Debug, PartialEq)]
pub(super) enum Offer<'i> {
    /// There is no proposal that could still be approved: make one.
    Make,
    /// Nobody has decided about this one yet: replace it if its plan would be another by now.
    Compare(&'i ProposalRecord),
    /// Leave it as it is; it was decided, or has failed too often.
    Leave,
}

/// What is to be done about a remedy that the playbook offers now.
pub(super) fn offer<'i>(incident: &'i Incident, candidate: &Candidate) -> Offer<'i> {
    match candidate.mode {
        Mode::Observe => return Offer::Leave,
        Mode::Approve | Mode::Auto { .. } => {}
    }
    let mine = || incident.proposals.values().filter(|record| is_for(record, &candidate.remedy));
    if let Some(record) = mine().find(|record| record.is_live()) {
        return if record.decisions.is_empty() { Offer::Compare(record) } else { Offer::Leave };
    }
    let denied = mine().any(|record| {
        record.state == ProposalState::Denied && record.proposal.remedy.parameters == candidate.parameters
    });
    if denied || failures(incident, &candidate.remedy) >= MOST_FAILURES { Offer::Leave } else { Offer::Make }
}

/// Proposals that nobody decided about and whose remedy is not offered any more.
pub(super) fn withdrawn<'i>(incident: &'i Incident, candidates: &[Candidate]) -> Vec<&'i ProposalId> {
    let offered = |record: &ProposalRecord| candidates.iter().any(|c| is_for(record, &c.remedy));
    let over = |record: &&ProposalRecord| {
        record.state == ProposalState::Open && record.proposal.undoes.is_none() && !offered(record)
    };
    incident.proposals.values().filter(over).map(|record| &record.proposal.id).collect()
}

/// How often executions of a remedy ended and the condition stayed.
fn failures(incident: &Incident, remedy: &Text) -> usize {
    let of_remedy = |proposal: &ProposalId| {
        incident.proposals.get(proposal).is_some_and(|record| is_for(record, remedy))
    };
    let executions = incident.executions.values().filter(|x| of_remedy(&x.proposal));
    executions.filter(|x| has_failed(&x.state)).count()
}

/// Nothing written is no failure; anything but a fix is.
fn has_failed(state: &ExecutionState) -> bool {
    match state {
        ExecutionState::Finished { outcome: Outcome::Stopped { at: 0, .. }, .. } => false,
        ExecutionState::Finished { verdict, .. } => *verdict != Some(Verdict::Fixed),
        ExecutionState::Ready
        | ExecutionState::Intended { .. }
        | ExecutionState::Unsettled { .. }
        | ExecutionState::Verifying { .. } => false,
    }
}

fn is_for(record: &ProposalRecord, remedy: &Text) -> bool {
    record.proposal.undoes.is_none() && record.proposal.remedy.id == *remedy
}

/// Whether a proposal should be replaced by one with the plan that would be made now, under the same marker.
pub(super) fn differs(record: &ProposalRecord, plan: &Plan, missing: &[crate::incident::Rule]) -> bool {
    record.proposal.plan != *plan || record.proposal.missing_rights != missing
}

/// Whether the mode allows to execute it without a person, as far as the playbook says.
pub(super) fn auto_budget(candidate: &Candidate) -> Option<u32> {
    match candidate.mode {
        Mode::Auto { per_hour } => Some(per_hour),
        Mode::Approve | Mode::Observe => None,
    }
}

/// How many of an incident's executions began within the hour before `now`.
pub(super) fn executions_within_an_hour(incident: &Incident, now: Timestamp) -> u32 {
    let hour = jiff::SignedDuration::from_hours(1);
    let recent = incident.executions.values().filter(|x| now.duration_since(x.started) < hour);
    u32::try_from(recent.count()).unwrap_or(u32::MAX)
}

/// The members of an incident that its remedy is carried out on besides the subject, and a warning where
/// there are more than one proposal takes.
pub(super) fn others(subject: &ObjectRef, members: Vec<ObjectRef>) -> (Vec<ObjectRef>, Option<Text>) {
    let same = |member: &ObjectRef| member.api == subject.api && !same_name(member, subject);
    let mut others: Vec<ObjectRef> = members.into_iter().filter(same).collect();
    let all = others.len() + 1;
    others.truncate(MOST_MEMBERS - 1);
    let cut = (others.len() + 1 < all).then(|| {
        Text::from(format!("This covers {} of {all} objects; a further proposal follows for the others.", others.len() + 1))
    });
    (others, cut)
}

fn same_name(a: &ObjectRef, b: &ObjectRef) -> bool {
    a.cluster == b.cluster && a.api == b.api && a.namespace == b.namespace && a.name == b.name
}

/// The text that says a remedy could not be planned.
pub(super) fn unplanned(condition: &ConditionId, remedy: &Text, why: &str) -> Text {
    Text::from(format!("Remedy {remedy} of {condition} could not be proposed: {why}"))
}
