//! What a message could not hold, continued in its thread: as a message where one bears it, otherwise as a file.
//!
//! Each continuation is a message of its own in the store, named by its incident and a digest of its text: the
//! same text is continued once in a channel, over edits, restarts and lost answers. Of what stands in an
//! incident's message, which changes with the evidence, only so many are continued. They keep their order: one comes
//! after the note that it belongs to, and after what was to be continued before it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::pace::Method;
use super::platform::Attachment;
use super::{ChannelTrouble, MessageId, Outgoing, Platform, PostError, Sent, Shared, ThreadId};
use crate::chat::card::{Block, Card, Tone};
use crate::chat::cut::{Unit, cut};
use crate::chat::dialect::Dialect;
use crate::engine::{PostKey, PostState, Posting, Refused};
use crate::incident::{Digest, IncidentId, Text};

/// So often what stands in an incident's message is continued.
pub(super) const MOST: usize = 3;
/// The longest file.
const LONGEST: usize = 512 * 1024;
/// The message it belongs to is not there yet.
const NOT_YET: Duration = Duration::from_secs(1);
/// A file is shown some time after it was taken; before, it would not be found.
const FILE_SHOWS: Duration = Duration::from_secs(5);
/// What continuations are called among the subjects.
pub(super) const PREFIX: &str = "more:";

/// What is continued, and for which incident's message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct More {
    incident: IncidentId,
    title: String,
    blocks: Vec<Block>,
    /// The last entry of the note that it continues, which comes first.
    #[serde(default)]
    after: u64,
    /// What its thread is called, where it must be begun; as the card where nothing is said.
    #[serde(default)]
    thread: String,
}

impl More {
    pub(super) fn new(incident: &IncidentId, title: &str, blocks: Vec<Block>) -> Self {
        Self {
            incident: incident.clone(),
            title: title.to_owned(),
            blocks,
            after: 0,
            thread: title.to_owned(),
        }
    }

    /// Comes after the note that tells the entries up to this one.
    pub(super) fn after(self, entry: u64) -> Self {
        Self { after: entry, ..self }
    }

    /// Begins a thread of that name, if it must begin one.
    pub(super) fn in_thread(self, name: &str) -> Self {
        Self { thread: name.to_owned(), ..self }
    }

    fn thread(&self) -> &str {
        if self.thread.is_empty() { &self.title } else { &self.thread }
    }

    /// The name of its text.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.blocks)
    }

    fn subject(&self) -> Text {
        subject(&self.incident, &self.digest())
    }

    fn card(&self, title: String) -> Card {
        Card { tone: Tone::Neutral, summary: title.clone(), title, blocks: self.blocks.clone() }
    }

    /// All of it as plain text.
    fn text(&self) -> String {
        let dialect = Dialect::Plain;
        let write = |block: &Block| match block {
            Block::Fields { fields } => {
                let line = |field: &crate::chat::card::Field| {
                    format!("{}: {}", field.label, dialect.rich(&field.value))
                };
                fields.iter().map(line).collect::<Vec<_>>().join("\n")
            }
            other => dialect.block(other),
        };
        let all = self.blocks.iter().map(write).collect::<Vec<_>>().join("\n\n");
        cut(&all, LONGEST, Unit::Chars) + "\n"
    }
}

fn subject(incident: &IncidentId, digest: &Digest) -> Text {
    format!("{PREFIX}{incident}:{}", &digest.as_str()[..16]).into()
}

impl<P: Platform> Shared<P> {
    /// Sees to it that a continuation stands in the thread of its incident's message in that channel.
    pub(super) async fn want_more(&self, channel: &Text, more: &More) -> Result<Text, Refused> {
        let subject = more.subject();
        let platform = self.parts.platform.name();
        let known = self.parts.engine.postings(platform, &subject).await?;
        if known.iter().all(|posting| posting.key.channel != *channel) {
            let mut posting = self.fresh(channel, &subject, "", self.parts.engine.now());
            posting.text =
                Text::unpooled(&serde_json::to_string(more).expect("plain data always serialises"));
            self.parts.engine.put_posting(&posting).await?;
        }
        Ok(subject)
    }

    /// Takes continuations as far as they go now.
    pub(super) async fn more(&self, subject: &Text) -> Result<Option<Duration>, Refused> {
        let mut again = None;
        for mut posting in self.parts.engine.postings(self.parts.platform.name(), subject).await? {
            if posting.settled {
                continue;
            }
            let Ok(more) = serde_json::from_str::<More>(&posting.text) else {
                self.abandon(&mut posting, "it cannot be read".to_owned()).await?;
                continue;
            };
            again = super::subject::sooner(again, self.go_on(&mut posting, &more).await?);
        }
        Ok(again)
    }

