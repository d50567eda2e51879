//! Metadata and conditions, as every kind has them. `managedFields` and all annotations but
//! [`KEPT_ANNOTATIONS`] are skipped unread.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::lenient::{Sift, Time, Unique, at, nullable, sifted};
use crate::incident::Text;
use crate::incident::objects::{Condition, KEPT_ANNOTATIONS, Meta, Owner};

/// `metadata` on the wire.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct MetaShape {
    #[serde(deserialize_with = "nullable")]
    name: Unique,
    #[serde(deserialize_with = "nullable")]
    namespace: Text,
    #[serde(deserialize_with = "nullable")]
    uid: Unique,
    #[serde(deserialize_with = "nullable")]
    resource_version: Unique,
    #[serde(deserialize_with = "nullable")]
    generation: i64,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    deletion_grace_period_seconds: Option<i64>,
    #[serde(deserialize_with = "nullable")]
    finalizers: Vec<Text>,
    #[serde(deserialize_with = "sifted::<Owners, _>")]
    owner_references: Vec<Owner>,
    #[serde(deserialize_with = "nullable")]
    labels: BTreeMap<Text, Text>,
    #[serde(deserialize_with = "nullable")]
    annotations: Kept,
}

impl From<MetaShape> for Meta {
    fn from(shape: MetaShape) -> Self {
        Self {
            name: shape.name.0,
            namespace: shape.namespace,
            uid: shape.uid.0,
            resource_version: shape.resource_version.0,
            generation: shape.generation,
            created: at(shape.creation_timestamp),
            deleting: at(shape.deletion_timestamp),
            grace_seconds: shape.deletion_grace_period_seconds,
            finalizers: shape.finalizers,
            owners: shape.owner_references,
            labels: shape.labels,
            annotations: shape.annotations.0,
        }
    }
}

struct Owners;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OwnerShape {
    #[serde(deserialize_with = "nullable")]
    api_version: Text,
    #[serde(deserialize_with = "nullable")]
    kind: Text,
    #[serde(deserialize_with = "nullable")]
    name: Text,
    #[serde(deserialize_with = "nullable")]
    uid: Text,
    #[serde(deserialize_with = "nullable")]
    controller: bool,
}

impl Sift<'_> for Owners {
    type Item = OwnerShape;
    type Kept = Vec<Owner>;
    fn sift(item: OwnerShape, kept: &mut Vec<Owner>) {
        let OwnerShape { api_version, kind, name, uid, controller } = item;
        kept.push(Owner { api_version, kind, name, uid, controller });
    }
}

/// The annotations that are kept.
#[derive(Default)]
struct Kept(BTreeMap<Text, Text>);

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Annotations;
        impl<'de> Visitor<'de> for Annotations {
            type Value = Kept;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of annotations")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kept, A::Error> {
                let mut kept = BTreeMap::new();
                while let Some(Known(key)) = map.next_key()? {
                    match key {
                        Some(key) => {
                            kept.insert(Text::new(key), map.next_value::<Text>()?);
                        }
                        None => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(Kept(kept))
            }
        }
        deserializer.deserialize_map(Annotations)
    }
}

/// A key of [`KEPT_ANNOTATIONS`], or another one.
struct Known(Option<&'static str>);

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl Visitor<'_> for Key {
            type Value = Known;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Known, E> {
                Ok(Known(KEPT_ANNOTATIONS.iter().find(|kept| **kept == text).copied()))
            }
        }
        deserializer.deserialize_identifier(Key)
    }
}

/// For `deserialize_with` on `status.conditions`.
pub(super) struct Conditions;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ConditionShape {
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: Text,
    #[serde(deserialize_with = "nullable")]
    status: Text,
    #[serde(deserialize_with = "nullable")]
    reason: Text,
    #[serde(deserialize_with = "nullable")]
    message: Text,
    last_transition_time: Option<Time>,
}

impl Sift<'_> for Conditions {
    type Item = ConditionShape;
    type Kept = Vec<Condition>;
    fn sift(item: ConditionShape, kept: &mut Vec<Condition>) {
        let ConditionShape { kind, status, reason, message, last_transition_time } = item;
        kept.push(Condition { kind, status, reason, message, since: at(last_transition_time) });
    }
}
