//! The card of an incident: what is broken, why, what can be done, and what was decided and done.

use serde_json::json;

use super::proposal::Standing;
use super::{Teller, place_of, tone};
use crate::chat::card::{Block, Button, Card, Rich, Span, Style, Tone};
use crate::chat::press::Press;
use crate::incident::{
    ExecutionState, Incident, Outcome, ProposalRecord, ProposalState, Quote, Source, Status, Undo, Verdict,
};

/// So many quotes stand in the card; the rest in the thread.
const QUOTES: usize = 3;
/// No more of the rest are told.
const MOST_QUOTES: usize = 20;
/// So many proposals that ended are told.
const ENDED: usize = 3;
/// So many proposals have buttons of their own.
const WITH_BUTTONS: usize = 2;
const HOUR: u32 = 60;

impl Teller<'_> {
    /// The message about an incident.
    pub fn incident(&self, incident: &Incident) -> Card {
        let finding = &incident.finding;
        let mut blocks = vec![self.facts(incident)];
        let why = Rich::default().strong(self.words.word("card.why")).then(": ").then(finding.cause.clone());
        blocks.push(Block::Text { text: why });
        blocks.extend(self.quotes(incident));
        blocks.extend(self.also(incident));
        blocks.extend(self.possible(incident));
        blocks.extend(self.ended(incident));
        blocks.extend(self.actions(incident));
        blocks.push(Block::Note { text: Rich::plain(self.words.say("card.footer", &self.place(incident))) });
        Card {
            tone: tone_of(incident),
            summary: self.summary(incident),
            title: finding.title.to_string(),
            blocks,
        }
    }

    /// One line about an incident.
    pub fn summary(&self, incident: &Incident) -> String {
        match incident.status {
            Status::Open | Status::Absorbed { .. } => self.words.say("card.summary", &self.place(incident)),
            Status::Resolved { .. } => self.words.say("card.summary.resolved", &self.place(incident)),
        }
    }

    /// Where an incident stands, in a word.
    pub(super) fn state_word(&self, incident: &Incident) -> String {
        match &incident.status {
            Status::Open => self.words.word("card.state.open"),
            Status::Absorbed { into } => self.words.say("card.state.absorbed", &json!({"into": into})),
            Status::Resolved { .. } => self.words.word("card.state.resolved").trim().to_owned(),
        }
    }

    fn facts(&self, incident: &Incident) -> Block {
        let finding = &incident.finding;
        let cluster = Rich::code(finding.key.cluster.to_string());
        let mut fields = vec![
            self.field("card.where", cluster),
            self.field("card.object", Rich::code(place_of(incident))),
            self.field("card.severity", Rich::plain(self.severity(finding.severity))),
            self.field("card.since", Rich::time(finding.since.unwrap_or(incident.opened))),
        ];
        if incident.members.peak > 1 {
            let counts = json!({"now": incident.members.now, "peak": incident.members.peak});
            let value = Rich::plain(self.words.say("card.hit.value", &counts));
            fields.push(self.field("card.hit", value));
        }
        fields.push(self.field("card.state", self.state(incident)));
        Block::Fields { fields }
    }

    fn state(&self, incident: &Incident) -> Rich {
        let mut state = Rich::plain(self.state_word(incident));
        if let Status::Resolved { at } = incident.status {
            state = state.then(" ").and(Span::Time { at });
        }
        if incident.reopened > 0 {
            let again = self.words.say("card.reopened", &json!({"n": incident.reopened}));
            state = state.then(format!(", {again}"));
        }
        if let Some(at) = incident.silenced_until {
            state =
                state.then(format!(", {}", self.words.word("card.state.silenced"))).and(Span::Time { at });
        }
        state
    }

    /// The quotes for which the card has no room.
    pub fn further_quotes(&self, incident: &Incident) -> Vec<Block> {
        let further: Vec<Block> =
            incident.finding.quotes.iter().skip(QUOTES).take(MOST_QUOTES).map(quoted).collect();
        let heading = || Block::Heading { text: self.words.word("card.why") };
        if further.is_empty() { further } else { std::iter::once(heading()).chain(further).collect() }
    }

    fn quotes(&self, incident: &Incident) -> Vec<Block> {
        let quotes = &incident.finding.quotes;
        let mut blocks: Vec<Block> = quotes.iter().take(QUOTES).map(quoted).collect();
        if quotes.len() > QUOTES {
            let more = json!({"n": quotes.len() - QUOTES, "id": incident.id});
            let text = Rich::plain(self.words.say("card.quotes.more", &more));
            blocks.push(Block::Text { text });
        }
        blocks
    }

    fn also(&self, incident: &Incident) -> Option<Block> {
        let rivals = &incident.finding.also_possible;
        let names: Vec<String> = rivals.iter().map(|id| self.condition(id)).collect();
        let say = || self.words.say("card.also", &json!({"names": names.join(", ")}));
        (!names.is_empty()).then(|| Block::Text { text: Rich::plain(say()) })
    }

    /// What is open for decisions.
    fn possible(&self, incident: &Incident) -> Vec<Block> {
        let open: Vec<&ProposalRecord> = live(incident).collect();
        let on = matches!(incident.status, Status::Open);
        if open.is_empty() {
            let nothing = on && incident.proposals.is_empty();
            let say = || self.words.say("card.can.nothing", &json!({"id": incident.id}));
            return nothing.then(|| Block::Text { text: Rich::plain(say()) }).into_iter().collect();
        }
        let mut blocks = vec![Block::Heading { text: self.words.word("card.can") }];
        blocks.extend(open.into_iter().flat_map(|record| self.offer(record)));
        blocks
    }

    /// What was decided and done.
    fn ended(&self, incident: &Incident) -> Vec<Block> {
        let mut over: Vec<&ProposalRecord> =
            incident.proposals.values().filter(|record| record.state != ProposalState::Open).collect();
        over.sort_by_key(|record| record.proposal.made);
        let told: Vec<&ProposalRecord> = over.iter().rev().take(ENDED).rev().copied().collect();
        let mut items: Vec<Rich> = told.iter().map(|record| self.outcome(incident, record)).collect();
        if over.len() > told.len() {
            let more = json!({"n": over.len() - told.len(), "id": incident.id});
            items.insert(0, Rich::plain(self.words.say("card.more.proposals", &more)));
        }
        if items.is_empty() { Vec::new() } else { vec![Block::List { items }] }
    }

    fn outcome(&self, incident: &Incident, record: &ProposalRecord) -> Rich {
        let title = &record.proposal.remedy.title;
        let (state, approvers) = self.standing_of(incident, record);
        let mut line = Rich::default().strong(title.to_string()).then(": ").then(state);
        if let Some(by) = approvers {
            line = line.then(format!(" · {by}"));
        }
        if let Some(decision) = record.decisions.last() {
            line = line.then(" · ").and(Span::Time { at: decision.at });
        }
        line
    }

    /// Where a proposal stands, and who stands behind it.
    pub(super) fn standing_of(
        &self,
        incident: &Incident,
        record: &ProposalRecord,
    ) -> (String, Option<String>) {
        let say = |key: &str| self.words.word(key);
        let deciders = || {
            let names = super::names(&super::standing(&record.decisions));
            (!names.is_empty()).then(|| self.words.say("card.run.approvers", &json!({"names": names})))
        };
        match &record.state {
            ProposalState::Open => (say("card.state.open"), deciders()),
            ProposalState::Approved => (say("card.run.approved"), deciders()),
            ProposalState::Denied => {
                let by = record.decisions.last().map(|d| d.by.name.to_string()).unwrap_or_default();
                (self.words.say("card.decided.deny", &json!({"who": by})), None)
            }
            ProposalState::Expired => (say("card.run.expired"), None),
            ProposalState::Stale { why } => {
                (self.words.say("card.run.stale", &json!({"why": why})), deciders())
            }
            ProposalState::Superseded { by } => {
                (self.words.say("card.run.superseded", &json!({"by": by})), None)
            }
            ProposalState::Executed { execution } => {
                let Some(run) = incident.executions.get(execution) else {
                    return (say("card.run.approved"), deciders());
                };
                let all = record.proposal.plan.changes.len();
                let by =
                    self.words.say("card.run.approvers", &json!({"names": super::names(&run.approvers)}));
                (self.run(&run.state, run.done.len(), all), Some(by))
            }
        }
    }

    fn run(&self, state: &ExecutionState, done: usize, all: usize) -> String {
        match state {
            ExecutionState::Ready | ExecutionState::Intended { .. } => {
                self.words.say("card.run.working", &json!({"done": done, "all": all}))
            }
            ExecutionState::Unsettled { index, why } => {
                self.words.say("card.run.unsettled", &json!({"index": index + 1, "why": why}))
            }
            ExecutionState::Verifying { .. } => self.words.word("card.run.verifying"),
            ExecutionState::Finished { outcome, verdict, checks: _ } => match (verdict, outcome) {
                (Some(Verdict::Fixed), _) => self.words.word("card.run.fixed"),
                (Some(Verdict::NotFixed), _) => self.words.word("card.run.notFixed"),
                (Some(Verdict::Regressed), _) => self.words.word("card.run.regressed"),
                (_, Outcome::Stopped { at, why }) => {
                    self.words.say("card.run.stopped", &json!({"at": at + 1, "all": all, "why": why}))
                }
                (_, Outcome::Unknown { at }) => self.words.say("card.run.unknown", &json!({"at": at + 1})),
                (Some(Verdict::Unknown) | None, Outcome::Applied) => self.words.word("card.run.unverified"),
            },
        }
    }

    fn actions(&self, incident: &Incident) -> Option<Block> {
        let (mut buttons, mut more) = (Vec::new(), Vec::new());
        buttons.extend(self.settling(incident));
        for (index, record) in live(incident).enumerate() {
            let Standing { first, rest } = self.choices(record);
            if index < WITH_BUTTONS && buttons.len() + first.len() <= 5 {
                buttons.extend(first);
                more.extend(rest);
            } else {
                let title = json!({"title": record.proposal.remedy.title});
                let preview = Press::Preview { proposal: record.proposal.id.clone() };
                let label = self.words.say("button.preview.of", &title);
                more.extend(super::button(&preview, label, Style::Plain, None));
            }
        }
        buttons.extend(self.taking_back(incident));
        more.extend(self.general(incident));
        let any = !buttons.is_empty() || !more.is_empty();
        any.then_some(Block::Actions { buttons, more })
    }

    /// Whether a change happened that the cluster cannot tell about.
    fn settling(&self, incident: &Incident) -> Vec<Button> {
        let unsettled = incident.executions.values().find_map(|run| match run.state {
            ExecutionState::Unsettled { index, .. } => Some((run.id.clone(), index)),
            ExecutionState::Ready
            | ExecutionState::Intended { .. }
            | ExecutionState::Verifying { .. }
            | ExecutionState::Finished { .. } => None,
        });
        let Some((execution, index)) = unsettled else { return Vec::new() };
        let say = |applied, key| {
            let press = Press::Settle { execution: execution.clone(), index, applied };
            super::button(&press, self.words.word(key), Style::Plain, None)
        };
        say(true, "button.settle.yes").into_iter().chain(say(false, "button.settle.no")).collect()
    }

    /// The last execution that changed something and can be undone.
    fn taking_back(&self, incident: &Incident) -> Option<Button> {
        let over = |state: &ExecutionState| match state {
            ExecutionState::Finished { .. } => true,
            ExecutionState::Ready
            | ExecutionState::Intended { .. }
            | ExecutionState::Unsettled { .. }
            | ExecutionState::Verifying { .. } => false,
        };
        let undone =
            |id| incident.proposals.values().any(|r| r.proposal.undoes.as_ref() == Some(id) && r.is_live());
        let mut runs: Vec<_> = incident.executions.values().filter(|run| over(&run.state)).collect();
        runs.sort_by_key(|run| run.started);
        let run = runs.into_iter().next_back().filter(|run| !run.done.is_empty() && !undone(&run.id))?;
        let record = incident.proposals.get(&run.proposal)?;
        let possible = match record.proposal.plan.undo {
            Undo::Changes(_) => record.proposal.undoes.is_none(),
            Undo::Impossible(_) | Undo::Needless(_) => false,
        };
        let label = self.words.say("button.undo", &json!({"title": record.proposal.remedy.title}));
        let press = Press::Undo { execution: run.id.clone() };
        possible.then(|| super::button(&press, label, Style::Plain, None)).flatten()
    }

    fn general(&self, incident: &Incident) -> Vec<Button> {
        let id = || incident.id.clone();
        let on = match incident.status {
            Status::Open | Status::Absorbed { .. } => true,
            Status::Resolved { .. } => false,
        };
        let say = |press: Press, key: &str| super::button(&press, self.words.word(key), Style::Plain, None);
        let show = say(Press::Show { incident: id() }, "button.show");
        let quiet = match (on, incident.silenced_until) {
            (false, _) => Vec::new(),
            (true, Some(_)) => vec![say(Press::Unsilence { incident: id() }, "button.unsilence")],
            (true, None) => vec![
                say(Press::Silence { incident: id(), minutes: HOUR }, "button.silence"),
                say(Press::Dismiss { incident: id() }, "button.dismiss"),
            ],
        };
        show.into_iter().chain(quiet.into_iter().flatten()).collect()
    }
}