    async fn go_on(&self, posting: &mut Posting, more: &More) -> Result<Option<Duration>, Refused> {
        let channel = posting.key.channel.clone();
        let Some(parent) = self.parent(&channel, &more.incident).await? else { return Ok(Some(NOT_YET)) };
        let (message, thread) = match &parent.state {
            PostState::Posted { message, thread } => {
                (MessageId(message.clone()), thread.clone().map(ThreadId))
            }
            PostState::Abandoned { .. } => {
                return self.give_up(posting, "its message is given up".to_owned()).await;
            }
            PostState::Wanted | PostState::Sending | PostState::Gathered { .. } => return Ok(Some(NOT_YET)),
        };
        if posting.state == PostState::Wanted && !self.is_next(&parent, more).await? {
            return Ok(Some(NOT_YET));
        }
        if let Some(wait) = self.pace.wait(Method::Reply, &channel) {
            return Ok(Some(wait));
        }
        if posting.state == PostState::Sending
            && let Some(thread) = &thread
        {
            match self.parts.platform.find(&channel, Some(thread), &posting.nonce).await {
                Ok(Some(sent)) => return self.continued(posting, sent).await,
                Ok(None) | Err(PostError::MessageGone) => {}
                Err(error) => return self.not_continued(posting, Method::Find, error).await,
            }
        }
        posting.state = PostState::Sending;
        self.store(posting).await?;
        match self.send_more(posting, more, &message, thread.as_ref()).await {
            Ok(sent) => self.continued(posting, sent).await,
            Err(error @ (PostError::NotSent(_) | PostError::RateLimited { .. })) => {
                posting.state = PostState::Wanted;
                self.store(posting).await?;
                self.not_continued(posting, Method::Reply, error).await
            }
            Err(error) => self.not_continued(posting, Method::Reply, error).await,
        }
    }

    /// The incident's message in that channel.
    async fn parent(&self, channel: &Text, incident: &IncidentId) -> Result<Option<Posting>, Refused> {
        let platform = self.parts.platform.name();
        let all = self.parts.engine.postings(platform, incident.as_str()).await?;
        Ok(all.into_iter().find(|posting| posting.key.channel == *channel))
    }

    /// Whether its note was told, and everything that the message wanted continued before.
    async fn is_next(&self, parent: &Posting, more: &More) -> Result<bool, Refused> {
        if parent.notes.told < more.after {
            return Ok(false);
        }
        let own = more.digest();
        for earlier in parent.continued.iter().take_while(|earlier| **earlier != own) {
            let subject = subject(&more.incident, earlier);
            let known = self.parts.engine.postings(self.parts.platform.name(), &subject).await?;
            if known.iter().any(|other| other.key.channel == parent.key.channel && !other.settled) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// As a message if one holds all of it; as a file if not; cut where the platform takes no file.
    async fn send_more(
        &self,
        posting: &Posting,
        more: &More,
        message: &MessageId,
        thread: Option<&ThreadId>,
    ) -> Result<Sent, PostError> {
        let values = serde_json::json!({"title": more.title});
        let card = more.card(self.parts.words.say("card.more", &values));
        let (platform, channel, title) = (&self.parts.platform, &posting.key.channel, &more.title);
        if !self.parts.layouts.rest(self.parts.kind, &card).is_empty() {
            let name = format!("{}-{}.txt", more.incident, &posting.nonce[..8]);
            let file = Attachment {
                nonce: posting.nonce.clone(),
                name,
                title: card.title.clone(),
                thread: more.thread().to_owned(),
                text: more.text(),
            };
            match platform.attach(channel, message, thread, &file).await {
                Err(PostError::Refused(why)) => {
                    tracing::warn!("what {title} continues with is not taken as a file: {why}");
                }
                Err(PostError::Channel(trouble @ ChannelTrouble::MissingScope { .. })) => {
                    tracing::warn!("what {title} continues with is not taken as a file: {trouble}");
                }
                told => return told,
            }
        }
        let body = self.parts.layouts.card(self.parts.kind, &card, &self.parts.words);
        let body = body.map_err(|error| PostError::Refused(error.to_string()))?;
        let reply = Outgoing { nonce: posting.nonce.clone(), body, summary: card.summary, tags: Vec::new() };
        platform.reply(channel, message, thread, more.thread(), &reply).await
    }

    async fn continued(&self, posting: &mut Posting, sent: Sent) -> Result<Option<Duration>, Refused> {
        self.pace.answered(&posting.key);
        let Sent { message, thread } = sent;
        posting.state = PostState::Posted { message: message.0, thread: thread.map(|thread| thread.0) };
        posting.settled = true;
        self.store(posting).await?;
        Ok(None)
    }

    async fn not_continued(
        &self,
        posting: &mut Posting,
        method: Method,
        error: PostError,
    ) -> Result<Option<Duration>, Refused> {
        let PostKey { channel, subject, .. } = posting.key.clone();
        match error {
            PostError::RateLimited { after, scope } => {
                self.pace.hold(method, &channel, scope, after);
                Ok(Some(after))
            }
            PostError::Unknown(why) | PostError::NotSent(why) => {
                let wait = self.pace.back_off(&posting.key);
                tracing::info!("{subject} waits {wait:?}: {why}");
                Ok(Some(if posting.state == PostState::Sending { wait.max(FILE_SHOWS) } else { wait }))
            }
            // The message itself has its own remedies; what continued it goes with it.
            PostError::MessageGone => self.give_up(posting, "its message is gone".to_owned()).await,
            PostError::Channel(trouble) => self.give_up(posting, trouble.to_string()).await,
            PostError::Refused(why) => {
                tracing::error!("{subject} is not taken: {why}");
                self.give_up(posting, why).await
            }
        }
    }

    async fn give_up(&self, posting: &mut Posting, why: String) -> Result<Option<Duration>, Refused> {
        self.abandon(posting, why).await?;
        Ok(None)
    }
}
