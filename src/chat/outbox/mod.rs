//! Getting messages to a platform: each once, in order, the newest state, nothing dropped.
//!
//! Level-triggered: what should stand in a channel is rendered from the incident as it is and compared with
//! what was last shown there. What is under way is stored before it is sent: a message carries a nonce, and
//! after a crash or a lost answer the platform is asked whether it has it. Edits that pile up while the platform
//! makes us wait become one, since each is rendered when it is sent.
//!
//! Refuses to know any platform: that is [`Platform`].

mod more;
mod pace;
mod platform;
mod queue;
mod send;
mod step;
mod subject;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use platform::{
    Attachment, ChannelTrouble, MessageId, Outgoing, Platform, PostError, Scope, Sent, ThreadId,
};

use super::card::Card;
use super::layout::{self, Layouts};
use super::route::Routes;
use super::words::Words;
use crate::engine::{Handle, IncidentFilter, NoteCursor, PostKey, PostState, Posting, Refused, StatusFilter};
use crate::incident::{Digest, IncidentId, Text};
use more::More;
use pace::Pace;
use queue::Queue;

const WORKERS: usize = 8;
/// Everything is looked at again so often, in case something was missed.
const ROUND: Duration = Duration::from_mins(5);
const PAGE: u32 = 500;
const MOST_UNSETTLED: u32 = 20_000;
/// For so long a channel that cannot be used is left alone.
const BROKEN_FOR: Duration = Duration::from_mins(10);

/// What an outbox is made of.
pub struct Parts<P> {
    pub platform: P,
    /// Whose layouts and limits are used.
    pub kind: layout::Platform,
    pub engine: Handle,
    pub routes: Arc<Routes>,
    pub words: Arc<Words>,
    pub layouts: Arc<Layouts>,
}

/// The outbox of one platform. Clones are one outbox.
pub struct Outbox<P> {
    shared: Arc<Shared<P>>,
}

impl<P> Clone for Outbox<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

struct Shared<P> {
    parts: Parts<P>,
    queue: Queue,
    pace: Pace,
    /// Channels that cannot be used: until when they are left alone, and why.
    broken: Mutex<BTreeMap<Text, (Instant, String)>>,
    /// New messages by channel and window of the route's budget.
    posted: Mutex<HashMap<(Text, Text), u32>>,
}

impl<P: Platform> Outbox<P> {
    /// An outbox. Nothing is sent before [`Self::run`].
    pub fn new(parts: Parts<P>) -> Self {
        let (queue, pace) = (Queue::default(), Pace::default());
        let shared = Shared { parts, queue, pace, broken: Mutex::default(), posted: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// The platform it sends to.
    pub fn platform(&self) -> &P {
        &self.shared.parts.platform
    }

    /// Runs until `stop`; a request under way is finished.
    pub async fn run(self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        for _ in 0..WORKERS {
            tasks.spawn(work(Arc::clone(&self.shared), stop.clone()));
        }
        tasks.spawn(follow(Arc::clone(&self.shared), stop));
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of the outbox broke off");
            }
        }
    }

    /// Posts a card that is about no incident into a channel: a gap, a trouble. The same name is posted once.
    pub async fn announce(&self, channel: &Text, name: &str, card: &Card) -> Result<(), Refused> {
        self.shared.announce(channel, name, card).await
    }

    /// Continues what a card to be looked at could not hold in the thread of its incident's message: in that
    /// channel, or wherever the message is. The same text once.
    pub async fn continue_in_thread(
        &self,
        incident: &IncidentId,
        channel: Option<&Text>,
        card: &Card,
    ) -> Result<(), Refused> {
        let Parts { platform, engine, layouts, kind, .. } = &self.shared.parts;
        let rest = layouts.rest(*kind, card);
        if rest.is_empty() {
            return Ok(());
        }
        let posted = |posting: &Posting| matches!(posting.state, PostState::Posted { .. });
        let mut all = engine.postings(platform.name(), incident.as_str()).await?;
        all.retain(posted);
        let here = all.iter().find(|posting| Some(&posting.key.channel) == channel).or_else(|| all.first());
        if let Some(posting) = here {
            let more = More::new(incident, &card.title, rest);
            let subject = self.shared.want_more(&posting.key.channel, &more).await?;
            self.shared.queue.add(subject);
        }
        Ok(())
    }

    /// The incident's message changed in a way that the incident does not tell (a layout was reloaded).
    pub fn look_again(&self, incident: &IncidentId) {
        self.shared.queue.add(incident.0.clone());
    }

