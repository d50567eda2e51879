//! Which step is due in which state, and when to look again.

use super::*;
use crate::incident::samples::{applied, at, decided, executing, fold, opened, proposal};
use crate::incident::{DecisionKind, Entry};

fn step(entries: &[Entry], now: i64) -> Option<Step> {
    next(&fold(entries), at(now), Brake::Off).step
}

fn x() -> ExecutionId {
    ExecutionId::of(&"i-1.p1".into())
}

fn intended(index: u32) -> Entry {
    Entry::ChangeIntended { execution: x(), index }
}

fn done(index: u32, outcome: ChangeOutcome) -> Entry {
    Entry::ChangeDone { execution: x(), index, outcome }
}

#[test]
fn a_quiet_incident_asks_for_nothing() {
    assert_eq!(next(&fold(&[opened()]), at(9), Brake::Off), Next::default());
}

#[test]
fn an_open_proposal_is_looked_at_again_when_it_expires() {
    let p = proposal(&"i-1.p1".into(), 1);
    let entries = [opened(), Entry::Proposed { proposal: Box::new(p.clone()) }];
    let quiet = next(&fold(&entries), at(9), Brake::Off);
    assert_eq!(quiet, Next { step: None, again: Some(p.expires) });
    assert_eq!(step(&entries, 3600), Some(Step::Expire { proposal: p.id }));
}

#[test]
fn enough_approvals_start_an_execution_unless_the_brake_is_on() {
    let (entries, p) = executing();
    assert_eq!(step(&entries[..3], 9), Some(Step::StartExecution { proposal: p.id.clone() }));
    assert_eq!(next(&fold(&entries[..3]), at(9), Brake::On).step, None);
    let expired = next(&fold(&entries[..3]), at(3600), Brake::On).step;
    assert_eq!(expired, Some(Step::Expire { proposal: p.id }));
}

#[test]
fn each_change_is_sent_in_turn_and_then_it_is_over() {
    let (mut entries, _) = executing();
    assert_eq!(step(&entries, 9), Some(Step::SendChange { execution: x(), index: 0 }));
    assert_eq!(next(&fold(&entries), at(9), Brake::On).step, None);
    entries.extend([intended(0), done(0, applied(5))]);
    assert_eq!(step(&entries, 9), Some(Step::SendChange { execution: x(), index: 1 }));
    entries.extend([intended(1), done(1, applied(7))]);
    assert_eq!(step(&entries, 9), Some(Step::FinishExecution { execution: x(), outcome: Outcome::Applied }));
    entries.push(Entry::ExecutionFinished { execution: x(), outcome: Outcome::Applied });
    assert_eq!(step(&entries, 9), Some(Step::Verify { execution: x(), deadline: at(68) }));
}

#[test]
fn an_intent_without_an_outcome_is_looked_up_and_never_sent_again() {
    let (mut entries, _) = executing();
    entries.push(intended(0));
    for brake in [Brake::Off, Brake::On] {
        let due = next(&fold(&entries), at(9), brake).step;
        assert_eq!(due, Some(Step::LookUp { execution: x(), index: 0 }));
    }
}

#[test]
fn a_change_in_doubt_waits_for_a_person() {
    let (mut entries, _) = executing();
    entries.extend([intended(0), done(0, ChangeOutcome::Unknown { why: "no answer".into() })]);
    assert_eq!(step(&entries, 9), None);
    assert_eq!(step(&entries, 90_000), None);
}

#[test]
fn a_change_that_was_not_made_ends_the_execution_and_its_proposal() {
    let (mut entries, p) = executing();
    entries.extend([intended(0), done(0, ChangeOutcome::Stale { why: "another uid".into() })]);
    let outcome = Outcome::Stopped { at: 0, why: "another uid".into() };
    assert_eq!(step(&entries, 9), Some(Step::FinishExecution { execution: x(), outcome: outcome.clone() }));
    entries.push(Entry::ExecutionFinished { execution: x(), outcome });
    let stale = Step::MarkStale { proposal: p.id, why: "another uid".into() };
    assert_eq!(step(&entries, 9), Some(stale));
}

#[test]
fn a_needless_change_is_passed_over() {
    let (mut entries, p) = executing();
    let needless = ChangeOutcome::Needless { why: "gone".into() };
    entries.extend([intended(0), done(0, needless.clone())]);
    assert_eq!(step(&entries, 9), Some(Step::SendChange { execution: x(), index: 1 }));

    let mut made = entries.clone();
    made.extend([intended(1), done(1, applied(7))]);
    let finish = |outcome| Some(Step::FinishExecution { execution: x(), outcome });
    assert_eq!(step(&made, 9), finish(Outcome::Applied));

    entries.extend([intended(1), done(1, needless)]);
    let nothing = Outcome::Stopped { at: 2, why: "gone".into() };
    assert_eq!(step(&entries, 9), finish(nothing.clone()));
    entries.push(Entry::ExecutionFinished { execution: x(), outcome: nothing });
    assert_eq!(step(&entries, 9), Some(Step::MarkStale { proposal: p.id, why: "gone".into() }));
}

#[test]
fn when_the_condition_is_gone_remedies_are_taken_back() {
    let (mut entries, p) = executing();
    entries.push(Entry::Resolved);
    let why: Text = "the condition is gone".into();
    let outcome = Outcome::Stopped { at: 0, why: why.clone() };
    assert_eq!(step(&entries, 9), Some(Step::FinishExecution { execution: x(), outcome }));
    let only_proposed = [entries[0].clone(), entries[1].clone(), Entry::Resolved];
    assert_eq!(step(&only_proposed, 9), Some(Step::MarkStale { proposal: p.id.clone(), why: why.clone() }));
    let approved = [&entries[..3], &[Entry::Resolved]].concat();
    assert_eq!(step(&approved, 9), Some(Step::MarkStale { proposal: p.id, why }));
}

#[test]
fn a_silence_ends_by_itself() {
    let by = crate::incident::Actor::auto();
    let silenced = Entry::Silenced { until: at(50), by, note: "".into() };
    let entries = [opened(), silenced];
    assert_eq!(next(&fold(&entries), at(9), Brake::Off), Next { step: None, again: Some(at(50)) });
    assert_eq!(step(&entries, 50), Some(Step::Unsilence));
}

#[test]
fn verification_does_not_keep_a_second_remedy_waiting() {
    let (mut entries, _) = executing();
    entries.extend([intended(0), done(0, applied(5)), intended(1), done(1, applied(7))]);
    entries.push(Entry::ExecutionFinished { execution: x(), outcome: Outcome::Applied });
    let second = proposal(&"i-1.p2".into(), 1);
    entries.push(Entry::Proposed { proposal: Box::new(second.clone()) });
    entries.push(decided(&second, DecisionKind::Approve, "ann", 11));
    assert_eq!(step(&entries, 20), Some(Step::StartExecution { proposal: second.id }));
}
