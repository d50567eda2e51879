//! What makes pods, and what pods stand on: workloads, ServiceAccounts, claims, namespaces.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Meta};
use crate::incident::Text;

/// A Deployment, ReplicaSet, StatefulSet, DaemonSet or Job.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Workload {
    /// The kind's name, such as `Deployment`.
    pub kind: Text,
    pub meta: Meta,
    /// Wanted pods; for a Job its parallelism.
    pub replicas: Option<i32>,
    pub paused: bool,
    /// `matchLabels` of the selector.
    pub selector: BTreeMap<Text, Text>,
    pub template: Template,
    pub status: WorkloadStatus,
}

/// The pod template, as far as revisions are told apart by it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Template {
    pub service_account: Text,
    pub pull_secrets: Vec<Text>,
    pub containers: Vec<TemplateContainer>,
}

/// A container of a template.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateContainer {
    pub name: Text,
    pub image: Text,
    pub memory_limit: Text,
}

/// The status of a workload; what a kind does not have is zero or empty.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadStatus {
    pub observed_generation: i64,
    pub replicas: i32,
    pub ready: i32,
    pub updated: i32,
    pub available: i32,
    /// StatefulSet: the revision the ready pods have, and the one being rolled out.
    pub current_revision: Text,
    pub update_revision: Text,
    /// Job: pods that failed.
    pub failed: i32,
    /// Job: pods that succeeded.
    pub succeeded: i32,
    pub conditions: Vec<Condition>,
}

impl Workload {
    /// The number in `deployment.kubernetes.io/revision`.
    pub fn revision(&self) -> Option<u64> {
        self.meta.annotations.get("deployment.kubernetes.io/revision")?.parse().ok()
    }
}

/// A ServiceAccount.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceAccount {
    pub meta: Meta,
    /// Names in `imagePullSecrets`: what pods created from now on will pull with.
    pub pull_secrets: Vec<Text>,
}

/// A PersistentVolumeClaim.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Claim {
    pub meta: Meta,
    pub phase: Text,
    pub volume: Text,
    pub storage_class: Text,
}

/// A Namespace.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Namespace {
    pub meta: Meta,
    pub phase: Text,
    pub conditions: Vec<Condition>,
}
