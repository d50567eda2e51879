//! Judging a decision about a proposal, and counting decisions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::policy::{Person, Policy, asks, may};
use super::refusal::Refusal;
use crate::incident::{
    Actor, ApprovalPolicy, Decision, DecisionKind, Finding, Place, Plan, ProposalRecord, ProposalState, Risk,
    Text,
};

/// What it takes to approve a plan against what is wrong `at` a place, and how long it waits for that.
pub fn proposal_policy(policy: &Policy, plan: &Plan, at: &Place) -> (ApprovalPolicy, SignedDuration) {
    let config = policy.approval(plan.risk);
    let name = name_to_type(plan, at);
    let wanted = ApprovalPolicy {
        approvals: config.approvals,
        requester_counts: config.requester_counts,
        typed_confirmation: name.filter(|_| config.typed_confirmation),
    };
    (wanted, config.lives)
}

/// The changed object's name; where several are changed, that of what they are all part of (the workload, the
/// lost node): nobody can know which of them comes first.
fn name_to_type(plan: &Plan, at: &Place) -> Option<Text> {
    let names: BTreeSet<&Text> = plan.changes.iter().map(|change| &change.target.name).collect();
    let first = names.first().map(|name| Text::clone(name));
    let whole = at.name.rsplit(['/', ' ']).next().filter(|name| !name.is_empty());
    if names.len() > 1 { whole.map(Text::from).or(first) } else { first }
}

/// Whether a decision may be recorded. `confirmation` is what was typed, where something was.
pub fn decide(
    policy: &Policy,
    record: &ProposalRecord,
    finding: &Finding,
    decision: &Decision,
    confirmation: Option<&str>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let proposal = &record.proposal;
    if policy.person(&decision.by).is_none() {
        return Err(Refusal::Unknown { who: decision.by.clone() });
    }
    if !matches!(record.state, ProposalState::Open | ProposalState::Approved) {
        return Err(Refusal::Closed { state: record.state.clone() });
    }
    if decision.digest != proposal.digest {
        return Err(Refusal::OtherDigest { seen: decision.digest.clone(), now: proposal.digest.clone() });
    }
    if now >= proposal.expires {
        return Err(Refusal::Expired(proposal.expires));
    }
    match decision.kind {
        DecisionKind::Approve => {
            entitled(policy, &decision.by, record, finding, proposal.plan.risk)?;
            approve(policy, record, decision, confirmation)
        }
        // To stop something is safe: whoever may approve its actions there at any risk may end it.
        DecisionKind::Deny => entitled(policy, &decision.by, record, finding, Risk::Low),
        // One's own word can be taken back even after the right to give it is gone.
        DecisionKind::Withdraw if stands(policy, record, &decision.by) => Ok(()),
        DecisionKind::Withdraw => Err(Refusal::NothingToWithdraw),
    }
}

fn approve(
    policy: &Policy,
    record: &ProposalRecord,
    decision: &Decision,
    confirmation: Option<&str>,
) -> Result<(), Refusal> {
    let proposal = &record.proposal;
    if record.state != ProposalState::Open {
        return Err(Refusal::Closed { state: record.state.clone() });
    }
    if !proposal.missing_rights.is_empty() {
        return Err(Refusal::MissingRights { rules: proposal.missing_rights.clone() });
    }
    if stands(policy, record, &decision.by) {
        let have = standing(policy, record).len();
        return Err(Refusal::AlreadyApproved {
            missing: usize::from(proposal.policy.approvals).saturating_sub(have),
        });
    }
    if !proposal.policy.requester_counts && is_requester(policy, record, &decision.by) {
        return Err(Refusal::OwnRequest);
    }
    match &proposal.policy.typed_confirmation {
        Some(wanted) if confirmation.map(str::trim) != Some(wanted.as_str()) => {
            Err(Refusal::NotConfirmed { wanted: wanted.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether enough different people stand behind the proposal as it is. It says nothing of whether they still
/// may; `permit` does.
pub fn enough(policy: &Policy, record: &ProposalRecord) -> bool {
    let denied = record.decisions.iter().any(|decision| decision.kind == DecisionKind::Deny);
    !denied && standing(policy, record).len() >= usize::from(record.proposal.policy.approvals.max(1))
}

/// The last word of each person, where it is an approval of this very digest. An identity that belongs to
/// nobody any more counts for nobody; the requester's counts only if the proposal says so; and people who
/// could be one and the same count as one.
pub(super) fn standing(policy: &Policy, record: &ProposalRecord) -> BTreeMap<Person, Actor> {
    certainly_different(policy, approving(policy, record))
}

fn approving(policy: &Policy, record: &ProposalRecord) -> BTreeMap<Person, Actor> {
    let mut standing = BTreeMap::new();
    for decision in &record.decisions {
        let Some(person) = policy.person(&decision.by) else { continue };
        match decision.kind {
            DecisionKind::Approve if decision.digest == record.proposal.digest => {
                standing.insert(person, decision.by.clone());
            }
            DecisionKind::Approve => {}
            DecisionKind::Deny | DecisionKind::Withdraw => {
                standing.remove(&person);
            }
        }
    }
    if !record.proposal.policy.requester_counts {
        standing.retain(|_, actor| !is_requester(policy, record, actor));
    }
    standing
}

/// The most of them that are certainly different people: all that are known by name, or all that can be told
/// apart on one platform.
fn certainly_different(policy: &Policy, all: BTreeMap<Person, Actor>) -> BTreeMap<Person, Actor> {
    let apart = |chosen: &[&Person], person: &Person| chosen.iter().all(|one| policy.distinct(one, person));
    let begin_with = |first: &Person| {
        let mut chosen = vec![first];
        // Those who can be told from whoever they stand beside; by name first, since names are told apart.
        for person in all.keys().filter(|person| *person != first) {
            if apart(&chosen, person) {
                chosen.push(person);
            }
        }
        chosen.into_iter().cloned().collect::<BTreeSet<Person>>()
    };
    let Some(most) = all.keys().map(begin_with).max_by_key(BTreeSet::len) else { return all };
    all.into_iter().filter(|(person, _)| most.contains(person)).collect()
}

fn stands(policy: &Policy, record: &ProposalRecord, actor: &Actor) -> bool {
    policy.person(actor).is_some_and(|person| approving(policy, record).contains_key(&person))
}

fn is_requester(policy: &Policy, record: &ProposalRecord, actor: &Actor) -> bool {
    let asked = record.proposal.requested_by.as_ref();
    let asked = asked.and_then(|asked| policy.person(asked));
    asked.zip(policy.person(actor)).is_some_and(|(asked, person)| !policy.distinct(&asked, &person))
}

/// Whether somebody may have everything done that the plan does.
pub(super) fn entitled(
    policy: &Policy,
    actor: &Actor,
    record: &ProposalRecord,
    finding: &Finding,
    risk: Risk,
) -> Result<(), Refusal> {
    let plan = &record.proposal.plan;
    let asks = asks(plan, &finding.key.cluster, &finding.condition, risk);
    asks.iter().try_for_each(|ask| may(policy, actor, ask))
}
