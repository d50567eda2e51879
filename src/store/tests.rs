//! The store against what it promises: together or not at all, in order, verifiable, and still there.

mod crash;
mod forms;
mod owed;
mod posts;

use std::os::unix::fs::PermissionsExt;

use jiff::Timestamp;

use super::*;
use crate::incident::chain::{Audited, Upkeep};
use crate::incident::samples::{actor, at, decided, executing, fold, opened, proposal};
use crate::incident::{DecisionKind, Entry, Incident, IncidentId, Severity, apply};

/// Applies and appends entries one by one second, beginning at `second`.
async fn write(store: &Store, id: &str, second: i64, entries: &[Entry]) -> Incident {
    let id = IncidentId::from(id);
    let mut state = store.incident(&id).await.expect("read");
    let mut timed: Vec<(Timestamp, Entry)> = Vec::new();
    for (when, entry) in (second..).zip(entries) {
        state = Some(apply(state, &id, at(when), entry).expect("legal"));
        timed.push((at(when), entry.clone()));
    }
    let state = state.expect("at least one entry");
    store.append(&Append { state: state.clone(), entries: timed }).await.expect("append");
    state
}

fn noted(text: &str) -> Entry {
    Entry::Noted { text: text.into() }
}

#[tokio::test]
async fn what_was_appended_is_read_back() {
    let store = Store::memory().await.expect("memory");
    let (entries, _) = executing();
    let state = write(&store, "i-1", 0, &entries).await;
    assert_eq!(state, fold(&entries));
    assert_eq!(store.incident(&"i-1".into()).await.expect("read"), Some(state));
    let read = store.entries(&"i-1".into(), 1, 10).await.expect("read");
    assert_eq!(read.iter().map(|r| r.number).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(read[0].entry, entries[1]);
    assert_eq!(store.verify().await.expect("whole").records, 4);
}

#[tokio::test]
async fn the_records_of_an_incident_are_found_without_a_look_at_all_others() {
    let store = Store::memory().await.expect("memory");
    for query in [read::ENTRIES, read::NEWEST_EVIDENCE] {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
        let steps = sqlx::query(explain).fetch_all(&store.reader).await.expect("a plan");
        let plan: Vec<String> = steps.iter().map(|step| sqlx::Row::get(step, "detail")).collect();
        assert!(plan[0].starts_with("SEARCH records USING INDEX records_of_incident"), "{plan:?}");
    }
}

#[tokio::test]
async fn the_second_writer_of_a_version_is_told_and_writes_nothing() {
    let store = Store::memory().await.expect("memory");
    let p = proposal(&"i-1.p1".into(), 1);
    let base = write(&store, "i-1", 0, &[opened(), Entry::Proposed { proposal: Box::new(p.clone()) }]).await;
    let approve = |who: &str| {
        let entry = decided(&p, DecisionKind::Approve, who, 5);
        let state = apply(Some(base.clone()), &base.id, at(5), &entry).expect("legal");
        Append { state, entries: vec![(at(5), entry)] }
    };
    let (first, second) = (approve("ann"), approve("bob"));
    let (one, two) = tokio::join!(store.append(&first), store.append(&second));
    let refused = [one, two].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    match refused.as_slice() {
        [StoreError::Conflict { incident, expected: 2, found: 3 }] => assert_eq!(*incident, base.id),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.verify().await.expect("whole").records, 3);
}

#[tokio::test]
async fn entries_that_do_not_lead_to_the_state_are_refused() {
    let store = Store::memory().await.expect("memory");
    let append = Append { state: fold(&[opened()]), entries: vec![(at(0), opened()), (at(1), noted("x"))] };
    let refused = store.append(&append).await.expect_err("mismatch");
    assert!(matches!(refused, StoreError::Mismatch { .. }), "{refused}");
}

#[tokio::test]
async fn incidents_are_found_by_what_people_ask_for() {
    let store = Store::memory().await.expect("memory");
    for n in 1..=5 {
        write(&store, &format!("i-{n}"), n, &[opened()]).await;
    }
    write(&store, "i-2", 10, &[Entry::Resolved]).await;
    let find = async |filter: IncidentFilter| -> Vec<String> {
        let found = store.incidents(&filter, 3).await.expect("read");
        found.iter().map(|incident| incident.id.to_string()).collect()
    };
    assert_eq!(find(IncidentFilter::default()).await, ["i-5", "i-4", "i-3"]);
    let next = IncidentFilter { before: Some("i-3".into()), ..IncidentFilter::default() };
    assert_eq!(find(next).await, ["i-2", "i-1"]);
    let resolved = IncidentFilter { status: Some(StatusFilter::Resolved), ..IncidentFilter::default() };
    assert_eq!(find(resolved).await, ["i-2"]);
    let family = IncidentFilter { condition: Some("image.".into()), ..IncidentFilter::default() };
    assert_eq!(find(family).await.len(), 3);
    let other = IncidentFilter { condition: Some("image".into()), ..IncidentFilter::default() };
    assert!(find(other).await.is_empty());
    let worse = IncidentFilter { severity: Some(Severity::Critical), ..IncidentFilter::default() };
    assert!(find(worse).await.is_empty());
    let text = IncidentFilter { text: Some("CHECKOUT".into()), ..IncidentFilter::default() };
    assert_eq!(find(text).await.len(), 3);
    let current = store.current(at(11)).await.expect("read");
    assert_eq!(current.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["i-1", "i-3", "i-4", "i-5"]);
    assert_eq!(store.current(at(10)).await.expect("read").len(), 5);
}

#[tokio::test]
async fn a_resolved_incident_with_an_unfinished_execution_stays_current() {
    let store = Store::memory().await.expect("memory");
    write(&store, "i-1", 0, &executing().0).await;
    write(&store, "i-1", 10, &[Entry::Resolved]).await;
    assert_eq!(store.current(at(9_999)).await.expect("read").len(), 1);
}

#[tokio::test]
async fn the_audit_is_filtered_by_kind_actor_and_place() {
    let store = Store::memory().await.expect("memory");
    write(&store, "i-1", 0, &executing().0).await;
    store.set_pause(&actor("bob"), at(9)).await.expect("pause");
    let find = async |filter: AuditFilter, order| -> Vec<u64> {
        let found = store.audit(&filter, order, 2).await.expect("read");
        found
            .iter()
            .map(|a| match a {
                Audited::Incident(r) => r.seq,
                Audited::General(g) => g.seq,
            })
            .collect()
    };
    assert_eq!(find(AuditFilter::default(), Order::OldestFirst).await, [1, 2]);
    assert_eq!(find(AuditFilter::default(), Order::NewestFirst).await, [5, 4]);
    let after = AuditFilter { after: Some(3), ..AuditFilter::default() };
    assert_eq!(find(after, Order::OldestFirst).await, [4, 5]);
    let decided = AuditFilter { kind: Some("decided".into()), ..AuditFilter::default() };
    assert_eq!(find(decided, Order::OldestFirst).await, [3]);
    let bob = AuditFilter { actor: Some("api:bob".into()), ..AuditFilter::default() };
    assert_eq!(find(bob, Order::OldestFirst).await, [5]);
    let early = AuditFilter { until: Some(at(1)), ..AuditFilter::default() };
    assert_eq!(find(early, Order::OldestFirst).await, [1]);
}

#[tokio::test]
async fn the_type_in_the_column_is_the_type_in_the_json() {
    for entry in executing().0.iter().chain(&[Entry::Released, Entry::Resolved, noted("x")]) {
        let json = serde_json::to_value(entry).expect("json");
        assert_eq!(json["type"], row::kind(entry));
    }
}

#[tokio::test]
async fn the_brake_is_remembered_and_recorded() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("kubemend.db");
    let store = Store::open(&path).await.expect("open");
    assert_eq!(store.pause().await.expect("read"), None);
    store.set_pause(&actor("ann"), at(1)).await.expect("pause");
    store.close().await;
    let store = Store::open(&path).await.expect("again");
    assert_eq!(store.pause().await.expect("read").expect("on").by, actor("ann"));
    let again = store.set_pause(&actor("bob"), at(2)).await.expect("pause");
    assert_eq!(again.by, actor("ann"), "the first one stands");
    store.clear_pause(&actor("bob"), at(3)).await.expect("resume");
    assert_eq!(store.pause().await.expect("read"), None);
    let audit = store.audit(&AuditFilter::default(), Order::OldestFirst, 9).await.expect("read");
    let what: Vec<&Upkeep> = audit
        .iter()
        .filter_map(|a| match a {
            Audited::General(general) => Some(&general.what),
            Audited::Incident(_) => None,
        })
        .collect();
    assert_eq!(what, [&Upkeep::Paused { by: actor("ann") }, &Upkeep::Resumed { by: actor("bob") }]);
}

