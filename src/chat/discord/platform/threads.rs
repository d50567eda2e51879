//! Threads at messages: begun where there is none, brought back from the archive, and answered in, with a file or
//! without.
//!
//! Whoever does not know of a thread may have begun it before a crash. So where a thread turns out to be there
//! already, and where a channel has no threads at all, it is looked first whether the same was said before.

use serde_json::{Map, Value, json};

use super::refusals::{Doing, refused};
use super::{ARCHIVED_AFTER, Shared, name, not_done};
use crate::chat::discord::web::{File, Route, WebError};
use crate::chat::outbox::{MessageId, PostError, Sent, ThreadId};
use crate::incident::Text;

const THREAD_IS_ARCHIVED: Option<u64> = Some(50_083);
const THREAD_EXISTS: Option<u64> = Some(160_004);
const UNKNOWN_CHANNEL: Option<u64> = Some(10_003);
/// No more threads, or none at all in a channel of this kind.
const NO_THREADS: [Option<u64>; 4] = [Some(160_006), Some(160_007), Some(30_033), Some(50_024)];

/// What is said in a thread.
pub(super) struct Note<'n> {
    pub(super) nonce: &'n Text,
    /// What the thread is called, where it must be begun.
    pub(super) title: &'n str,
    /// Marked and with its nonce.
    pub(super) body: Map<String, Value>,
    pub(super) file: Option<File>,
}

impl Note<'_> {
    fn doing(&self) -> Doing {
        if self.file.is_some() { Doing::Attach } else { Doing::Reply }
    }
}

/// The thread of a message.
enum Thread {
    Begun(Text),
    Found(Text),
}

impl Shared {
    /// Says something in the thread of a message, which is begun where there is none.
    pub(super) async fn answer(
        &self,
        channel: &Text,
        id: &MessageId,
        thread: Option<&ThreadId>,
        note: &Note<'_>,
    ) -> Result<Sent, PostError> {
        let doing = note.doing();
        if let Some(thread) = thread {
            return self.say(&thread.0, note).await.map_err(|error| refused(&error, doing));
        }
        let thread = match self.begin(channel, id, note.title).await {
            Err(error) if NO_THREADS.contains(&error.code()) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "no thread can begin in {channel}");
                return self.beside(channel, id, note).await;
            }
            begun => begun.map_err(|error| not_done(refused(&error, Doing::Begin)))?,
        };
        let thread = match thread {
            Thread::Begun(thread) => thread,
            Thread::Found(thread) => match self.said(&thread, note).await? {
                Some(sent) => return Ok(Sent { thread: Some(ThreadId(thread)), ..sent }),
                None => thread,
            },
        };
        match self.say(&thread, note).await {
            // The thread that began at the message was removed, and cannot begin there again.
            Err(error) if error.code() == UNKNOWN_CHANNEL => {
                let apart = self.begin_apart(channel, note.title).await;
                let thread = apart.map_err(|error| not_done(refused(&error, Doing::Begin)))?;
                self.say(&thread, note).await.map_err(|error| refused(&error, doing))
            }
            said => said.map_err(|error| refused(&error, doing)),
        }
    }

    /// Makes a request in a thread; in one that is archived, after opening it.
    pub(super) async fn in_thread(
        &self,
        thread: &Text,
        route: &Route,
        body: &Value,
    ) -> Result<Value, WebError> {
        match self.web.call(route, Some(body)).await {
            Err(error) if error.code() == THREAD_IS_ARCHIVED => {
                self.open(thread).await?;
                self.web.call(route, Some(body)).await
            }
            outcome => outcome,
        }
    }

    /// Begins a thread at a message; its id is the message's.
    async fn begin(&self, channel: &Text, id: &MessageId, title: &str) -> Result<Thread, WebError> {
        let route = Route::post("channels/{}/messages/{}/threads", &[channel, &id.0]);
        let body = json!({"name": name(title), "auto_archive_duration": ARCHIVED_AFTER});
        match self.web.call(&route, Some(&body)).await {
            Ok(told) => Ok(Thread::Begun(told["id"].as_str().map_or_else(|| id.0.clone(), Text::unpooled))),
            Err(error) if error.code() == THREAD_EXISTS => Ok(Thread::Found(id.0.clone())),
            Err(error) => Err(error),
        }
    }

    /// Begins a thread that belongs to no message.
    async fn begin_apart(&self, channel: &Text, title: &str) -> Result<Text, WebError> {
        let route = Route::post("channels/{}/threads", &[channel]);
        let body = json!({"name": name(title), "type": 11, "auto_archive_duration": ARCHIVED_AFTER});
        let told = self.web.call(&route, Some(&body)).await?;
        Ok(Text::unpooled(told["id"].as_str().unwrap_or_default()))
    }

    /// What was said before by the same name, if anything was.
    async fn said(&self, place: &Text, note: &Note<'_>) -> Result<Option<Sent>, PostError> {
        match self.find_in(place, note.nonce).await {
            // Whatever was said there is gone with it.
            Err(error) if error.code() == UNKNOWN_CHANNEL => Ok(None),
            found => found.map_err(|error| not_done(refused(&error, Doing::Reply))),
        }
    }

    /// Says something in a thread, which is opened first if need be.
    async fn say(&self, thread: &Text, note: &Note<'_>) -> Result<Sent, WebError> {
        let body = Value::Object(note.body.clone());
        let told = match self.web.post(thread, &body, note.file.as_ref()).await {
            Err(error) if error.code() == THREAD_IS_ARCHIVED => {
                self.open(thread).await?;
                self.web.post(thread, &body, note.file.as_ref()).await?
            }
            told => told?,
        };
        let id = Text::unpooled(told["id"].as_str().unwrap_or_default());
        Ok(Sent { message: MessageId(id), thread: Some(ThreadId(thread.clone())) })
    }

    /// Brings an archived thread back.
    async fn open(&self, thread: &Text) -> Result<(), WebError> {
        let open = json!({"archived": false});
        self.web.call(&Route::patch("channels/{}", &[thread]), Some(&open)).await.map(drop)
    }

    /// Answers a message in its channel, where it can have no thread.
    async fn beside(&self, channel: &Text, id: &MessageId, note: &Note<'_>) -> Result<Sent, PostError> {
        if let Some(sent) = self.said(channel, note).await? {
            return Ok(Sent { thread: None, ..sent });
        }
        let mut body = note.body.clone();
        let reference = json!({"message_id": id.0, "fail_if_not_exists": false});
        body.insert("message_reference".into(), reference);
        self.post(channel, &body, note.file.as_ref(), Doing::Post).await
    }
}
