//! Incidents and cards of anything, for properties.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::chat::answer::{Form, Input, InputKind};
use crate::chat::card::{Button, Field, Span, Style};
use crate::chat::press::{Press, Seen};
use crate::incident::Digest;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\\PC{0,20}",
        2 => "[a-z`*_@<>&|\\[\\]()#\\\\ \n-]{0,60}",
        1 => any::<char>().prop_map(|c| c.to_string().repeat(3000)),
        1 => ("\\PC{1,5}", 1..2000_usize).prop_map(|(text, n)| text.repeat(n)),
    ]
}

fn words() -> impl Strategy<Value = Text> {
    text().prop_map(|text| Text::unpooled(&text))
}

fn rich() -> impl Strategy<Value = Rich> {
    let span = prop_oneof![
        text().prop_map(|text| Span::Plain { text }),
        text().prop_map(|text| Span::Strong { text }),
        text().prop_map(|text| Span::Code { text }),
        Just(Span::Time { at: at(0) }),
    ];
    vec(span, 0..4).prop_map(Rich)
}

fn any_button() -> impl Strategy<Value = Button> {
    (1..40_u64, text(), 0..3_u8).prop_map(|(number, label, style)| Button {
        id: Press::Approve {
            proposal: ProposalId::from(format!("i-1.p{number}").as_str()),
            seen: Seen::of(&Digest::of_bytes(b"")),
        }
        .id()
        .expect("short"),
        label,
        style: [Style::Primary, Style::Danger, Style::Plain][usize::from(style)],
        risk: None,
    })
}

fn any_block() -> impl Strategy<Value = Block> {
    let field = (text(), rich()).prop_map(|(label, value)| Field { label, value });
    prop_oneof![
        text().prop_map(|text| Block::Heading { text }),
        rich().prop_map(|text| Block::Text { text }),
        vec(field, 0..30).prop_map(|fields| Block::Fields { fields }),
        (text(), text()).prop_map(|(origin, text)| Block::Quote { origin, at: Some(at(0)), text }),
        text().prop_map(|text| Block::Code { text }),
        text().prop_map(|text| Block::Diff { text }),
        vec(rich(), 0..40).prop_map(|items| Block::List { items }),
        (vec(any_button(), 0..9), vec(any_button(), 0..40))
            .prop_map(|(buttons, more)| Block::Actions { buttons, more }),
        rich().prop_map(|text| Block::Note { text }),
    ]
}

/// A card of anything that has something to say.
pub(in crate::chat) fn any_card() -> impl Strategy<Value = Card> {
    (text(), text(), vec(any_block(), 0..60)).prop_map(|(summary, title, mut blocks)| {
        blocks.insert(0, Block::Text { text: Rich::plain("something") });
        Card { tone: Tone::Info, summary, title, blocks }
    })
}

fn any_input() -> impl Strategy<Value = Input> {
    let kind = prop_oneof![
        1 => text().prop_map(|placeholder| InputKind::Line { placeholder }),
        1 => text().prop_map(|placeholder| InputKind::Paragraph { placeholder }),
        3 => vec(text(), 0..40).prop_map(|options| InputKind::Choice { options }),
    ];
    (text(), text(), kind, text(), any::<prop::sample::Index>(), any::<(bool, bool)>()).prop_map(
        |(name, label, kind, value, at, (required, offered))| {
            let value = match &kind {
                InputKind::Choice { options } if offered && !options.is_empty() => at.get(options).clone(),
                InputKind::Line { .. } | InputKind::Paragraph { .. } | InputKind::Choice { .. } => value,
            };
            Input { name, label, kind, value, required }
        },
    )
}

/// Questions of anything, some of them twice.
pub(in crate::chat) fn any_form() -> impl Strategy<Value = Form> {
    let press = Press::Run { incident: "i-42".into(), remedy: "add-pull-secret".into() };
    let id = press.id().expect("short");
    (text(), vec(any_block(), 0..4), vec(any_input(), 0..8), text(), any::<bool>()).prop_map(
        move |(title, intro, mut inputs, submit, twice)| {
            let again = inputs.first().cloned().filter(|_| twice);
            inputs.extend(again);
            Form { id: id.clone(), title, intro, inputs, submit }
        },
    )
}

