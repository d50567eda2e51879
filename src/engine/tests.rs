//! The engine with its store and without a cluster: what people decide, and what a restart makes of it.

use std::sync::Arc;

use super::*;
use crate::gate::{
    ApprovalsConfig, GateConfig, GrantConfig, IdentityConfig, PersonConfig, Right, RoleConfig,
};
use crate::incident::samples::{actor, auth_missing, members, proposal};
use crate::incident::{
    Actor, DecisionKind, Entry, ExecutionId, Finding, Incident, Proposal, ProposalState, Risk, Status,
};

/// Ann and Bob may do everything, Cid nothing.
fn policy() -> Policy {
    let grant = GrantConfig {
        actions: vec!["*".into()],
        max_risk: Risk::High,
        clusters: vec!["*".into()],
        namespaces: vec!["*".into()],
        conditions: vec!["*".into()],
    };
    let role =
        RoleConfig { grants: vec![grant], rights: [Right::Pause, Right::Silence, Right::Audit].into() };
    let person = |name: &str, roles: &[&str]| PersonConfig {
        roles: roles.iter().map(|role| Text::new(role)).collect(),
        identities: vec![IdentityConfig { via: crate::incident::Via::Api, id: name.into() }],
    };
    let config = GateConfig {
        roles: [("operator".into(), role)].into(),
        people: [
            ("ann".into(), person("ann", &["operator"])),
            ("bob".into(), person("bob", &["operator"])),
            ("cid".into(), person("cid", &[])),
        ]
        .into(),
        groups: Vec::new(),
        auto: Vec::new(),
        approvals: ApprovalsConfig::default(),
    };
    Policy::new(config).expect("without mistakes")
}

async fn engine(store: &Store) -> Engine {
    let parts = Parts {
        options: Options::default(),
        store: store.clone(),
        book: Book::default(),
        policy: policy(),
        posts: Vec::new(),
    };
    Engine::new(parts).await.expect("the store works")
}

/// An engine with one open incident.
async fn started() -> (Engine, Store, Arc<Incident>) {
    let store = Store::memory().await.expect("memory");
    let engine = engine(&store).await;
    let finding = Box::new(Finding { since: Some(clock::now()), ..auth_missing("a") });
    let opened = Entry::Opened { finding, evidence: Box::default(), members: members(1) };
    let incident = engine.shared.ledger.open(opened).await.expect("opened");
    (engine, store, incident)
}

/// The same with an open proposal that takes so many approvals.
async fn proposed(approvals: u8) -> (Engine, Store, Proposal) {
    let (engine, store, incident) = started().await;
    let now = clock::now();
    let expires = now.checked_add(jiff::SignedDuration::from_hours(1)).expect("in range");
    let proposal = Proposal { made: now, expires, ..proposal(&incident.next_proposal(), approvals) };
    let entry = Entry::Proposed { proposal: Box::new(proposal.clone()) };
    let put = |_: &Incident, _: Timestamp| -> Result<Vec<Entry>, Refused> { Ok(vec![entry.clone()]) };
    engine.shared.change(&incident.id, put).await.expect("proposed");
    (engine, store, proposal)
}

async fn approve(handle: &Handle, who: &str, proposal: &Proposal) -> Result<ProposalState, Refused> {
    let (digest, kind) = (proposal.digest.clone(), DecisionKind::Approve);
    let record = handle.decide(&actor(who), &proposal.id, kind, digest, None, "".into()).await?;
    Ok(record.state)
}

#[tokio::test]
async fn of_two_approvals_at_the_same_moment_one_counts_and_the_other_is_told_so() {
    let (engine, store, proposal) = proposed(1).await;
    let (one, two) = (engine.handle(), engine.handle());
    let (ann, bob) = tokio::join!(approve(&one, "ann", &proposal), approve(&two, "bob", &proposal));
    let refused = match (ann, bob) {
        (Ok(ProposalState::Approved), Err(refused)) | (Err(refused), Ok(ProposalState::Approved)) => refused,
        other => panic!("one of them must count: {other:?}"),
    };
    assert_eq!(refused.kind(), Kind::Conflict, "{refused}");
    store.verify().await.expect("whole");
}

