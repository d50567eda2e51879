//! Which remedies an incident should have proposals for, and what to do about those it has. Pure.
//!
//! A question to the state: asked again it gives the same answer. Refuses to plan and to read.

use jiff::{SignedDuration, Timestamp};

use crate::actions;
use crate::incident::{
    Candidate, ConditionId, Execution, ExecutionState, Incident, Mode, ObjectRef, Outcome, Plan, ProposalId,
    ProposalRecord, ProposalState, Status, Text, Verdict,
};

/// After so many executions that did not help, a remedy is not offered again.
const MOST_FAILURES: usize = 2;
/// What was denied and what failed counts as long as the incident lasts; where it came back, for so long.
const MEMORY: SignedDuration = SignedDuration::from_hours(24);
/// So many members are put into one proposal.
pub(super) const MOST_MEMBERS: usize = 40;

/// How long a proposal stands once one has given way; twice as long after each further one.
const FIRST_STAND: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_STAND: SignedDuration = SignedDuration::from_mins(10);

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
pub(super) fn offer<'i>(incident: &'i Incident, candidate: &Candidate, now: Timestamp) -> Offer<'i> {
    match candidate.mode {
        Mode::Observe => return Offer::Leave,
        Mode::Approve | Mode::Auto { .. } => {}
    }
    let counts =
        |record: &&ProposalRecord| is_for(record, &candidate.remedy) && is_recent(incident, record, now);
    let mine = || incident.proposals.values().filter(counts);
    if !is_patient(mine(), now) {
        return Offer::Leave;
    }
    if let Some(record) = mine().find(|record| record.is_live()) {
        return if record.decisions.is_empty() { Offer::Compare(record) } else { Offer::Leave };
    }
    let denied = mine().any(|record| {
        record.state == ProposalState::Denied && record.proposal.remedy.parameters == candidate.parameters
    });
    if denied || failures(incident, &candidate.remedy, now) >= MOST_FAILURES {
        Offer::Leave
    } else {
        Offer::Make
    }
}

/// The more proposals of a remedy gave way to others lately, the longer one stands: what keeps changing must
/// not be proposed every few seconds. A plan that is out of date is safe; it is held against the live objects
/// before anything is sent.
fn is_patient<'i>(mine: impl Iterator<Item = &'i ProposalRecord>, now: Timestamp) -> bool {
    let (mut gave_way, mut newest) = (0_u32, None);
    for record in mine {
        let changed = matches!(record.state, ProposalState::Superseded { .. } | ProposalState::Stale { .. });
        gave_way += u32::from(changed);
        newest = newest.max(Some(record.proposal.made));
    }
    let stands = FIRST_STAND.saturating_mul(2_i32.saturating_pow(gave_way)).min(LONGEST_STAND);
    gave_way == 0 || newest.is_none_or(|made| now.duration_since(made) >= stands)
}

/// Proposals that nobody decided about and whose remedy is not offered any more.
pub(super) fn withdrawn<'i>(incident: &'i Incident, candidates: &[Candidate]) -> Vec<&'i ProposalId> {
    let offered = |record: &ProposalRecord| candidates.iter().any(|c| is_for(record, &c.remedy));
    let over = |record: &&ProposalRecord| {
        record.state == ProposalState::Open && record.proposal.undoes.is_none() && !offered(record)
    };
    incident.proposals.values().filter(over).map(|record| &record.proposal.id).collect()
}

/// Whether a proposal still says something about what to offer now.
fn is_recent(incident: &Incident, record: &ProposalRecord, now: Timestamp) -> bool {
    let made = record.proposal.made;
    record.is_live()
        || incident.came_back.is_none_or(|back| made >= back)
        || now.duration_since(made) < MEMORY
}

/// How often executions of a remedy ended and the condition stayed.
fn failures(incident: &Incident, remedy: &Text, now: Timestamp) -> usize {
    let counts = |record: &ProposalRecord| is_for(record, remedy) && is_recent(incident, record, now);
    let of_remedy = |proposal: &ProposalId| incident.proposals.get(proposal).is_some_and(counts);
    let executions = incident.executions.values().filter(|x| of_remedy(&x.proposal));
    executions.filter(|x| has_failed(x)).count()
}

