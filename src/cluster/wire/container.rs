//! A container of a pod: its spec and its status, each as the wire has it, joined by name.
//!
//! Environment values are never read: of `env` only the references to ConfigMaps and Secrets survive.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::lenient::{Count, Quantity, Sift, Time, at, nullable, sifted};
use crate::incident::Text;
use crate::incident::objects::{
    Container, ContainerState, Reference, ReferenceKind, Role, SubPath, Terminated,
};

/// An entry of `spec.containers` or `spec.initContainers`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerSpec {
    #[serde(deserialize_with = "nullable")]
    name: Text,
    #[serde(deserialize_with = "nullable")]
    image: Text,
    #[serde(deserialize_with = "nullable")]
    image_pull_policy: Text,
    #[serde(deserialize_with = "nullable")]
    restart_policy: Text,
    #[serde(deserialize_with = "nullable")]
    resources: Resources,
    liveness_probe: Option<IgnoredAny>,
    readiness_probe: Option<IgnoredAny>,
    startup_probe: Option<IgnoredAny>,
    #[serde(deserialize_with = "sifted::<Env, _>")]
    env: Vec<Reference>,
    #[serde(deserialize_with = "sifted::<EnvFrom, _>")]
    env_from: Vec<Reference>,
    #[serde(deserialize_with = "sifted::<Mounts, _>")]
    volume_mounts: Vec<SubPath>,
}

/// Where a list of containers stands in the spec.
#[derive(Clone, Copy)]
pub(super) enum List {
    Init,
    Main,
}

impl ContainerSpec {
    /// The container, before the kubelet has said anything about it.
    pub(super) fn into_container(self, list: List) -> Container {
        let role = match list {
            List::Main => Role::Main,
            List::Init if self.restart_policy == "Always" => Role::Sidecar,
            List::Init => Role::Init,
        };
        let mut references = self.env;
        for reference in self.env_from {
            push_once(&mut references, reference);
        }
        Container {
            name: self.name,
            role,
            image: self.image,
            pull_policy: self.image_pull_policy,
            memory_limit: self.resources.limits.memory.0,
            memory_request: self.resources.requests.memory.0,
            cpu_limit: self.resources.limits.cpu.0,
            has_liveness: self.liveness_probe.is_some(),
            has_readiness: self.readiness_probe.is_some(),
            has_startup: self.startup_probe.is_some(),
            references,
            sub_paths: self.volume_mounts,
            ..Container::default()
        }
    }
}

/// `resources`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Resources {
    #[serde(deserialize_with = "nullable")]
    pub(super) limits: Amounts,
    #[serde(deserialize_with = "nullable")]
    requests: Amounts,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Amounts {
    #[serde(deserialize_with = "nullable")]
    cpu: Quantity,
    #[serde(deserialize_with = "nullable")]
    pub(super) memory: Quantity,
}

struct Env;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EnvShape {
    value_from: Option<ValueFrom>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ValueFrom {
    config_map_key_ref: Option<KeyRef>,
    secret_key_ref: Option<KeyRef>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct KeyRef {
    #[serde(deserialize_with = "nullable")]
    name: Text,
    key: Option<Text>,
    #[serde(deserialize_with = "nullable")]
    optional: bool,
}

impl KeyRef {
    fn of(self, kind: ReferenceKind) -> Reference {
        Reference { kind, name: self.name, key: self.key, optional: self.optional }
    }
}

impl Sift<'_> for Env {
    type Item = EnvShape;
    type Kept = Vec<Reference>;
    fn sift(item: EnvShape, kept: &mut Vec<Reference>) {
        let Some(ValueFrom { config_map_key_ref, secret_key_ref }) = item.value_from else { return };
        keep(kept, ReferenceKind::ConfigMap, config_map_key_ref);
        keep(kept, ReferenceKind::Secret, secret_key_ref);
    }
}

struct EnvFrom;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EnvFromShape {
    config_map_ref: Option<KeyRef>,
    secret_ref: Option<KeyRef>,
}

impl Sift<'_> for EnvFrom {
    type Item = EnvFromShape;
    type Kept = Vec<Reference>;
    fn sift(item: EnvFromShape, kept: &mut Vec<Reference>) {
        keep(kept, ReferenceKind::ConfigMap, item.config_map_ref);
        keep(kept, ReferenceKind::Secret, item.secret_ref);
    }
}

