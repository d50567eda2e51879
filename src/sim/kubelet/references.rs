//! What a pod refers to: pull secrets, environment, volumes. Owns which references exist and how a node
//! words their absence; refuses to fetch them.

use serde_json::Value;

use super::sight::Sight;
use crate::sim::objects::{self, items};
use crate::sim::registry::Keyring;

/// The names of ConfigMaps and Secrets that a pod spec mentions anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentioned {
    pub config_maps: Vec<String>,
    pub secrets: Vec<String>,
}

/// All references of a pod. Computed once: a pod's references do not change.
pub fn mentioned(pod: &Value) -> Mentioned {
    let mut found = Mentioned::default();
    let spec = &pod["spec"];
    for secret in items(&spec["imagePullSecrets"]) {
        add(&mut found.secrets, &secret["name"]);
    }
    for container in items(&spec["initContainers"]).iter().chain(items(&spec["containers"])) {
        for source in items(&container["envFrom"]) {
            add(&mut found.config_maps, &source["configMapRef"]["name"]);
            add(&mut found.secrets, &source["secretRef"]["name"]);
        }
        for variable in items(&container["env"]) {
            add(&mut found.config_maps, &variable["valueFrom"]["configMapKeyRef"]["name"]);
            add(&mut found.secrets, &variable["valueFrom"]["secretKeyRef"]["name"]);
        }
    }
    for volume in items(&spec["volumes"]) {
        add(&mut found.config_maps, &volume["configMap"]["name"]);
        add(&mut found.secrets, &volume["secret"]["secretName"]);
    }
    found
}

/// The logins of the pod's own pull secrets, read anew at every try.
pub(super) fn keyring(sight: &Sight<'_>) -> Keyring {
    let mut keyring = Keyring::default();
    for secret in pull_secrets(sight.pod).filter_map(|name| sight.around.secrets.get(name)) {
        keyring.add_secret(secret);
    }
    keyring
}

/// The warning of a kubelet that cannot find some of the pod's pull secrets.
pub(super) fn missing_pull_secrets(sight: &Sight<'_>) -> Option<String> {
    let missing: Vec<&str> =
        pull_secrets(sight.pod).filter(|name| !sight.around.secrets.contains_key(*name)).collect();
    if missing.is_empty() {
        return None;
    }
    let names = missing.join(", ");
    Some(format!(
        "Unable to retrieve some image pull secrets ({names}); attempting to pull the image may not succeed."
    ))
}

/// Whether the environment of the container can be built.
pub(super) fn environment(container: &Value, sight: &Sight<'_>) -> Result<(), String> {
    for source in items(&container["envFrom"]) {
        present(&source["configMapRef"], Kind::ConfigMap, sight)?;
        present(&source["secretRef"], Kind::Secret, sight)?;
    }
    for variable in items(&container["env"]) {
        let from = &variable["valueFrom"];
        has_key(&from["configMapKeyRef"], Kind::ConfigMap, sight)?;
        has_key(&from["secretKeyRef"], Kind::Secret, sight)?;
    }
    Ok(())
}

/// Whether every volume can be set up; the error is the event's message.
pub(super) fn volumes(sight: &Sight<'_>) -> Result<(), (String, String)> {
    for volume in items(&sight.pod["spec"]["volumes"]) {
        let name = volume["name"].as_str().unwrap_or_default();
        let checked = projected(&volume["configMap"], "name", Kind::ConfigMap, sight)
            .and_then(|()| projected(&volume["secret"], "secretName", Kind::Secret, sight));
        if let Err(why) = checked {
            return Err((name.to_owned(), format!("MountVolume.SetUp failed for volume \"{name}\" : {why}")));
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Kind {
    ConfigMap,
    Secret,
}

impl Kind {
    fn lower(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmap",
            Self::Secret => "secret",
        }
    }

    fn upper(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }

    fn find<'a>(self, name: &str, sight: &'a Sight<'_>) -> Option<&'a Value> {
        match self {
            Self::ConfigMap => sight.around.config_maps.get(name),
            Self::Secret => sight.around.secrets.get(name),
        }
        .map(AsRef::as_ref)
    }
}

fn present<'a>(reference: &Value, kind: Kind, sight: &'a Sight<'_>) -> Result<Option<&'a Value>, String> {
    let Some(name) = reference["name"].as_str() else { return Ok(None) };
    match kind.find(name, sight) {
        Some(object) => Ok(Some(object)),
        None if is_optional(reference) => Ok(None),
        None => Err(format!("{} \"{name}\" not found", kind.lower())),
    }
}

fn has_key(reference: &Value, kind: Kind, sight: &Sight<'_>) -> Result<(), String> {
    let Some(object) = present(reference, kind, sight)? else { return Ok(()) };
    let key = reference["key"].as_str().unwrap_or_default();
    if holds(object, key) || is_optional(reference) {
        return Ok(());
    }
    let (namespace, name) = (objects::namespace(sight.pod), objects::name(object));
    Err(format!("couldn't find key {key} in {} {namespace}/{name}", kind.upper()))
}

fn projected(source: &Value, field: &str, kind: Kind, sight: &Sight<'_>) -> Result<(), String> {
    let Some(name) = source[field].as_str() else { return Ok(()) };
    let Some(object) = kind.find(name, sight) else {
        let missing = format!("{} \"{name}\" not found", kind.lower());
        return if is_optional(source) { Ok(()) } else { Err(missing) };
    };
    for item in items(&source["items"]) {
        let key = item["key"].as_str().unwrap_or_default();
        if !holds(object, key) && !is_optional(source) {
            return Err(format!("{} references non-existent config key: {key}", kind.lower()));
        }
    }
    Ok(())
}

fn holds(object: &Value, key: &str) -> bool {
    ["data", "binaryData", "stringData"].iter().any(|field| !object[*field][key].is_null())
}

fn is_optional(reference: &Value) -> bool {
    reference["optional"].as_bool() == Some(true)
}

fn pull_secrets(pod: &Value) -> impl Iterator<Item = &str> {
    items(&pod["spec"]["imagePullSecrets"]).iter().filter_map(|secret| secret["name"].as_str())
}

fn add(names: &mut Vec<String>, name: &Value) {
    if let Some(name) = name.as_str()
        && !names.iter().any(|known| known == name)
    {
        names.push(name.to_owned());
    }
}
