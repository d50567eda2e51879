//! What should be shown where, for one subject; and taking each of its messages there.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Parts, Platform, Shared};
use crate::chat::card::Card;
use crate::chat::route::{Destination, Marks};
use crate::chat::tell::{Teller, heading};
use crate::engine::{IncidentView, PostState, Posting, Refused};
use crate::incident::{ExecutionState, Incident, IncidentId, ProposalState, Severity, Status, Text};

/// So many incidents are gathered in one message.
const GATHERED: u32 = 500;

/// What a message should show, and what its thread should tell.
pub(super) struct Wanted {
    pub card: Card,
    /// What its thread is called.
    pub title: String,
    pub view: Option<IncidentView>,
    /// Whether nothing more will come, as things are.
    pub over: bool,
}

impl Wanted {
    /// A message that is about no single incident.
    fn alone(card: Card, over: bool) -> Self {
        Self { title: card.title.clone(), card, view: None, over }
    }

    pub(super) fn version(&self) -> u64 {
        self.view.as_ref().map_or(0, |view| view.incident.version)
    }

    /// The incident's state and severity, as places with tags may have them; docs/discord.md names them.
    pub(super) fn tags(&self) -> Vec<&'static str> {
        let Some(view) = &self.view else { return Vec::new() };
        let severity = match view.incident.finding.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        };
        vec![state(&view.incident), severity]
    }
}

/// What is to be done about an incident, in a word.
fn state(incident: &Incident) -> &'static str {
    let waits = || incident.proposals.values().any(|record| record.state == ProposalState::Open);
    let is_over = |state: &ExecutionState| matches!(state, ExecutionState::Finished { .. });
    match incident.status {
        Status::Resolved { .. } => "over",
        Status::Open if incident.executions.values().any(|run| !is_over(&run.state)) => "being fixed",
        Status::Open if waits() => "needs a decision",
        Status::Open | Status::Absorbed { .. } => "open",
    }
}

impl<P: Platform> Shared<P> {
    /// Does everything that is due for a subject and may be done now. Gives the time to come again.
    pub(super) async fn settle(&self, subject: &Text) -> Result<Option<Duration>, Refused> {
        match crate::chat::press::incident(subject) {
            Some(id) => self.incident(&id).await,
            None => self.notice(subject).await,
        }
    }

    async fn incident(&self, id: &IncidentId) -> Result<Option<Duration>, Refused> {
        let Parts { platform, engine, routes, kind, .. } = &self.parts;
        let view = engine.incident(id).await?;
        let mut postings = engine.postings(platform.name(), id.as_str()).await?;
        let now = engine.now();
        let marks = view.evidence.as_deref().map(Marks::of).unwrap_or_default();
        let destinations = routes.of(*kind, &view.incident, &marks, now);
        let mut again = self.open(&view.incident, &destinations, &mut postings, now).await?;
        for posting in postings {
            if let PostState::Gathered { into } = &posting.state {
                self.queue.add(into.clone());
                continue;
            }
            let destination = destinations.iter().find(|d| d.channel == posting.key.channel);
            let wanted = self.wanted(&view, &posting, destination);
            again = sooner(again, self.advance(posting, &wanted).await?);
        }
        Ok(again)
    }

    fn wanted(&self, view: &IncidentView, posting: &Posting, to: Option<&Destination>) -> Wanted {
        let book = self.parts.engine.book();
        let teller = Teller { words: &self.parts.words, book: &book };
        let title = heading(&view.incident);
        let mut card = teller.incident(&view.incident);
        if let Some(to) = to {
            card = teller.calling(card, &to.mentions);
        }
        if posting.reposted > 0 {
            card = teller.anew(card);
        }
        let busy = view.incident.executions.values().any(|run| run.state.is_changing());
        let over = matches!(view.incident.status, Status::Resolved { .. }) && !busy;
        Wanted { card, title, view: Some(view.clone()), over }
    }

