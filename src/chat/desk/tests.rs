//! The desk: what people ask and press, and what they are answered.

use std::collections::BTreeSet;

use super::*;
use crate::chat::press::Seen;
use crate::engine::{Engine, rig};
use crate::incident::{Severity, Via};
use crate::store::Store;

struct Bench {
    engine: Engine,
    desk: Desk,
}

async fn bench() -> Bench {
    let engine = rig::engine(&Store::memory().await.expect("memory")).await;
    let desk = Desk::new(engine.handle(), Arc::new(Words::shipped("en")));
    Bench { engine, desk }
}

fn ann() -> Caller {
    Caller { actor: rig::ann(), groups: BTreeSet::new() }
}

fn stranger() -> Caller {
    Caller { actor: Actor { via: Via::Slack, id: "U-x".into(), name: "X".into() }, groups: BTreeSet::new() }
}

/// Everything an answer says.
fn read(answer: &Answer) -> String {
    match answer {
        Answer::Card { card, .. } | Answer::Sheet(card) => {
            let words = Words::shipped("en");
            let layouts = crate::chat::layout::Layouts::shipped();
            let body = layouts.card(crate::chat::layout::Platform::Slack, card, &words).expect("JSON");
            assert_eq!(crate::chat::limits::slack::message(&body), Vec::new());
            body.to_string()
        }
        Answer::Form(form) => format!("form {} {}", form.id, form.title),
        Answer::Quiet => String::new(),
    }
}

fn approve(proposal: &crate::incident::Proposal) -> String {
    let seen = Seen::of(&proposal.digest);
    Press::Approve { proposal: proposal.id.clone(), seen }.id().expect("short")
}

#[tokio::test]
async fn every_command_is_answered() {
    let Bench { engine, desk } = bench().await;
    let incident = rig::open(&engine, "a", Severity::Warning).await;
    rig::propose(&engine, &incident.id, 1, None).await;
    for (line, says) in [
        ("help", "What /mend can do"),
        ("help run", "add-pull-secret" /* not there */),
        ("status", "Open incidents"),
        ("incidents", "i-1"),
        ("incidents nothing-like-it", "Nothing is broken"),
        ("show i-1", "What happened"),
        ("show i-99", "there is no incident i-99"),
        ("diagnose pod/a", "Which cluster?"),
        ("diagnose pod/a --cluster x", "There is no cluster"),
        ("diagnose thing/a", "not a kind"),
        ("actions i-1", "No remedy fits"),
        ("run i-1 replace-pod", "it is not configured"),
        ("approve i-1.p1", "Preview: Replace the pod"),
        ("silence i-1 1h for a deploy", "is quiet until"),
        ("audit i-1", "Proposed as"),
        ("whoami", "U-ann"),
        ("pause", "All executions are stopped"),
        ("resume", "Executions go on"),
        ("aprove i-1.p1", "Did you mean `approve`?"),
        ("deny i-1.p1 no", "is denied"),
    ] {
        let says = if line == "help run" { "it must be approved" } else { says };
        let told = read(&desk.command(&ann(), line).await);
        let plain = told.replace("\u{200b}", "");
        assert!(plain.contains(says), "{line}: {told}");
    }
}

#[tokio::test]
async fn an_answer_is_for_the_channel_only_if_that_is_said() {
    let Bench { desk, .. } = bench().await;
    let to = |answer| if let Answer::Card { to, .. } = answer { to } else { panic!("a card") };
    assert_eq!(to(desk.command(&ann(), "status").await), Audience::Asker);
    assert_eq!(to(desk.command(&ann(), "status --here").await), Audience::Channel);
}

#[tokio::test]
async fn a_stranger_learns_nothing_but_that_they_are_one() {
    let Bench { engine, desk } = bench().await;
    let incident = rig::open(&engine, "a", Severity::Warning).await;
    let proposal = rig::propose(&engine, &incident.id, 1, None).await;
    for line in ["incidents", "show i-1", "status", "approve i-1.p1", "pause"] {
        let told = read(&desk.command(&stranger(), line).await);
        assert!(told.contains("does not know you") && !told.contains("payments"), "{line}: {told}");
    }
    let show = Press::Show { incident: incident.id.clone() }.id().expect("short");
    for press in [approve(&proposal), show] {
        let told = read(&desk.press(&stranger(), &press).await);
        assert!(told.contains("does not know you") && !told.contains("payments"), "{press}: {told}");
    }
    let view = engine.handle().incident(&incident.id).await.expect("there");
    assert!(view.incident.proposals[&proposal.id].decisions.is_empty());
}

