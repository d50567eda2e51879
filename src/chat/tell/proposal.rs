//! A proposal: in the card, and looked at closely before deciding.

use serde_json::{Value, json};

use super::{Teller, tone};
use crate::chat::card::{Block, Button, Card, Rich, Span, Style};
use crate::chat::press::{Press, Seen};
use crate::chat::words::marked;
use crate::incident::{Change, Check, Incident, Proposal, ProposalRecord, Risk, Target, Text, Undo};

/// So many changes, checks and warnings are listed.
const LISTED: usize = 12;

/// The buttons of one proposal: those to see, and those behind the menu.
pub(super) struct Standing {
    pub first: Vec<Button>,
    pub rest: Vec<Button>,
}

impl Teller<'_> {
    /// A proposal in the incident's card.
    pub(super) fn offer(&self, record: &ProposalRecord) -> Vec<Block> {
        let proposal = &record.proposal;
        let risk = self.risk(proposal.plan.risk);
        let title = json!({"title": proposal.remedy.title, "risk": risk});
        let mut line = Rich::default().strong(self.words.say("card.proposal", &title));
        if !proposal.remedy.parameters.is_empty() {
            let named = json!({"parameters": parameters(proposal)});
            line = line.then(format!(" {}", self.words.say("card.proposal.parameters", &named)));
        }
        line = line.then(format!(" · {}", self.undo_word(&proposal.plan.undo)));
        let need = proposal.policy.approvals.max(1);
        let have = super::standing(&record.decisions).len();
        if need > 1 || have > 0 {
            let counts = json!({"have": have, "need": need});
            line = line.then(format!(" · {}", self.words.say("card.proposal.approvals", &counts)));
        }
        line = line.then(format!(" · {}", self.words.word("card.proposal.expires")));
        line = line.and(Span::Time { at: proposal.expires });
        let mut blocks = vec![Block::Text { text: line }];
        if !proposal.missing_rights.is_empty() {
            let rights = super::rights(&proposal.missing_rights);
            let text = self.words.rich_with("card.proposal.missing", &json!({}), "rights", &rights);
            blocks.push(Block::Text { text });
        }
        blocks.extend(self.warnings(proposal));
        blocks
    }

    fn warnings(&self, proposal: &Proposal) -> Option<Block> {
        let warn =
            |text: &Text| self.words.rich_with("card.proposal.warning", &json!({}), "text", text.as_str());
        let items: Vec<Rich> = proposal.plan.warnings.iter().take(LISTED).map(warn).collect();
        (!items.is_empty()).then_some(Block::List { items })
    }

    fn undo_word(&self, undo: &Undo) -> String {
        match undo {
            Undo::Changes(_) => self.words.word("card.proposal.undo.yes"),
            Undo::Impossible(why) => self.words.say("card.proposal.undo.no", &json!({"why": why})),
            Undo::Needless(why) => self.words.say("card.proposal.undo.needless", &json!({"why": why})),
        }
    }

    /// What can be pressed about a proposal that is open.
    pub(super) fn choices(&self, record: &ProposalRecord) -> Standing {
        let proposal = &record.proposal;
        let (id, seen, risk) = (&proposal.id, Seen::of(&proposal.digest), proposal.plan.risk);
        let mut first = Vec::new();
        if proposal.missing_rights.is_empty() {
            let approve = Press::Approve { proposal: id.clone(), seen: seen.clone() };
            let style = match risk {
                Risk::Low | Risk::Medium => Style::Primary,
                Risk::High => Style::Danger,
            };
            let label = self.words.say("button.approve", &json!({"risk": self.risk(risk)}));
            first.extend(super::button(&approve, label, style, Some(risk)));
        }
        let preview = Press::Preview { proposal: id.clone() };
        first.extend(super::button(&preview, self.words.word("button.preview"), Style::Plain, None));
        let deny = Press::Deny { proposal: id.clone(), seen: seen.clone() };
        first.extend(super::button(&deny, self.words.word("button.deny"), Style::Plain, None));
        let mut rest = Vec::new();
        if !super::standing(&record.decisions).is_empty() {
            let withdraw = Press::Withdraw { proposal: id.clone(), seen };
            rest.extend(super::button(&withdraw, self.words.word("button.withdraw"), Style::Plain, None));
        }
        Standing { first, rest }
    }

    /// Everything that somebody should see before deciding.
    pub fn preview(&self, incident: &Incident, record: &ProposalRecord) -> Card {
        let proposal = &record.proposal;
        let cluster = &incident.finding.key.cluster;
        let named = json!({"title": proposal.remedy.title, "cluster": cluster});
        let mut blocks = vec![self.preview_facts(incident, record)];
        blocks.extend(self.warnings(proposal));
        blocks.push(Block::Heading { text: self.words.word("preview.changes") });
        blocks.push(Block::List { items: summaries(&proposal.plan.changes) });
        blocks.extend(self.dry_run(proposal));
        blocks.extend(self.undo(&proposal.plan.undo));
        if !proposal.plan.checks.is_empty() {
            let check = |check| Rich::plain(self.check(check));
            let items = proposal.plan.checks.iter().take(LISTED).map(check).collect();
            blocks.push(Block::Heading { text: self.words.word("preview.checks") });
            blocks.push(Block::List { items });
        }
        if record.is_live() {
            let Standing { first, rest } = self.choices(record);
            let is_preview = |button: &Button| matches!(Press::read(&button.id), Some(Press::Preview { .. }));
            let buttons = first.into_iter().chain(rest).filter(|button| !is_preview(button)).collect();
            blocks.push(Block::Actions { buttons, more: Vec::new() });
        }
        let digest = self.words.say("preview.digest", &json!({"digest": proposal.digest.short()}));
        blocks.push(Block::Note { text: Rich::plain(digest) });
        Card {
            tone: tone(incident.finding.severity),
            summary: self.words.say("preview.summary", &named),
            title: self.words.say("preview.title", &named),
            blocks,
        }
    }

    fn preview_facts(&self, incident: &Incident, record: &ProposalRecord) -> Block {
        let proposal = &record.proposal;
        let have = super::standing(&record.decisions).len();
        let counts = json!({"have": have, "need": proposal.policy.approvals.max(1)});
        let missing = if proposal.missing_rights.is_empty() {
            Rich::plain(self.words.word("preview.missing.none"))
        } else {
            marked(&super::rights(&proposal.missing_rights))
        };
        let mut fields = vec![
            self.field("preview.cluster", Rich::code(incident.finding.key.cluster.to_string())),
            self.field("preview.risk", Rich::default().strong(self.risk(proposal.plan.risk))),
            self.field("preview.approvals", Rich::plain(self.words.say("preview.approvals.value", &counts))),
            self.field("preview.expires", Rich::time(proposal.expires)),
            self.field("preview.missing", missing),
        ];
        if let Some(by) = &proposal.requested_by {
            fields.push(self.field("preview.asked", Rich::plain(by.name.to_string())));
        }
        if !proposal.remedy.parameters.is_empty() {
            fields.push(self.field("preview.parameters", Rich::plain(parameters(proposal))));
        }
        Block::Fields { fields }
    }

    fn dry_run(&self, proposal: &Proposal) -> Vec<Block> {
        let preview = &proposal.preview;
        let mut blocks = Vec::new();
        if !preview.kubectl.is_empty() {
            blocks.push(Block::Heading { text: self.words.word("preview.kubectl") });
            blocks.push(Block::Code { text: preview.kubectl.join("\n") });
        }
        if !preview.diff.trim().is_empty() {
            blocks.push(Block::Heading { text: self.words.word("preview.diff") });
            blocks.push(Block::Diff { text: preview.diff.clone() });
        }
        let gap = |why: &Text| Block::Text {
            text: Rich::plain(self.words.say("preview.gap", &json!({"why": why}))),
        };
        blocks.extend(preview.gaps.iter().take(3).map(gap));
        blocks
    }

    fn undo(&self, undo: &Undo) -> Vec<Block> {
        let heading = Block::Heading { text: self.words.word("preview.undo") };
        match undo {
            Undo::Changes(changes) => {
                let would = Block::Text { text: Rich::plain(self.words.word("preview.undo.changes")) };
                vec![heading, would, Block::List { items: summaries(changes) }]
            }
            Undo::Impossible(_) | Undo::Needless(_) => {
                vec![heading, Block::Text { text: Rich::plain(self.undo_word(undo)) }]
            }
        }
    }

    /// A check in words.
    fn check(&self, check: &Check) -> String {
        match check {
            Check::Gone(target) => self.words.say("check.gone", &object(target)),
            Check::Field { target, pointer, value } => {
                let mut values = object(target);
                values["pointer"] = json!(pointer);
                values["value"] = json!(value.to_string());
                self.words.say("check.field", &values)
            }
            Check::RolledOut { target, .. } => self.words.say("check.rolledOut", &object(target)),
            Check::Ready(target) => self.words.say("check.ready", &object(target)),
            Check::ConditionGone { condition, .. } => {
                self.words.say("check.conditionGone", &json!({"condition": self.condition(condition)}))
            }
        }
    }
}

fn object(target: &Target) -> Value {
    json!({"object": target.in_cluster(&Text::default()).to_string()})
}

fn summaries(changes: &[Change]) -> Vec<Rich> {
    let mut items: Vec<Rich> =
        changes.iter().take(LISTED).map(|change| Rich::plain(change.summary.to_string())).collect();
    if changes.len() > LISTED {
        items.push(Rich::plain(format!("… +{}", changes.len() - LISTED)));
    }
    items
}

pub(super) fn parameters(proposal: &Proposal) -> String {
    let pairs = proposal.remedy.parameters.iter().map(|(name, value)| format!("{name} = {value}"));
    pairs.collect::<Vec<_>>().join(", ")
}
