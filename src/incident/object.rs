//! Which object is meant: cluster, kind, namespace, name, and the uid that tells it from its namesake.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Text;

/// A kind as the API names it. Enough to address objects of any kind, custom ones included.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiKind {
    /// `""` for the core group.
    #[serde(default)]
    pub group: Text,
    pub version: Text,
    pub kind: Text,
    /// The resource in URLs and RBAC rules, such as `pods`.
    pub plural: Text,
}

impl ApiKind {
    /// A kind from its four names.
    pub fn new(group: &str, version: &str, kind: &str, plural: &str) -> Self {
        Self { group: group.into(), version: version.into(), kind: kind.into(), plural: plural.into() }
    }

    /// The built-in kinds that kubemend watches or changes, by their kind name.
    pub fn known(kind: &str) -> Option<Self> {
        KNOWN.iter().find(|k| k.2 == kind).map(|&(g, v, k, p)| Self::new(g, v, k, p))
    }

    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

const KNOWN: &[(&str, &str, &str, &str)] = &[
    ("", "v1", "Pod", "pods"),
    ("", "v1", "Event", "events"),
    ("", "v1", "Node", "nodes"),
    ("", "v1", "Namespace", "namespaces"),
    ("", "v1", "ServiceAccount", "serviceaccounts"),
    ("", "v1", "Secret", "secrets"),
    ("", "v1", "ConfigMap", "configmaps"),
    ("", "v1", "Service", "services"),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    ("", "v1", "PersistentVolume", "persistentvolumes"),
    ("apps", "v1", "Deployment", "deployments"),
    ("apps", "v1", "ReplicaSet", "replicasets"),
    ("apps", "v1", "StatefulSet", "statefulsets"),
    ("apps", "v1", "DaemonSet", "daemonsets"),
    ("apps", "v1", "ControllerRevision", "controllerrevisions"),
    ("batch", "v1", "Job", "jobs"),
    ("batch", "v1", "CronJob", "cronjobs"),
];

/// One object of one cluster.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectRef {
    pub cluster: Text,
    pub api: ApiKind,
    /// `""` for cluster-scoped objects.
    #[serde(default)]
    pub namespace: Text,
    pub name: Text,
    /// `""` where it is not known (an object named by a message only).
    #[serde(default)]
    pub uid: Text,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.api.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.api.kind, self.namespace, self.name)
        }
    }
}
