//! Which entries may follow which, and what they make of an incident.

mod borders;

use proptest::prelude::*;

use super::*;
use crate::incident::samples::{
    self, actor, applied, at, decided, executing, fold, opened, proposal, started,
};
use crate::incident::{
    Brake, ChangeOutcome, DecisionKind, ExecutionId, ExecutionState, Next, Outcome, Proposal, ProposalId,
    ProposalState, Step, Verdict, next,
};

#[track_caller]
fn check_illegal(entries: &[Entry], entry: &Entry, expected: &Illegal) {
    let state = fold(entries);
    let refused = apply(Some(state), &"i-1".into(), at(100), entry).expect_err("must be illegal");
    assert_eq!(&refused, expected);
}

fn proposed(proposal: &Proposal) -> Entry {
    Entry::Proposed { proposal: Box::new(proposal.clone()) }
}

fn intended(index: u32) -> Entry {
    Entry::ChangeIntended { execution: ExecutionId::of(&"i-1.p1".into()), index }
}

fn done(index: u32, outcome: ChangeOutcome) -> Entry {
    Entry::ChangeDone { execution: ExecutionId::of(&"i-1.p1".into()), index, outcome }
}

fn finished(outcome: Outcome) -> Entry {
    Entry::ExecutionFinished { execution: ExecutionId::of(&"i-1.p1".into()), outcome }
}

#[test]
fn only_an_opening_begins_an_incident() {
    let refused = apply(None, &"i-1".into(), at(0), &Entry::Released);
    assert_eq!(refused, Err(Illegal::NotOpened));
    check_illegal(&[opened()], &opened(), &Illegal::AlreadyOpened);
}

#[test]
fn an_incident_is_resolved_once_and_may_come_back() {
    let back = Entry::Reopened {
        finding: Box::new(samples::auth_missing("a")),
        evidence: Box::default(),
        members: samples::members(3),
    };
    check_illegal(&[opened(), Entry::Resolved], &Entry::Resolved, &Illegal::AlreadyResolved);
    check_illegal(&[opened()], &back, &Illegal::NotResolved);
    let incident = fold(&[opened(), Entry::Resolved, back]);
    assert_eq!((incident.status, incident.reopened, incident.members.peak), (Status::Open, 1, 3));
}

#[test]
fn an_incident_is_part_of_one_wider_incident_at_most() {
    let absorbed = |into: &str| Entry::Absorbed { into: into.into() };
    check_illegal(&[opened()], &absorbed("i-1"), &Illegal::AbsorbedByItself);
    check_illegal(
        &[opened(), absorbed("i-2")],
        &absorbed("i-3"),
        &Illegal::AlreadyAbsorbed { into: "i-2".into() },
    );
    check_illegal(&[opened()], &Entry::Released, &Illegal::NotAbsorbed);
    assert_eq!(fold(&[opened(), absorbed("i-2"), Entry::Released]).status, Status::Open);
}

#[test]
fn the_peak_is_remembered() {
    let count = |now| Entry::MembersChanged { members: samples::members(now) };
    let incident = fold(&[opened(), count(9), count(2)]);
    assert_eq!((incident.members.now, incident.members.peak), (2, 9));
}

#[test]
fn a_proposal_must_be_what_its_digest_says() {
    let mut forged = proposal(&"i-1.p1".into(), 1);
    forged.plan.changes.pop();
    let (real, named) = (forged.plan.digest(), forged.digest.clone());
    let expected = Illegal::OtherDigest { proposal: "i-1.p1".into(), real, named };
    check_illegal(&[opened()], &proposed(&forged), &expected);
}

#[test]
fn a_proposal_that_nobody_must_approve_cannot_be_made() {
    let free = proposal(&"i-1.p1".into(), 0);
    check_illegal(&[opened()], &proposed(&free), &Illegal::NoApprovalAsked("i-1.p1".into()));
}

#[test]
fn two_approvals_need_two_people() {
    let p = proposal(&"i-1.p1".into(), 2);
    let entries = [opened(), proposed(&p), decided(&p, DecisionKind::Approve, "ann", 2)];
    assert_eq!(fold(&entries).proposals[&p.id].state, ProposalState::Open);
    let twice = Illegal::ApprovedTwice(p.id.clone(), Box::new(actor("ann")));
    check_illegal(&entries, &decided(&p, DecisionKind::Approve, "ann", 3), &twice);
    let both = [&entries[..], &[decided(&p, DecisionKind::Approve, "bob", 3)]].concat();
    assert_eq!(fold(&both).proposals[&p.id].state, ProposalState::Approved);
}

