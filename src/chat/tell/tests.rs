//! What is told of an incident.

use super::*;
use crate::chat::card::{Block, Card, Span};
use crate::incident::samples::{applied, at, decided, executing, fold, opened, proposal, started};
use crate::incident::{
    DecisionKind, Entry, ExecutionId, Outcome, ProposalId, Quote, Recorded, Source, Undo, Verdict,
};

fn words() -> Words {
    Words::shipped("en")
}

fn tell(incident: &Incident) -> Card {
    let book = Book::default();
    Teller { words: &words(), book: &book }.incident(incident)
}

fn proposed(proposal: &crate::incident::Proposal) -> Entry {
    Entry::Proposed { proposal: Box::new(proposal.clone()) }
}

/// All texts of a card, one a line.
fn read(card: &Card) -> String {
    let mut lines = vec![format!("# {}", card.title), format!("({})", card.summary)];
    lines.extend(card.blocks.iter().map(|block| {
        match block {
            Block::Fields { fields } => fields
                .iter()
                .map(|field| {
                    format!("{}: {}", field.label, crate::chat::dialect::Dialect::Plain.rich(&field.value))
                })
                .collect::<Vec<_>>()
                .join("\n"),
            Block::Actions { buttons, more } => {
                let label = |button: &Button| format!("[{} {}]", button.label, button.id);
                let row = |buttons: &[Button]| buttons.iter().map(label).collect::<Vec<_>>().join(" ");
                format!("{} ... {}", row(buttons), row(more))
            }
            Block::Note { text } => format!("({})", crate::chat::dialect::Dialect::Plain.rich(text)),
            Block::Heading { .. }
            | Block::Text { .. }
            | Block::Quote { .. }
            | Block::Code { .. }
            | Block::Diff { .. }
            | Block::List { .. } => crate::chat::dialect::Dialect::Plain.block(block),
        }
    }));
    lines.join("\n")
}

#[test]
fn a_new_incident_says_what_why_and_what_can_be_done() {
    let first = proposal(&"i-1.p1".into(), 1);
    let mut incident = fold(&[opened(), proposed(&first)]);
    incident.finding.quotes.push(Quote {
        source: Source::Event,
        origin: "event Failed".into(),
        text: "pull access denied".into(),
        at: Some(at(0)),
    });
    incident.finding.also_possible.push("image.not-found".into());
    insta::assert_snapshot!(read(&tell(&incident)));
}

#[test]
fn what_was_decided_and_done_is_told_in_the_card() {
    let (mut entries, proposal) = executing();
    let execution = ExecutionId::of(&proposal.id);
    for index in 0..2 {
        entries.push(Entry::ChangeIntended { execution: execution.clone(), index });
        entries.push(Entry::ChangeDone { execution: execution.clone(), index, outcome: applied(9) });
    }
    insta::assert_snapshot!("under_way", read(&tell(&fold(&entries[..6]))));
    entries.push(Entry::ExecutionFinished { execution: execution.clone(), outcome: Outcome::Applied });
    entries.push(Entry::Verified { execution, verdict: Verdict::Fixed, checks: Vec::new() });
    entries.push(Entry::Resolved);
    insta::assert_snapshot!("fixed", read(&tell(&fold(&entries))));
}

#[test]
fn a_change_of_which_nobody_knows_asks_a_person() {
    let (mut entries, proposal) = executing();
    let execution = ExecutionId::of(&proposal.id);
    entries.push(Entry::ChangeIntended { execution: execution.clone(), index: 0 });
    let outcome = crate::incident::ChangeOutcome::Unknown { why: "no answer".into() };
    entries.push(Entry::ChangeDone { execution, index: 0, outcome });
    let told = read(&tell(&fold(&entries)));
    assert!(told.contains("k1.st.x-i-1.p1.0.y") && told.contains("k1.st.x-i-1.p1.0.n"), "{told}");
}