    /// Makes a message for each channel that should have one and has none. Gives the time to come again.
    async fn open(
        &self,
        incident: &Incident,
        destinations: &[Destination],
        postings: &mut Vec<Posting>,
        now: Timestamp,
    ) -> Result<Option<Duration>, Refused> {
        if !matches!(incident.status, Status::Open) {
            return Ok(None);
        }
        let mut again = None;
        for to in self.usable(destinations, postings) {
            if postings.iter().any(|posting| posting.key.channel == to.channel) {
                continue;
            }
            let hold = to.hold.max(incident.silenced_until).filter(|until| *until > now);
            if let Some(until) = hold {
                let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                again = sooner(again, Some(wait + Duration::from_millis(10)));
                continue;
            }
            let mut posting = self.fresh(&to.channel, &incident.id.0, &to.route, now);
            if let Some(into) = self.over_budget(&to, now) {
                let known = self.parts.engine.postings(self.parts.platform.name(), &into).await?;
                if known.is_empty() {
                    let digest = self.fresh(&to.channel, &into, &to.route, now);
                    self.parts.engine.put_posting(&digest).await?;
                }
                posting.state = PostState::Gathered { into };
                posting.settled = true;
            }
            self.parts.engine.put_posting(&posting).await?;
            postings.push(posting);
        }
        Ok(again)
    }

    /// The destinations; in the place of a channel that cannot be used, the fallback's.
    fn usable(&self, destinations: &[Destination], postings: &[Posting]) -> Vec<Destination> {
        let abandoned = |channel: &Text| {
            postings.iter().any(|posting| {
                posting.key.channel == *channel && matches!(posting.state, PostState::Abandoned { .. })
            })
        };
        let mut usable: Vec<Destination> = Vec::new();
        for to in destinations {
            let instead = if self.is_broken(&to.channel) || abandoned(&to.channel) {
                self.parts.routes.fallback(self.parts.kind)
            } else {
                vec![to.clone()]
            };
            for to in instead {
                if !self.is_broken(&to.channel) && usable.iter().all(|other| other.channel != to.channel) {
                    usable.push(to);
                }
            }
        }
        usable
    }

    pub(super) fn is_broken(&self, channel: &Text) -> bool {
        let mut broken = self.broken.lock();
        let now = Instant::now();
        broken.retain(|_, (until, _)| *until > now);
        broken.contains_key(channel)
    }

    /// The digest that takes the incident, if the route's budget for this window is spent.
    fn over_budget(&self, to: &Destination, now: Timestamp) -> Option<Text> {
        let seconds = i64::from(to.budget.per_minutes.max(1)) * 60;
        let window = now.as_second().div_euclid(seconds);
        let name = Text::from(format!("digest:{}:{}:{window}", to.channel, to.route));
        let mut posted = self.posted.lock();
        if posted.len() > 10_000 {
            posted.clear();
        }
        let count = posted.entry((to.channel.clone(), name.clone())).or_insert(0);
        *count += 1;
        (*count > to.budget.messages).then_some(name)
    }

    /// What is about no single incident.
    async fn notice(&self, subject: &Text) -> Result<Option<Duration>, Refused> {
        let Parts { platform, engine, .. } = &self.parts;
        if subject.starts_with(super::more::PREFIX) {
            return self.more(subject).await;
        }
        let mut again = None;
        for posting in engine.postings(platform.name(), subject).await? {
            let wanted = if subject.starts_with("digest:") {
                self.digest(&posting).await?
            } else {
                match serde_json::from_str(&posting.text) {
                    Ok(card) => Wanted::alone(card, true),
                    Err(error) => {
                        tracing::warn!(%error, "the notice {subject} cannot be read and is left out");
                        continue;
                    }
                }
            };
            again = sooner(again, self.advance(posting, &wanted).await?);
        }
        Ok(again)
    }

    async fn digest(&self, posting: &Posting) -> Result<Wanted, Refused> {
        let engine = &self.parts.engine;
        let mut incidents = Vec::new();
        for gathered in engine.gathered(&posting.key, GATHERED).await? {
            if let Some(id) = crate::chat::press::incident(&gathered.key.subject)
                && let Ok(view) = engine.incident(&id).await
            {
                incidents.push(view.incident.as_ref().clone());
            }
        }
        let book = engine.book();
        let teller = Teller { words: &self.parts.words, book: &book };
        let over = incidents.iter().all(|incident| matches!(incident.status, Status::Resolved { .. }));
        Ok(Wanted::alone(teller.digest(&incidents), over))
    }
}

/// The earlier of two times to come again.
pub(super) fn sooner(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
