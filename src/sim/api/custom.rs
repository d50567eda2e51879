//! Custom resources: from a CustomResourceDefinition to rows of the registry. Owns names, scopes, versions
//! and subresources; refuses schemas (objects keep whatever they bring).

use serde_json::{Value, json};

use super::gvr::{Gvr, intern};
use super::meta::{list, text};
use super::resource::{Registry, Resource, SCALE, STATUS, Sub, row};

const BOTH: &[Sub] = &[SCALE, STATUS];
const ONLY_STATUS: &[Sub] = &[STATUS];
const ONLY_SCALE: &[Sub] = &[SCALE];

/// Writes the status a server gives to a definition it accepts.
pub(super) fn accept(crd: &mut Value, at: &str) {
    let stored: Vec<Value> = list(crd, "/spec/versions")
        .iter()
        .filter(|version| version["storage"] == true)
        .map(|version| version["name"].clone())
        .collect();
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": "True", "reason": reason, "message": message,
            "lastTransitionTime": at})
    };
    crd["status"] = json!({"acceptedNames": crd["spec"]["names"], "storedVersions": stored, "conditions": [
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted")]});
}

/// Serves every version a definition serves.
pub(super) fn register(registry: &mut Registry, crd: &Value) {
    for (resource, served) in rows(crd) {
        if served {
            registry.add(resource);
        } else {
            registry.remove(&resource.gvr);
        }
    }
}

/// Stops serving; returns where the objects are kept.
pub(super) fn unregister(registry: &mut Registry, crd: &Value) -> Vec<Gvr> {
    let mut shelves = Vec::new();
    for (resource, _) in rows(crd) {
        registry.remove(&resource.gvr);
        if !shelves.contains(&resource.stored_as) {
            shelves.push(resource.stored_as);
        }
    }
    shelves
}

fn rows(crd: &Value) -> Vec<(Resource, bool)> {
    let (group, plural) = (text(crd, "/spec/group"), text(crd, "/spec/names/plural"));
    let versions = list(crd, "/spec/versions");
    let storage = versions.iter().find(|version| version["storage"] == true).or(versions.first());
    let stored_as = Gvr::named(group, storage.map_or("v1", |version| text(version, "/name")), plural);
    versions.iter().map(|version| (one(crd, version, stored_as), version["served"] != false)).collect()
}

fn one(crd: &Value, version: &Value, stored_as: Gvr) -> Resource {
    let gvr = Gvr::named(stored_as.group, text(version, "/name"), stored_as.resource);
    let subs = &version["subresources"];
    let singular = intern(text(crd, "/spec/names/singular"));
    let kind = intern(text(crd, "/spec/names/kind"));
    Resource {
        short: names(crd, "/spec/names/shortNames"),
        categories: names(crd, "/spec/names/categories"),
        subs: match (subs["scale"].is_object(), subs["status"].is_object()) {
            (true, true) => BOTH,
            (true, false) => ONLY_SCALE,
            (false, true) => ONLY_STATUS,
            (false, false) => &[],
        },
        stored_as,
        custom: true,
        ..row(gvr, singular, kind, text(crd, "/spec/scope") != "Cluster")
    }
}

/// Kept for the life of the process, like the names themselves: definitions are few.
fn names(crd: &Value, pointer: &str) -> &'static [&'static str] {
    let names: Vec<&'static str> = list(crd, pointer).iter().filter_map(Value::as_str).map(intern).collect();
    Box::leak(names.into_boxed_slice())
}