#[tokio::test]
async fn an_id_is_never_given_twice() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("kubemend.db");
    let store = Store::open(&path).await.expect("open");
    assert_eq!(store.new_incident().await.expect("id").as_str(), "i-1");
    assert_eq!(store.new_incident().await.expect("id").as_str(), "i-2");
    store.close().await;
    let store = Store::open(&path).await.expect("again");
    assert_eq!(store.new_incident().await.expect("id").as_str(), "i-3");
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("kubemend.db");
    std::fs::write(&path, "").expect("write");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("mode");
    let store = Store::open(&path).await.expect("open");
    write(&store, "i-1", 0, &[opened()]).await;
    for file in std::fs::read_dir(dir.path()).expect("list") {
        let file = file.expect("entry");
        let mode = file.metadata().expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
}

#[tokio::test]
async fn what_was_edited_by_hand_does_not_verify() {
    for (statement, why) in [
        ("UPDATE records SET body = replace(body, 'first', 'other') WHERE seq = 2", "body was changed"),
        ("UPDATE records SET at = at + 1 WHERE seq = 2", "head was changed"),
        ("DELETE FROM records WHERE seq = 2", "missing or out of order"),
        ("DELETE FROM records WHERE seq = 3", "the newest records are missing"),
        ("UPDATE records SET body = NULL WHERE seq = 2", "never forgotten"),
        (
            "INSERT INTO records (seq, incident, number, at, kind, actor, prev, digest, hash, body)
             SELECT 4, '', 0, at, 'resumed', 'api:eve', hash, digest, hash, body FROM records WHERE seq = 3",
            "was not written by kubemend",
        ),
        ("UPDATE incidents SET state = replace(state, 'Warning', 'x'), search = '' WHERE 1 = 0", ""),
        (
            "UPDATE incidents SET state = replace(state, '\"now\":1', '\"now\":7')",
            "not what its entries add up to",
        ),
    ] {
        let store = Store::memory().await.expect("memory");
        write(&store, "i-1", 0, &[opened(), noted("first"), noted("second")]).await;
        sqlx::query(statement).execute(&store.writer).await.expect("edit");
        match store.verify().await {
            Ok(_) => assert_eq!(why, "", "{statement}"),
            Err(broken) => {
                assert!(!why.is_empty() && broken.to_string().contains(why), "{statement}: {broken}");
            }
        }
    }
}

