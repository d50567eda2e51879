//! What one API resource is: its names, scope, verbs and subresources. Owns the row type and the registry
//! rows are looked up in; the rows themselves are data, in `table`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::gvr::Gvr;
use super::table::TABLE;

/// A subresource: its name, the kind it speaks, and its verbs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sub {
    pub(super) name: &'static str,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) verbs: &'static [&'static str],
}

/// One row of the table, or one version of a custom resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resource {
    pub(super) gvr: Gvr,
    pub(super) kind: &'static str,
    pub(super) singular: &'static str,
    pub(super) short: &'static [&'static str],
    pub(super) categories: &'static [&'static str],
    pub(super) namespaced: bool,
    pub(super) verbs: &'static [&'static str],
    pub(super) subs: &'static [Sub],
    pub(super) stored_as: Gvr,
    /// `metadata.generation` counts changes of the spec.
    pub(super) counted: bool,
    /// Added by a CustomResourceDefinition.
    pub(super) custom: bool,
}

/// Verbs of an object that is stored.
pub(super) const ALL: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/// Verbs of a question asked by creating.
pub(super) const CREATE: &[&str] = &["create"];
const GET_PATCH_UPDATE: &[&str] = &["get", "patch", "update"];

/// `status`.
pub(super) const STATUS: Sub = sub("status", "", "", "", GET_PATCH_UPDATE);
/// `scale`, in `autoscaling/v1`.
pub(super) const SCALE: Sub = sub("scale", "autoscaling", "v1", "Scale", GET_PATCH_UPDATE);

pub(super) const fn sub(
    name: &'static str,
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    verbs: &'static [&'static str],
) -> Sub {
    Sub { name, group, version, kind, verbs }
}

/// Starts a row.
pub(super) const fn row(gvr: Gvr, singular: &'static str, kind: &'static str, namespaced: bool) -> Resource {
    Resource {
        gvr,
        kind,
        singular,
        short: &[],
        categories: &[],
        namespaced,
        verbs: ALL,
        subs: &[],
        stored_as: gvr,
        counted: false,
        custom: false,
    }
}

impl Resource {
    pub(super) fn api_version(&self) -> String {
        self.gvr.api_version()
    }

    pub(super) fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }

    pub(super) fn has_verb(&self, verb: &str) -> bool {
        self.verbs.contains(&verb)
    }

    pub(super) fn sub(&self, name: &str) -> Option<&Sub> {
        self.subs.iter().find(|sub| sub.name == name)
    }

    pub(super) fn has_status(&self) -> bool {
        self.sub("status").is_some()
    }

    pub(super) fn is(&self, gvr: &Gvr) -> bool {
        self.stored_as == *gvr
    }

    /// The object as this version shows it; the same Arc if it is stored in this version.
    pub(super) fn present(&self, object: &Arc<Value>) -> Arc<Value> {
        if self.gvr == self.stored_as {
            return Arc::clone(object);
        }
        let mut shown = (**object).clone();
        if self.stored_as.resource == "events" && self.gvr.group == "events.k8s.io" {
            super::events::to_new(&mut shown);
        }
        shown["apiVersion"] = Value::String(self.api_version());
        Arc::new(shown)
    }

    /// An object written in this version, as it is stored.
    pub(super) fn store_form(&self, object: &mut Value) {
        if self.gvr == self.stored_as {
            return;
        }
        if self.stored_as.resource == "events" && self.gvr.group == "events.k8s.io" {
            super::events::to_core(object);
        }
        object["apiVersion"] = Value::String(self.stored_as.api_version());
    }
}

/// Every resource served now.
pub(super) struct Registry {
    rows: HashMap<Gvr, Arc<Resource>>,
    order: Vec<Gvr>,
}

impl Registry {
    pub(super) fn new() -> Self {
        let mut registry = Self { rows: HashMap::new(), order: Vec::new() };
        for resource in TABLE {
            registry.add(*resource);
        }
        registry
    }

    pub(super) fn add(&mut self, resource: Resource) {
        let gvr = resource.gvr;
        if self.rows.insert(gvr, Arc::new(resource)).is_none() {
            self.order.push(gvr);
        }
    }

    pub(super) fn remove(&mut self, gvr: &Gvr) {
        self.rows.remove(gvr);
        self.order.retain(|one| one != gvr);
    }

    pub(super) fn get(&self, gvr: &Gvr) -> Option<Arc<Resource>> {
        self.rows.get(gvr).cloned()
    }

    pub(super) fn find(&self, group: &str, version: &str, resource: &str) -> Option<Arc<Resource>> {
        self.iter()
            .find(|row| row.gvr.resource == resource && row.gvr.group == group && row.gvr.version == version)
            .cloned()
    }

    /// In the order of the table, custom resources last.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.order.iter().filter_map(|gvr| self.rows.get(gvr))
    }
}
