//! What is known about one object at one moment, frozen.
//!
//! [`Gathered`] is what was read: by `cluster` from a live cluster, or from a dump. [`Evidence`] adds what
//! `diagnosis` computed from it (which secret covers which registry, which names come close). Both carry
//! their own `at`; nothing that reads them asks a clock. Texts in them are already redacted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::objects::{
    Claim, Event, Namespace, Node, Object, Pod, ReferenceKind, Role, ServiceAccount, Workload,
};
use super::{ObjectRef, Text};

/// What was read about a subject, before anything is concluded.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Gathered {
    pub at: Timestamp,
    pub subject: ObjectRef,
    /// The subject, if it is a pod.
    pub pod: Option<Pod>,
    /// The subject, if it is of a kind of which only metadata is read (a custom resource, a claim).
    pub object: Option<Object>,
    /// The controllers above the subject, nearest first (ReplicaSet, then Deployment); the subject itself
    /// first, if it is a workload.
    pub owners: Vec<Workload>,
    /// The revisions of the topmost workload: ReplicaSets of a Deployment, newest first.
    pub revisions: Vec<Workload>,
    /// Events about the subject (and, for a workload, about its ReplicaSets), oldest first.
    pub events: Vec<Event>,
    /// The subject's node; the subject itself, if it is a node.
    pub node: Option<Node>,
    pub service_account: Option<ServiceAccount>,
    pub namespace: Option<Namespace>,
    /// The pull secrets that the pod or its ServiceAccount names, and the other candidates of the namespace
    /// where listing them is allowed; only their shape.
    pub secrets: Vec<PullSecret>,
    /// ConfigMaps and Secrets that the pod names: do they exist, which keys do they have, what is near.
    pub references: Vec<ReferenceState>,
    pub claims: Vec<Claim>,
    pub logs: Vec<LogTail>,
    pub siblings: Siblings,
    pub neighbours: Neighbours,
    /// What could not be looked at, and why: a missing right, a timeout.
    pub gaps: Vec<Gap>,
}

/// [`Gathered`], and what follows from it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Evidence {
    pub seen: Gathered,
    /// One for each container, in the pod's order.
    pub images: Vec<ImageFacts>,
    pub references: Vec<ReferenceFacts>,
    pub rollout: RolloutFacts,
}

/// Where something that a pod names was looked for, and what was there.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ReferenceState {
    pub kind: ReferenceKind,
    pub name: Text,
    /// `None`: could not be looked up.
    pub exists: Option<bool>,
    /// The keys it has (names, never values), where they were read.
    pub keys: Vec<Text>,
    /// Names of the same kind in the namespace, for "did you mean"; bounded.
    pub others: Vec<Text>,
}

/// A reference of the pod that does not resolve.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ReferenceFacts {
    pub kind: ConfigKind,
    pub name: Text,
    /// The missing key, if the object exists and the key does not.
    pub key: Option<Text>,
    /// The nearest existing name (or key, where the key is missing).
    pub nearest: Option<Text>,
}

/// What kind of thing a pod named in vain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum ConfigKind {
    #[default]
    ConfigMap,
    Secret,
    PersistentVolumeClaim,
    ServiceAccount,
}

/// A pull secret's shape. Never its credentials.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PullSecret {
    pub name: Text,
    pub namespace: Text,
    /// `None`: kubemend may not read it.
    pub exists: Option<bool>,
    /// Such as `kubernetes.io/dockerconfigjson`.
    pub kind: Text,
    pub entries: Vec<RegistryEntry>,
    /// What is wrong with the secret as a whole.
    pub defects: Vec<Defect>,
}

/// One registry in a pull secret.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RegistryEntry {
    /// The key as written, such as `https://index.docker.io/v1/` or `registry.example.com:5000/team`.
    pub key: Text,
    pub defects: Vec<Defect>,
}

