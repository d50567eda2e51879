//! Pods.

use serde::Deserialize;

use super::container::{ContainerSpec, ContainerStatus, List};
use super::lenient::{Named, Time, at, names, nullable, sifted};
use super::meta::{Conditions, MetaShape};
use super::volume::Volumes;
use crate::incident::Text;
use crate::incident::objects::{Condition, Container, Pod, Volume};

/// A pod on the wire.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PodShape {
    #[serde(deserialize_with = "nullable")]
    metadata: MetaShape,
    #[serde(deserialize_with = "nullable")]
    spec: PodSpec,
    #[serde(deserialize_with = "nullable")]
    status: PodStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    #[serde(deserialize_with = "nullable")]
    node_name: Text,
    #[serde(deserialize_with = "nullable")]
    service_account_name: Text,
    /// The name of `serviceAccountName` before it was called so; still written.
    #[serde(deserialize_with = "nullable")]
    service_account: Text,
    #[serde(deserialize_with = "nullable")]
    image_pull_secrets: Vec<Named>,
    #[serde(deserialize_with = "nullable")]
    restart_policy: Text,
    #[serde(deserialize_with = "nullable")]
    scheduler_name: Text,
    #[serde(deserialize_with = "nullable")]
    priority_class_name: Text,
    termination_grace_period_seconds: Option<i64>,
    #[serde(deserialize_with = "nullable")]
    init_containers: Vec<ContainerSpec>,
    #[serde(deserialize_with = "nullable")]
    containers: Vec<ContainerSpec>,
    #[serde(deserialize_with = "sifted::<Volumes, _>")]
    volumes: Vec<Volume>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodStatus {
    #[serde(deserialize_with = "nullable")]
    phase: Text,
    #[serde(deserialize_with = "nullable")]
    reason: Text,
    #[serde(deserialize_with = "nullable")]
    message: Text,
    start_time: Option<Time>,
    #[serde(deserialize_with = "sifted::<Conditions, _>")]
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "nullable")]
    init_container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "nullable")]
    container_statuses: Vec<ContainerStatus>,
}

impl From<PodShape> for Pod {
    fn from(shape: PodShape) -> Self {
        let PodShape { metadata, spec, status } = shape;
        let containers = join(
            spec.init_containers,
            spec.containers,
            status.init_container_statuses.into_iter().chain(status.container_statuses),
        );
        let account = spec.service_account_name;
        Self {
            meta: metadata.into(),
            node: spec.node_name,
            service_account: if account.is_empty() { spec.service_account } else { account },
            pull_secrets: names(spec.image_pull_secrets),
            restart_policy: spec.restart_policy,
            scheduler: spec.scheduler_name,
            priority_class: spec.priority_class_name,
            grace_seconds: spec.termination_grace_period_seconds,
            phase: status.phase,
            reason: status.reason,
            message: status.message,
            started: at(status.start_time),
            conditions: status.conditions,
            containers,
            volumes: spec.volumes,
        }
    }
}

fn join(
    init: Vec<ContainerSpec>,
    main: Vec<ContainerSpec>,
    statuses: impl Iterator<Item = ContainerStatus>,
) -> Vec<Container> {
    let mut containers = Vec::with_capacity(init.len() + main.len());
    containers.extend(init.into_iter().map(|spec| spec.into_container(List::Init)));
    containers.extend(main.into_iter().map(|spec| spec.into_container(List::Main)));
    for status in statuses {
        status.join(&mut containers);
    }
    containers
}