#[test]
fn a_withdrawn_approval_does_not_count() {
    let p = proposal(&"i-1.p1".into(), 1);
    let mut entries = vec![opened(), proposed(&p), decided(&p, DecisionKind::Approve, "ann", 2)];
    entries.push(decided(&p, DecisionKind::Withdraw, "ann", 3));
    assert_eq!(fold(&entries).proposals[&p.id].state, ProposalState::Open);
    check_illegal(
        &entries,
        &started(&p, &["ann"]),
        &Illegal::NotApproved(p.id.clone(), "open for decisions"),
    );
    let nothing = Illegal::NothingToWithdraw(p.id.clone(), Box::new(actor("ann")));
    check_illegal(&entries, &decided(&p, DecisionKind::Withdraw, "ann", 4), &nothing);
}

#[test]
fn one_denial_ends_a_proposal() {
    let p = proposal(&"i-1.p1".into(), 1);
    let entries = [opened(), proposed(&p), decided(&p, DecisionKind::Deny, "bob", 2)];
    let closed = Illegal::NotOpenForDecisions(p.id.clone(), "denied");
    check_illegal(&entries, &decided(&p, DecisionKind::Approve, "ann", 3), &closed);
}

#[test]
fn an_approval_names_the_digest_that_was_seen() {
    let p = proposal(&"i-1.p1".into(), 1);
    let mut other = p.clone();
    other.digest = crate::incident::Digest::of_bytes(b"another plan");
    let expected =
        Illegal::OtherDigest { proposal: p.id.clone(), real: p.digest.clone(), named: other.digest.clone() };
    check_illegal(&[opened(), proposed(&p)], &decided(&other, DecisionKind::Approve, "ann", 2), &expected);
}

#[test]
fn missing_rights_keep_a_proposal_from_being_approved() {
    let mut p = proposal(&"i-1.p1".into(), 1);
    p.missing_rights.push(crate::incident::Rule {
        verb: "delete".into(),
        group: "".into(),
        resource: "pods".into(),
        namespace: "payments".into(),
        name: "".into(),
    });
    let entry = decided(&p, DecisionKind::Approve, "ann", 2);
    check_illegal(&[opened(), proposed(&p)], &entry, &Illegal::MissingRights(p.id.clone()));
}

#[test]
fn an_execution_names_exactly_its_approvers() {
    let (entries, p) = executing();
    check_illegal(&entries[..3], &started(&p, &["bob"]), &Illegal::OtherApprovers(p.id.clone()));
    check_illegal(&entries, &started(&p, &["ann"]), &Illegal::KnownExecution(ExecutionId::of(&p.id)));
    let two = proposal(&p.id, 2);
    let approved = ["ann", "bob"].map(|who| decided(&two, DecisionKind::Approve, who, 2));
    let approved = [&[opened(), proposed(&two)], &approved[..]].concat();
    for too_few in [&[][..], &["ann"], &["ann", "ann"]] {
        check_illegal(&approved, &started(&two, too_few), &Illegal::OtherApprovers(p.id.clone()));
    }
    fold(&[&approved[..], &[started(&two, &["bob", "ann"])]].concat());
}

#[test]
fn a_change_without_its_intent_is_refused() {
    let (entries, p) = executing();
    let id = ExecutionId::of(&p.id);
    check_illegal(&entries, &done(0, applied(5)), &Illegal::NotIntended(id.clone(), 0));
    let other = Illegal::OtherChange { execution: id.clone(), expected: 0, named: 1 };
    check_illegal(&entries, &intended(1), &other);
    let once = [&entries[..], &[intended(0)]].concat();
    let waiting = Illegal::NotReady(id, "waiting for the outcome of a change");
    check_illegal(&once, &intended(0), &waiting);
}

#[test]
fn an_execution_runs_change_by_change_to_its_verdict() {
    let (mut entries, p) = executing();
    entries.extend([intended(0), done(0, applied(5)), intended(1), done(1, applied(7))]);
    let execution = ExecutionId::of(&p.id);
    check_illegal(&entries, &intended(2), &Illegal::NoSuchChange(execution.clone(), 2));
    entries.push(finished(Outcome::Applied));
    entries.push(Entry::Verified {
        execution: execution.clone(),
        verdict: Verdict::Fixed,
        checks: Vec::new(),
    });
    let incident = fold(&entries);
    let expected = ExecutionState::Finished {
        outcome: Outcome::Applied,
        verdict: Some(Verdict::Fixed),
        checks: Vec::new(),
    };
    assert_eq!(incident.executions[&execution].state, expected);
}