/// What can be wrong with a pull secret or an entry of it, told without the credential.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Defect {
    /// The Secret's `type` is not one that the kubelet reads.
    WrongType,
    /// The expected data key (`.dockerconfigjson` or `.dockercfg`) is missing.
    MissingKey,
    /// The document is not JSON of the right form.
    Unparsable,
    /// No `auths`, or an empty one.
    NoEntries,
    /// `auth` is not base64.
    AuthNotBase64,
    /// `auth` does not decode to `user:password`.
    AuthNotUserPassword,
    /// User or password is empty.
    EmptyCredential,
    /// User or password ends in a line break or has white space around it.
    StrayWhitespace,
    /// `auth` and `username`/`password` disagree.
    Contradiction,
}

/// What is known about pulling one container's image.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ImageFacts {
    pub container: Text,
    pub role: Role,
    /// As the pod names it.
    pub image: Text,
    /// Normalised: `docker.io` for Docker Hub; with port where one is named.
    pub registry: Text,
    /// Without registry and tag: `library/nginx`, `payments/api`.
    pub repository: Text,
    /// Tag or digest; `latest` where none is named.
    pub tag: Text,
    /// Each secret that the pod pulls with, and how it stands to this registry.
    pub secrets: Vec<SecretFacts>,
    /// All of them together.
    pub coverage: Coverage,
    /// Whether the ServiceAccount names a covering secret that this pod, created before, does not have.
    pub account_covers: bool,
    /// Well-formed secrets of the namespace that cover this registry and are not named by the pod: the
    /// candidates of a repair.
    pub candidates: Vec<Text>,
}

/// One pull secret against one registry.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretFacts {
    pub name: Text,
    pub coverage: Coverage,
    pub defects: Vec<Defect>,
    /// The keys the secret has instead, where it does not cover the registry.
    pub registries: Vec<Text>,
}

/// How credentials stand to a registry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Coverage {
    /// Could not be looked at.
    #[default]
    Unknown,
    /// No secret is named at all.
    None,
    /// The named secret does not exist.
    Missing,
    /// It exists and cannot be used for this registry: malformed, or for other registries.
    Invalid,
    /// A well-formed entry for this registry.
    Covered,
}

/// The end of a container's log.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogTail {
    pub container: Text,
    /// Of the run before the current one.
    pub previous: bool,
    /// Redacted, oldest first, bounded.
    pub lines: Vec<Text>,
}

/// The other pods of the same workload.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Siblings {
    pub ready: u32,
    pub total: u32,
}

/// What fails around the subject at the same time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Neighbours {
    /// By registry host: workloads whose pulls fail there for reasons on the registry's side.
    pub registries: BTreeMap<Text, RegistryTrouble>,
    /// Pods on the subject's node (the subject, if it is a node), and how many are not healthy.
    pub node_pods: u32,
    pub node_unhealthy: u32,
    /// Nodes of the cluster, and how many are ready.
    pub nodes: u32,
    pub nodes_ready: u32,
}

/// Failing pulls of one registry host.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RegistryTrouble {
    pub workloads: u32,
    pub pods: u32,
    pub since: Option<Timestamp>,
}

/// The revisions of the subject's workload, read for a way back.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RolloutFacts {
    /// The revision that is being rolled out.
    pub current: Option<u64>,
    /// The newest older revision that has ready pods, or had all its pods ready when it was replaced.
    pub good: Option<u64>,
    /// The name of the ReplicaSet or ControllerRevision behind `good`.
    pub good_name: Text,
    /// Whether pods of `good` are ready right now.
    pub good_is_serving: bool,
    /// Whether the subject belongs to the current revision (and not to an older one).
    pub subject_is_current: bool,
    /// What differs between `good` and `current`: `image of api: a → b`.
    pub changes: Vec<Text>,
}

/// Something that could not be looked at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Gap {
    /// Such as `secrets of namespace payments`.
    pub what: Text,
    /// Such as `no right to get secrets`.
    pub why: Text,
}