#[tokio::test]
async fn of_two_replicas_that_approve_at_the_same_moment_one_counts() {
    let (first, store, proposal) = proposed(1).await;
    let second = engine(&store).await;
    assert_eq!(approve(&first.handle(), "ann", &proposal).await.expect("counts"), ProposalState::Approved);
    let refused = approve(&second.handle(), "bob", &proposal).await.expect_err("comes second");
    assert_eq!(refused.kind(), Kind::Conflict, "{refused}");
    store.verify().await.expect("whole");
}

#[tokio::test]
async fn two_approvals_by_one_person_are_one() {
    let (engine, _, proposal) = proposed(2).await;
    let handle = engine.handle();
    assert_eq!(approve(&handle, "ann", &proposal).await.expect("counts"), ProposalState::Open);
    assert_eq!(approve(&handle, "ann", &proposal).await.expect_err("once only").kind(), Kind::Conflict);
    assert_eq!(approve(&handle, "bob", &proposal).await.expect("counts"), ProposalState::Approved);
}

#[tokio::test]
async fn an_approval_of_something_else_than_what_is_proposed_is_refused() {
    let (engine, _, proposal) = proposed(1).await;
    let other = crate::incident::Digest::of_bytes(b"something else");
    let (handle, ann, kind) = (engine.handle(), actor("ann"), DecisionKind::Approve);
    let decided = handle.decide(&ann, &proposal.id, kind, other, None, "".into()).await;
    assert_eq!(decided.expect_err("refused").kind(), Kind::StaleDigest);
}

#[tokio::test]
async fn who_may_not_is_told_and_nothing_is_entered() {
    let (engine, store, proposal) = proposed(1).await;
    let before = store.head().await.expect("readable");
    for who in ["cid", "mallory"] {
        assert_eq!(
            approve(&engine.handle(), who, &proposal).await.expect_err("refused").kind(),
            Kind::Forbidden
        );
        assert_eq!(engine.handle().pause(&actor(who)).await.expect_err("refused").kind(), Kind::Forbidden);
    }
    assert_eq!(store.head().await.expect("readable"), before);
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let (engine, ..) = started().await;
    let handle = engine.handle();
    assert!(matches!(handle.incident(&"i-99".into()).await, Err(Refused::NoIncident(_))));
    assert!(matches!(handle.proposal(&"i-99.p1".into()).await, Err(Refused::NoProposal(_))));
    assert!(matches!(handle.proposal(&"nonsense".into()).await, Err(Refused::NoProposal(_))));
    let unknown: ExecutionId = "x-i-1.p9".into();
    assert!(matches!(handle.undo(&actor("ann"), &unknown).await, Err(Refused::NoExecution(_))));
    assert!(matches!(handle.settle(&actor("ann"), &unknown, 0, true).await, Err(Refused::NoExecution(_))));
}

#[tokio::test]
async fn the_brake_holds_executions_and_outlives_a_restart() {
    let (engine, store, proposal) = proposed(1).await;
    engine.handle().pause(&actor("ann")).await.expect("she may");
    approve(&engine.handle(), "ann", &proposal).await.expect("deciding goes on");
    drop(engine);
    let engine = self::engine(&store).await;
    assert!(engine.handle().status().paused);
    let incident = engine.handle().proposal(&proposal.id).await.expect("there");
    let due = crate::incident::next(&incident, clock::now(), engine.shared.brake());
    assert_eq!(due.step, None, "paused");
    engine.handle().resume(&actor("bob")).await.expect("he may");
    let due = crate::incident::next(&incident, clock::now(), engine.shared.brake());
    assert!(due.step.is_some(), "goes on");
    assert!(self::engine(&store).await.shared.brake() == crate::incident::Brake::Off);
}

#[tokio::test]
async fn a_silence_is_entered_with_the_name_of_whoever_wanted_it() {
    let (engine, store, incident) = started().await;
    let until = clock::now().checked_add(jiff::SignedDuration::from_hours(1)).expect("in range");
    let silenced =
        engine.handle().silence(&actor("ann"), &incident.id, until, "known".into()).await.expect("she may");
    assert_eq!(silenced.silenced_until, Some(until));
    let entries = store.entries(&incident.id, 1, 10).await.expect("readable");
    assert!(matches!(&entries[0].entry, Entry::Silenced { by, .. } if by.id == "ann"));
    assert!(
        engine
            .handle()
            .unsilence(&actor("bob"), &incident.id)
            .await
            .expect("he may")
            .silenced_until
            .is_none()
    );
}

