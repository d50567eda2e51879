//! `meta.k8s.io/v1` tables: the columns `kubectl get` prints. Owns columns and cells per kind; cells are
//! computed in `cells`.

mod cells;
mod nodes;
mod pods;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::read::metadata_only;

/// Columns by stored resource; a star marks those only `-o wide` shows.
const COLUMNS: &[(&str, &str)] = &[
    ("pods", "Name|Ready|Status|Restarts|Age|IP*|Node*|Nominated Node*|Readiness Gates*"),
    ("deployments", "Name|Ready|Up-to-date|Available|Age|Containers*|Images*|Selector*"),
    ("replicasets", "Name|Desired|Current|Ready|Age|Containers*|Images*|Selector*"),
    ("replicationcontrollers", "Name|Desired|Current|Ready|Age|Containers*|Images*|Selector*"),
    ("statefulsets", "Name|Ready|Age|Containers*|Images*"),
    (
        "daemonsets",
        "Name|Desired|Current|Ready|Up-to-date|Available|Node Selector|Age|Containers*|Images*|Selector*",
    ),
    ("jobs", "Name|Status|Completions|Duration|Age|Containers*|Images*|Selector*"),
    ("cronjobs", "Name|Schedule|Timezone|Suspend|Active|Last Schedule|Age|Containers*|Images*|Selector*"),
    (
        "nodes",
        "Name|Status|Roles|Age|Version|Internal-IP*|External-IP*|OS-Image*|Kernel-Version*|Container-Runtime*",
    ),
    ("namespaces", "Name|Status|Age"),
    ("events", "Last Seen|Type|Reason|Object|Subobject*|Source*|Message|First Seen*|Count*|Name*"),
    ("services", "Name|Type|Cluster-IP|External-IP|Port(s)|Age|Selector*"),
    ("endpoints", "Name|Endpoints|Age"),
    ("secrets", "Name|Type|Data|Age"),
    ("configmaps", "Name|Data|Age"),
    ("serviceaccounts", "Name|Secrets|Age"),
    (
        "persistentvolumeclaims",
        "Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|VolumeMode*",
    ),
    (
        "persistentvolumes",
        "Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age|\
         VolumeMode*",
    ),
    ("storageclasses", "Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age"),
    ("poddisruptionbudgets", "Name|Min Available|Max Unavailable|Allowed Disruptions|Age"),
    ("leases", "Name|Holder|Age"),
    ("ingresses", "Name|Class|Hosts|Address|Ports|Age"),
    ("networkpolicies", "Name|Pod-Selector|Age"),
    ("controllerrevisions", "Name|Controller|Revision|Age"),
    ("horizontalpodautoscalers", "Name|Reference|Targets|MinPods|MaxPods|Replicas|Age"),
    ("priorityclasses", "Name|Value|Global-Default|Age|PreemptionPolicy"),
    ("rolebindings", "Name|Role|Age|Users*|Groups*|ServiceAccounts*"),
    ("clusterrolebindings", "Name|Role|Age|Users*|Groups*|ServiceAccounts*"),
    ("roles", "Name|Created At"),
    ("clusterroles", "Name|Created At"),
    ("customresourcedefinitions", "Name|Created At"),
];

fn columns_of(res: &Resource) -> &'static str {
    if res.custom {
        return "Name|Age";
    }
    COLUMNS
        .iter()
        .find(|(name, _)| *name == res.stored_as.resource)
        .map_or("Name|Age", |(_, columns)| columns)
}

/// A table of the given objects.
pub(super) fn of(
    res: &Resource,
    objects: &[Arc<Value>],
    meta: &Value,
    include: &str,
    now: Timestamp,
) -> Value {
    let columns = columns_of(res);
    let definitions: Vec<Value> = columns.split('|').map(definition).collect();
    let rows: Vec<Value> = objects.iter().map(|object| row(res, columns, object, include, now)).collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
        "columnDefinitions": definitions, "rows": rows})
}

fn definition(column: &str) -> Value {
    let (name, priority) = column.strip_suffix('*').map_or((column, 0), |name| (name, 1));
    let format = if name == "Name" { "name" } else { "" };
    json!({"name": name, "type": "string", "format": format, "description": name, "priority": priority})
}

fn row(res: &Resource, columns: &str, object: &Value, include: &str, now: Timestamp) -> Value {
    let cells: Vec<Value> =
        columns.split('|').map(|name| cells::cell(res, name.trim_end_matches('*'), object, now)).collect();
    let mut row = json!({"cells": cells});
    match include {
        "None" => {}
        "Object" => row["object"] = object.clone(),
        _ => row["object"] = metadata_only(object),
    }
    row
}
