//! One entry of an incident, told in its thread.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Teller, names};
use crate::chat::card::{Block, Card, Rich, Span, Tone};
use crate::incident::{
    ChangeOutcome, CheckResult, DecisionKind, Entry, Incident, Outcome, Recorded, Text, Verdict,
};

/// So many entries stand in one reply.
const MOST: usize = 12;

impl Teller<'_> {
    /// A reply that tells these entries, oldest first; `None` if none of them is worth one.
    pub fn notes(&self, incident: &Incident, entries: &[Recorded]) -> Option<Card> {
        let told: Vec<(Timestamp, Rich)> =
            entries.iter().filter_map(|recorded| Some((recorded.at, self.note(&recorded.entry)?))).collect();
        let (_, last) = told.last()?;
        let summary = plain(last);
        let mut items: Vec<Rich> = Vec::new();
        if told.len() > MOST {
            let left = json!({"n": told.len() - MOST, "id": incident.id});
            items.push(Rich::plain(self.words.say("note.more", &left)));
        }
        let shown = told.iter().rev().take(MOST).rev();
        items.extend(shown.map(|(at, text)| {
            let mut line = Rich::time(*at).then(" ");
            line.0.extend(text.0.iter().cloned());
            line
        }));
        let block = match items.len() {
            1 => Block::Text { text: items.remove(0) },
            _ => Block::List { items },
        };
        Some(Card { tone: Tone::Neutral, summary, title: String::new(), blocks: vec![block] })
    }

    /// An entry in words; `None` for those that only the journal needs.
    pub fn note(&self, entry: &Entry) -> Option<Rich> {
        let say = |key: &str, values: &Value| Some(Rich::plain(self.words.say(key, values)));
        match entry {
            Entry::Opened { finding, .. } => say("note.opened", &json!({"cause": finding.cause})),
            Entry::Updated { finding, .. } => say("note.updated", &json!({"cause": finding.cause})),
            Entry::MembersChanged { members } => say("note.members", &json!({"n": members.now})),
            Entry::Absorbed { into } => say("note.absorbed", &json!({"into": into})),
            Entry::Released => say("note.released", &json!({})),
            Entry::Resolved => say("note.resolved", &json!({})),
            Entry::Reopened { finding, .. } => say("note.reopened", &json!({"cause": finding.cause})),
            Entry::Silenced { until, by, note } => {
                let said = Rich::plain(self.words.say("note.silenced", &json!({"who": by.name})));
                Some(self.because(said.and(Span::Time { at: *until }), note))
            }
            Entry::Unsilenced { by } => say("note.unsilenced", &json!({"who": by.name})),
            Entry::Proposed { proposal } => {
                let risk = self.risk(proposal.plan.risk);
                let values = |who: &str| json!({"id": proposal.id, "title": proposal.remedy.title, "risk": risk, "who": who});
                match &proposal.requested_by {
                    Some(by) => say("note.proposed.for", &values(&by.name)),
                    None => say("note.proposed", &values("")),
                }
            }
            Entry::Decided { proposal, decision } => {
                let digest = decision.digest.short();
                let values = json!({"who": decision.by.name, "proposal": proposal, "digest": digest});
                let said = match decision.kind {
                    DecisionKind::Approve => self.words.say("note.approved", &values),
                    DecisionKind::Deny => self.words.say("note.denied", &values),
                    DecisionKind::Withdraw => self.words.say("note.withdrawn", &values),
                };
                Some(self.because(Rich::plain(said), &decision.note))
            }
            Entry::Expired { proposal } => say("note.expired", &json!({"proposal": proposal})),
            Entry::Stale { proposal, why } => say("note.stale", &json!({"proposal": proposal, "why": why})),
            Entry::Superseded { proposal, by } => {
                say("note.superseded", &json!({"proposal": proposal, "by": by}))
            }
            Entry::ExecutionStarted { proposal, approvers, .. } => {
                say("note.started", &json!({"proposal": proposal, "names": names(approvers)}))
            }
            // About to be sent: what comes of it is told.
            Entry::ChangeIntended { .. } => None,
            Entry::ChangeDone { index, outcome, .. } => Some(Rich::plain(self.change(*index, outcome))),
            Entry::ExecutionFinished { outcome, .. } => Some(Rich::plain(self.finished(outcome))),
            Entry::Verified { verdict, checks, .. } => Some(Rich::plain(self.verified(*verdict, checks))),
            Entry::Settled { index, applied, by, .. } => {
                let values = json!({"who": by.name, "index": index + 1});
                if *applied { say("note.settled.yes", &values) } else { say("note.settled.no", &values) }
            }
            Entry::Noted { text } => Some(Rich::plain(text.to_string())),
        }
    }

    fn because(&self, said: Rich, note: &Text) -> Rich {
        if note.is_empty() { said } else { said.then(self.words.say("note.reason", &json!({"note": note}))) }
    }

    fn change(&self, index: u32, outcome: &ChangeOutcome) -> String {
        let number = index + 1;
        match outcome {
            ChangeOutcome::Applied { receipt } if receipt.looked_up => {
                self.words.say("note.done.found", &json!({"index": number}))
            }
            ChangeOutcome::Applied { .. } => self.words.say("note.done", &json!({"index": number})),
            ChangeOutcome::Stale { why } => {
                self.words.say("note.change.stale", &json!({"index": number, "why": why}))
            }
            ChangeOutcome::Refused { code, why } => {
                let values = json!({"index": number, "code": code, "why": why});
                self.words.say("note.change.refused", &values)
            }
            ChangeOutcome::Unknown { why } => {
                self.words.say("note.change.unknown", &json!({"index": number, "why": why}))
            }
        }
    }

    fn finished(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Applied => self.words.word("note.finished.applied"),
            Outcome::Stopped { at, why } => {
                self.words.say("note.finished.stopped", &json!({"at": at + 1, "why": why}))
            }
            Outcome::Unknown { at } => self.words.say("note.finished.unknown", &json!({"at": at + 1})),
        }
    }

    fn verified(&self, verdict: Verdict, checks: &[CheckResult]) -> String {
        let checks: Vec<String> = checks.iter().take(MOST).map(|check| self.checked(check)).collect();
        let values = json!({"checks": checks.join("; ")});
        match verdict {
            Verdict::Fixed => self.words.say("note.verified.fixed", &values),
            Verdict::NotFixed => self.words.say("note.verified.notFixed", &values),
            Verdict::Regressed => self.words.say("note.verified.regressed", &values),
            Verdict::Unknown => self.words.say("note.verified.unknown", &values),
        }
    }

    fn checked(&self, result: &CheckResult) -> String {
        let values = json!({"check": result.check, "detail": result.detail});
        match result.passed {
            Some(true) => self.words.say("note.check.yes", &values),
            Some(false) => self.words.say("note.check.no", &values),
            None => self.words.say("note.check.unknown", &values),
        }
    }
}

/// The text alone.
fn plain(rich: &Rich) -> String {
    let text = rich.0.iter().map(|span| match span {
        Span::Plain { text } | Span::Strong { text } | Span::Code { text } => text.clone(),
        Span::Time { at } => at.strftime("%Y-%m-%d %H:%MZ").to_string(),
        Span::Mention { .. } => String::new(),
    });
    text.collect()
}
