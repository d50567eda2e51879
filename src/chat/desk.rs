//! The desk: what is answered to a command, a button or a form, on every platform alike.
//!
//! Owns the way from a wish to the engine's handle and back to an [`Answer`]. Refuses to judge: each change
//! names who asks and goes through the gate behind the handle. An approval needs the digest that was seen, so
//! `/mend approve` shows the proposal with its button; it does not approve what nobody looked at.

mod commands;
mod completing;
mod errand;
mod home;
mod objects;
mod presses;
mod showing;
#[cfg(test)]
mod tests;

pub use completing::{Choice, Typing};

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::answer::{Answer, Audience};
use super::card::{Block, Card, Rich, Span, Tone};
use super::command::{self, Slip, What, Wish};
use super::identity::Caller;
use super::layout::text;
use super::press::Press;
use super::tell::Teller;
use super::words::Words;
use crate::engine::{Book, Handle, Kind, Refused};
use crate::incident::{Actor, Incident, ProposalId, ProposalRecord, Text};

pub use errand::Errand;

use errand::Deed;

/// Where questions are answered. Clones are one desk.
#[derive(Clone)]
pub struct Desk {
    engine: Handle,
    words: Arc<Words>,
}

/// What is answered, or why not.
type Reply = Result<Answer, Refused>;

impl Desk {
    /// A desk with these words.
    pub fn new(engine: Handle, words: Arc<Words>) -> Self {
        Self { engine, words }
    }

    /// The engine behind it.
    pub fn engine(&self) -> &Handle {
        &self.engine
    }

    /// The words it speaks.
    pub fn words(&self) -> &Arc<Words> {
        &self.words
    }

    /// Answers a line after `/mend`.
    pub async fn command(&self, who: &Caller, line: &str) -> Answer {
        self.command_on(who, line, &Errand::default()).await
    }

