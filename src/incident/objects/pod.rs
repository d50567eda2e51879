//! Pods and their containers.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Meta};
use crate::incident::Text;

/// A pod.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Pod {
    pub meta: Meta,
    /// `""` while it is not scheduled.
    pub node: Text,
    pub service_account: Text,
    /// Names in `spec.imagePullSecrets`: what this very pod pulls with.
    pub pull_secrets: Vec<Text>,
    pub restart_policy: Text,
    pub scheduler: Text,
    pub priority_class: Text,
    /// `terminationGracePeriodSeconds`.
    pub grace_seconds: Option<i64>,
    pub phase: Text,
    pub reason: Text,
    pub message: Text,
    pub started: Option<Timestamp>,
    pub conditions: Vec<Condition>,
    /// Init containers first, then the main ones, each in the order of the spec.
    pub containers: Vec<Container>,
    pub volumes: Vec<Volume>,
}

/// What a container is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
    #[default]
    Main,
}

/// A container: its spec and its status together.
#[expect(clippy::struct_excessive_bools, reason = "four independent facts of the spec and the status")]
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    pub name: Text,
    pub role: Role,
    pub image: Text,
    pub image_id: Text,
    pub pull_policy: Text,
    pub memory_limit: Text,
    pub memory_request: Text,
    pub cpu_limit: Text,
    pub has_liveness: bool,
    pub has_readiness: bool,
    pub has_startup: bool,
    /// ConfigMaps and Secrets that the environment names; never their values.
    pub references: Vec<Reference>,
    pub sub_paths: Vec<SubPath>,
    pub state: ContainerState,
    /// How the run before ended.
    pub last: Option<Terminated>,
    pub restarts: u32,
    pub ready: bool,
}

/// A volume mounted by part.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SubPath {
    pub volume: Text,
    pub path: Text,
}

/// What a container is doing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum ContainerState {
    /// The kubelet has not said.
    #[default]
    Unknown,
    Waiting {
        reason: Text,
        message: Text,
    },
    Running {
        since: Option<Timestamp>,
    },
    Terminated(Terminated),
}

/// How a container's run ended.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Terminated {
    pub reason: Text,
    pub message: Text,
    pub exit_code: i32,
    pub signal: Option<i32>,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
}

/// Something a pod names in its namespace.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Reference {
    pub kind: ReferenceKind,
    pub name: Text,
    /// The key, where one is named.
    pub key: Option<Text>,
    pub optional: bool,
}

/// The kinds a pod may name.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum ReferenceKind {
    #[default]
    ConfigMap,
    Secret,
    PersistentVolumeClaim,
    ServiceAccount,
}

/// A volume of the pod.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Volume {
    pub name: Text,
    pub source: VolumeSource,
}

/// Where a volume comes from, as far as it names other objects.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum VolumeSource {
    /// ConfigMaps, Secrets (projected ones too), one per named key or one for all.
    References(Vec<Reference>),
    Claim(Text),
    /// Anything else, by the field's name in the API (`emptyDir`, `hostPath`, `nfs`, `csi` …).
    Other(Text),
    #[default]
    Unknown,
}

impl Container {
    /// The reason the container waits, or `""`.
    pub fn waiting_reason(&self) -> &str {
        match &self.state {
            ContainerState::Waiting { reason, .. } => reason,
            ContainerState::Unknown | ContainerState::Running { .. } | ContainerState::Terminated(_) => "",
        }
    }
}

impl Pod {
    /// The condition of that type, if the pod has it.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}
