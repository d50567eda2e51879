//! What is shown: one incident with its history, remedies, records, how kubemend stands.

use serde_json::json;

use super::{Desk, Reply, no};
use crate::chat::answer::Answer;
use crate::chat::card::{Block, Button, Card, Field, Rich, Style, Tone};
use crate::chat::press::Press;
use crate::engine::ClusterState;
use crate::incident::chain::{Audited, Upkeep};
use crate::incident::{Actor, Candidate, IncidentId, Mode};

impl Desk {
    /// An incident with its history.
    pub(super) async fn show(&self, id: &IncidentId) -> Reply {
        let view = self.engine.incident(id).await?;
        let card = self.with_teller(|teller, _| {
            let mut card = teller.incident(&view.incident);
            let history = teller.notes(&view.incident, &view.entries);
            if let Some(history) = history {
                card.blocks.push(Block::Heading { text: self.words.word("show.history") });
                card.blocks.extend(history.blocks);
            }
            card
        });
        Ok(Answer::only(card))
    }

    pub(super) async fn remedies(&self, who: &Actor, id: &IncidentId) -> Reply {
        let found = self.engine.remedies(who, id).await?;
        let named = json!({"id": id});
        if found.is_empty() {
            return Ok(no(self.words.say("actions.none", &named)));
        }
        let title = self.words.say("actions.title", &named);
        let items = found.iter().map(|candidate| self.remedy(candidate)).collect();
        let hint = self.words.rich("actions.hint", &named);
        let mut blocks = vec![Block::List { items }];
        blocks.extend(asking(id, &found));
        blocks.push(Block::Note { text: hint });
        Ok(Answer::only(Card { tone: Tone::Neutral, summary: title.clone(), title, blocks }))
    }

    /// One line about a remedy.
    pub(super) fn remedy(&self, candidate: &Candidate) -> Rich {
        let choices = candidate.parameters.iter().map(|(name, best)| {
            let others = candidate.alternatives.get(name).into_iter().flatten().take(5);
            let all: Vec<&str> =
                std::iter::once(best).chain(others).map(crate::incident::Text::as_str).collect();
            format!("{name}={}", all.join("|"))
        });
        let values = json!({
            "id": candidate.remedy,
            "title": candidate.title,
            "risk": self.with_teller(|teller, _| teller.risk(candidate.risk)),
            "parameters": choices.collect::<Vec<_>>().join(" "),
        });
        Rich::plain(self.words.say("actions.line", &values))
    }

    /// Records, newest first.
    pub(super) fn records(&self, records: &[Audited]) -> Card {
        let title = self.words.word("audit.title");
        let items: Vec<Rich> = records.iter().filter_map(|record| self.audited(record)).collect();
        if items.is_empty() {
            return Card::sentence(Tone::Neutral, self.words.word("audit.none"));
        }
        Card { tone: Tone::Neutral, summary: title.clone(), title, blocks: vec![Block::List { items }] }
    }

    fn audited(&self, record: &Audited) -> Option<Rich> {
        match record {
            Audited::Incident(recorded) => {
                let note = self.with_teller(|teller, _| teller.note(&recorded.entry))?;
                let mut line =
                    Rich::time(recorded.at).then(" ").strong(recorded.incident.to_string()).then(" ");
                line.0.extend(note.0);
                Some(line)
            }
            Audited::General(general) => {
                let (text, by) = match &general.what {
                    Upkeep::Paused { by } => (self.words.rich("answer.paused", &json!({})), by),
                    Upkeep::Resumed { by } => (self.words.rich("answer.resumed", &json!({})), by),
                    Upkeep::Forgotten { .. } | Upkeep::Checkpoint { .. } => return None,
                };
                let who = self.words.say("audit.by", &json!({"who": by.name}));
                Some(Rich::time(general.at).then(" ").followed_by(text).then(format!(" ({who})")))
            }
        }
    }

    /// How kubemend stands.
    pub(super) fn status(&self) -> Card {
        let status = self.engine.status();
        let none = json!({});
        let paused = if status.paused {
            self.words.rich("status.paused.yes", &none)
        } else {
            self.words.rich("status.paused.no", &none)
        };
        let field =
            |key: &str, value: String| Field { label: self.words.word(key), value: Rich::plain(value) };
        let fields = vec![
            field("status.version", env!("CARGO_PKG_VERSION").to_owned()),
            field("status.open", status.open_incidents.to_string()),
            Field { label: self.words.word("status.paused"), value: paused },
            field("status.waiting", status.waiting.to_string()),
        ];
        let items: Vec<Rich> = status.clusters.iter().map(|cluster| self.cluster_line(cluster)).collect();
        let summary = json!({"version": env!("CARGO_PKG_VERSION"), "open": status.open_incidents});
        let mut blocks = vec![Block::Fields { fields }];
        if !items.is_empty() {
            blocks.push(Block::Heading { text: self.words.word("status.clusters") });
            blocks.push(Block::List { items });
        }
        Card {
            tone: if status.paused { Tone::Warning } else { Tone::Neutral },
            summary: self.words.say("status.summary", &summary),
            title: self.words.word("status.title"),
            blocks,
        }
    }

    fn cluster_line(&self, cluster: &ClusterState) -> Rich {
        let objects: u64 = cluster.kinds.iter().map(|kind| kind.objects).sum();
        let trouble = cluster.kinds.iter().find_map(|kind| kind.trouble.clone()).unwrap_or_default();
        let values = json!({"name": cluster.name, "objects": objects, "trouble": trouble});
        Rich::plain(if cluster.connected {
            self.words.say("status.cluster.up", &values)
        } else {
            self.words.say("status.cluster.down", &values)
        })
    }
}

/// A button for one remedy, a menu for several.
fn asking(id: &IncidentId, found: &[Candidate]) -> Option<Block> {
    let button = |candidate: &Candidate| {
        let press = Press::Run { incident: id.clone(), remedy: candidate.remedy.clone() };
        let (label, risk) = (candidate.title.to_string(), Some(candidate.risk));
        press.id().map(|id| Button { id, label, style: Style::Plain, risk })
    };
    let asked = found.iter().filter(|candidate| candidate.mode != Mode::Observe);
    let all: Vec<Button> = asked.filter_map(button).collect();
    match all.len() {
        0 => None,
        1 => Some(Block::Actions { buttons: all, more: Vec::new() }),
        _ => Some(Block::Actions { buttons: Vec::new(), more: all }),
    }
}
