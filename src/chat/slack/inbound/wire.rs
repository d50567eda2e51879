//! The parts of Slack's payloads that are read; everything else is skipped.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A slash command. In HTTP mode the same fields come as a form.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Command {
    #[serde(default)]
    pub(super) team_id: String,
    pub(super) user_id: String,
    pub(super) channel_id: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) thread_ts: Option<String>,
    pub(super) response_url: String,
    pub(super) trigger_id: String,
}

/// A click, a filled form, a shortcut.
#[derive(Debug, Deserialize)]
pub(super) struct Interaction {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) team: Option<Id>,
    #[serde(default)]
    pub(super) user: Option<User>,
    #[serde(default)]
    pub(super) channel: Option<Id>,
    #[serde(default)]
    pub(super) container: Option<Container>,
    #[serde(default)]
    pub(super) message: Option<Message>,
    #[serde(default)]
    pub(super) view: Option<View>,
    #[serde(default)]
    pub(super) actions: Vec<Action>,
    #[serde(default)]
    pub(super) callback_id: String,
    #[serde(default)]
    pub(super) trigger_id: Option<String>,
    #[serde(default)]
    pub(super) response_url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Id {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    /// The workspace the user belongs to, which need not be the one the click came from.
    #[serde(default)]
    pub(super) team_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Container {
    #[serde(default)]
    pub(super) channel_id: Option<String>,
    #[serde(default)]
    pub(super) message_ts: Option<String>,
    #[serde(default)]
    pub(super) thread_ts: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) ts: Option<String>,
    #[serde(default)]
    pub(super) thread_ts: Option<String>,
    #[serde(default)]
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Action {
    #[serde(default, rename = "action_id")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) selected_option: Option<Choice>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct View {
    /// `modal`, or `home`.
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) callback_id: String,
    #[serde(default)]
    pub(super) private_metadata: String,
    #[serde(default)]
    pub(super) state: Option<State>,
}

#[derive(Debug, Deserialize)]
pub(super) struct State {
    /// By block, then by action.
    #[serde(default)]
    pub(super) values: BTreeMap<String, BTreeMap<String, Value>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Value {
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) selected_option: Option<Choice>,
}

/// Something of the Events API.
#[derive(Debug, Deserialize)]
pub(super) struct Callback {
    #[serde(default)]
    pub(super) team_id: String,
    pub(super) event_id: String,
    pub(super) event: Event,
}

#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) user: Option<String>,
    #[serde(default)]
    pub(super) user_team: Option<String>,
    #[serde(default)]
    pub(super) bot_id: Option<String>,
    #[serde(default)]
    pub(super) channel: Option<String>,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) ts: Option<String>,
    #[serde(default)]
    pub(super) thread_ts: Option<String>,
    #[serde(default)]
    pub(super) tab: Option<String>,
}
