//! How arguments name an object.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::{Why, names};
use crate::incident::{ApiKind, Target, Text};

/// An object, as a step of a playbook names it: an `ObjectRef` as it is, or just `kind`, `namespace`, `name`.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Named {
    /// Taken for the finding's own cluster; another one is refused.
    pub cluster: Text,
    /// The kind in full; or `kind`, where it is a built-in one.
    pub api: Option<ApiKind>,
    pub kind: Text,
    /// With `kind` and `plural`, for kinds that are not built in: `example.com/v1`.
    pub api_version: Text,
    pub plural: Text,
    pub namespace: Text,
    pub name: Text,
    /// Where it is known; without it, the object of that name that lives when the plan is made.
    pub uid: Text,
}

impl Named {
    /// The target, of any kind.
    pub(super) fn target(&self) -> Result<Target, Why> {
        let api = self.kind_in_full()?;
        let target =
            Target { api, namespace: self.namespace.clone(), name: self.name.clone(), uid: self.uid.clone() };
        names::target(&target).map_err(Why::Arguments)?;
        Ok(target)
    }

    /// The target, of one of these built-in namespaced kinds; the first is meant where none is named.
    pub(super) fn target_of(&self, kinds: &[&str]) -> Result<Target, Why> {
        let mut named = self.clone();
        if named.api.is_none() && named.kind.is_empty() {
            named.kind = Text::new(kinds.first().copied().unwrap_or_default());
        }
        let target = named.target()?;
        if !kinds.iter().any(|kind| ApiKind::known(kind).as_ref() == Some(&target.api)) {
            return Err(Why::Arguments(format!("{} is not one of: {}", target.api.kind, kinds.join(", "))));
        }
        if target.namespace.is_empty() {
            return Err(Why::Arguments(format!("{} {} needs a namespace", target.api.kind, target.name)));
        }
        Ok(target)
    }

    fn kind_in_full(&self) -> Result<ApiKind, Why> {
        if let Some(api) = &self.api {
            return Ok(api.clone());
        }
        if self.api_version.is_empty() && self.plural.is_empty() {
            return ApiKind::known(&self.kind).ok_or_else(|| {
                Why::Arguments(format!(
                    "{:?} is not a built-in kind; name it in full with `apiVersion` and `plural`",
                    self.kind.as_str()
                ))
            });
        }
        let (group, version) = self.api_version.split_once('/').unwrap_or(("", &self.api_version));
        Ok(ApiKind::new(group, version, &self.kind, &self.plural))
    }
}

/// A list, or a text with commas or spaces between (templates give texts).
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Text>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Vec<Text>),
        Text(String),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::List(list) => list,
        Either::Text(text) => text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|part| !part.is_empty())
            .map(Text::from)
            .collect(),
    })
}

/// A number, or a text that is one (templates give texts).
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text
            .trim()
            .parse()
            .map_err(|_| serde::de::Error::custom(format!("{text:?} is not a whole number"))),
    }
}
