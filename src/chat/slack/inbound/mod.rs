//! What Slack reports: a payload becomes what happened, who did it and where an answer goes.
//!
//! Total: whatever comes is something, `Nothing` included. Nothing here is trusted but the ids that Slack
//! itself vouches for; what was typed and what stands in a message stay text. Refuses to judge.
//!
//! The payloads are decoded here and not by slack-morphism's models: a click carries the whole message it was
//! made in, and one block that the models do not fit would lose the click.

mod read;
mod wire;

use std::collections::BTreeMap;

pub use read::{Channel, Unreadable, read};
pub(super) use read::{mention_key, without_mention};

use serde::{Deserialize, Serialize};

use crate::incident::Text;

/// Something that happened in Slack.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inbound {
    /// Slack's own name for the occurrence; the same however often it is delivered.
    pub key: String,
    pub by: Asker,
    pub place: Place,
    pub what: What,
}

/// Who did it. Only the ids are Slack's word; the name is what they call themselves.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asker {
    pub user: Text,
    pub team: Text,
}

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum What {
    /// A button, or an entry of an overflow menu.
    Pressed { id: String },
    /// A modal was filled in.
    Filled { form: String, values: BTreeMap<String, String> },
    /// A slash command; the text after it.
    Commanded { text: String },
    /// The bot was mentioned; the text without the mention.
    Mentioned { text: String },
    /// A message shortcut, on a message with that text.
    Shortcut { callback: String, text: String },
    /// Somebody looks at the app's home.
    HomeOpened,
    /// Nothing that kubemend answers.
    Nothing,
}

/// Where it was done, and how it can be answered.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    pub channel: Option<Text>,
    /// The message that was acted on.
    pub message: Option<Text>,
    /// The thread it is in.
    pub thread: Option<Text>,
    /// The modal that is open.
    pub view: Option<Text>,
    /// What kubemend wrote into the modal when it opened it.
    pub note: String,
    /// Opens one modal, within three seconds; not worth keeping for longer.
    #[serde(skip)]
    pub trigger: Option<Text>,
    /// Takes five answers within half an hour.
    pub response_url: Option<String>,
}

impl Place {
    /// A modal belongs to no channel; where it was opened stands in kubemend's note.
    pub(super) fn recall_from_note(&mut self) {
        let note: serde_json::Value = serde_json::from_str(&self.note).unwrap_or_default();
        let read = |name: &str| note[name].as_str().map(Text::from);
        self.channel = self.channel.take().or_else(|| read("channel"));
        self.thread = self.thread.take().or_else(|| read("thread"));
    }
}