fn keep(kept: &mut Vec<Reference>, kind: ReferenceKind, found: Option<KeyRef>) {
    if let Some(found) = found {
        push_once(kept, found.of(kind));
    }
}

fn push_once(kept: &mut Vec<Reference>, reference: Reference) {
    if !kept.contains(&reference) {
        kept.push(reference);
    }
}

struct Mounts;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Mount {
    #[serde(deserialize_with = "nullable")]
    name: Text,
    #[serde(deserialize_with = "nullable")]
    sub_path: Text,
    #[serde(deserialize_with = "nullable")]
    sub_path_expr: Text,
}

impl Sift<'_> for Mounts {
    type Item = Mount;
    type Kept = Vec<SubPath>;
    fn sift(item: Mount, kept: &mut Vec<SubPath>) {
        let Mount { name: volume, sub_path, sub_path_expr } = item;
        let path = if sub_path.is_empty() { sub_path_expr } else { sub_path };
        if !path.is_empty() {
            kept.push(SubPath { volume, path });
        }
    }
}

/// An entry of `status.containerStatuses` or `status.initContainerStatuses`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerStatus {
    #[serde(deserialize_with = "nullable")]
    name: Text,
    #[serde(rename = "imageID", deserialize_with = "nullable")]
    image_id: Text,
    #[serde(deserialize_with = "nullable")]
    ready: bool,
    #[serde(deserialize_with = "nullable")]
    restart_count: Count,
    #[serde(deserialize_with = "nullable")]
    state: StateShape,
    #[serde(deserialize_with = "nullable")]
    last_state: StateShape,
}

impl ContainerStatus {
    /// Puts the status onto the container of that name.
    pub(super) fn join(self, containers: &mut [Container]) {
        let Some(container) = containers.iter_mut().find(|container| container.name == self.name) else {
            return;
        };
        container.image_id = self.image_id;
        container.ready = self.ready;
        container.restarts = self.restart_count.0;
        container.state = self.state.into();
        container.last = self.last_state.terminated.map(Into::into);
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StateShape {
    waiting: Option<WaitingShape>,
    running: Option<RunningShape>,
    terminated: Option<TerminatedShape>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WaitingShape {
    #[serde(deserialize_with = "nullable")]
    reason: Text,
    #[serde(deserialize_with = "nullable")]
    message: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RunningShape {
    started_at: Option<Time>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TerminatedShape {
    #[serde(deserialize_with = "nullable")]
    reason: Text,
    #[serde(deserialize_with = "nullable")]
    message: Text,
    #[serde(deserialize_with = "nullable")]
    exit_code: i32,
    signal: Option<i32>,
    started_at: Option<Time>,
    finished_at: Option<Time>,
}

impl From<StateShape> for ContainerState {
    fn from(shape: StateShape) -> Self {
        if let Some(ended) = shape.terminated {
            Self::Terminated(ended.into())
        } else if let Some(running) = shape.running {
            Self::Running { since: at(running.started_at) }
        } else if let Some(WaitingShape { reason, message }) = shape.waiting {
            Self::Waiting { reason, message }
        } else {
            Self::Unknown
        }
    }
}

impl From<TerminatedShape> for Terminated {
    fn from(shape: TerminatedShape) -> Self {
        Self {
            reason: shape.reason,
            message: shape.message,
            exit_code: shape.exit_code,
            signal: shape.signal.filter(|signal| *signal != 0),
            started: at(shape.started_at),
            finished: at(shape.finished_at),
        }
    }
}