#[test]
fn nothing_is_sent_after_a_change_that_was_not_made() {
    let (mut entries, p) = executing();
    let stale = ChangeOutcome::Stale { why: "another uid".into() };
    entries.extend([intended(0), done(0, stale)]);
    let id = ExecutionId::of(&p.id);
    check_illegal(&entries, &intended(0), &Illegal::StoppedAlready(id.clone()));
    check_illegal(&entries, &finished(Outcome::Applied), &Illegal::OtherOutcome(id));
    entries.push(finished(Outcome::Stopped { at: 0, why: "another uid".into() }));
    entries.push(Entry::Stale { proposal: p.id.clone(), why: "another uid".into() });
    let state = &fold(&entries).proposals[&p.id].state;
    assert_eq!(*state, ProposalState::Stale { why: "another uid".into() });
}

#[test]
fn an_executed_proposal_that_wrote_something_is_not_stale() {
    let (mut entries, p) = executing();
    let refused = ChangeOutcome::Refused { code: 403, why: "forbidden".into() };
    entries.extend([intended(0), done(0, applied(5)), intended(1), done(1, refused)]);
    entries.push(finished(Outcome::Stopped { at: 1, why: "forbidden".into() }));
    let stale = Entry::Stale { proposal: p.id.clone(), why: "late".into() };
    check_illegal(&entries, &stale, &Illegal::NotOpenForDecisions(p.id, "executed"));
}

#[test]
fn a_needless_change_is_passed_over_and_what_was_made_is_verified() {
    let needless = |index| done(index, ChangeOutcome::Needless { why: "gone".into() });
    let (entries, p) = executing();
    let id = ExecutionId::of(&p.id);
    let verified = Entry::Verified { execution: id.clone(), verdict: Verdict::Fixed, checks: Vec::new() };

    let one_made = [&entries[..], &[intended(0), needless(0), intended(1), done(1, applied(7))]].concat();
    let stopped = finished(Outcome::Stopped { at: 2, why: "gone".into() });
    check_illegal(&one_made, &stopped, &Illegal::OtherOutcome(id.clone()));
    fold(&[&one_made[..], &[finished(Outcome::Applied), verified.clone()]].concat());

    let none_made = [&entries[..], &[intended(0), needless(0), intended(1), needless(1)]].concat();
    check_illegal(&none_made, &finished(Outcome::Applied), &Illegal::OtherOutcome(id.clone()));
    let over = [&none_made[..], &[stopped]].concat();
    check_illegal(&over, &verified, &Illegal::NotVerifying(id, "finished"));
    fold(&[&over[..], &[Entry::Stale { proposal: p.id, why: "gone".into() }]].concat());
}

#[test]
fn an_execution_that_stopped_after_a_change_is_verified_all_the_same() {
    let (mut entries, p) = executing();
    let id = ExecutionId::of(&p.id);
    let outcome = Outcome::Stopped { at: 1, why: "another uid".into() };
    let stale = ChangeOutcome::Stale { why: "another uid".into() };
    entries.extend([
        intended(0),
        done(0, applied(5)),
        intended(1),
        done(1, stale),
        finished(outcome.clone()),
    ]);
    entries.push(Entry::Verified { execution: id.clone(), verdict: Verdict::NotFixed, checks: Vec::new() });
    let expected = ExecutionState::Finished { outcome, verdict: Some(Verdict::NotFixed), checks: Vec::new() };
    assert_eq!(fold(&entries).executions[&id].state, expected);
}

#[test]
fn a_person_settles_what_the_cluster_cannot_tell() {
    let (mut entries, p) = executing();
    entries.extend([intended(0), done(0, ChangeOutcome::Unknown { why: "no answer".into() })]);
    let id = ExecutionId::of(&p.id);
    let settled = |index, applied| Entry::Settled { execution: id.clone(), index, applied, by: actor("ann") };
    check_illegal(&entries, &settled(1, true), &Illegal::NotInDoubt(id.clone(), 1));
    let went_on = fold(&[&entries[..], &[settled(0, true), intended(1)]].concat());
    assert_eq!(went_on.executions[&id].state, ExecutionState::Intended { index: 1 });
    let stopped = fold(&[&entries[..], &[settled(0, false)]].concat());
    assert_eq!(
        stopped.executions[&id].stopped_by().map(crate::incident::Text::as_str),
        Some("ann looked: it did not happen")
    );
}

