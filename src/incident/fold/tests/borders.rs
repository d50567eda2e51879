//! When, by whom and under which name an entry may not stand.

use super::*;

#[test]
fn after_its_time_a_proposal_is_neither_approved_nor_started_and_not_expired_before() {
    let p = proposal(&"i-1.p1".into(), 1);
    let proposed = [opened(), proposed(&p)];
    let late = |entries: &[Entry], entry: &Entry| {
        apply(Some(fold(entries)), &"i-1".into(), p.expires, entry).expect_err("too late")
    };
    let past = Illegal::PastExpiry(p.id.clone(), p.expires);
    assert_eq!(late(&proposed, &decided(&p, DecisionKind::Approve, "ann", 2)), past);
    let approved = [&proposed[..], &[decided(&p, DecisionKind::Approve, "ann", 2)]].concat();
    assert_eq!(late(&approved, &started(&p, &["ann"])), past);
    let expired = Entry::Expired { proposal: p.id.clone() };
    check_illegal(&proposed, &expired, &Illegal::NotYetExpired(p.id.clone(), p.expires));
}

#[test]
fn what_has_enough_approvals_takes_no_more() {
    let p = proposal(&"i-1.p1".into(), 1);
    let entries = [opened(), proposed(&p), decided(&p, DecisionKind::Approve, "ann", 2)];
    let closed = Illegal::NotOpenForDecisions(p.id.clone(), "approved");
    check_illegal(&entries, &decided(&p, DecisionKind::Approve, "bob", 3), &closed);
}

#[test]
fn the_same_id_at_another_border_is_another_person() {
    let p = proposal(&"i-1.p1".into(), 1);
    let mut by_slack = decided(&p, DecisionKind::Withdraw, "ann", 3);
    let Entry::Decided { decision, .. } = &mut by_slack else { panic!("a decision") };
    decision.by.via = crate::incident::Via::Slack;
    let nothing = Illegal::NothingToWithdraw(p.id.clone(), Box::new(decision.by.clone()));
    let entries = [opened(), proposed(&p), decided(&p, DecisionKind::Approve, "ann", 2)];
    check_illegal(&entries, &by_slack, &nothing);
}

#[test]
fn a_proposal_is_numbered_marked_and_timed_as_its_own() {
    let p = proposal(&"i-1.p1".into(), 1);
    let second = proposal(&"i-1.p2".into(), 1);
    check_illegal(&[opened()], &proposed(&second), &Illegal::ForeignProposal(second.id.clone()));
    let mut marked = p.clone();
    marked.plan.marker = "i-1.p9".into();
    marked.digest = marked.plan.digest();
    check_illegal(&[opened()], &proposed(&marked), &Illegal::OtherMarker(p.id.clone(), "i-1.p9".into()));
    let timeless = Proposal { expires: p.made, ..p.clone() };
    check_illegal(&[opened()], &proposed(&timeless), &Illegal::BornExpired(p.id));
}

#[test]
fn an_entry_is_of_its_own_incident_and_place() {
    let refused = apply(Some(fold(&[opened()])), &"i-2".into(), at(9), &Entry::Resolved);
    assert_eq!(refused, Err(Illegal::OtherIncident { here: "i-1".into(), entry: "i-2".into() }));
    let other = samples::finding("crash.other", crate::incident::Scope::Workload, "Deployment shop/web", "a");
    let here = Box::new(samples::auth_missing("a").key);
    let expected = Illegal::OtherKey { here, entry: Box::new(other.key.clone()) };
    let updated = Entry::Updated { finding: Box::new(other), evidence: Box::default() };
    check_illegal(&[opened()], &updated, &expected);
}

#[test]
fn an_execution_bears_its_proposals_name_and_digest() {
    let (entries, p) = executing();
    let start = |execution: &ProposalId, digest: &Digest| Entry::ExecutionStarted {
        execution: ExecutionId::of(execution),
        proposal: p.id.clone(),
        digest: digest.clone(),
        approvers: vec![actor("ann")],
    };
    let misnamed = Illegal::OtherExecution(ExecutionId::of(&"i-1.p9".into()), p.id.clone());
    check_illegal(&entries[..3], &start(&"i-1.p9".into(), &p.digest), &misnamed);
    let named = Digest::of_bytes(b"another plan");
    let other = start(&p.id, &named);
    let expected = Illegal::OtherDigest { proposal: p.id.clone(), real: p.digest.clone(), named };
    check_illegal(&entries[..3], &other, &expected);
}
