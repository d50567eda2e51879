//! The fields of every built-in kind. Owns the lookup in `types.json` (which `generate.py` writes from the
//! sources of k8s-openapi and a real cluster's OpenAPI document) and nothing that acts on it: pruning,
//! patches, managed fields and the OpenAPI face each ask here.

pub(super) mod prune;

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use serde::Deserialize;

/// The definition of `metadata`.
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// One struct.
#[derive(Debug, Deserialize)]
pub(super) struct Def {
    #[serde(rename = "d")]
    pub(super) doc: String,
    #[serde(rename = "f")]
    pub(super) fields: BTreeMap<String, Field>,
}

/// One field: its type, its first sentence, its rules.
#[derive(Debug, Deserialize)]
pub(super) struct Field(pub(super) String, pub(super) String, pub(super) Rules);

/// How lists and maps of a field are patched.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Rules {
    /// Strategic patch strategy: `merge`, `retainKeys`, or both.
    #[serde(default, rename = "s")]
    pub(super) strategy: String,
    /// Key of a list that strategic patches merge.
    #[serde(default, rename = "m")]
    pub(super) merge_key: Option<String>,
    /// Keys of a list that server-side apply merges.
    #[serde(default, rename = "k")]
    pub(super) list_keys: Vec<String>,
    #[serde(default, rename = "set")]
    set: u8,
    #[serde(default, rename = "a")]
    atomic: u8,
    #[serde(default, rename = "r")]
    required: u8,
}

impl Rules {
    pub(super) fn merges(&self) -> bool {
        self.strategy.contains("merge")
    }

    pub(super) fn is_set(&self) -> bool {
        self.set == 1
    }

    pub(super) fn is_atomic(&self) -> bool {
        self.atomic == 1
    }

    pub(super) fn is_required(&self) -> bool {
        self.required == 1
    }
}

/// What is known about a value's type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A struct with known fields.
    Struct(&'static Def),
    /// A list or map; the text is the type of what is inside.
    List(&'static str),
    /// See `List`.
    Map(&'static str),
    /// A scalar, by its name in `types.json`.
    Scalar(&'static str),
    /// A custom resource: only its metadata is known.
    Custom,
    /// Anything.
    Open,
}

/// Every definition, by its OpenAPI name.
pub(super) fn definitions() -> &'static HashMap<String, Def> {
    static ALL: OnceLock<HashMap<String, Def>> = OnceLock::new();
    ALL.get_or_init(|| {
        serde_json::from_str(include_str!("types.json")).expect("generated together with this reader")
    })
}

/// `io.k8s.api.apps.v1.Deployment`
pub(super) fn definition_name(group: &str, version: &str, kind: &str) -> String {
    if group == "apiextensions.k8s.io" {
        return format!("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.{version}.{kind}");
    }
    let short = if group.is_empty() { "core" } else { group.split('.').next().unwrap_or(group) };
    format!("io.k8s.api.{short}.{version}.{kind}")
}

impl Shape {
    pub(super) fn of(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let name = definition_name(group, version, kind);
        definitions().get(&name).map_or(Self::Custom, Self::Struct)
    }

    fn parse(text: &'static str) -> Self {
        if let Some(inner) = text.strip_prefix("[]") {
            Self::List(inner)
        } else if let Some(inner) = text.strip_prefix("{}") {
            Self::Map(inner)
        } else if let Some(name) = text.strip_prefix('#') {
            definitions().get(name).map_or(Self::Open, Self::Struct)
        } else if text == "any" {
            Self::Open
        } else {
            Self::Scalar(text)
        }
    }

    /// The shape behind a key and its rules; None if a struct has no such field.
    pub(super) fn field(self, key: &str) -> Option<(Self, Option<&'static Rules>)> {
        match self {
            Self::Struct(def) => {
                def.fields.get(key).map(|Field(text, _, rules)| (Self::parse(text), Some(rules)))
            }
            Self::Map(inner) => Some((Self::parse(inner), None)),
            Self::Custom if key == "metadata" => {
                Some((definitions().get(OBJECT_META).map_or(Self::Open, Self::Struct), None))
            }
            Self::Custom | Self::Open | Self::List(_) | Self::Scalar(_) => Some((Self::Open, None)),
        }
    }

    /// The shape of a list's items.
    pub(super) fn item(self) -> Self {
        match self {
            Self::List(inner) => Self::parse(inner),
            Self::Struct(_) | Self::Map(_) | Self::Scalar(_) | Self::Custom | Self::Open => Self::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_merge_keys_of_a_pod_are_known() {
        let pod = Shape::of("v1", "Pod");
        let (spec, _) = pod.field("spec").unwrap();
        let (containers, rules) = spec.field("containers").unwrap();
        assert_eq!(rules.unwrap().merge_key.as_deref(), Some("name"));
        let (_, ports) = containers.item().field("ports").unwrap();
        assert_eq!(ports.unwrap().list_keys, ["containerPort", "protocol"]);
        assert!(spec.field("conainers").is_none());
    }

    #[test]
    fn every_definition_a_field_names_is_there() {
        for (name, def) in definitions() {
            for (field, Field(text, ..)) in &def.fields {
                if let Some((_, inner)) = text.split_once('#') {
                    assert!(definitions().contains_key(inner), "{name}.{field} names {inner}");
                }
            }
        }
    }

    #[test]
    fn every_built_in_kind_has_a_definition() {
        for row in crate::sim::api::table::TABLE {
            let shape = Shape::of(&row.api_version(), row.kind);
            assert!(matches!(shape, Shape::Struct(_)), "{} is unknown", row.kind);
        }
    }
}
