//! The parts of Discord's interactions that are read; everything else is skipped.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

/// An interaction.
#[derive(Debug, Deserialize)]
pub(super) struct Interaction {
    pub(super) id: String,
    #[serde(default)]
    pub(super) application_id: String,
    #[serde(rename = "type")]
    pub(super) kind: u64,
    #[serde(default)]
    pub(super) data: Data,
    #[serde(default)]
    pub(super) guild_id: Option<String>,
    #[serde(default)]
    pub(super) channel_id: Option<String>,
    #[serde(default)]
    pub(super) channel: Option<Channel>,
    /// In a guild.
    #[serde(default)]
    pub(super) member: Option<Member>,
    /// In a direct message.
    #[serde(default)]
    pub(super) user: Option<User>,
    #[serde(default)]
    pub(super) token: String,
    #[serde(default)]
    pub(super) message: Option<Id>,
    #[serde(default)]
    pub(super) locale: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Id {
    #[serde(default)]
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Channel {
    #[serde(default, rename = "type")]
    pub(super) kind: u64,
    #[serde(default)]
    pub(super) parent_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Member {
    #[serde(default)]
    pub(super) user: Option<User>,
    #[serde(default)]
    pub(super) nick: Option<String>,
    #[serde(default)]
    pub(super) roles: Vec<String>,
    #[serde(default)]
    pub(super) permissions: Option<String>,
    #[serde(default)]
    pub(super) pending: bool,
    #[serde(default)]
    pub(super) communication_disabled_until: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) username: String,
    #[serde(default)]
    pub(super) global_name: Option<String>,
    #[serde(default)]
    pub(super) bot: bool,
    #[serde(default)]
    pub(super) system: bool,
}

/// Of a command, a component or a modal.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Data {
    #[serde(default)]
    pub(super) name: String,
    /// Of a command: typed, or on a message.
    #[serde(default, rename = "type")]
    pub(super) kind: u64,
    #[serde(default)]
    pub(super) target_id: String,
    #[serde(default)]
    pub(super) resolved: Resolved,
    #[serde(default)]
    pub(super) options: Vec<Given>,
    #[serde(default)]
    pub(super) custom_id: String,
    #[serde(default)]
    pub(super) component_type: u64,
    #[serde(default)]
    pub(super) values: Vec<String>,
    #[serde(default)]
    pub(super) components: Vec<Component>,
}

/// What a command was used on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Resolved {
    #[serde(default)]
    pub(super) messages: HashMap<String, Message>,
}

/// A message that a command was used on.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) content: String,
    #[serde(default)]
    pub(super) embeds: Vec<Embed>,
}

/// What bots mostly write into.
#[derive(Debug, Deserialize)]
pub(super) struct Embed {
    #[serde(default)]
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) fields: Vec<Field>,
    /// Where kubemend's own messages name their incident.
    #[serde(default)]
    pub(super) footer: Option<Footer>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Footer {
    #[serde(default)]
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Field {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: String,
}

/// An option of a command, or a sub command with its options.
#[derive(Debug, Deserialize)]
pub(super) struct Given {
    pub(super) name: String,
    #[serde(default, rename = "type")]
    pub(super) kind: u64,
    #[serde(default)]
    pub(super) value: Value,
    #[serde(default)]
    pub(super) options: Vec<Given>,
    #[serde(default)]
    pub(super) focused: bool,
}

/// A part of a modal: a row or a label around inputs, or an input.
#[derive(Debug, Deserialize)]
pub(super) struct Component {
    #[serde(default)]
    pub(super) custom_id: String,
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) values: Vec<String>,
    #[serde(default)]
    pub(super) components: Vec<Component>,
    /// What a label is for.
    #[serde(default, rename = "component")]
    pub(super) inner: Option<Box<Component>>,
}
