//! What gets no permit.

use super::*;

#[test]
fn an_approval_of_another_digest_counts_for_nobody() {
    let mut record = approved_by(record(Risk::Low, 1), &[api("ann")]);
    record.decisions[0].digest = Digest::of(&"something else");
    assert!(!enough(&policy(), &record));
    assert_eq!(permitted(&policy(), &incident(record), false, now()).err(), Some("not-enough"));
}

#[test]
fn a_right_at_a_lower_risk_gets_no_permit_for_a_higher_one() {
    let incident = incident(approved_by(record(Risk::High, 1), &[api("ann")]));
    assert_eq!(permitted(&policy(), &incident, false, now()).err(), Some("not-enough"));
}

#[test]
fn what_has_ended_or_lacks_rights_gets_no_permit() {
    for state in [
        ProposalState::Denied,
        ProposalState::Expired,
        ProposalState::Stale { why: "changed".into() },
        ProposalState::Superseded { by: "i-1.p2".into() },
    ] {
        let mut ended = approved_by(record(Risk::Low, 1), &[api("ann")]);
        ended.state = state.clone();
        let refused = permitted(&policy(), &incident(ended), false, now()).err();
        assert_eq!(refused, Some("closed"), "{state:?}");
    }
    let mut lacking = approved_by(record(Risk::Low, 1), &[api("ann")]);
    lacking.proposal.missing_rights = vec![rule()];
    assert_eq!(permitted(&policy(), &incident(lacking), false, now()).err(), Some("missing-rights"));
}
