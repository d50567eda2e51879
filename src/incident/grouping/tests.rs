//! From findings to incidents: groups, their counts, when one begins, ends, comes back, or takes in another.

use std::sync::Arc;

use super::*;
use crate::incident::samples::{at, auth_missing, finding, fold, opened, pod};
use crate::incident::{Entry, Incident, IncidentId, Scope, Severity};

fn rules() -> Rules {
    Rules::default()
}

fn board(pods: u32) -> Board {
    let mut board = Board::default();
    for n in 0..pods {
        show(&mut board, &format!("pod-{n}"), 0);
    }
    board
}

fn show(board: &mut Board, name: &str, second: i64) {
    board.show(&pod(name), vec![auth_missing(name)], &Arc::default(), at(second));
}

fn well(board: &mut Board, name: &str, second: i64) {
    board.show(&pod(name), Vec::new(), &Arc::default(), at(second));
}

fn key() -> IncidentKey {
    auth_missing("a").key
}

fn ask(board: &Board, incident: Option<&Incident>, wider: Option<&IncidentId>, second: i64) -> Judgement {
    let group = board.group(&key()).expect("a group");
    judge(group, incident, wider, &board.members(&key(), &|_: &ConditionId| false), &rules(), at(second))
}

fn due(due: Due) -> Judgement {
    Judgement { due: Some(due), again: None }
}

fn later(second: i64) -> Judgement {
    Judgement { due: None, again: Some(at(second)) }
}

#[test]
fn a_hundred_pods_with_one_cause_are_one_group_with_a_count() {
    let board = board(100);
    assert_eq!(board.keys().count(), 1);
    let members = board.members(&key(), &|_: &ConditionId| false);
    assert_eq!((members.now, members.listed.len()), (100, Members::LISTED));
    assert_eq!(members.listed[0].uid.as_str(), "uid-pod-0");
}

#[test]
fn seeing_the_same_twice_changes_nothing() {
    let mut board = board(3);
    show(&mut board, "pod-1", 5);
    assert_eq!(board.members(&key(), &|_: &ConditionId| false).now, 3);
}

#[test]
fn a_pod_that_came_back_with_a_new_uid_is_counted_once_and_named_anew() {
    let mut board = board(1);
    let mut reborn = pod("pod-0");
    reborn.uid = "uid-2".into();
    board.show(&reborn, vec![auth_missing("pod-0")], &Arc::default(), at(3));
    let members = board.members(&key(), &|_: &ConditionId| false);
    assert_eq!((members.now, members.listed[0].uid.as_str()), (1, "uid-2"));
}

#[test]
fn what_does_not_last_is_not_reported() {
    let mut board = board(1);
    assert_eq!(ask(&board, None, None, 3), later(10));
    assert_eq!(ask(&board, None, None, 10), due(Due::Open));
    well(&mut board, "pod-0", 4);
    assert_eq!(ask(&board, None, None, 30), Judgement::default());
    show(&mut board, "pod-0", 40);
    assert_eq!(ask(&board, None, None, 45), later(50));
}

#[test]
fn what_the_evidence_shows_to_be_old_is_reported_at_once() {
    let mut board = Board::default();
    let mut old = auth_missing("a");
    old.since = Some(at(-500));
    board.show(&pod("a"), vec![old], &Arc::default(), at(0));
    assert_eq!(ask(&board, None, None, 0), due(Due::Open));
}

#[test]
fn an_incident_is_resolved_after_it_stayed_clear() {
    let (mut board, incident) = (board(1), fold(&[opened()]));
    well(&mut board, "pod-0", 20);
    assert_eq!(ask(&board, Some(&incident), None, 20), later(50));
    assert_eq!(ask(&board, Some(&incident), None, 50), due(Due::Resolve));
    show(&mut board, "pod-0", 49);
    assert_ne!(ask(&board, Some(&incident), None, 50).due, Some(Due::Resolve));
}

#[test]
fn a_resolved_incident_comes_back_within_its_time() {
    let (mut board, incident) = (board(1), fold(&[opened(), Entry::Resolved]));
    well(&mut board, "pod-0", 1);
    assert_eq!(ask(&board, Some(&incident), None, 5), Judgement::default());
    show(&mut board, "pod-0", 20);
    assert_eq!(ask(&board, Some(&incident), None, 30), due(Due::Reopen));
    assert!(comes_back(&incident, &rules(), at(3600)));
    assert!(!comes_back(&incident, &rules(), at(3602)));
}

#[test]
fn members_are_recounted_no_more_often_than_people_can_read() {
    let (mut board, incident) = (board(2), fold(&[opened()]));
    assert_eq!(ask(&board, Some(&incident), None, 3), later(15));
    assert_eq!(ask(&board, Some(&incident), None, 15), due(Due::Recount));
    board.told(&key(), at(15));
    assert_eq!(ask(&board, Some(&incident), None, 16), later(30));
}

