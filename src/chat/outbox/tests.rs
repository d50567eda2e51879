//! The outbox against a platform that fails in every way.

mod fake;
mod long;

use std::sync::Arc;
use std::time::Duration;

use self::fake::{Fault, Rig};
use super::pace::Method;
use super::*;
use crate::chat::settings::Settings;
use crate::engine::rig;
use crate::incident::{Entry, Severity};

const ONE: &str = "{routes: [{name: all, to: {slack: [C1]}}], fallback: {slack: [C9]}}";

#[tokio::test]
async fn an_incident_is_posted_once_edited_in_place_and_told_in_its_thread() {
    let rig = Rig::new(ONE).await;
    let incident = rig::open(&rig.engine, "a", Severity::Warning).await;
    let outbox = rig.start();
    rig.fake.until(|w| w.messages("C1").len() == 1).await;
    rig::enter(&rig.engine, &incident.id, Entry::Noted { text: "a remark".into() }).await;
    rig::enter(&rig.engine, &incident.id, Entry::Resolved).await;
    rig.fake
        .until(|w| w.messages("C1")[0].text.contains("Over:") && w.replies("C1").concat().contains("gone"))
        .await;
    let replies = rig.fake.read(|w| w.replies("C1"));
    assert!(replies.concat().contains("a remark"), "{replies:?}");
    assert_eq!(rig.fake.read(|w| w.messages("C1").len()), 1);
    outbox.stop().await;
    assert!(rig.postings(&incident.id).await[0].settled);
}

#[tokio::test]
async fn a_crash_between_posting_and_storing_posts_nothing_twice() {
    let rig = Rig::new(ONE).await;
    rig::open(&rig.engine, "a", Severity::Warning).await;
    rig.fake.fail(Method::Post, Fault::Hang);
    let outbox = rig.start();
    rig.fake.until(|w| w.messages("C1").len() == 1).await;
    outbox.kill().await;
    let again = rig.start();
    rig.fake.until(|w| w.asked > 0 && w.edits > 0).await;
    again.stop().await;
    assert_eq!(rig.fake.read(|w| w.messages("C1").len()), 1);
}

#[tokio::test]
async fn a_crash_before_anything_was_sent_posts_it_after_all() {
    let rig = Rig::new(ONE).await;
    rig::open(&rig.engine, "a", Severity::Warning).await;
    rig.fake.fail(Method::Post, Fault::HangBefore);
    let outbox = rig.start();
    rig.fake.until(|w| w.hung > 0).await;
    outbox.kill().await;
    let again = rig.start();
    rig.fake.until(|w| w.messages("C1").len() == 1).await;
    again.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_looked_up() {
    let rig = Rig::new(ONE).await;
    rig::open(&rig.engine, "a", Severity::Warning).await;
    rig.fake.fail(Method::Post, Fault::LostAnswer);
    let outbox = rig.start();
    rig.fake.until(|w| w.asked == 1 && w.edits == 1).await;
    outbox.stop().await;
    assert_eq!(rig.fake.read(|w| w.messages("C1").len()), 1);
}

#[tokio::test]
async fn a_crash_while_replying_replies_once() {
    let rig = Rig::new(ONE).await;
    let incident = rig::open(&rig.engine, "a", Severity::Warning).await;
    let outbox = rig.start();
    rig.fake.until(|w| w.messages("C1").len() == 1).await;
    rig::enter(&rig.engine, &incident.id, Entry::Noted { text: "first".into() }).await;
    rig.fake.until(|w| w.replies("C1").len() == 1).await;
    rig.fake.fail(Method::Reply, Fault::Hang);
    rig::enter(&rig.engine, &incident.id, Entry::Noted { text: "second".into() }).await;
    rig.fake.until(|w| w.hung > 0).await;
    outbox.kill().await;
    let again = rig.start();
    rig::enter(&rig.engine, &incident.id, Entry::Noted { text: "third".into() }).await;
    rig.fake.until(|w| w.replies("C1").concat().contains("third")).await;
    again.stop().await;
    let all = rig.fake.read(|w| w.replies("C1")).concat();
    for word in ["first", "second", "third"] {
        // Once in the line, once in the fallback text of the same reply at most.
        let replies = rig.fake.read(|w| w.replies("C1"));
        assert_eq!(replies.iter().filter(|reply| reply.contains(word)).count(), 1, "{word} in {all}");
    }
}

#[tokio::test]
async fn edits_that_pile_up_while_rate_limited_become_one() {
    let rig = Rig::new(ONE).await;
    let incident = rig::open(&rig.engine, "a", Severity::Warning).await;
    let outbox = rig.start();
    rig.fake.until(|w| w.messages("C1").len() == 1).await;
    let limit = PostError::RateLimited { after: Duration::from_millis(700), scope: Scope::Channel };
    rig.fake.fail(Method::Edit, Fault::Refuse(limit));
    for count in 2..30 {
        let members = crate::incident::samples::members(count);
        rig::enter(&rig.engine, &incident.id, Entry::MembersChanged { members }).await;
    }
    rig.fake.until(|w| w.messages("C1")[0].text.contains("29 objects")).await;
    outbox.stop().await;
    assert!(rig.fake.read(|w| w.edits) <= 4, "{}", rig.fake.read(|w| w.edits));
}

#[tokio::test]
async fn a_storm_of_429_and_5xx_loses_and_doubles_nothing() {
    let (rig, mut ids) = (Rig::new(ONE).await, Vec::new());
    for number in 0..12 {
        rig.fake.fail(Method::Post, Fault::LostAnswer);
        let after = Duration::from_millis(20);
        rig.fake
            .fail(Method::Post, Fault::Refuse(PostError::RateLimited { after, scope: Scope::Everything }));
        rig.fake.fail(Method::Find, Fault::Refuse(PostError::NotSent("refused".to_owned())));
        ids.push(rig::open(&rig.engine, &format!("w{number}"), Severity::Warning).await.id.clone());
    }
    let outbox = rig.start();
    for id in &ids {
        rig.until_shown(id).await;
    }
    outbox.stop().await;
    assert_eq!(rig.fake.read(|w| w.messages("C1").len()), 12);
    let mut nonces: Vec<String> =
        rig.fake.read(|w| w.messages("C1").iter().map(|m| m.nonce.clone()).collect());
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 12);
}

