//! What somebody sees who looks at kubemend itself: what awaits their decision, and what is broken.

use serde_json::json;

use super::Desk;
use crate::chat::answer::Answer;
use crate::chat::card::{Block, Button, Card, Rich, Span, Style, Tone};
use crate::chat::identity::Caller;
use crate::chat::press::Press;
use crate::incident::{Incident, ProposalId, Status};

/// So many decisions are named, and so many incidents.
const DECISIONS: usize = 10;
const INCIDENTS: usize = 20;

impl Desk {
    /// The home of somebody; who they are, for whoever kubemend does not know.
    pub async fn home(&self, who: &Caller) -> Card {
        self.meet(who).await;
        if self.is_nobody(&who.actor) {
            return match self.whoami(&who.actor, &super::Errand::default()) {
                Answer::Card { card, .. } | Answer::Sheet(card) => card,
                Answer::Form(_) | Answer::Quiet => Card::sentence(Tone::Neutral, ""),
            };
        }
        let awaiting = self.engine.awaiting(&who.actor);
        let mut blocks = vec![Block::Heading { text: self.words.word("home.awaiting") }];
        if awaiting.is_empty() {
            blocks.push(Block::Text { text: Rich::plain(self.words.word("home.awaiting.none")) });
        } else {
            let items = awaiting.iter().take(DECISIONS).filter_map(|(incident, id)| self.due(incident, id));
            blocks.push(Block::List { items: items.collect() });
            blocks.extend(self.more_than(awaiting.len(), DECISIONS));
            let look = |(_, id): &(_, ProposalId)| self.look_at(id);
            let buttons = awaiting.iter().take(DECISIONS).filter_map(look).collect();
            blocks.push(Block::Actions { buttons, more: Vec::new() });
        }
        let mut open = self.engine.current();
        open.retain(|incident| matches!(incident.status, Status::Open));
        open.sort_by_key(|incident| (std::cmp::Reverse(incident.finding.severity), incident.opened));
        blocks.push(Block::Heading { text: self.words.word("home.open") });
        if open.is_empty() {
            blocks.push(Block::Text { text: Rich::plain(self.words.word("incidents.none")) });
        } else {
            let items = open.iter().take(INCIDENTS).map(|incident| self.line(incident)).collect();
            blocks.push(Block::List { items });
            blocks.extend(self.more_than(open.len(), INCIDENTS));
        }
        let count = json!({"n": awaiting.len(), "open": open.len()});
        Card {
            tone: Tone::Neutral,
            summary: self.words.say("home.summary", &count),
            title: self.words.word("home.title"),
            blocks,
        }
    }

    /// A decision that is due, in a line.
    fn due(&self, incident: &Incident, id: &ProposalId) -> Option<Rich> {
        let proposal = &incident.proposals.get(id)?.proposal;
        let mut values = self.with_teller(|teller, _| teller.place(incident));
        values["remedy"] = json!(proposal.remedy.title);
        values["risk"] = json!(self.with_teller(|teller, _| teller.risk(proposal.plan.risk)));
        let line = Rich::default().strong(id.to_string()).then(self.words.say("home.due", &values));
        Some(line.and(Span::Time { at: proposal.expires }))
    }

    fn look_at(&self, id: &ProposalId) -> Option<Button> {
        let press = Press::Preview { proposal: id.clone() };
        let label = self.words.say("home.look", &json!({"id": id}));
        press.id().map(|id| Button { id, label, style: Style::Plain, risk: None })
    }

    fn more_than(&self, all: usize, named: usize) -> Option<Block> {
        let text = || self.words.rich("digest.more", &json!({"n": all - named}));
        (all > named).then(|| Block::Text { text: text() })
    }
}