    /// The same, with what comes with it.
    pub async fn command_on(&self, who: &Caller, line: &str, errand: &Errand) -> Answer {
        self.meet(who).await;
        let command = match command::parse(line) {
            Ok(command) => command,
            Err(slip) => return self.slip(&slip),
        };
        let open_to_all = matches!(command.wish, Wish::WhoAmI | Wish::Help { .. });
        if !open_to_all && self.is_nobody(&who.actor) {
            return self.whoami(&who.actor, errand);
        }
        let deed = Deed::of_wish(&command.wish);
        let answer = match self.taken_up(&who.actor, deed.as_ref(), errand).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => self.wish(&who.actor, command.wish, errand).await,
            Err(refused) => Err(refused),
        };
        let answer = answer.unwrap_or_else(|refused| self.refusal(&refused, errand));
        match answer {
            Answer::Card { card, to: _ } if command.here => Answer::Card { card, to: Audience::Channel },
            other => other,
        }
    }

    /// Answers a button by its id.
    pub async fn press(&self, who: &Caller, id: &str) -> Answer {
        self.submit(who, id, &BTreeMap::new()).await
    }

    /// Answers a form by its id, with what was filled in; a button is a form without questions.
    pub async fn submit(&self, who: &Caller, id: &str, values: &BTreeMap<String, String>) -> Answer {
        self.submit_on(who, id, values, &Errand::default()).await
    }

    /// The same, with what comes with it.
    pub async fn submit_on(
        &self,
        who: &Caller,
        id: &str,
        values: &BTreeMap<String, String>,
        errand: &Errand,
    ) -> Answer {
        self.meet(who).await;
        if self.is_nobody(&who.actor) {
            return self.whoami(&who.actor, errand);
        }
        let Some(press) = Press::read(id) else {
            return no(self.words.word("answer.unknown_press"));
        };
        let deed = Deed::of_press(&press);
        let answer = match self.taken_up(&who.actor, deed.as_ref(), errand).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => self.pressed(&who.actor, press, values).await,
            Err(refused) => Err(refused),
        };
        answer.unwrap_or_else(|refused| self.refusal(&refused, errand))
    }

    /// Whether somebody has any role at all.
    pub fn knows(&self, who: &Caller) -> bool {
        self.recognise(who);
        !self.is_nobody(&who.actor)
    }

    /// The groups that the platform verified count from now on.
    fn recognise(&self, who: &Caller) {
        self.engine.put_groups(&who.actor, who.groups.clone());
    }

    /// The same, and for a while after a restart.
    async fn meet(&self, who: &Caller) {
        self.engine.meet(&who.actor, who.groups.clone()).await;
    }

    fn is_nobody(&self, who: &Actor) -> bool {
        self.engine.roles(who).is_empty()
    }

    fn with_teller<T>(&self, tell: impl FnOnce(&Teller<'_>, &Book) -> T) -> T {
        let book = self.engine.book();
        tell(&Teller { words: &self.words, book: &book }, &book)
    }

    /// The proposal and the incident that holds it.
    async fn record(&self, id: &ProposalId) -> Result<(Arc<Incident>, ProposalRecord), Refused> {
        let incident = self.engine.proposal(id).await?;
        let record = incident.proposals.get(id).cloned().ok_or_else(|| Refused::NoProposal(id.clone()))?;
        Ok((incident, record))
    }

    /// A sentence about something that went well.
    fn done(&self, key: &str, values: &serde_json::Value) -> Answer {
        Answer::only(Card::said(Tone::Good, self.words.rich(key, values)))
    }

    /// The same, ending with a moment.
    fn done_at(&self, key: &str, values: &serde_json::Value, at: jiff::Timestamp) -> Answer {
        let text = self.words.say(key, values);
        let rich = Rich::plain(text.clone()).and(Span::Time { at });
        let blocks = vec![Block::Text { text: rich }];
        Answer::only(Card { tone: Tone::Good, summary: text, title: String::new(), blocks })
    }

    /// Why not, for whoever asked. What goes wrong inside is logged here, once.
    fn refusal(&self, refused: &Refused, errand: &Errand) -> Answer {
        let why = refused.to_string();
        if refused.kind() == Kind::Unavailable {
            let chain: &dyn std::error::Error = refused;
            tracing::warn!(error = chain, "a question from chat could not be answered: {refused}");
            let text = self.words.rich_with("answer.trouble", &json!({}), "why", &why);
            return Answer::only(Card::said(Tone::Warning, text));
        }
        let text = self.words.rich_with("answer.refused", &json!({}), "why", &why);
        Answer::only(Card::said(
            Tone::Warning,
            match refused.kind() {
                Kind::Forbidden if errand.doubt.is_some() => text.then("\n").then(self.doubt(errand)),
                _ => text,
            },
        ))
    }

    /// What the platform could not say of the asker; `""` if it could.
    fn doubt(&self, errand: &Errand) -> String {
        let say = |why: &String| self.words.say("whoami.doubt", &json!({"why": why}));
        errand.doubt.as_ref().map(say).unwrap_or_default()
    }

    fn slip(&self, slip: &Slip) -> Answer {
        let words = &self.words;
        let (text, hint) = match slip {
            Slip::Empty => (words.rich("command.empty", &json!({})), None),
            Slip::TooLong => (words.rich("command.long", &json!({})), None),
            Slip::Unknown { word, near } => (words.rich("command.unknown", &json!({"word": word})), *near),
            Slip::Missing { command, what } => (
                words.rich_with("command.missing", &json!({"command": command}), "what", &self.what(*what)),
                None,
            ),
            Slip::Extra { command, word } => {
                (words.rich("command.extra", &json!({"command": command, "word": word})), None)
            }
            Slip::Flag { command, flag, near } => {
                (words.rich("command.flag.unknown", &json!({"command": command, "flag": flag})), *near)
            }
            Slip::Value { flag } => (words.rich("command.flag.value", &json!({"flag": flag})), None),
            Slip::Bad { value, what } => {
                (words.rich_with("command.bad", &json!({"value": value}), "what", &self.what(*what)), None)
            }
        };
        let mut lines = vec![text];
        lines.extend(hint.map(|near| words.rich("command.near", &json!({"near": near}))));
        if let Slip::Missing { command, .. } | Slip::Extra { command, .. } | Slip::Flag { command, .. } = slip
            && let Some(spec) = command::spec(command)
        {
            lines.push(words.rich("answer.usage", &json!({"usage": spec.usage})));
        }
        if matches!(slip, Slip::Unknown { near: None, .. }) {
            lines.push(words.rich("command.empty", &json!({})));
        }
        let joined = lines.into_iter().reduce(|all, line| all.then("\n").followed_by(line));
        Answer::only(Card::said(Tone::Warning, joined.unwrap_or_default()))
    }

    fn what(&self, what: What) -> String {
        match what {
            What::Incident => self.words.word("what.incident"),
            What::Proposal => self.words.word("what.proposal"),
            What::Execution => self.words.word("what.execution"),
            What::Object => self.words.word("what.object"),
            What::Remedy => self.words.word("what.remedy"),
            What::Duration => self.words.word("what.duration"),
            What::Parameter => self.words.word("what.parameter"),
            What::Severity => self.words.word("what.severity"),
            What::Number => self.words.word("what.number"),
        }
    }

    fn whoami(&self, who: &Actor, errand: &Errand) -> Answer {
        let roles: Vec<Text> = self.engine.roles(who);
        let names: Vec<&str> = roles.iter().map(Text::as_str).collect();
        let roles = if names.is_empty() { self.words.word("whoami.none") } else { names.join(", ") };
        let identity = format!("{} {}", format!("{:?}", who.via).to_lowercase(), who.id);
        let field = |label: String, value| super::card::Field { label, value };
        let fields = vec![
            field(self.words.word("whoami.id"), Rich::code(identity)),
            field(self.words.word("whoami.roles"), Rich::plain(roles.clone())),
        ];
        let title = self.words.word("whoami.title");
        let card =
            Card { tone: Tone::Neutral, summary: roles, title, blocks: vec![Block::Fields { fields }] };
        Answer::only(if errand.doubt.is_some() { card.with(text(self.doubt(errand))) } else { card })
    }
}

/// A sentence about something that was not done.
fn no(text: String) -> Answer {
    Answer::only(Card::sentence(Tone::Warning, text))
}
