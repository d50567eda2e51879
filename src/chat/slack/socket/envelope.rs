//! The frames of Socket Mode: what comes, and the acknowledgement that goes back.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::chat::slack::inbound::Channel;

/// A text frame.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<'f> {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, rename = "envelope_id")]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) accepts_response_payload: bool,
    #[serde(default, borrow)]
    pub(super) payload: Option<&'f RawValue>,
    /// Of `disconnect`.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

impl Envelope<'_> {
    /// What kind of occurrence it brings.
    pub(super) fn channel(&self) -> Option<Channel> {
        match self.kind.as_str() {
            "slash_commands" => Some(Channel::Commands),
            "interactive" => Some(Channel::Interactions),
            "events_api" => Some(Channel::Events),
            _ => None,
        }
    }
}

/// The acknowledgement; a payload only where Slack takes one.
pub(super) fn acknowledgement(envelope: &Envelope<'_>, payload: Option<Value>) -> Option<String> {
    let id = envelope.id.as_ref()?;
    let payload = payload.filter(|_| envelope.accepts_response_payload);
    Some(match payload {
        Some(payload) => json!({"envelope_id": id, "payload": payload}).to_string(),
        None => json!({"envelope_id": id}).to_string(),
    })
}