    /// Which incident a message of the platform is about.
    pub async fn incident_of(
        &self,
        channel: &Text,
        message: &MessageId,
    ) -> Result<Option<IncidentId>, Refused> {
        let Parts { platform, engine, .. } = &self.shared.parts;
        let found = engine.posting_of(platform.name(), channel, &message.0).await?;
        Ok(found.and_then(|posting| super::press::incident(&posting.key.subject)))
    }

    /// How many subjects wait: for the status.
    pub fn waiting(&self) -> usize {
        self.shared.queue.len()
    }

    /// Channels that cannot be used right now, and why.
    pub fn broken(&self) -> BTreeMap<Text, String> {
        let broken = self.shared.broken.lock();
        broken.iter().map(|(channel, (_, why))| (channel.clone(), why.clone())).collect()
    }
}

/// Listens to what happens; looks at everything at the start, now and then, and when something was missed.
async fn follow<P: Platform>(shared: Arc<Shared<P>>, stop: CancellationToken) {
    let mut news = shared.parts.engine.subscribe();
    let mut round = tokio::time::interval(ROUND);
    loop {
        let everything = tokio::select! {
            () = stop.cancelled() => return,
            _ = round.tick() => true,
            update = news.recv() => match update {
                Ok(update) => !shared.queue.add(update.incident.id.0.clone()),
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            },
        };
        if everything && let Err(refused) = shared.look_at_everything().await {
            let chain: &dyn std::error::Error = &refused;
            tracing::warn!(error = chain, "what is to be told could not be read; trying again soon");
            round.reset_after(Duration::from_secs(5));
        }
    }
}

async fn work<P: Platform>(shared: Arc<Shared<P>>, stop: CancellationToken) {
    loop {
        let subject = tokio::select! {
            () = stop.cancelled() => return,
            subject = shared.queue.next() => subject,
        };
        match shared.settle(&subject).await {
            Ok(Some(wait)) => shared.queue.add_at(subject.clone(), Instant::now() + wait),
            // A forgotten incident has no message to keep up.
            Ok(None) | Err(Refused::NoIncident(_)) => {}
            Err(refused) => {
                let chain: &dyn std::error::Error = &refused;
                tracing::warn!(error = chain, "the message about {subject} waits");
                shared.queue.add_at(subject.clone(), Instant::now() + Duration::from_secs(5));
            }
        }
        shared.queue.done(&subject);
    }
}

impl<P: Platform> Shared<P> {
    async fn look_at_everything(&self) -> Result<(), Refused> {
        let Parts { platform, engine, .. } = &self.parts;
        for posting in engine.unsettled_postings(platform.name(), MOST_UNSETTLED).await? {
            self.queue.add(posting.key.subject);
        }
        let mut filter = IncidentFilter { status: Some(StatusFilter::Open), ..IncidentFilter::default() };
        loop {
            let page = engine.incidents(&filter, PAGE).await?;
            filter.before = page.last().map(|incident| incident.id.clone());
            // Oldest first, as they came.
            for incident in page.iter().rev() {
                self.queue.add(incident.id.0.clone());
            }
            if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    async fn announce(&self, channel: &Text, name: &str, card: &Card) -> Result<(), Refused> {
        let digest = Digest::of_bytes(name.as_bytes());
        let subject = Text::from(format!("notice:{}", digest.short()));
        let known = self.parts.engine.postings(self.parts.platform.name(), &subject).await?;
        if known.iter().all(|posting| posting.key.channel != *channel) {
            let mut posting = self.fresh(channel, &subject, "", self.parts.engine.now());
            posting.text = serde_json::to_string(card).expect("plain data always serialises").into();
            self.parts.engine.put_posting(&posting).await?;
        }
        self.queue.add(subject);
        Ok(())
    }

    /// A message that is wanted and was never sent.
    fn fresh(&self, channel: &Text, subject: &Text, route: &str, now: Timestamp) -> Posting {
        let platform = Text::from(self.parts.platform.name());
        let key = PostKey { platform, channel: channel.clone(), subject: subject.clone() };
        Posting {
            nonce: nonce(&key, "post", 0),
            key,
            state: PostState::Wanted,
            shown: None,
            // That it was opened is what the message itself says.
            notes: NoteCursor { told: 1, sending: None },
            reposted: 0,
            continued: Vec::new(),
            text: Text::default(),
            route: route.into(),
            since: now,
            changed: now,
            settled: false,
        }
    }
}

/// What a message is asked for by: the same whenever it is computed, so that even a lost row posts nothing twice.
fn nonce(key: &PostKey, what: &str, number: u64) -> Text {
    let named = format!("{}\n{}\n{}\n{what}\n{number}", key.platform, key.channel, key.subject);
    Text::unpooled(&Digest::of_bytes(named.as_bytes()).as_str()[..24])
}