#[test]
fn what_flaps_for_a_day_is_recounted_a_few_hundred_times_at_most() {
    let (mut board, mut incident) = (board(2), fold(&[opened()]));
    let mut recounts = 0;
    for second in 0..86_400 {
        match second % 2 {
            0 => show(&mut board, "flapping", second),
            _ => well(&mut board, "flapping", second),
        }
        if ask(&board, Some(&incident), None, second).due == Some(Due::Recount) {
            let members = board.members(&key(), &|_| false);
            let entry = Entry::MembersChanged { members };
            incident =
                crate::incident::apply(Some(incident), &"i-1".into(), at(second), &entry).expect("legal");
            board.told(&key(), at(second));
            recounts += 1;
        }
    }
    assert!((50..400).contains(&recounts), "{recounts}");
}

#[test]
fn a_storm_of_ten_thousand_pods_is_twenty_groups_with_every_pod_counted() {
    let mut board = Board::default();
    for n in 0..10_000 {
        let name = format!("pod-{n}");
        let place = format!("Deployment payments/app-{}", n % 20);
        let found = finding("image.not-found", Scope::Workload, &place, &name);
        board.show(&pod(&name), vec![found], &Arc::default(), at(n / 100));
    }
    let keys: Vec<IncidentKey> = board.keys().cloned().collect();
    assert_eq!(keys.len(), 20);
    let counted: u32 = keys.iter().map(|key| board.members(key, &|_| false).now).sum();
    assert_eq!(counted, 10_000);
    let wide = finding("image.registry-outage", Scope::Registry, "harbor.example.com", "z");
    assert_eq!(board.members(&wide.key, &|id| id.as_str() == "image.not-found").now, 10_000);
    assert_eq!(board.covered(&wide.key, &|_| true).len(), 20);
    for n in 0..10_000 {
        well(&mut board, &format!("pod-{n}"), 200);
    }
    for key in &keys {
        board.forget(key);
    }
    assert_eq!((board.keys().count(), board.subjects().count()), (0, 0));
}

#[test]
fn quotes_alone_are_no_news_and_a_graver_finding_is_told_at_once() {
    let mut board = Board::default();
    let incident = fold(&[opened()]);
    show(&mut board, "a", 0);
    assert_eq!(ask(&board, Some(&incident), None, 99), Judgement::default());
    let mut graver = auth_missing("a");
    graver.severity = Severity::Critical;
    board.show(&pod("a"), vec![graver], &Arc::default(), at(1));
    assert_eq!(ask(&board, Some(&incident), None, 1), due(Due::Update));
}

#[test]
fn a_wider_incident_takes_in_what_lies_in_its_place() {
    let wide = finding("image.registry-outage", Scope::Registry, "harbor.example.com", "z");
    let absorbs: Absorbs<'_> = &|id| id.as_str() == "image.auth-missing";
    assert!(covers(&wide.key, absorbs, &auth_missing("a")));
    assert!(!covers(&wide.key, &|_| false, &auth_missing("a")));
    assert!(!covers(&auth_missing("a").key, absorbs, &wide), "never from narrow to wide");
    let mut elsewhere = auth_missing("a");
    elsewhere.places.pop();
    assert!(!covers(&wide.key, absorbs, &elsewhere));

    let mut board = board(5);
    board.show(&pod("z"), vec![wide.clone()], &Arc::default(), at(0));
    assert_eq!(board.members(&wide.key, absorbs).now, 6);
    assert_eq!(board.covered(&wide.key, absorbs), vec![key()]);
}

#[test]
fn what_a_wider_incident_covers_is_absorbed_and_released_when_that_is_over() {
    let (mut board, wide): (Board, IncidentId) = (board(1), "i-2".into());
    assert_eq!(ask(&board, None, Some(&wide), 99), Judgement::default(), "nothing new is opened");
    let open = fold(&[opened()]);
    assert_eq!(ask(&board, Some(&open), Some(&wide), 1), due(Due::Absorb { into: wide.clone() }));
    let absorbed = fold(&[opened(), Entry::Absorbed { into: wide.clone() }]);
    assert_eq!(ask(&board, Some(&absorbed), None, 2), due(Due::Release));
    well(&mut board, "pod-0", 2);
    assert_eq!(ask(&board, Some(&absorbed), None, 99), due(Due::Resolve), "it is over inside the wider one");
}

#[test]
fn an_incident_from_before_a_restart_settles_before_it_is_called_resolved() {
    let mut board = Board::default();
    let incident = fold(&[opened()]);
    board.expect(&incident.finding, Arc::default(), at(100));
    assert_eq!(ask(&board, Some(&incident), None, 100), later(130));
    show(&mut board, "a", 110);
    assert_eq!(ask(&board, Some(&incident), None, 140), Judgement::default());
}

#[test]
fn a_subject_that_changes_its_condition_moves() {
    let mut board = board(1);
    let other = finding("image.not-found", Scope::Workload, "Deployment payments/checkout", "pod-0");
    let touched = board.show(&pod("pod-0"), vec![other.clone()], &Arc::default(), at(5));
    assert_eq!(touched.len(), 2);
    assert!(board.group(&key()).expect("still there").is_empty());
    assert_eq!(board.group(&other.key).expect("new").len(), 1);
}