#[tokio::test]
async fn two_processes_that_write_at_once_make_one_chain() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("kubemend.db");
    let (one, two) = (Store::open(&path).await.expect("open"), Store::open(&path).await.expect("open"));
    let many = async |store: &Store| {
        let id = store.new_incident().await.expect("id");
        write(store, id.as_str(), 0, &[opened()]).await;
        for n in 0..40 {
            write(store, id.as_str(), n, &[noted(&format!("note {n}"))]).await;
        }
    };
    tokio::join!(many(&one), many(&two));
    assert_eq!(one.verify().await.expect("whole").records, 82);
    assert_eq!(two.head().await.expect("read"), one.head().await.expect("read"));
}

#[tokio::test]
async fn what_is_not_over_is_never_forgotten() {
    let store = Store::memory().await.expect("memory");
    let (mut entries, p) = executing();
    let execution = crate::incident::ExecutionId::of(&p.id);
    let why = "no answer".into();
    entries.extend([
        Entry::ChangeIntended { execution: execution.clone(), index: 0 },
        Entry::ChangeDone {
            execution: execution.clone(),
            index: 0,
            outcome: crate::incident::ChangeOutcome::Unknown { why },
        },
        Entry::Resolved,
    ]);
    write(&store, "i-1", 0, &entries).await;
    assert_eq!(store.sweep(at(9_999), at(9_999), 10).await.expect("sweep"), Swept::default());
    assert!(store.incident(&"i-1".into()).await.expect("read").is_some());
    let settled = Entry::Settled { execution: execution.clone(), index: 0, applied: false, by: actor("ann") };
    let outcome = crate::incident::Outcome::Stopped { at: 0, why: "it did not happen".into() };
    write(&store, "i-1", 50, &[settled, Entry::ExecutionFinished { execution, outcome }]).await;
    assert_eq!(store.sweep(at(9_999), at(9_999), 10).await.expect("sweep").incidents, 1);
    store.verify().await.expect("whole");
}

