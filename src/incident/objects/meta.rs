//! What every object has.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::{ApiKind, ObjectRef, Text};

/// The annotations that are kept: who really owns the object (GitOps), which revision it is, whether it is
/// a static pod's mirror, and kubemend's own marks.
pub const KEPT_ANNOTATIONS: &[&str] = &[
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/restartedAt",
    "kubernetes.io/config.mirror",
    "kubernetes.io/config.hash",
    "argocd.argoproj.io/tracking-id",
    "meta.helm.sh/release-name",
    "meta.helm.sh/release-namespace",
    "kubemend.dev/execution",
    "kubemend.dev/ignore",
    "kubemend.dev/route",
];

/// Metadata, slim.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    pub name: Text,
    pub namespace: Text,
    pub uid: Text,
    pub resource_version: Text,
    pub generation: i64,
    pub created: Option<Timestamp>,
    /// `deletionTimestamp`: when the object was, or will be, due to go.
    pub deleting: Option<Timestamp>,
    /// `deletionGracePeriodSeconds`, where the object is being deleted.
    pub grace_seconds: Option<i64>,
    pub finalizers: Vec<Text>,
    pub owners: Vec<Owner>,
    pub labels: BTreeMap<Text, Text>,
    /// Those of [`KEPT_ANNOTATIONS`] that the object has.
    pub annotations: BTreeMap<Text, Text>,
}

/// An owner reference.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Owner {
    pub api_version: Text,
    pub kind: Text,
    pub name: Text,
    pub uid: Text,
    pub controller: bool,
}

/// An entry of `status.conditions`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    pub kind: Text,
    /// `True`, `False` or `Unknown`.
    pub status: Text,
    pub reason: Text,
    pub message: Text,
    pub since: Option<Timestamp>,
}

/// An object of any kind of which only the metadata matters (a claim that does not go, a custom resource).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    pub api: ApiKind,
    pub meta: Meta,
}

impl Meta {
    /// The object's full name.
    pub fn reference(&self, cluster: &Text, api: &ApiKind) -> ObjectRef {
        ObjectRef {
            cluster: cluster.clone(),
            api: api.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: self.uid.clone(),
        }
    }

    /// The owner that controls the object.
    pub fn controller(&self) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.controller)
    }
}
