//! Messages and how far they got.

use super::super::{NoteCursor, PostKey, PostState, Posting};
use super::*;
use crate::incident::samples::at;

fn posting(channel: &str, subject: &str, second: i64) -> Posting {
    Posting {
        key: PostKey { platform: "slack".into(), channel: channel.into(), subject: subject.into() },
        nonce: format!("n-{channel}-{subject}").into(),
        state: PostState::Wanted,
        shown: None,
        notes: NoteCursor::default(),
        reposted: 0,
        continued: Vec::new(),
        text: "".into(),
        route: "all".into(),
        since: at(0),
        changed: at(second),
        settled: false,
    }
}

#[tokio::test]
async fn a_message_has_one_row_whatever_becomes_of_it() {
    let store = Store::memory().await.expect("memory");
    let wanted = posting("C1", "i-1", 0);
    store.put_posting(&wanted).await.expect("put");
    let state = PostState::Posted { message: "17.5".into(), thread: None };
    let posted = Posting { state, changed: at(1), ..wanted };
    store.put_posting(&posted).await.expect("put");
    store.put_posting(&posting("C2", "i-1", 2)).await.expect("put");
    let all = store.postings("slack", "i-1").await.expect("read");
    assert_eq!(all, [posted.clone(), posting("C2", "i-1", 2)]);
    assert!(store.postings("discord", "i-1").await.expect("read").is_empty());
    let found = store.posting_of("slack", "C1", "17.5").await.expect("read");
    assert_eq!(found, Some(posted));
    assert_eq!(store.posting_of("slack", "C2", "17.5").await.expect("read"), None);
}

#[tokio::test]
async fn what_is_unsettled_is_found_after_a_restart() {
    let store = Store::memory().await.expect("memory");
    let settled = Posting { settled: true, ..posting("C1", "i-1", 0) };
    store.put_posting(&settled).await.expect("put");
    for (subject, second) in [("i-2", 9), ("i-3", 5)] {
        store.put_posting(&posting("C1", subject, second)).await.expect("put");
    }
    let found = store.unsettled_postings("slack", 10).await.expect("read");
    let subjects: Vec<&str> = found.iter().map(|posting| posting.key.subject.as_str()).collect();
    assert_eq!(subjects, ["i-3", "i-2"]);
}

#[tokio::test]
async fn what_was_gathered_into_a_digest_is_found_there() {
    let store = Store::memory().await.expect("memory");
    let digest = posting("C1", "digest:1", 0);
    let gathered =
        Posting { state: PostState::Gathered { into: "digest:1".into() }, ..posting("C1", "i-7", 1) };
    store.put_posting(&digest).await.expect("put");
    store.put_posting(&gathered).await.expect("put");
    store.put_posting(&posting("C1", "i-8", 1)).await.expect("put");
    assert_eq!(store.gathered(&digest.key, 10).await.expect("read"), [gathered]);
}

#[tokio::test]
async fn old_messages_are_forgotten_when_nothing_can_happen_to_them() {
    let store = Store::memory().await.expect("memory");
    write(&store, "i-1", 1, &[opened()]).await;
    let settled = Posting { settled: true, ..posting("C1", "i-1", 0) };
    store.put_posting(&settled).await.expect("put");
    store.put_posting(&posting("C2", "i-1", 0)).await.expect("put");
    store.put_posting(&posting("C1", "i-99", 0)).await.expect("put");
    store.put_posting(&Posting { settled: true, ..posting("C3", "i-1", 50) }).await.expect("put");
    assert_eq!(store.forget_postings(at(10)).await.expect("forget"), 2);
    let left = store.postings("slack", "i-1").await.expect("read");
    assert_eq!(left.iter().map(|p| p.key.channel.as_str()).collect::<Vec<_>>(), ["C2", "C3"]);
}