#[test]
fn only_one_execution_changes_objects_at_a_time() {
    let (mut entries, _) = executing();
    let second = proposal(&"i-1.p2".into(), 1);
    entries.extend([proposed(&second), decided(&second, DecisionKind::Approve, "ann", 9)]);
    let other = Illegal::AnotherRuns(ExecutionId::of(&"i-1.p1".into()));
    check_illegal(&entries, &started(&second, &["ann"]), &other);
}

#[test]
fn a_resolved_incident_takes_no_remedy_but_an_undo() {
    let (mut entries, p) = executing();
    let id = ExecutionId::of(&p.id);
    entries.extend([Entry::Resolved, intended(0), done(0, applied(5)), intended(1), done(1, applied(7))]);
    let mut back = proposal(&"i-1.p2".into(), 1);
    check_illegal(&entries, &proposed(&back), &Illegal::AlreadyResolved);
    back.undoes = Some(id.clone());
    check_illegal(&entries, &proposed(&back), &Illegal::UndoesUnfinished(back.id.clone(), id.clone()));
    entries.extend([finished(Outcome::Applied), proposed(&back)]);
    assert!(fold(&entries).proposals.contains_key(&back.id));
}

#[test]
fn a_long_life_does_not_grow_the_state() {
    let mut entries = vec![opened(), proposed(&proposal(&"i-1.p1".into(), 1))];
    for n in 2..40 {
        let (old, new) = (format!("i-1.p{}", n - 1), format!("i-1.p{n}"));
        entries.push(proposed(&proposal(&new.as_str().into(), 1)));
        entries.push(Entry::Superseded { proposal: old.as_str().into(), by: new.as_str().into() });
    }
    let incident = fold(&entries);
    assert!(incident.proposals.len() <= Incident::ENDED_KEPT + 1, "{}", incident.proposals.len());
    assert_eq!(incident.next_proposal().as_str(), "i-1.p40");
}

#[test]
fn of_many_executions_the_last_ones_are_remembered_and_what_is_being_taken_back() {
    let mut entries = vec![opened()];
    let id = |n: usize| ProposalId::from(format!("i-1.p{n}").as_str());
    for n in 1..40 {
        let execution = ExecutionId::of(&id(n));
        let mut one = proposal(&id(n), 1);
        // The sixth takes the second back, and is not decided about.
        one.undoes = (n == 6).then(|| ExecutionId::of(&id(2)));
        entries.push(proposed(&one));
        if n == 6 {
            continue;
        }
        entries.extend([decided(&one, DecisionKind::Approve, "ann", 9), started(&one, &["ann"])]);
        for index in [0, 1] {
            entries.push(Entry::ChangeIntended { execution: execution.clone(), index });
            entries.push(Entry::ChangeDone { execution: execution.clone(), index, outcome: applied(5) });
        }
        entries.extend([
            Entry::ExecutionFinished { execution: execution.clone(), outcome: Outcome::Applied },
            Entry::Verified { execution, verdict: Verdict::Fixed, checks: Vec::new() },
        ]);
    }
    let incident = fold(&entries);
    let kept = |n: usize| incident.executions.contains_key(&ExecutionId::of(&id(n)));
    assert!(kept(2) && !kept(1) && !kept(3) && kept(38) && kept(39), "{:?}", incident.executions.keys());
    assert!(incident.executions.len() <= Incident::EXECUTED_KEPT + 2, "{}", incident.executions.len());
    assert!(incident.executions.values().all(|x| incident.proposals.contains_key(&x.proposal)));
    assert_eq!(incident.next_proposal(), id(40));
}