#[test]
fn a_proposal_with_missing_rights_cannot_be_approved_by_button() {
    let mut first = proposal(&"i-1.p1".into(), 1);
    first.missing_rights.push(crate::incident::Rule {
        verb: "delete".into(),
        group: "".into(),
        resource: "pods".into(),
        namespace: "payments".into(),
        name: "".into(),
    });
    let told = read(&tell(&fold(&[opened(), proposed(&first)])));
    assert!(!told.contains("k1.ap.") && told.contains("lacks delete pods in payments"), "{told}");
}

#[test]
fn high_risk_is_a_red_button() {
    let mut first = proposal(&"i-1.p1".into(), 1);
    first.plan.risk = Risk::High;
    first.digest = first.plan.digest();
    let card = tell(&fold(&[opened(), proposed(&first)]));
    let approve = card.buttons().find(|button| button.id.starts_with("k1.ap.")).expect("there");
    assert_eq!((approve.style, approve.label.as_str()), (Style::Danger, "Approve (high risk)"));
}

#[test]
fn the_same_incident_gives_the_same_card() {
    let (entries, _) = executing();
    assert_eq!(tell(&fold(&entries)), tell(&fold(&entries)));
}

#[test]
fn a_preview_says_everything_before_a_decision() {
    let mut first = proposal(&"i-1.p1".into(), 2);
    first.preview.diff = "- a\n+ b".to_owned();
    first.preview.kubectl = vec!["kubectl delete pod a".to_owned()];
    first.plan.warnings.push("Argo CD will revert this".into());
    first.plan.undo = Undo::Changes(first.plan.changes.clone());
    first.digest = first.plan.digest();
    let incident = fold(&[opened(), proposed(&first), decided(&first, DecisionKind::Approve, "ann", 2)]);
    let book = Book::default();
    let words = words();
    let teller = Teller { words: &words, book: &book };
    let card = teller.preview(&incident, &incident.proposals[&ProposalId::from("i-1.p1")]);
    insta::assert_snapshot!(read(&card));
}

#[test]
fn a_thread_tells_each_step_and_leaves_out_what_only_the_journal_needs() {
    let first = proposal(&"i-1.p1".into(), 1);
    let entries = [
        opened(),
        proposed(&first),
        decided(&first, DecisionKind::Approve, "ann", 2),
        started(&first, &["ann"]),
        Entry::ChangeIntended { execution: ExecutionId::of(&first.id), index: 0 },
        Entry::ChangeDone { execution: ExecutionId::of(&first.id), index: 0, outcome: applied(9) },
    ];
    let incident = fold(&entries);
    let digest = crate::incident::Digest::of_bytes(b"");
    let recorded: Vec<Recorded> = entries
        .iter()
        .zip(1..)
        .map(|(entry, number)| Recorded {
            seq: number,
            number,
            at: at(0),
            incident: "i-1".into(),
            prev: digest.clone(),
            hash: digest.clone(),
            entry: entry.clone(),
        })
        .collect();
    let (book, words) = (Book::default(), words());
    let teller = Teller { words: &words, book: &book };
    insta::assert_snapshot!(read(&teller.notes(&incident, &recorded).expect("something")));
    assert_eq!(teller.notes(&incident, &recorded[4..5]), None);
}

#[test]
fn whoever_is_called_stands_first() {
    let (book, words) = (Book::default(), words());
    let teller = Teller { words: &words, book: &book };
    let whom = crate::chat::card::Mention::Group("S1".to_owned());
    let card = teller.calling(teller.trouble("C1", "archived"), std::slice::from_ref(&whom));
    let Block::Text { text } = &card.blocks[0] else { panic!("a text") };
    assert!(text.0.contains(&Span::Mention { whom }));
}

#[test]
fn a_storm_is_told_in_one_message() {
    let (book, words) = (Book::default(), words());
    let teller = Teller { words: &words, book: &book };
    let incidents: Vec<Incident> = (0..30).map(|_| fold(&[opened()])).collect();
    let told = read(&teller.digest(&incidents));
    assert!(told.starts_with("# 30 incidents at once") && told.contains("and 10 more"), "{told}");
}