#[tokio::test]
async fn a_click_approves_what_was_seen_and_nothing_else() {
    let Bench { engine, desk } = bench().await;
    let incident = rig::open(&engine, "a", Severity::Warning).await;
    let proposal = rig::propose(&engine, &incident.id, 1, None).await;
    let other = Seen::of(&crate::incident::Digest::of_bytes(b"another plan"));
    let (id, seen) = (|| proposal.id.clone(), || other.clone());
    for stale in
        [Press::Approve { proposal: id(), seen: seen() }, Press::Deny { proposal: id(), seen: seen() }]
    {
        let told = read(&desk.press(&ann(), &stale.id().expect("short")).await);
        assert!(told.contains("not what is proposed now"), "{told}");
    }
    assert!(read(&desk.press(&ann(), &approve(&proposal)).await).contains("is recorded"));
    assert!(read(&desk.press(&ann(), &approve(&proposal)).await).contains("Not done"), "a second click");
    assert!(read(&desk.press(&ann(), "k1.nonsense").await).contains("not one that kubemend made"));
}

#[tokio::test]
async fn high_risk_asks_for_the_name_and_takes_nothing_else() {
    let Bench { engine, desk } = bench().await;
    let incident = rig::open(&engine, "a", Severity::Warning).await;
    let proposal = rig::propose(&engine, &incident.id, 1, Some("checkout")).await;
    assert!(desk.asks(&stranger(), &approve(&proposal)).await.is_none(), "a stranger is not asked");
    let Answer::Form(form) = desk.press(&ann(), &approve(&proposal)).await else { panic!("a form") };
    let typed = |text: &str| BTreeMap::from([("confirm".to_owned(), text.to_owned())]);
    assert!(read(&desk.submit(&ann(), &form.id, &typed("chekout")).await).contains("Not done"));
    let view = engine.handle().incident(&incident.id).await.expect("there");
    assert!(view.incident.proposals[&proposal.id].decisions.is_empty());
    assert!(read(&desk.submit(&ann(), &form.id, &typed("checkout")).await).contains("is recorded"));
}

#[tokio::test]
async fn two_approvals_are_counted_down() {
    let Bench { engine, desk } = bench().await;
    let incident = rig::open(&engine, "a", Severity::Warning).await;
    let proposal = rig::propose(&engine, &incident.id, 2, None).await;
    assert!(read(&desk.press(&ann(), &approve(&proposal)).await).contains("1 more needed"));
}

/// What is offered to Ann for an option, each with what is shown.
fn offered(desk: &Desk, command: &str, option: &str, typed: &str, others: &[(&str, &str)]) -> Vec<Choice> {
    let others = others.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    desk.complete(&ann(), &Typing { command, option, typed, others: &others })
}

fn values(choices: &[Choice]) -> Vec<&str> {
    choices.iter().map(|choice| choice.value.as_str()).collect()
}

#[tokio::test]
async fn what_is_being_typed_is_completed_from_what_is_known_worst_first() {
    let Bench { engine, desk } = bench().await;
    rig::open(&engine, "web", Severity::Warning).await;
    let worse = rig::open(&engine, "api", Severity::Critical).await;
    let proposal = rig::propose(&engine, &worse.id, 1, None).await;
    assert_eq!(values(&offered(&desk, "show", "incident", "", &[])), ["i-2", "i-1"]);
    assert_eq!(values(&offered(&desk, "show", "incident", "WEB", &[])), ["i-1"]);
    assert_eq!(values(&offered(&desk, "approve", "proposal", "", &[])), [proposal.id.as_str()]);
    assert_eq!(values(&offered(&desk, "silence", "duration", "3", &[])), ["30m", "3d"]);
    assert_eq!(values(&offered(&desk, "help", "command", "sil", &[])), ["silence"]);
    for nothing in [("show", "nonsense"), ("nonsense", "incident"), ("deny", "reason"), ("pause", "here")] {
        assert_eq!(offered(&desk, nothing.0, nothing.1, "", &[]), Vec::new(), "{nothing:?}");
    }
}

#[tokio::test]
async fn remedies_are_those_of_the_incident_s_playbook() {
    let Bench { engine, desk } = bench().await;
    let incident = rig::open(&engine, "web", Severity::Warning).await;
    let condition = &incident.finding.condition;
    engine.handle().put_book(crate::engine::Book::shipped());
    let named = offered(&desk, "run", "remedy", "", &[("incident", "i-1")]);
    let book = engine.handle().book();
    let playbook = book.get(condition).expect("a shipped playbook");
    let known: Vec<&str> = playbook.remedies().map(|(id, _, _)| id.as_str()).collect();
    assert!(!known.is_empty());
    assert_eq!(values(&named), known);
    assert_eq!(offered(&desk, "run", "remedy", "", &[("incident", "i-9")]), Vec::new());
    let searched = offered(&desk, "incidents", "text", "", &[]);
    assert_eq!(searched[0].value, condition.as_str(), "what is on comes first");
    assert_eq!(searched.len(), book.len().min(25), "each once");
}

#[tokio::test]
async fn nobody_learns_a_name_without_a_role() {
    let Bench { engine, desk } = bench().await;
    rig::open(&engine, "web", Severity::Warning).await;
    let others = BTreeMap::new();
    for (command, option) in [("show", "incident"), ("help", "command"), ("incidents", "text")] {
        let typing = Typing { command, option, typed: "", others: &others };
        assert_eq!(desk.complete(&stranger(), &typing), Vec::new());
    }
}
