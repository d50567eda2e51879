//! Events, of `v1` and `events.k8s.io/v1` alike.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Meta;
use crate::incident::Text;

/// Something a component said about an object. `count` and `last` grow while it repeats itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    pub meta: Meta,
    pub regarding: Regarding,
    /// `Normal` or `Warning`; decisive ones are often `Normal`.
    pub kind: Text,
    pub reason: Text,
    pub message: Text,
    pub component: Text,
    pub host: Text,
    /// `count`, or `series.count`, or 1.
    pub count: u32,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// The object an event is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Regarding {
    pub api_version: Text,
    pub kind: Text,
    pub namespace: Text,
    pub name: Text,
    pub uid: Text,
    /// Such as `spec.containers{api}`.
    pub field_path: Text,
}
