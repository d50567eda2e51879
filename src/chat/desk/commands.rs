//! What each command does.

use serde_json::json;

use super::objects::Asked;
use super::{Desk, Errand, Reply};
use crate::chat::answer::Answer;
use crate::chat::card::{Block, Card, Rich, Tone};
use crate::chat::command::{ALL, Which, Wish};
use crate::engine::{AuditFilter, IncidentFilter, Order, StatusFilter};
use crate::incident::{Actor, DecisionKind, Incident, ProposalState, Status};

/// So many records are shown.
const RECORDS: u32 = 15;

impl Desk {
    pub(super) async fn wish(&self, who: &Actor, wish: Wish, errand: &Errand) -> Reply {
        match wish {
            Wish::Help { about } => Ok(Answer::only(self.help(about.as_deref()))),
            Wish::Status => Ok(Answer::only(self.status())),
            Wish::Incidents(which) => self.incidents(&which).await,
            Wish::Show { incident } => self.show(&incident).await,
            Wish::Diagnose { kind, name, namespace, cluster } => {
                self.diagnose(who, Asked { kind, name, namespace, cluster }, errand).await
            }
            Wish::Actions { incident } => self.remedies(who, &incident).await,
            Wish::Run { incident, remedy, parameters } => {
                self.run(who, &incident, &remedy, &parameters).await
            }
            // What is approved must have been seen: the answer shows it, with its button.
            Wish::Approve { proposal } => self.preview(&proposal).await,
            Wish::Deny { proposal, note } => {
                let (_, record) = self.record(&proposal).await?;
                let digest = record.proposal.digest;
                self.engine.decide(who, &proposal, DecisionKind::Deny, digest, None, note).await?;
                Ok(self.done("answer.denied", &json!({"id": proposal})))
            }
            Wish::Undo { execution } => {
                let made = self.engine.undo(who, &execution).await?;
                self.put_forward(&made, "answer.undo").await
            }
            Wish::Silence { incident, lasting, note } => self.silence(who, &incident, lasting, note).await,
            Wish::Pause => {
                self.engine.pause(who).await?;
                Ok(self.done("answer.paused", &json!({})))
            }
            Wish::Resume => {
                self.engine.resume(who).await?;
                Ok(self.done("answer.resumed", &json!({})))
            }
            Wish::Audit { incident } => {
                let filter = AuditFilter { incident, ..AuditFilter::default() };
                let records = self.engine.audit(who, &filter, Order::NewestFirst, RECORDS).await?;
                Ok(Answer::only(self.records(&records)))
            }
            Wish::WhoAmI => Ok(self.whoami(who, errand)),
        }
    }

    /// All commands, or one.
    fn help(&self, about: Option<&str>) -> Card {
        let line = |name: &str| self.words.rich(&format!("help.{name}"), &json!({}));
        let wanted = |name: &str| about.is_none_or(|about| about.eq_ignore_ascii_case(name));
        let mut items: Vec<Rich> =
            ALL.iter().filter(|spec| wanted(spec.name)).map(|spec| line(spec.name)).collect();
        if items.is_empty() {
            items = ALL.iter().map(|spec| line(spec.name)).collect();
        }
        let title = self.words.word("help.title");
        let here = Block::Note { text: self.words.rich("help.here", &json!({})) };
        Card { tone: Tone::Neutral, summary: title.clone(), title, blocks: vec![Block::List { items }, here] }
    }

    async fn incidents(&self, which: &Which) -> Reply {
        let Which { cluster, namespace, severity, all, text, limit } = which;
        let filter = |status| IncidentFilter {
            cluster: cluster.as_ref().map(ToString::to_string),
            namespace: namespace.as_ref().map(ToString::to_string),
            condition: None,
            severity: *severity,
            status,
            text: text.clone(),
            before: None,
        };
        let status = if *all { None } else { Some(StatusFilter::Open) };
        let mut found = self.engine.incidents(&filter(status), limit + 1).await?;
        let more = found.len() > usize::try_from(*limit).unwrap_or(usize::MAX);
        found.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
        if found.is_empty() {
            return Ok(self.done("incidents.none", &json!({})));
        }
        found.sort_by_key(|incident| (std::cmp::Reverse(incident.finding.severity), incident.opened));
        let items = found.iter().map(|incident| self.line(incident)).collect();
        let mut blocks = vec![Block::List { items }];
        if more {
            blocks.push(Block::Note { text: self.words.rich("incidents.more", &json!({})) });
        }
        let summary = self.words.say("incidents.summary", &json!({"n": found.len()}));
        let title = self.words.word("incidents.title");
        Ok(Answer::only(Card { tone: Tone::Neutral, summary, title, blocks }))
    }

    /// An incident in a line that reads well on a phone: its id first.
    pub(super) fn line(&self, incident: &Incident) -> Rich {
        let waits = matches!(incident.status, Status::Open)
            && incident.proposals.values().any(|record| record.state == ProposalState::Open);
        let mut values = self.with_teller(|teller, _| teller.place(incident));
        values["waits"] = json!(waits);
        let since = incident.finding.since.unwrap_or(incident.opened);
        let id = Rich::default().strong(incident.id.to_string());
        id.then(self.words.say("incidents.line", &values)).and(crate::chat::card::Span::Time { at: since })
    }
}
