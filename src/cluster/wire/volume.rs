//! Volumes of a pod, as far as they name other objects. A volume is a name and one field that says its kind.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::lenient::{Sift, nullable, sifted};
use crate::incident::Text;
use crate::incident::objects::{Reference, ReferenceKind, Volume, VolumeSource};

/// For `deserialize_with` on `spec.volumes`.
pub(super) struct Volumes;

impl Sift<'_> for Volumes {
    type Item = VolumeShape;
    type Kept = Vec<Volume>;
    fn sift(item: VolumeShape, kept: &mut Vec<Volume>) {
        kept.push(item.0);
    }
}

pub(super) struct VolumeShape(Volume);

impl<'de> Deserialize<'de> for VolumeShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = VolumeShape;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a volume")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<VolumeShape, A::Error> {
                let mut volume = Volume::default();
                while let Some(field) = map.next_key::<Text>()? {
                    if field == "name" {
                        volume.name = map.next_value()?;
                    } else if let Some(source) = source(&field, &mut map)? {
                        volume.source = source;
                    }
                }
                Ok(VolumeShape(volume))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// The source behind that field, or `None` where the field is `null`.
fn source<'de, A: MapAccess<'de>>(field: &Text, map: &mut A) -> Result<Option<VolumeSource>, A::Error> {
    Ok(match field.as_str() {
        "configMap" => map.next_value::<Option<Files>>()?.map(|files| files.alone(ReferenceKind::ConfigMap)),
        "secret" => map.next_value::<Option<Files>>()?.map(|files| files.alone(ReferenceKind::Secret)),
        "projected" => map.next_value::<Option<Projected>>()?.map(|p| VolumeSource::References(p.sources)),
        "persistentVolumeClaim" => {
            map.next_value::<Option<ClaimName>>()?.map(|claim| VolumeSource::Claim(claim.claim_name))
        }
        _ => map.next_value::<Option<IgnoredAny>>()?.map(|_| VolumeSource::Other(field.clone())),
    })
}

/// A ConfigMap or Secret as files: all keys, or those listed.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Files {
    #[serde(deserialize_with = "nullable")]
    name: Text,
    #[serde(deserialize_with = "nullable")]
    secret_name: Text,
    #[serde(deserialize_with = "nullable")]
    items: Vec<Item>,
    #[serde(deserialize_with = "nullable")]
    optional: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    key: Option<Text>,
}

impl Files {
    fn alone(self, kind: ReferenceKind) -> VolumeSource {
        let mut references = Vec::new();
        self.add(kind, &mut references);
        VolumeSource::References(references)
    }

    /// One reference for each listed key, or one for the whole.
    fn add(self, kind: ReferenceKind, references: &mut Vec<Reference>) {
        let name = if self.secret_name.is_empty() { self.name } else { self.secret_name };
        let whole = Reference { kind, name, key: None, optional: self.optional };
        if self.items.is_empty() {
            references.push(whole);
        } else {
            references
                .extend(self.items.into_iter().map(|item| Reference { key: item.key, ..whole.clone() }));
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Projected {
    #[serde(deserialize_with = "sifted::<Sources, _>")]
    sources: Vec<Reference>,
}

struct Sources;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SourceShape {
    config_map: Option<Files>,
    secret: Option<Files>,
}

impl Sift<'_> for Sources {
    type Item = SourceShape;
    type Kept = Vec<Reference>;
    fn sift(item: SourceShape, kept: &mut Vec<Reference>) {
        if let Some(files) = item.config_map {
            files.add(ReferenceKind::ConfigMap, kept);
        }
        if let Some(files) = item.secret {
            files.add(ReferenceKind::Secret, kept);
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimName {
    #[serde(deserialize_with = "nullable")]
    claim_name: Text,
}
