//! Nodes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::lenient::{Quantity, Sift, Time, at, nullable, sifted};
use super::meta::{Conditions, MetaShape};
use crate::incident::Text;
use crate::incident::objects::{Condition, Node, Taint};

/// A node on the wire.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeShape {
    #[serde(deserialize_with = "nullable")]
    metadata: MetaShape,
    #[serde(deserialize_with = "nullable")]
    spec: NodeSpec,
    #[serde(deserialize_with = "nullable")]
    status: NodeStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeSpec {
    #[serde(deserialize_with = "nullable")]
    unschedulable: bool,
    #[serde(deserialize_with = "sifted::<Taints, _>")]
    taints: Vec<Taint>,
}

struct Taints;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TaintShape {
    #[serde(deserialize_with = "nullable")]
    key: Text,
    #[serde(deserialize_with = "nullable")]
    value: Text,
    #[serde(deserialize_with = "nullable")]
    effect: Text,
    time_added: Option<Time>,
}

impl Sift<'_> for Taints {
    type Item = TaintShape;
    type Kept = Vec<Taint>;
    fn sift(item: TaintShape, kept: &mut Vec<Taint>) {
        let TaintShape { key, value, effect, time_added } = item;
        kept.push(Taint { key, value, effect, since: at(time_added) });
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeStatus {
    #[serde(deserialize_with = "sifted::<Conditions, _>")]
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "nullable")]
    allocatable: Allocatable,
    #[serde(deserialize_with = "nullable")]
    node_info: NodeInfo,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Allocatable {
    #[serde(deserialize_with = "nullable")]
    cpu: Quantity,
    #[serde(deserialize_with = "nullable")]
    memory: Quantity,
    #[serde(deserialize_with = "nullable")]
    pods: Quantity,
    #[serde(deserialize_with = "nullable")]
    ephemeral_storage: Quantity,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeInfo {
    #[serde(deserialize_with = "nullable")]
    container_runtime_version: Text,
    #[serde(deserialize_with = "nullable")]
    kubelet_version: Text,
    #[serde(deserialize_with = "nullable")]
    architecture: Text,
}

impl From<NodeShape> for Node {
    fn from(shape: NodeShape) -> Self {
        let NodeShape { metadata, spec, status } = shape;
        Self {
            meta: metadata.into(),
            unschedulable: spec.unschedulable,
            taints: spec.taints,
            conditions: status.conditions,
            allocatable: status.allocatable.into(),
            runtime: status.node_info.container_runtime_version,
            kubelet: status.node_info.kubelet_version,
            architecture: status.node_info.architecture,
        }
    }
}

impl From<Allocatable> for BTreeMap<Text, Text> {
    fn from(shape: Allocatable) -> Self {
        let Allocatable { cpu, memory, pods, ephemeral_storage } = shape;
        [("cpu", cpu), ("memory", memory), ("pods", pods), ("ephemeral-storage", ephemeral_storage)]
            .into_iter()
            .filter(|(_, amount)| !amount.0.is_empty())
            .map(|(name, amount)| (Text::new(name), amount.0))
            .collect()
    }
}