#[tokio::test]
async fn subscribers_hear_every_entry_in_order_and_can_read_what_they_missed() {
    let (engine, _, proposal) = proposed(2).await;
    let handle = engine.handle();
    let mut news = handle.subscribe();
    let seen = handle.newest().await.expect("readable");
    approve(&handle, "ann", &proposal).await.expect("counts");
    approve(&handle, "bob", &proposal).await.expect("counts");
    let heard: Vec<u64> =
        vec![news.recv().await.expect("told").recorded.seq, news.recv().await.expect("told").recorded.seq];
    assert_eq!(heard, [seen + 1, seen + 2]);
    let read = handle.entries_after(seen, 10).await.expect("readable");
    assert_eq!(read.len(), 2);
}

#[tokio::test]
async fn after_a_restart_an_open_incident_is_continued_and_not_taken_for_over() {
    let (engine, store, incident) = started().await;
    drop(engine);
    let engine = self::engine(&store).await;
    let key = &incident.finding.key;
    assert!(engine.shared.board.lock().group(key).is_some_and(crate::incident::grouping::Group::is_empty));
    engine.shared.report(key).await.expect("the store works");
    let now = engine.handle().incident(&incident.id).await.expect("there").incident;
    assert_eq!(now.status, Status::Open, "nothing was looked at yet, so nothing is known to be gone");
    assert_eq!(now.version, incident.version);
}

#[tokio::test]
async fn a_finding_with_the_key_of_an_open_incident_opens_no_second_one() {
    let (engine, store, incident) = started().await;
    let finding = Finding { since: Some(Timestamp::UNIX_EPOCH), ..auth_missing("a") };
    let (key, subject) = (finding.key.clone(), finding.subject.clone());
    engine.shared.board.lock().show(&subject, vec![finding], &Arc::default(), clock::now());
    engine.shared.report(&key).await.expect("the store works");
    let all = store.incidents(&IncidentFilter::default(), 10).await.expect("readable");
    assert_eq!(all.iter().map(|incident| &incident.id).collect::<Vec<_>>(), [&incident.id]);
}

#[tokio::test]
async fn a_finding_is_reported_after_its_hold_off_and_not_before() {
    let store = Store::memory().await.expect("memory");
    let engine = engine(&store).await;
    let report = async |since: Timestamp| {
        let finding = Finding { since: Some(since), ..auth_missing("a") };
        let (key, subject) = (finding.key.clone(), finding.subject.clone());
        engine.shared.board.lock().show(&subject, vec![finding], &Arc::default(), clock::now());
        engine.shared.report(&key).await.expect("the store works");
        store.incidents(&IncidentFilter::default(), 10).await.expect("readable").len()
    };
    assert_eq!(report(clock::now()).await, 0, "held off for ten seconds");
    let long_ago = clock::now().checked_sub(jiff::SignedDuration::from_secs(11)).expect("in range");
    assert_eq!(report(long_ago).await, 1);
}

#[tokio::test]
async fn a_thousand_pods_with_one_cause_are_one_incident_with_a_count() {
    let store = Store::memory().await.expect("memory");
    let engine = engine(&store).await;
    let key = auth_missing("a").key;
    for number in 0..1000 {
        let name = format!("pod-{number}");
        let finding = Finding { since: Some(Timestamp::UNIX_EPOCH), ..auth_missing(&name) };
        let subject = finding.subject.clone();
        engine.shared.board.lock().show(&subject, vec![finding], &Arc::default(), clock::now());
        engine.shared.report(&key).await.expect("the store works");
    }
    let all = store.incidents(&IncidentFilter::default(), 10).await.expect("readable");
    assert_eq!(all.len(), 1);
    let shown = engine.shared.board.lock().group(&key).expect("there").len();
    assert_eq!(shown, 1000);
    let entries = store.entries(&all[0].id, 0, 500).await.expect("readable").len();
    assert!(entries <= 3, "counting is told now and then, not a thousand times: {entries}");
}

#[tokio::test]
async fn a_person_known_by_another_way_in_is_somebody_else() {
    let (engine, _, proposal) = proposed(1).await;
    let imposter = Actor { via: crate::incident::Via::Slack, ..actor("ann") };
    let (digest, kind) = (proposal.digest.clone(), DecisionKind::Approve);
    let decided = engine.handle().decide(&imposter, &proposal.id, kind, digest, None, "".into()).await;
    assert_eq!(decided.expect_err("refused").kind(), Kind::Forbidden);
}