/// Nothing written is no failure; anything but a fix is.
fn has_failed(execution: &Execution) -> bool {
    match &execution.state {
        ExecutionState::Ready
        | ExecutionState::Intended { .. }
        | ExecutionState::Unsettled { .. }
        | ExecutionState::Verifying { .. } => false,
        ExecutionState::Finished { outcome: Outcome::Stopped { .. }, .. } if execution.applied() == 0 => {
            false
        }
        ExecutionState::Finished { verdict, .. } => *verdict != Some(Verdict::Fixed),
    }
}

fn is_for(record: &ProposalRecord, remedy: &Text) -> bool {
    record.proposal.undoes.is_none() && record.proposal.remedy.id == *remedy
}

/// Whether a proposal should be replaced by one with the plan that would be made now, under the same marker.
pub(super) fn differs(record: &ProposalRecord, plan: &Plan, missing: &[crate::incident::Rule]) -> bool {
    !actions::same_but_for_time(&record.proposal.plan, plan) || record.proposal.missing_rights != missing
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
    let hour = SignedDuration::from_hours(1);
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
        Text::from(format!(
            "This covers {} of {all} objects; a further proposal follows for the others.",
            others.len() + 1
        ))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::incident::samples::{
        applied, at, auth_missing, decided, executing, fold, opened, pod, proposal,
    };
    use crate::incident::{DecisionKind, Entry, ExecutionId, Finding, Proposal};

    fn candidate() -> Candidate {
        let Finding { condition, .. } = auth_missing("a");
        Candidate {
            condition,
            remedy: "replace-pod".into(),
            title: "Replace the pod".into(),
            explanation: String::new(),
            risk: crate::incident::Risk::Low,
            mode: Mode::Approve,
            parameters: BTreeMap::new(),
            alternatives: BTreeMap::new(),
            steps: Vec::new(),
            checks: Vec::new(),
            timeout_seconds: 60,
        }
    }

    fn proposed(proposal: &Proposal) -> Entry {
        Entry::Proposed { proposal: Box::new(proposal.clone()) }
    }

    /// One execution of the proposal, from approval to a verdict.
    fn carried_out(proposal: &Proposal, verdict: Verdict, from: i64) -> Vec<Entry> {
        let execution = ExecutionId::of(&proposal.id);
        let mut entries = vec![
            proposed(proposal),
            decided(proposal, DecisionKind::Approve, "ann", from),
            crate::incident::samples::started(proposal, &["ann"]),
        ];
        for index in 0..2 {
            entries.push(Entry::ChangeIntended { execution: execution.clone(), index });
            entries.push(Entry::ChangeDone { execution: execution.clone(), index, outcome: applied(from) });
        }
        entries.push(Entry::ExecutionFinished { execution: execution.clone(), outcome: Outcome::Applied });
        entries.push(Entry::Verified { execution, verdict, checks: Vec::new() });
        entries
    }

    #[test]
    fn an_incident_without_a_proposal_gets_one() {
        assert_eq!(offer(&fold(&[opened()]), &candidate(), at(5000)), Offer::Make);
    }

    #[test]
    fn a_proposal_nobody_decided_about_is_compared_and_a_decided_one_left_alone() {
        let two = proposal(&"i-1.p1".into(), 2);
        let open = fold(&[opened(), proposed(&two)]);
        assert!(matches!(offer(&open, &candidate(), at(5000)), Offer::Compare(_)));
        let half = fold(&[opened(), proposed(&two), decided(&two, DecisionKind::Approve, "ann", 2)]);
        assert_eq!(offer(&half, &candidate(), at(5000)), Offer::Leave);
    }

    #[test]
    fn what_was_denied_is_not_offered_again_with_the_same_parameters() {
        let first = proposal(&"i-1.p1".into(), 1);
        let denied = fold(&[opened(), proposed(&first), decided(&first, DecisionKind::Deny, "ann", 2)]);
        assert_eq!(offer(&denied, &candidate(), at(5000)), Offer::Leave);
        let other = Candidate { parameters: [("secret".into(), "harbor".into())].into(), ..candidate() };
        assert_eq!(offer(&denied, &other, at(5000)), Offer::Make);
    }

    #[test]
    fn a_remedy_that_failed_twice_is_not_offered_a_third_time() {
        let (first, second) = (proposal(&"i-1.p1".into(), 1), proposal(&"i-1.p2".into(), 1));
        let mut entries = vec![opened()];
        entries.extend(carried_out(&first, Verdict::NotFixed, 2));
        assert_eq!(offer(&fold(&entries), &candidate(), at(5000)), Offer::Make);
        entries.extend(carried_out(&second, Verdict::Unknown, 12));
        assert_eq!(offer(&fold(&entries), &candidate(), at(5000)), Offer::Leave);
    }

    #[test]
    fn what_was_denied_or_failed_is_forgotten_a_day_later_where_the_incident_came_back() {
        let (first, second) = (proposal(&"i-1.p1".into(), 1), proposal(&"i-1.p2".into(), 1));
        let mut entries = vec![opened()];
        entries.extend(carried_out(&first, Verdict::NotFixed, 2));
        entries.extend(carried_out(&second, Verdict::NotFixed, 12));
        let day = 24 * 3600;
        assert_eq!(offer(&fold(&entries), &candidate(), at(2 * day)), Offer::Leave, "it never went away");
        entries.push(Entry::Resolved);
        entries.push(Entry::Reopened {
            finding: Box::new(auth_missing("a")),
            evidence: Box::default(),
            members: crate::incident::Members::default(),
        });
        let back = fold(&entries);
        assert_eq!(offer(&back, &candidate(), at(day / 2)), Offer::Leave, "it came back soon");
        assert_eq!(offer(&back, &candidate(), at(2 * day)), Offer::Make);
    }

    #[test]
    fn a_remedy_that_helped_may_be_offered_as_often_as_it_does() {
        let mut entries = vec![opened()];
        for number in 1..4 {
            let again = proposal(&format!("i-1.p{number}").as_str().into(), 1);
            entries.extend(carried_out(&again, Verdict::Fixed, number * 10));
        }
        assert_eq!(offer(&fold(&entries), &candidate(), at(5000)), Offer::Make);
    }

    #[test]
    fn nothing_is_offered_while_an_execution_is_under_way_or_the_incident_is_not_open() {
        let (entries, _) = executing();
        assert!(!may_offer(&fold(&entries)));
        assert!(!may_offer(&fold(&[opened(), Entry::Absorbed { into: "i-2".into() }])));
        assert!(!may_offer(&fold(&[opened(), Entry::Resolved])));
        assert!(may_offer(&fold(&[opened()])));
    }

    #[test]
    fn a_remedy_in_mode_observe_is_never_proposed() {
        let observed = Candidate { mode: Mode::Observe, ..candidate() };
        assert_eq!(offer(&fold(&[opened()]), &observed, at(5000)), Offer::Leave);
    }

    #[test]
    fn proposals_whose_remedy_is_not_offered_any_more_are_withdrawn() {
        let first = proposal(&"i-1.p1".into(), 1);
        let open = fold(&[opened(), proposed(&first)]);
        assert_eq!(withdrawn(&open, &[]), vec![&first.id]);
        assert!(withdrawn(&open, &[candidate()]).is_empty());
    }

    #[test]
    fn a_proposal_is_replaced_only_if_its_plan_would_be_another() {
        let first = proposal(&"i-1.p1".into(), 1);
        let open = fold(&[opened(), proposed(&first)]);
        let record = &open.proposals[&first.id];
        assert!(!differs(record, &first.plan, &[]));
        let mut other = first.plan.clone();
        other.changes.pop();
        assert!(differs(record, &other, &[]));
    }

    #[test]
    fn members_beyond_the_limit_are_left_out_and_said_so() {
        let members: Vec<ObjectRef> = (0..100).map(|n| pod(&format!("p{n}"))).collect();
        let (some, cut) = others(&pod("p0"), members.clone());
        assert_eq!(some.len(), MOST_MEMBERS - 1);
        assert!(cut.expect("said").contains("40 of 100"));
        let (all, cut) = others(&pod("p0"), members[..3].to_vec());
        assert_eq!((all.len(), cut), (2, None));
    }

    #[test]
    fn a_proposal_stands_the_longer_the_more_have_given_way() {
        let made_at = |number: i64, second: i64| Proposal {
            made: at(second),
            ..proposal(&format!("i-1.p{number}").as_str().into(), 1)
        };
        let (first, second) = (made_at(1, 0), made_at(2, 100));
        let gave_way = Entry::Superseded { proposal: first.id.clone(), by: second.id.clone() };
        let once = fold(&[opened(), proposed(&first), proposed(&second), gave_way]);
        assert_eq!(offer(&once, &candidate(), at(105)), Offer::Leave);
        assert!(matches!(offer(&once, &candidate(), at(110)), Offer::Compare(_)));
    }
}
