//! What makes pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, and ControllerRevisions, in
//! which StatefulSets and DaemonSets keep their past templates. One shape reads them all.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::container::Resources;
use super::lenient::{Named, Sift, names, nullable, sifted};
use super::meta::{Conditions, MetaShape};
use crate::incident::Text;
use crate::incident::objects::{Condition, Template, TemplateContainer, Workload, WorkloadStatus};

const REVISION: &str = "deployment.kubernetes.io/revision";

/// A workload on the wire.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WorkloadShape {
    #[serde(deserialize_with = "nullable")]
    metadata: MetaShape,
    #[serde(deserialize_with = "nullable")]
    spec: WorkloadSpec,
    #[serde(deserialize_with = "nullable")]
    status: StatusShape,
    /// Of a ControllerRevision: the patch that restores it, and its number.
    #[serde(deserialize_with = "nullable")]
    data: RevisionData,
    revision: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RevisionData {
    #[serde(deserialize_with = "nullable")]
    spec: WorkloadSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WorkloadSpec {
    replicas: Option<i32>,
    parallelism: Option<i32>,
    #[serde(deserialize_with = "nullable")]
    paused: bool,
    #[serde(deserialize_with = "nullable")]
    suspend: bool,
    #[serde(deserialize_with = "nullable")]
    selector: Selector,
    #[serde(deserialize_with = "nullable")]
    template: TemplateShape,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Selector {
    #[serde(deserialize_with = "nullable")]
    match_labels: BTreeMap<Text, Text>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TemplateShape {
    #[serde(deserialize_with = "nullable")]
    spec: TemplateSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TemplateSpec {
    #[serde(deserialize_with = "nullable")]
    service_account_name: Text,
    #[serde(deserialize_with = "nullable")]
    image_pull_secrets: Vec<Named>,
    #[serde(deserialize_with = "sifted::<Containers, _>")]
    init_containers: Vec<TemplateContainer>,
    #[serde(deserialize_with = "sifted::<Containers, _>")]
    containers: Vec<TemplateContainer>,
}

struct Containers;

#[derive(Default, Deserialize)]
#[serde(default)]
struct ContainerShape {
    #[serde(deserialize_with = "nullable")]
    name: Text,
    #[serde(deserialize_with = "nullable")]
    image: Text,
    #[serde(deserialize_with = "nullable")]
    resources: Resources,
}

impl Sift<'_> for Containers {
    type Item = ContainerShape;
    type Kept = Vec<TemplateContainer>;
    fn sift(item: ContainerShape, kept: &mut Vec<TemplateContainer>) {
        let ContainerShape { name, image, resources } = item;
        kept.push(TemplateContainer { name, image, memory_limit: resources.limits.memory.0 });
    }
}

/// The fields of all five kinds; each kind writes its own.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StatusShape {
    #[serde(deserialize_with = "nullable")]
    observed_generation: i64,
    #[serde(deserialize_with = "nullable")]
    replicas: i32,
    #[serde(deserialize_with = "nullable")]
    ready_replicas: i32,
    #[serde(deserialize_with = "nullable")]
    updated_replicas: i32,
    #[serde(deserialize_with = "nullable")]
    available_replicas: i32,
    #[serde(deserialize_with = "nullable")]
    current_revision: Text,
    #[serde(deserialize_with = "nullable")]
    update_revision: Text,
    // DaemonSet
    desired_number_scheduled: Option<i32>,
    #[serde(deserialize_with = "nullable")]
    current_number_scheduled: i32,
    #[serde(deserialize_with = "nullable")]
    number_ready: i32,
    #[serde(deserialize_with = "nullable")]
    updated_number_scheduled: i32,
    #[serde(deserialize_with = "nullable")]
    number_available: i32,
    // Job
    #[serde(deserialize_with = "nullable")]
    active: i32,
    #[serde(deserialize_with = "nullable")]
    ready: i32,
    #[serde(deserialize_with = "nullable")]
    failed: i32,
    #[serde(deserialize_with = "nullable")]
    succeeded: i32,
    #[serde(deserialize_with = "sifted::<Conditions, _>")]
    conditions: Vec<Condition>,
}

impl WorkloadShape {
    /// The workload, of the kind it was asked for as.
    pub(super) fn into_workload(self, kind: &str) -> Workload {
        let Self { metadata, spec, status, data, revision } = self;
        let spec = if revision.is_some() { data.spec } else { spec };
        let mut workload = Workload {
            kind: Text::new(kind),
            meta: metadata.into(),
            replicas: spec.replicas.or(spec.parallelism).or(status.desired_number_scheduled),
            paused: spec.paused || spec.suspend,
            selector: spec.selector.match_labels,
            template: spec.template.spec.into(),
            status: status.into(),
        };
        // So that `Workload::revision` is one question for the revisions of every kind.
        if let Some(number) = revision {
            workload.meta.annotations.insert(Text::new(REVISION), Text::from(number.to_string()));
        }
        workload
    }
}

impl From<TemplateSpec> for Template {
    fn from(shape: TemplateSpec) -> Self {
        let mut containers = shape.init_containers;
        containers.extend(shape.containers);
        Self {
            service_account: shape.service_account_name,
            pull_secrets: names(shape.image_pull_secrets),
            containers,
        }
    }
}

impl From<StatusShape> for WorkloadStatus {
    fn from(shape: StatusShape) -> Self {
        Self {
            observed_generation: shape.observed_generation,
            replicas: shape.replicas.max(shape.current_number_scheduled).max(shape.active),
            ready: shape.ready_replicas.max(shape.number_ready).max(shape.ready),
            updated: shape.updated_replicas.max(shape.updated_number_scheduled),
            available: shape.available_replicas.max(shape.number_available),
            current_revision: shape.current_revision,
            update_revision: shape.update_revision,
            failed: shape.failed,
            succeeded: shape.succeeded,
            conditions: shape.conditions,
        }
    }
}
