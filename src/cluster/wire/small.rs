//! What pods stand on, in a few fields each: ServiceAccounts, claims, namespaces, ConfigMaps (only the names
//! of their keys), and objects of any other kind (only their metadata).

use serde::Deserialize;

use super::lenient::{Keys, Named, names, nullable, sifted};
use super::meta::{Conditions, MetaShape};
use crate::incident::objects::{Claim, Condition, Meta, Namespace, Object, ServiceAccount};
use crate::incident::{ApiKind, Text};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ServiceAccountShape {
    #[serde(deserialize_with = "nullable")]
    metadata: MetaShape,
    #[serde(deserialize_with = "nullable")]
    image_pull_secrets: Vec<Named>,
}

impl From<ServiceAccountShape> for ServiceAccount {
    fn from(shape: ServiceAccountShape) -> Self {
        Self { meta: shape.metadata.into(), pull_secrets: names(shape.image_pull_secrets) }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ClaimShape {
    #[serde(deserialize_with = "nullable")]
    metadata: MetaShape,
    #[serde(deserialize_with = "nullable")]
    spec: ClaimSpec,
    #[serde(deserialize_with = "nullable")]
    status: Phase,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimSpec {
    #[serde(deserialize_with = "nullable")]
    volume_name: Text,
    #[serde(deserialize_with = "nullable")]
    storage_class_name: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Phase {
    #[serde(deserialize_with = "nullable")]
    phase: Text,
    #[serde(deserialize_with = "sifted::<Conditions, _>")]
    conditions: Vec<Condition>,
}

impl From<ClaimShape> for Claim {
    fn from(shape: ClaimShape) -> Self {
        Self {
            meta: shape.metadata.into(),
            phase: shape.status.phase,
            volume: shape.spec.volume_name,
            storage_class: shape.spec.storage_class_name,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct NamespaceShape {
    #[serde(deserialize_with = "nullable")]
    metadata: MetaShape,
    #[serde(deserialize_with = "nullable")]
    status: Phase,
}

impl From<NamespaceShape> for Namespace {
    fn from(shape: NamespaceShape) -> Self {
        Self { meta: shape.metadata.into(), phase: shape.status.phase, conditions: shape.status.conditions }
    }
}

/// A ConfigMap: that it exists, and which keys it has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConfigMap {
    pub meta: Meta,
    pub keys: Vec<Text>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ConfigMapShape {
    #[serde(deserialize_with = "nullable")]
    metadata: MetaShape,
    #[serde(deserialize_with = "nullable")]
    data: Keys,
    #[serde(deserialize_with = "nullable")]
    binary_data: Keys,
}

impl From<ConfigMapShape> for ConfigMap {
    fn from(shape: ConfigMapShape) -> Self {
        let mut keys = shape.data.0;
        keys.extend(shape.binary_data.0);
        keys.sort_unstable();
        Self { meta: shape.metadata.into(), keys }
    }
}

/// Any other kind.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct OtherShape {
    #[serde(deserialize_with = "nullable")]
    metadata: MetaShape,
}

impl OtherShape {
    pub(super) fn into_object(self, api: ApiKind) -> Object {
        Object { api, meta: self.metadata.into() }
    }
}
