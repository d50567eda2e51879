//! Why a document did not become an object. Names the object where it has a name; never quotes a value.

use std::borrow::Cow;

use serde::Deserialize;
use thiserror::Error;

/// What was wrong with one object or document.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum DecodeError {
    /// Not JSON at all.
    #[error("not JSON: {problem}")]
    NotJson { problem: String },
    /// JSON, and no Kubernetes object.
    #[error("{object} has no `{field}`")]
    NoKind { object: String, field: &'static str },
    /// An object of which a field has not the form that its kind has.
    #[error("{object} has not the form of its kind: {problem}")]
    Shape { object: String, problem: String },
    /// Lists in lists, beyond what anybody writes.
    #[error("lists nested deeper than {0}")]
    TooDeep(usize),
}

impl DecodeError {
    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::NotJson { problem: describe(error) }
    }

    pub(super) fn shape(kind: &str, json: &[u8], error: &serde_json::Error) -> Self {
        Self::Shape { object: named(kind, json), problem: describe(error) }
    }
}

/// `Pod payments/api-1`, as far as the document tells.
pub(super) fn named(kind: &str, json: &[u8]) -> String {
    let Head { kind: own, metadata, .. } = Head::read(json).unwrap_or_default();
    let kind = if kind.is_empty() { &own } else { kind };
    let kind = if kind.is_empty() { "an object" } else { kind };
    match (&*metadata.namespace, &*metadata.name) {
        (_, "") => format!("{kind} without a name"),
        ("", name) => format!("{kind} {}", cut(name)),
        (namespace, name) => format!("{kind} {}/{}", cut(namespace), cut(name)),
    }
}

/// The longest name that an API server accepts.
const LONGEST_NAME: usize = 253;

fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_NAME)]
}

/// serde's messages quote the offending value (`invalid type: string "hunter2"`), which may be a secret:
/// only what kind of mistake it is, and where, goes on.
fn describe(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Io => "could not be read",
        serde_json::error::Category::Syntax => "syntax error",
        serde_json::error::Category::Data => "a field has the wrong type",
        serde_json::error::Category::Eof => "ends too early",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}

/// What says which shape a document has.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Head<'a> {
    #[serde(borrow, deserialize_with = "text")]
    pub(super) api_version: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "maybe_name")]
    pub(super) metadata: Name<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Name<'a> {
    #[serde(borrow, deserialize_with = "text")]
    name: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "text")]
    namespace: Cow<'a, str>,
}

impl<'a> Head<'a> {
    pub(super) fn read(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }
}

fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    #[derive(Deserialize)]
    struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
    Ok(Option::<Borrowed<'de>>::deserialize(deserializer)?.map(|b| b.0).unwrap_or_default())
}

fn maybe_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Name<'de>, D::Error> {
    Ok(Option::<Name<'de>>::deserialize(deserializer)?.unwrap_or_default())
}