/// Any entry at all, drawn from few names so that they meet.
fn any_entry() -> impl Strategy<Value = Entry> {
    (0u8..24, 1u8..4, 0u32..3, proptest::bool::ANY).prop_map(|(kind, n, index, flag)| {
        let id = format!("i-1.p{n}");
        let p = proposal(&id.as_str().into(), if flag { 1 } else { 2 });
        let execution = ExecutionId::of(&p.id);
        let by = actor(if flag { "ann" } else { "bob" });
        let who = if flag { "ann" } else { "bob" };
        let finding = Box::new(samples::auth_missing("a"));
        let (evidence, members) = (Box::default(), samples::members(index));
        match kind {
            0 => opened(),
            1 => Entry::Updated { finding, evidence },
            2 => Entry::MembersChanged { members },
            3 => Entry::Absorbed { into: format!("i-{n}").as_str().into() },
            4 => Entry::Released,
            5 => Entry::Resolved,
            6 => Entry::Reopened { finding, evidence, members },
            7 => Entry::Silenced { until: at(i64::from(index) * 40), by, note: "".into() },
            8 => Entry::Unsilenced { by },
            9 | 10 => proposed(&p),
            11 | 12 => decided(&p, DecisionKind::Approve, who, 1),
            13 => decided(&p, DecisionKind::Deny, who, 1),
            14 => decided(&p, DecisionKind::Withdraw, who, 1),
            15 => Entry::Expired { proposal: p.id },
            16 => Entry::Stale { proposal: p.id, why: "".into() },
            17 => Entry::Superseded { proposal: p.id, by: format!("i-1.p{}", index + 1).as_str().into() },
            18 => started(&p, &[who]),
            19 => Entry::ChangeIntended { execution, index },
            20 => Entry::ChangeDone {
                execution,
                index,
                outcome: if flag { applied(1) } else { ChangeOutcome::Unknown { why: "".into() } },
            },
            21 => Entry::ExecutionFinished {
                execution,
                outcome: if flag { Outcome::Applied } else { Outcome::Stopped { at: index, why: "".into() } },
            },
            22 => Entry::Verified { execution, verdict: Verdict::Unknown, checks: Vec::new() },
            _ => Entry::Settled { execution, index, applied: flag, by },
        }
    })
}

/// What the engine would write for a step, if the world did what is asked.
fn answer(incident: &Incident, step: Step) -> Vec<Entry> {
    match step {
        Step::LookUp { execution, index } => {
            vec![Entry::ChangeDone { execution, index, outcome: applied(1) }]
        }
        Step::SendChange { execution, index } => vec![
            Entry::ChangeIntended { execution: execution.clone(), index },
            Entry::ChangeDone { execution, index, outcome: applied(1) },
        ],
        Step::FinishExecution { execution, outcome } => vec![Entry::ExecutionFinished { execution, outcome }],
        Step::MarkStale { proposal, why } => vec![Entry::Stale { proposal, why }],
        Step::Expire { proposal } => vec![Entry::Expired { proposal }],
        Step::StartExecution { proposal } => {
            let record = &incident.proposals[&proposal];
            vec![Entry::ExecutionStarted {
                execution: ExecutionId::of(&proposal),
                digest: record.proposal.digest.clone(),
                approvers: record.approvers().into_iter().cloned().collect(),
                proposal,
            }]
        }
        Step::Unsilence => vec![Entry::Unsilenced { by: actor("auto") }],
        Step::Verify { execution, deadline: _ } => {
            vec![Entry::Verified { execution, verdict: Verdict::Fixed, checks: Vec::new() }]
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_sequence_is_taken_and_the_version_counts_what_was_legal(
        entries in proptest::collection::vec((any_entry(), 0i64..200), 0..80),
    ) {
        let id = "i-1".into();
        let (mut state, mut legal) = (None, Vec::new());
        for (entry, second) in std::iter::once((opened(), 0)).chain(entries) {
            let before = state.clone();
            match apply(state, &id, at(second), &entry) {
                Ok(after) => {
                    legal.push((at(second), entry));
                    state = Some(after);
                }
                Err(_) => state = before,
            }
        }
        let state = state.expect("opened");
        prop_assert_eq!(state.version, legal.len() as u64);
        let again = replay(&id, legal.iter().map(|(when, entry)| (*when, entry))).expect("was legal");
        prop_assert_eq!(again.as_ref(), Some(&state));
        prop_assert!(state.members.listed.len() <= Members::LISTED);
        let json = serde_json::to_string(&state).expect("json");
        prop_assert_eq!(serde_json::from_str::<Incident>(&json).expect("json"), state);
    }

    #[test]
    fn doing_what_is_due_is_always_legal_and_comes_to_an_end(
        entries in proptest::collection::vec((any_entry(), 0i64..200), 0..60),
    ) {
        let id = "i-1".into();
        let mut state = fold(&[opened()]);
        for (entry, second) in entries {
            if let Ok(after) = apply(Some(state.clone()), &id, at(second), &entry) {
                state = after;
            }
        }
        let mut steps = 0;
        while let Next { step: Some(step), again: _ } = next(&state, at(300), Brake::Off) {
            steps += 1;
            prop_assert!(steps < 60, "no end: {step:?}");
            for entry in answer(&state, step.clone()) {
                let after = apply(Some(state.clone()), &id, at(300), &entry);
                prop_assert!(after.is_ok(), "{step:?} led to {entry:?}: {after:?}");
                state = after.expect("just seen");
            }
        }
    }
}
