//! What came from Discord, whichever way: read into one shape, trusted for nothing but its form.
//!
//! Total: whatever comes gives something or [`What::Nothing`]. What is not looked at is not decoded, so that a
//! new kind of component or field cannot keep a click from being heard (serenity's models would refuse the
//! whole interaction).

mod read;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::Text;

pub(super) use read::member;
pub use read::{Unreadable, read};

/// Something that a person did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inbound {
    /// The interaction's id: the same however often it is delivered.
    pub key: String,
    pub by: Asker,
    pub place: Place,
    pub what: What,
}

/// Who did it, as Discord says in the interaction itself, over its own connection or with its signature.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asker {
    pub user: Text,
    /// The nickname in the guild, or the name.
    pub name: Text,
    pub bot: bool,
    /// The server, where it was done in one.
    pub guild: Option<Text>,
    /// The ids of the roles there.
    pub roles: BTreeSet<Text>,
    /// What the member may do in the channel, in Discord's bits. Gives no right in kubemend.
    pub permissions: u64,
    /// The rules of the server are not accepted yet.
    pub pending: bool,
    /// Timed out until then.
    pub silenced_until: Option<Timestamp>,
    /// Such as `en-US`.
    pub locale: Text,
}

/// Where it was done, and how it can be answered.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The channel; of a thread, the channel that it is in.
    pub channel: Option<Text>,
    /// The thread, where it was done in one.
    pub thread: Option<Text>,
    /// The message whose component was used.
    pub message: Option<Text>,
    pub application: Text,
    pub interaction: Text,
    /// Answers the interaction for fifteen minutes.
    pub token: Token,
}

impl Place {
    /// Where an ordinary message to whoever asked would stand.
    pub fn here(&self) -> Option<&Text> {
        self.thread.as_ref().or(self.channel.as_ref())
    }
}

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum What {
    /// A button.
    Pressed { id: String },
    /// A menu.
    Chosen { id: String, values: Vec<String> },
    /// A modal, sent.
    Filled { form: String, values: BTreeMap<String, String> },
    /// `/mend`, as the line that [`crate::chat::command::parse`] understands.
    Commanded { line: String },
    /// The message command of that name, on a message with that text.
    Pointed { name: String, text: String },
    /// Somebody types an option and is to be shown what could stand there.
    Completing {
        command: String,
        option: String,
        typed: String,
        /// The other options, as far as they are filled in.
        others: BTreeMap<String, String>,
    },
    /// Nothing that kubemend answers.
    Nothing,
}

/// An interaction's token: answers in kubemend's name, so it is not shown. It is written down with what is owed
/// an answer, for as long as that is owed.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Token(Arc<str>);

impl Token {
    pub(super) fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Token {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.expose().to_owned()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
