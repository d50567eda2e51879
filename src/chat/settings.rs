//! What an operator says about chat: routes, words, templates.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::card::Mention;
use crate::incident::{Severity, Text};

/// The section `chat`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The language of messages: `en`, `zh-CN`, or one with words in the folder of templates.
    pub locale: String,
    /// A folder whose templates take the place of the shipped ones.
    pub templates: Option<PathBuf>,
    /// Where incidents go, in this order: the first route that fits takes an incident.
    pub routes: Vec<RouteSettings>,
    /// Where an incident goes that no route takes, or whose channel cannot be used.
    pub fallback: Channels,
    /// Slack, where there is one.
    pub slack: Option<super::slack::settings::Settings>,
    /// Discord, where there is one.
    pub discord: Option<super::discord::settings::Settings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            locale: super::words::FALLBACK.to_owned(),
            templates: None,
            routes: Vec::new(),
            fallback: Channels::default(),
            slack: None,
            discord: None,
        }
    }
}

/// Which incidents go where.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteSettings {
    /// What it is called in the log and in digests.
    #[schemars(regex(pattern = "^[a-z0-9][-a-z0-9]{0,39}$"))]
    pub name: Text,
    /// Which incidents; all of them where it is left out.
    #[serde(default)]
    pub when: When,
    pub to: Channels,
    /// Whom to call when a message is first posted.
    #[serde(default)]
    pub mentions: Mentions,
    /// When to wait.
    #[serde(default)]
    pub quiet: Option<Quiet>,
    /// How many messages at once; beyond, incidents are told together in one.
    #[serde(default)]
    pub budget: Budget,
    /// Whether further routes may take the incident, too.
    #[serde(default)]
    pub go_on: bool,
}

/// What an incident must be. What is left out does not restrict; all that is given must hold. Names are
/// patterns in which `*` stands for any text.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct When {
    pub clusters: Vec<Text>,
    pub namespaces: Vec<Text>,
    /// Such as `image.*`.
    pub conditions: Vec<Text>,
    /// This severity or a worse one.
    pub severity: Option<Severity>,
    /// Labels of the object or of its workload.
    pub labels: BTreeMap<Text, Text>,
    /// Annotations of the object, of its workload, or of its namespace.
    pub annotations: BTreeMap<Text, Text>,
}

/// Channel ids by platform.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Channels {
    pub slack: Vec<Text>,
    pub discord: Vec<Text>,
}

/// Whom to call, by platform.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Mentions {
    pub slack: Vec<Mention>,
    pub discord: Vec<Mention>,
    /// From this severity on; from `warning` where it is left out.
    pub from: Option<Severity>,
}

/// Hours in which messages wait.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quiet {
    /// Such as `Europe/Berlin`.
    pub time_zone: String,
    /// Such as `22:00`.
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub from: String,
    /// Such as `07:00`; before `from`, it is the next morning's.
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub to: String,
    /// This severity or a worse one does not wait; `critical` where it is left out.
    #[serde(default = "critical")]
    pub except: Severity,
}

fn critical() -> Severity {
    Severity::Critical
}

/// So many new messages in so many minutes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Budget {
    #[schemars(range(min = 1, max = 1000))]
    pub messages: u32,
    #[schemars(range(min = 1, max = 1440))]
    pub per_minutes: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { messages: 20, per_minutes: 10 }
    }
}
