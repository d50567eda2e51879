//! What a platform must be able to do for the outbox. Slack and Discord implement it.

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use crate::incident::Text;

/// A message's name on its platform: a Slack `ts`, a Discord snowflake.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageId(pub Text);

/// A thread's name: the parent's `ts` in Slack, the thread channel's id in Discord.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ThreadId(pub Text);

/// A message to be sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Outgoing {
    /// At most 25 characters (Discord's limit), stored before it is sent. Slack: in the message's metadata or
    /// `client_msg_id`; Discord: `nonce` with `enforce_nonce`.
    pub nonce: Text,
    /// The rendered layout: what the platform's API takes as the body, without channel, thread and nonce.
    pub body: Value,
    /// One line, for platforms and places without layouts (a thread's name, a log).
    pub summary: String,
    /// What it is about in single words, for places with tags: the state and the severity of an incident.
    pub tags: Vec<&'static str>,
}

/// A text file to be put into a thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attachment {
    /// By which it can be found ([`Platform::find`]): it begins as the last part of the file's name does.
    pub nonce: Text,
    /// Holds the first eight characters of the nonce.
    pub name: String,
    pub title: String,
    /// What the thread is called, where it must be begun.
    pub thread: String,
    pub text: String,
}

/// A message that is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    pub message: MessageId,
    /// Where replies go, if that is known already. Slack: the message itself.
    pub thread: Option<ThreadId>,
}

/// How far a rate limit reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// This method in this channel.
    Channel,
    /// This method in all channels.
    Method,
    /// Everything.
    Everything,
}

/// Why a channel cannot be used, with the way out.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ChannelTrouble {
    #[error("the channel is gone or archived; name another one under `chat`, or unarchive it")]
    Gone,
    #[error("kubemend is not in the channel; {way_out}")]
    NotInChannel { way_out: String },
    #[error("kubemend lacks `{scope}`; {way_out}")]
    MissingScope { scope: String, way_out: String },
    #[error("the channel takes no such message; {way_out}")]
    Unfit { way_out: String },
}

/// Why a request did not do what it should.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PostError {
    /// HTTP 429.
    #[error("rate limited for {after:?}")]
    RateLimited { after: Duration, scope: Scope },
    /// No answer, or 5xx: whether it was done is not known.
    #[error("no answer: {0}")]
    Unknown(String),
    /// Certainly not done, and worth another try: no connection could be made.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The message (or the thread) to be changed is not there any more.
    #[error("the message is gone")]
    MessageGone,
    #[error(transparent)]
    Channel(#[from] ChannelTrouble),
    /// The platform will never take it: a mistake of ours or of a template.
    #[error("refused: {0}")]
    Refused(String),
}

/// A chat platform, as the outbox needs it. Calls may be made side by side for different channels; the
/// outbox keeps the order within an incident and waits where it is told to.
///
/// Implementations do one request each and classify what came of it; they neither retry nor wait.
pub trait Platform: Send + Sync + 'static {
    /// `slack`, `discord`: the first part of every key in the store.
    fn name(&self) -> &'static str;

    /// Posts into a channel.
    fn post(
        &self,
        channel: &Text,
        message: &Outgoing,
    ) -> impl Future<Output = Result<Sent, PostError>> + Send;

    /// Puts another body in the place of the message's.
    fn edit(
        &self,
        channel: &Text,
        id: &MessageId,
        message: &Outgoing,
    ) -> impl Future<Output = Result<(), PostError>> + Send;

    /// Replies in the message's thread; makes the thread where there is none yet, under `title`.
    fn reply(
        &self,
        channel: &Text,
        id: &MessageId,
        thread: Option<&ThreadId>,
        title: &str,
        message: &Outgoing,
    ) -> impl Future<Output = Result<Sent, PostError>> + Send;

    /// Puts a text file into the message's thread. A platform without files refuses; the text is then cut to
    /// what a message holds.
    fn attach(
        &self,
        channel: &Text,
        id: &MessageId,
        thread: Option<&ThreadId>,
        file: &Attachment,
    ) -> impl Future<Output = Result<Sent, PostError>> + Send {
        let (_, _, _) = (channel, id, thread);
        let why = format!("{} takes no files; {} is not sent as one", self.name(), file.name);
        std::future::ready(Err(PostError::Refused(why)))
    }

    /// The message with that nonce, or with a file whose name holds its first eight characters, among the newest of
    /// the channel, or of the thread where one is given.
    fn find(
        &self,
        channel: &Text,
        thread: Option<&ThreadId>,
        nonce: &Text,
    ) -> impl Future<Output = Result<Option<Sent>, PostError>> + Send;
}
