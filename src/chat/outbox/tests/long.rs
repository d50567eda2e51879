//! What a message cannot hold goes on in its thread, once.

use super::fake::{Fault, Rig};
use super::*;
use crate::chat::card::{Block, Card, Tone};
use crate::incident::samples::auth_missing;
use crate::incident::{Entry, Finding, Incident, Quote, Severity, Source};

const ONE: &str = "{routes: [{name: all, to: {slack: [C1]}}], fallback: {slack: [C9]}}";

/// What stood in a thread beside the notes.
fn continued(rig: &Rig) -> Vec<String> {
    let replies = rig.fake.read(|w| w.replies("C1"));
    replies.into_iter().filter(|reply| reply.contains("(continued)") || reply.contains("\"file\"")).collect()
}

async fn quoting(rig: &Rig, incident: &Incident, lengths: &[usize]) {
    let quote = |(index, length): (usize, &usize)| Quote {
        source: Source::Event,
        origin: format!("event {index}").into(),
        text: format!("begin-{index} {} end-{index}", "x".repeat(*length)).into(),
        at: None,
    };
    let quotes = lengths.iter().enumerate().map(quote).collect();
    let finding = Finding { quotes, severity: Severity::Warning, ..auth_missing("a") };
    let finding = Finding { key: incident.finding.key.clone(), ..finding };
    let entry = Entry::Updated { finding: Box::new(finding), evidence: Box::default() };
    rig::enter(&rig.engine, &incident.id, entry).await;
}

#[tokio::test]
async fn evidence_for_which_the_card_has_no_room_goes_on_in_the_thread_once() {
    let rig = Rig::new(ONE).await;
    let incident = rig::open(&rig.engine, "a", Severity::Warning).await;
    let outbox = rig.start();
    quoting(&rig, &incident, &[20, 20, 20, 300, 300]).await;
    rig.fake.until(|w| w.replies("C1").concat().contains("end-4")).await;
    for count in 2..6 {
        let members = crate::incident::samples::members(count);
        rig::enter(&rig.engine, &incident.id, Entry::MembersChanged { members }).await;
    }
    rig.fake.until(|w| w.messages("C1")[0].text.contains("5 objects")).await;
    outbox.stop().await;
    let told = continued(&rig);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("begin-3") && !told[0].contains("begin-2"), "{told:?}");
}

#[tokio::test]
async fn what_is_too_long_for_a_message_becomes_a_file_over_a_crash_and_a_lost_answer() {
    let rig = Rig::new(ONE).await;
    rig.fake.0.lock().takes_files = true;
    let incident = rig::open(&rig.engine, "a", Severity::Warning).await;
    let outbox = rig.start();
    rig.fake.until(|w| w.messages("C1").len() == 1).await;
    // The note that the evidence is known better comes first and is taken; what goes on hangs.
    rig.fake.fail(Method::Reply, Fault::Pass);
    rig.fake.fail(Method::Reply, Fault::Hang);
    quoting(&rig, &incident, &[20_000]).await;
    rig.fake.until(|w| w.hung > 0).await;
    outbox.kill().await;
    let again = rig.start();
    rig.fake.until(|w| w.asked > 0).await;
    rig::enter(&rig.engine, &incident.id, Entry::Noted { text: "later".into() }).await;
    rig.fake.until(|w| w.replies("C1").concat().contains("later")).await;
    again.stop().await;
    let told = continued(&rig);
    assert_eq!(told.len(), 1, "{}", told.len());
    assert!(
        told[0].contains("begin-0") && told[0].contains("end-0") && told[0].contains("i-1-"),
        "all of it"
    );
}

#[tokio::test]
async fn where_no_file_is_taken_a_message_holds_what_it_can() {
    let rig = Rig::new(ONE).await;
    let incident = rig::open(&rig.engine, "a", Severity::Warning).await;
    let outbox = rig.start();
    quoting(&rig, &incident, &[20_000]).await;
    rig.fake.until(|w| w.replies("C1").concat().contains("(continued)")).await;
    outbox.stop().await;
    assert!(continued(&rig)[0].contains("begin-0"));
}

#[tokio::test]
async fn what_changes_again_and_again_is_continued_so_often_and_no_more() {
    let rig = Rig::new(ONE).await;
    rig.fake.0.lock().takes_files = true;
    let incident = rig::open(&rig.engine, "a", Severity::Warning).await;
    let outbox = rig.start();
    for more in 0..6 {
        quoting(&rig, &incident, &[20_000 + more]).await;
        let posting = format!("{}", 20_000 + more);
        rig::enter(&rig.engine, &incident.id, Entry::Noted { text: posting.as_str().into() }).await;
        rig.fake.until(|w| w.replies("C1").concat().contains(&posting)).await;
        rig.until_quiet(&incident.id).await;
    }
    outbox.stop().await;
    assert_eq!(continued(&rig).len(), more::MOST);
}

#[tokio::test]
async fn a_window_that_was_cut_goes_on_in_the_thread_once_for_all_who_look() {
    let rig = Rig::new(ONE).await;
    rig.fake.0.lock().takes_files = true;
    let incident = rig::open(&rig.engine, "a", Severity::Warning).await;
    let (running, outbox) = (rig.start(), rig.outbox());
    rig.until_shown(&incident.id).await;
    let code = Block::Code { text: "+ line\n".repeat(3_000) };
    let heading = Block::Heading { text: "What would change".into() };
    let card =
        Card { title: "Preview".into(), ..Card::sentence(Tone::Info, "short") }.with(heading).with(code);
    for _ in 0..3 {
        outbox.continue_in_thread(&incident.id, Some(&"C1".into()), &card).await.expect("kept");
    }
    outbox
        .continue_in_thread(&incident.id, None, &Card::sentence(Tone::Info, "short"))
        .await
        .expect("nothing");
    running.stop().await;
    let again = rig.start();
    rig.fake.until(|w| w.replies("C1").concat().contains("\"file\"")).await;
    again.stop().await;
    let told = continued(&rig);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("What would change") && !told[0].contains("short"), "only what was cut");
}

#[tokio::test]
async fn what_goes_on_keeps_its_order_though_the_first_of_it_fails() {
    let rig = Rig::new(ONE).await;
    rig.fake.0.lock().takes_files = true;
    let incident = rig::open(&rig.engine, "a", Severity::Warning).await;
    let outbox = rig.start();
    rig.fake.until(|w| w.messages("C1").len() == 1).await;
    // The note comes first and is taken.
    rig.fake.fail(Method::Reply, Fault::Pass);
    let unreachable = || PostError::NotSent("no connection".to_owned());
    rig.fake.fail(Method::Reply, Fault::Refuse(unreachable()));
    quoting(&rig, &incident, &[20_000]).await;
    rig.fake.until(|w| w.faults.is_empty()).await;
    quoting(&rig, &incident, &[30_000]).await;
    rig.fake.until(|w| w.replies("C1").concat().matches("\"file\"").count() == 2).await;
    outbox.stop().await;
    let told = continued(&rig);
    let lengths: Vec<bool> = told.iter().map(|file| file.len() > 25_000).collect();
    assert_eq!(lengths, [false, true], "the first one first");
}