#[tokio::test]
async fn an_incident_that_came_back_is_not_forgotten() {
    let store = Store::memory().await.expect("memory");
    let back = Entry::Reopened {
        finding: Box::new(crate::incident::samples::auth_missing("a")),
        evidence: Box::default(),
        members: crate::incident::samples::members(1),
    };
    write(&store, "i-1", 0, &[opened(), Entry::Resolved, back]).await;
    assert_eq!(store.sweep(at(9_999), at(9_999), 10).await.expect("sweep"), Swept::default());
}

#[tokio::test]
async fn what_is_forgotten_leaves_a_chain_that_verifies() {
    let store = Store::memory().await.expect("memory");
    let notes: Vec<Entry> = (0..60).map(|n| noted(&format!("note {n}"))).collect();
    for n in 1..=4 {
        write(&store, &format!("i-{n}"), n, &[opened()]).await;
        write(&store, &format!("i-{n}"), n, &notes).await;
    }
    write(&store, "i-1", 100, &[Entry::Resolved]).await;
    write(&store, "i-3", 100, &[Entry::Resolved]).await;
    let none = store.sweep(at(100), at(500), 10).await.expect("sweep");
    assert_eq!(none, Swept::default(), "not old enough");

    let swept = store.sweep(at(101), at(500), 10).await.expect("sweep");
    assert_eq!(swept, Swept { incidents: 2, entries: 124, heads: 0 }, "i-2 still holds the beginning");
    assert_eq!(store.incident(&"i-1".into()).await.expect("read"), None);
    assert!(store.entries(&"i-1".into(), 0, 10).await.expect("read").is_empty());
    store.verify().await.expect("whole with missing bodies");

    write(&store, "i-2", 600, &[Entry::Resolved]).await;
    let swept = store.sweep(at(601), at(700), 10).await.expect("sweep");
    assert_eq!((swept.incidents, swept.heads), (1, 183), "i-4 holds the rest");
    let verified = store.verify().await.expect("whole by its checkpoint");
    assert!(verified.records < 80, "{verified:?}");
    assert_eq!(store.sweep(at(601), at(700), 10).await.expect("again"), Swept::default());

    sqlx::query("DELETE FROM records WHERE incident = '' AND kind = 'checkpoint'")
        .execute(&store.writer)
        .await
        .expect("edit");
    store.verify().await.expect_err("the checkpoint is needed");
}