#[tokio::test]
async fn a_message_that_somebody_removed_is_posted_anew_once() {
    let rig = Rig::new(ONE).await;
    let incident = rig::open(&rig.engine, "a", Severity::Warning).await;
    let outbox = rig.start();
    rig.fake.until(|w| w.messages("C1").len() == 1).await;
    rig.fake.remove("C1");
    rig::enter(
        &rig.engine,
        &incident.id,
        Entry::MembersChanged { members: crate::incident::samples::members(2) },
    )
    .await;
    rig.fake.until(|w| w.messages("C1").len() == 1 && w.messages("C1")[0].text.contains("posted anew")).await;
    rig.fake.remove("C1");
    rig::enter(
        &rig.engine,
        &incident.id,
        Entry::MembersChanged { members: crate::incident::samples::members(3) },
    )
    .await;
    rig.until_abandoned(&incident.id).await;
    outbox.stop().await;
    assert!(rig.fake.read(|w| w.messages("C1").is_empty()));
}

#[tokio::test]
async fn what_belongs_into_a_broken_channel_goes_to_the_fallback_and_that_is_said_once() {
    let rig = Rig::new(ONE).await;
    rig.fake.close("C1");
    for name in ["a", "b", "c"] {
        rig::open(&rig.engine, name, Severity::Warning).await;
    }
    let outbox = rig.start();
    rig.fake.until(|w| w.messages("C9").len() == 4).await;
    outbox.stop().await;
    let told =
        rig.fake.read(|w| w.messages("C9").iter().filter(|m| m.text.contains("cannot be used")).count());
    assert_eq!(told, 1);
}

#[tokio::test]
async fn a_storm_beyond_the_budget_is_told_in_one_message() {
    let settings = "{routes: [{name: all, to: {slack: [C1]}, budget: {messages: 3, perMinutes: 1440}}]}";
    let rig = Rig::new(settings).await;
    for number in 0..20 {
        rig::open(&rig.engine, &format!("w{number}"), Severity::Warning).await;
    }
    let outbox = rig.start();
    rig.fake.until(|w| w.messages("C1").iter().any(|m| m.text.contains("17 incidents"))).await;
    outbox.stop().await;
    assert_eq!(rig.fake.read(|w| w.messages("C1").len()), 4);
}

#[tokio::test]
async fn an_absorbed_or_silenced_incident_makes_no_new_message() {
    let rig = Rig::new(ONE).await;
    let (one, two) = (
        rig::open(&rig.engine, "a", Severity::Warning).await,
        rig::open(&rig.engine, "b", Severity::Warning).await,
    );
    rig::enter(&rig.engine, &one.id, Entry::Absorbed { into: two.id.clone() }).await;
    let until = rig.engine.handle().now().checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
    rig::enter(&rig.engine, &two.id, Entry::Silenced { until, by: rig::ann(), note: "".into() }).await;
    let three = rig::open(&rig.engine, "c", Severity::Warning).await;
    let outbox = rig.start();
    rig.fake.until(|w| w.messages("C1").len() == 1).await;
    outbox.stop().await;
    assert!(rig.fake.read(|w| w.messages("C1")[0].text.contains(three.id.as_str())));
}
