//! What chat must not forget: owed answers, when it was heard, who is in which groups.

use super::super::{Membership, Owed};
use super::*;
use crate::incident::Via;
use crate::incident::samples::at;

fn owed(key: &str, since: i64, ends: i64) -> Owed {
    Owed { key: key.into(), since: at(since), ends: at(ends), body: format!("{{\"who\":\"{key}\"}}") }
}

#[tokio::test]
async fn an_answer_is_owed_until_it_was_given_or_nobody_waits_any_more() {
    let store = Store::memory().await.expect("memory");
    let (a, b, c) = (owed("a", 2, 100), owed("b", 1, 100), owed("c", 3, 50));
    store.change_owed("slack", &[a.clone(), b.clone(), c.clone()], &[]).await.expect("kept");
    store.change_owed("slack", &[Owed { body: "other".into(), ..a.clone() }], &[]).await.expect("kept");
    assert_eq!(store.owed("slack", at(10)).await.expect("read"), [b.clone(), a.clone(), c]);
    assert_eq!(store.owed("discord", at(10)).await.expect("read"), []);
    store.change_owed("slack", &[], &["b".into(), "nobody".into()]).await.expect("answered");
    assert_eq!(store.owed("slack", at(50)).await.expect("read"), [a]);
    assert_eq!(store.owed("slack", at(100)).await.expect("read"), []);
}

#[tokio::test]
async fn more_than_can_be_kept_is_not_kept() {
    let store = Store::memory().await.expect("memory");
    let many: Vec<Owed> = (0..5_010).map(|number| owed(&number.to_string(), number, 9_999)).collect();
    store.change_owed("slack", &many, &[]).await.expect("kept");
    assert_eq!(store.owed("slack", at(0)).await.expect("read").len(), 5_000);
}

#[tokio::test]
async fn what_was_answered_is_not_in_the_file_any_more() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("kubemend.db");
    let store = Store::open(&path).await.expect("open");
    let secret = Owed { body: "https://hooks.slack.com/a-secret-way".into(), ..owed("a", 1, 100) };
    store.change_owed("slack", &[secret], &[]).await.expect("kept");
    store.change_owed("slack", &[], &["a".into()]).await.expect("answered");
    store.close().await;
    let bytes = std::fs::read(&path).expect("read");
    assert!(!bytes.windows(12).any(|window| window == b"a-secret-way"));
}

#[tokio::test]
async fn a_platform_was_last_heard_when_it_was() {
    let store = Store::memory().await.expect("memory");
    assert_eq!(store.heard("slack").await.expect("read"), None);
    for second in [5, 9, 7] {
        store.put_heard("slack", at(second)).await.expect("noted");
    }
    assert_eq!(store.heard("slack").await.expect("read"), Some(at(9)));
}

#[tokio::test]
async fn groups_are_kept_with_when_they_were_told() {
    let store = Store::memory().await.expect("memory");
    let member = |id: &str, said: i64, groups: &[&str]| Membership {
        via: Via::Slack,
        id: id.into(),
        said: at(said),
        groups: groups.iter().map(|group| (*group).into()).collect(),
    };
    for known in [member("U1", 5, &["S1"]), member("U2", 6, &["S1", "S2"]), member("U1", 7, &["S2"])] {
        store.put_membership(&known, at(0)).await.expect("kept");
    }
    let kept = store.memberships().await.expect("read");
    assert_eq!(kept, [member("U1", 7, &["S2"]), member("U2", 6, &["S1", "S2"])]);
    store.put_membership(&member("U2", 8, &[]), at(0)).await.expect("forgotten");
    store.put_membership(&member("U3", 20, &["S1"]), at(10)).await.expect("kept");
    assert_eq!(store.memberships().await.expect("read"), [member("U3", 20, &["S1"])]);
}
