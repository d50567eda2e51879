//! A named cause, with the evidence quoted, and the key that findings of one cause share.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConditionId, Digest, ObjectRef, Text};

/// What diagnosis concluded about one subject.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub condition: ConditionId,
    /// The playbook that said so, as it was then.
    pub playbook: Digest,
    pub severity: Severity,
    /// The playbook's title, such as `Private registry without credentials`.
    pub title: Text,
    /// The cause in one sentence about this object, rendered and plain text.
    pub cause: String,
    pub subject: ObjectRef,
    /// What one incident of this condition covers.
    pub key: IncidentKey,
    /// Every place the subject lies in, so that a wider incident can absorb this one.
    pub places: Vec<Place>,
    pub quotes: Vec<Quote>,
    /// Captures and computed values: registry, image, node, secret. Plain text, redacted.
    pub variables: BTreeMap<Text, Text>,
    /// Rivals that the evidence does not exclude, most likely first.
    pub also_possible: Vec<ConditionId>,
    /// How long the state must last before it is reported, in seconds.
    pub hold_off_seconds: u32,
    /// Since when the evidence shows the state.
    pub since: Option<Timestamp>,
}

/// How bad it is for those who use the cluster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

/// What one incident covers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// The very object.
    Object,
    /// The topmost controller; the object itself where it has none.
    Workload,
    ServiceAccount,
    Namespace,
    Node,
    Registry,
    Cluster,
}

/// A scope, and which one: `Registry harbor.example.com`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    pub scope: Scope,
    /// `Deployment payments/checkout`, `payments/default`, `node-1`, `harbor.example.com`; `""` for the cluster.
    pub name: Text,
}

/// Findings with equal keys are one incident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IncidentKey {
    pub cluster: Text,
    pub condition: ConditionId,
    pub place: Place,
}

impl fmt::Display for IncidentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} in {}", self.condition, self.place.name, self.cluster)
    }
}

/// A piece of evidence as the cluster wrote it (redacted, cut), and where it stood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    pub source: Source,
    /// The object, container or log the text is from: `event Failed`, `container api`.
    pub origin: Text,
    pub text: Text,
    pub at: Option<Timestamp>,
}

/// Kinds of places that evidence is quoted from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    Event,
    ContainerState,
    LastState,
    Log,
    PodCondition,
    NodeCondition,
    ObjectMeta,
    /// Something computed: `secret harbor-pull covers registry.example.com`.
    Computed,
}
