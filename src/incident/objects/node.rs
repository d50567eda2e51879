//! Nodes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Meta};
use crate::incident::Text;

/// A node.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    pub meta: Meta,
    pub unschedulable: bool,
    pub taints: Vec<Taint>,
    pub conditions: Vec<Condition>,
    /// As written: `cpu`, `memory`, `pods`, `ephemeral-storage`.
    pub allocatable: BTreeMap<Text, Text>,
    /// Such as `containerd://2.0.4`.
    pub runtime: Text,
    pub kubelet: Text,
    pub architecture: Text,
}

/// A taint.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Taint {
    pub key: Text,
    pub value: Text,
    pub effect: Text,
    pub since: Option<Timestamp>,
}

impl Node {
    /// The `Ready` condition, if the node has one.
    pub fn ready(&self) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == "Ready")
    }

    /// Whether `Ready` is `True`.
    pub fn is_ready(&self) -> bool {
        self.ready().is_some_and(|condition| condition.status == "True")
    }
}