fn any_quote() -> impl Strategy<Value = Quote> {
    (words(), words()).prop_map(|(origin, text)| Quote { source: Source::Log, origin, text, at: Some(at(1)) })
}

fn any_state() -> impl Strategy<Value = ProposalState> {
    prop_oneof![
        3 => Just(ProposalState::Open),
        1 => Just(ProposalState::Denied),
        1 => words().prop_map(|why| ProposalState::Stale { why }),
        2 => Just(ProposalState::Executed { execution: "x-i-42.p1".into() }),
    ]
}

fn any_run() -> impl Strategy<Value = ExecutionState> {
    let verdict = proptest::option::of(prop_oneof![Just(Verdict::Fixed), Just(Verdict::Unknown)]);
    prop_oneof![
        Just(ExecutionState::Ready),
        words().prop_map(|why| ExecutionState::Unsettled { index: 0, why }),
        (words(), verdict).prop_map(|(why, verdict)| {
            let outcome = Outcome::Stopped { at: 1, why };
            ExecutionState::Finished { outcome, verdict, checks: Vec::new() }
        }),
    ]
}

fn any_record() -> impl Strategy<Value = ProposalRecord> {
    let diff = (text(), vec(text(), 0..4), vec(words(), 0..20));
    (1..60_u64, words(), any_state(), diff, words(), any::<bool>(), vec(words(), 0..5)).prop_map(
        |(number, title, state, (diff, kubectl, warnings), summary, rights, parameters)| {
            let mut proposal = super::proposal();
            proposal.id = ProposalId::from(format!("i-42.p{number}").as_str());
            proposal.remedy.title = title;
            proposal.remedy.parameters = parameters.iter().map(|p| (p.clone(), p.clone())).collect();
            proposal.preview.diff = diff;
            proposal.preview.kubectl = kubectl;
            proposal.plan.warnings = warnings;
            proposal.plan.changes[0].summary = summary;
            if rights {
                proposal.missing_rights.clear();
            }
            ProposalRecord { proposal, state, decisions: Vec::new() }
        },
    )
}

/// An incident of anything.
pub(in crate::chat) fn any_incident() -> impl Strategy<Value = Incident> {
    let finding = (words(), text(), words(), words(), vec(any_quote(), 0..8), vec(words(), 0..8));
    let status = prop_oneof![
        3 => Just(Status::Open),
        1 => Just(Status::Resolved { at: at(5) }),
        1 => Just(Status::Absorbed { into: "i-7".into() }),
    ];
    let rest = (any::<u32>(), any::<u32>(), any::<bool>(), any_run());
    (finding, status, vec(any_record(), 0..5), rest).prop_map(
        |((title, cause, place, cluster, quotes, also), status, records, (now, reopened, quiet, run))| {
            let mut incident = super::incident();
            incident.status = status;
            let finding = &mut incident.finding;
            finding.title = title;
            finding.cause = cause;
            finding.key.place.name = place;
            finding.key.cluster = cluster;
            finding.quotes = quotes;
            finding.also_possible = also.into_iter().map(crate::incident::ConditionId).collect();
            incident.members = Members { now, peak: u32::MAX, listed: Vec::new() };
            incident.reopened = reopened;
            incident.silenced_until = quiet.then(|| at(77));
            incident.proposals =
                records.into_iter().map(|record| (record.proposal.id.clone(), record)).collect();
            let execution = Execution {
                id: ExecutionId::from("x-i-42.p1"),
                proposal: "i-42.p1".into(),
                digest: Digest::of_bytes(b""),
                approvers: vec![Actor { via: Via::Slack, id: "U1".into(), name: "Ann".into() }],
                started: at(3),
                members_before: 1,
                state: run,
                done: Vec::new(),
            };
            incident.executions = BTreeMap::from([(execution.id.clone(), execution)]);
            incident
        },
    )
}