/// What the thread of an incident is called: its id first, so that threads are told apart.
pub(in crate::chat) fn heading(incident: &Incident) -> String {
    format!("{} · {} · {}", incident.id, incident.finding.title, place_of(incident))
}

/// Proposals that can still be decided about, newest last.
pub(super) fn live(incident: &Incident) -> impl Iterator<Item = &ProposalRecord> {
    let mut open: Vec<&ProposalRecord> =
        incident.proposals.values().filter(|record| record.state == ProposalState::Open).collect();
    open.sort_by_key(|record| (record.proposal.plan.risk, record.proposal.made));
    open.into_iter()
}

pub(in crate::chat) fn quoted(quote: &Quote) -> Block {
    let origin = match quote.source {
        Source::Computed => String::new(),
        Source::Event
        | Source::ContainerState
        | Source::LastState
        | Source::Log
        | Source::PodCondition
        | Source::NodeCondition
        | Source::ObjectMeta => quote.origin.to_string(),
    };
    Block::Quote { origin, at: quote.at, text: quote.text.to_string() }
}

fn tone_of(incident: &Incident) -> Tone {
    match incident.status {
        Status::Open => tone(incident.finding.severity),
        Status::Absorbed { .. } => Tone::Neutral,
        Status::Resolved { .. } => Tone::Good,
    }
}
