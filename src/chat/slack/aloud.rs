//! An answer that everybody in a thread sees and that grows: one message, edited in place.
//!
//! It carries a nonce made from what it answers, so that it is found again after a restart and not posted twice.

use serde_json::{Value, json};

use super::platform::{is_ours, metadata};
use super::views;
use super::web::{Web, WebError};
use crate::chat::card::Card;
use crate::chat::layout::LayoutError;
use crate::chat::paper::Paper;
use crate::incident::{Digest, Text};

/// How many messages of the thread are looked through.
const IN_THREAD: &str = "200";

/// The message, wanted or there.
pub(super) struct Aloud {
    channel: Text,
    thread: Text,
    nonce: Text,
    /// The message's name once it is there.
    message: Option<String>,
}

/// Why it does not show.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silent {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Web(#[from] WebError),
}

impl Aloud {
    /// An answer to what is called `key`, in that thread. Nothing is sent yet.
    pub(super) fn new(channel: &Text, thread: &Text, key: &str) -> Self {
        let nonce = Text::unpooled(&Digest::of_bytes(key.as_bytes()).as_str()[..24]);
        Self { channel: channel.clone(), thread: thread.clone(), nonce, message: None }
    }

    /// Whether it was posted before, by this kubemend or by one before a restart.
    pub(super) async fn look(&mut self, web: &Web) -> Result<bool, WebError> {
        let asked = [
            ("channel", self.channel.as_str()),
            ("ts", &self.thread),
            ("limit", IN_THREAD),
            ("include_all_metadata", "true"),
        ];
        let told = web.get("conversations.replies", &asked).await?;
        let found = told["messages"].as_array().into_iter().flatten().find(|one| is_ours(one, &self.nonce));
        self.message = found.and_then(|message| message["ts"].as_str().map(str::to_owned));
        Ok(self.message.is_some())
    }

    /// Posts it, or puts this in the place of what it said.
    pub(super) async fn show(&mut self, web: &Web, paper: &Paper, card: &Card) -> Result<(), Silent> {
        let mut body = views::message(paper, card)?;
        body["channel"] = json!(self.channel);
        body["metadata"] = metadata(&self.nonce);
        if let Some(message) = &self.message {
            body["ts"] = json!(message);
            return Ok(web.post("chat.update", &body).await.map(drop)?);
        }
        body["thread_ts"] = json!(self.thread);
        body["unfurl_links"] = json!(false);
        body["unfurl_media"] = json!(false);
        let told: Value = web.post("chat.postMessage", &body).await?;
        self.message = told["ts"].as_str().map(str::to_owned);
        Ok(())
    }
}
