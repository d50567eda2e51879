//! What is about no single incident: a storm told together, a link that was deaf, a channel that is broken.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use super::Teller;
use crate::chat::card::{Block, Card, Mention, Rich, Span, Tone};
use crate::chat::cut::{Unit, cut};
use crate::chat::hearing::Gap;
use crate::incident::{Incident, Status};

/// So many incidents are named in a digest.
const NAMED: usize = 20;

/// What happened while nothing could be heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Missed {
    /// Entries in the record, and how many incidents they are about.
    pub entries: usize,
    pub incidents: usize,
    /// Proposals that nobody decided in time, and those that wait now.
    pub expired: usize,
    pub waiting: usize,
}

/// Something that was asked while nothing could be heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    pub by: Mention,
    pub at: Timestamp,
    pub text: String,
}

/// So many questions are named, and so much of each.
const ASKED: usize = 10;
const LONGEST: usize = 150;

impl Teller<'_> {
    /// Incidents told together, newest first.
    pub fn digest(&self, incidents: &[Incident]) -> Card {
        let count = json!({"n": incidents.len()});
        let on = incidents.iter().filter(|incident| !matches!(incident.status, Status::Resolved { .. }));
        let worst = on.map(|incident| incident.finding.severity).max();
        let mut items: Vec<Rich> = incidents.iter().take(NAMED).map(|incident| self.line(incident)).collect();
        if incidents.len() > NAMED {
            let more = json!({"n": incidents.len() - NAMED});
            items.push(self.words.rich("digest.more", &more));
        }
        Card {
            tone: worst.map_or(Tone::Good, super::tone),
            summary: self.words.say("digest.summary", &count),
            title: self.words.say("digest.title", &count),
            blocks: vec![
                Block::Text { text: self.words.rich("digest.text", &json!({})) },
                Block::List { items },
            ],
        }
    }

    fn line(&self, incident: &Incident) -> Rich {
        let text = self.words.say("digest.line", &self.place(incident));
        Rich::default().strong(incident.id.to_string()).then(" ").then(text)
    }

    /// Nothing could be heard for a while, and what happened meanwhile.
    pub fn gap(&self, gap: &Gap, missed: Missed) -> Card {
        let words = self.words;
        let lasted = SignedDuration::from_secs(gap.lasted().as_secs().max(1));
        let text = words.say("gap.text", &json!({"lasted": format!("{lasted:#}"), "why": gap.why}));
        let within = Rich::time(gap.from).then(" – ").and(Span::Time { at: gap.to });
        let card = Card {
            tone: Tone::Warning,
            summary: words.word("gap.summary"),
            title: words.word("gap.title"),
            blocks: vec![Block::Text { text: Rich::plain(text) }, Block::Note { text: within }],
        };
        if missed == Missed::default() {
            return card;
        }
        card.with(Block::Text { text: Rich::plain(words.say("gap.missed", &json!(missed))) })
    }

    /// The card, with what was asked meanwhile.
    pub fn asked(&self, card: Card, asked: &[Asked]) -> Card {
        if asked.is_empty() {
            return card;
        }
        let line = |Asked { by, at, text }: &Asked| {
            let who = Rich(vec![Span::Mention { whom: by.clone() }]);
            let line = who.then(self.words.word("gap.asked.line")).and(Span::Time { at: *at });
            line.then(": ").and(Span::Plain { text: cut(text, LONGEST, Unit::Chars) })
        };
        let mut items: Vec<Rich> = asked.iter().take(ASKED).map(line).collect();
        if asked.len() > ASKED {
            items.push(Rich::plain(self.words.say("gap.asked.more", &json!({"n": asked.len() - ASKED}))));
        }
        card.with(Block::Text { text: Rich::plain(self.words.word("gap.asked")) }).with(Block::List { items })
    }

    /// A channel that cannot be used, told where its messages come instead.
    pub fn trouble(&self, channel: &str, why: &str) -> Card {
        let text = self.words.say("trouble.text", &json!({"channel": channel, "why": why}));
        let title = self.words.word("trouble.title");
        Card {
            tone: Tone::Warning,
            summary: text.clone(),
            title,
            blocks: vec![Block::Text { text: Rich::plain(text) }],
        }
    }

    /// The card with people called at its beginning.
    pub fn calling(&self, mut card: Card, whom: &[Mention]) -> Card {
        if !whom.is_empty() {
            let mut text = Rich::plain(self.words.word("card.calls"));
            for (index, whom) in whom.iter().enumerate() {
                let gap = if index == 0 { "" } else { " " };
                text = text.then(gap).and(Span::Mention { whom: whom.clone() });
            }
            card.blocks.insert(0, Block::Text { text });
        }
        card
    }

    /// The card, saying that the one before was removed.
    pub fn anew(&self, mut card: Card) -> Card {
        card.blocks.push(Block::Note { text: Rich::plain(self.words.word("card.reposted")) });
        card
    }
}
