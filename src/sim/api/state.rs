//! Everything the API server knows, behind one lock: the store and the registry of resources. Owns the
//! order of steps of a write; each step is a file of its own.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::admit::admit_change;
use super::clock::stamp;
use super::gvr::{self, Gvr};
use super::meta;
use super::patch::apply::{self, Writer};
use super::resource::{Registry, Resource};
use super::schema::Shape;
use super::status::Status;
use super::store::Store;
use super::user::User;

/// One write: who, on which resource, when, and whether it counts.
pub(super) struct Call<'a> {
    pub(super) who: &'a User,
    pub(super) res: Arc<Resource>,
    pub(super) sub: Option<&'a str>,
    pub(super) now: Timestamp,
    pub(super) dry_run: bool,
    /// Who the fields changed are recorded for; None leaves `managedFields` as they come.
    pub(super) manager: Option<&'a str>,
}

impl Call<'_> {
    pub(super) fn gvr(&self) -> &Gvr {
        &self.res.gvr
    }

    /// The same call about another resource, as when one write brings another.
    pub(super) fn on(&self, res: Arc<Resource>) -> Call<'_> {
        Call { who: self.who, res, sub: None, now: self.now, dry_run: self.dry_run, manager: None }
    }
}

pub(super) struct State {
    pub(super) store: Store,
    pub(super) registry: Registry,
    /// Wakes the collector.
    pub(super) dirty: Arc<Notify>,
    pub(super) always_pull_images: bool,
}

impl State {
    pub(super) fn new(dirty: Arc<Notify>) -> Self {
        Self { store: Store::new(), registry: Registry::new(), dirty, always_pull_images: false }
    }

    pub(super) fn resource(&self, gvr: &Gvr) -> Result<Arc<Resource>, Status> {
        self.registry.get(gvr).ok_or_else(Status::no_such_path)
    }

    pub(super) fn find(&self, res: &Resource, ns: Option<&str>, name: &str) -> Result<Arc<Value>, Status> {
        let ns = if res.namespaced { ns.unwrap_or_default() } else { "" };
        self.store.get(&res.stored_as, ns, name).ok_or_else(|| Status::not_found(&res.gvr, name))
    }

    /// Stores a new object after admission.
    pub(super) fn create(
        &mut self,
        call: &Call<'_>,
        ns: Option<&str>,
        mut object: Value,
    ) -> Result<Arc<Value>, Status> {
        let res = &call.res;
        check_version_and_kind(res, &object)?;
        place(res, ns, &mut object)?;
        if !text_of(&object, "resourceVersion").is_empty() {
            return Err(Status::bad_request("resourceVersion should not be set on objects to be created"));
        }
        if res.namespaced {
            self.check_namespace(call, &object)?;
        }
        self.give_name(res, &mut object);
        meta::born(&mut object, call.now);
        if res.counted || res.custom {
            meta::of(&mut object).insert("generation".into(), json!(1));
        } else {
            meta::of(&mut object).remove("generation");
        }
        if res.has_status()
            && !res.is(&gvr::NODES)
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        res.store_form(&mut object);
        self.admit_new(call, &mut object)?;
        meta::tidy(&mut object);
        let (ns, name) = meta::key(&object);
        if self.store.get(&res.stored_as, &ns, &name).is_some() {
            return Err(Status::already_exists(&res.gvr, &name));
        }
        manage(call, &json!({}), &mut object);
        Ok(self.commit(call, object))
    }

    /// Replaces an object, or the part of it the subresource names.
    pub(super) fn update(&mut self, call: &Call<'_>, mut object: Value) -> Result<Arc<Value>, Status> {
        let res = &call.res;
        check_version_and_kind(res, &object)?;
        res.store_form(&mut object);
        let (ns, name) = meta::key(&object);
        let current = self.find(res, Some(&ns), &name)?;
        check_preconditions(call, &object, &current)?;
        let mut next = part(call, &current, object);
        meta::keep(&mut next, &current);
        keep_managers(call, &current, &mut next);
        admit_change(call, &current, &mut next)?;
        manage(call, &current, &mut next);
        meta::tidy(&mut next);
        if next == *current {
            return Ok(current);
        }
        if (res.counted || res.custom) && !same_spec(&next, &current) {
            let generation = current["metadata"]["generation"].as_i64().unwrap_or(0);
            meta::of(&mut next).insert("generation".into(), json!(generation + 1));
        }
        if is_finished(res, &next) {
            return Ok(self.finish(call, &next));
        }
        Ok(self.commit(call, next))
    }

    /// Stores, unless this is a dry run, and does what follows from it.
    pub(super) fn commit(&mut self, call: &Call<'_>, object: Value) -> Arc<Value> {
        if call.dry_run {
            return Arc::new(object);
        }
        let stored = self.store.put(call.res.stored_as, object);
        self.follow_up(call, &stored);
        stored
    }

    /// Removes for good, unless this is a dry run.
    pub(super) fn finish(&mut self, call: &Call<'_>, object: &Value) -> Arc<Value> {
        if call.dry_run {
            return Arc::new(object.clone());
        }
        let gone = self.store.take(call.res.stored_as, &meta::key(object));
        self.follow_removal(call, object);
        gone.unwrap_or_else(|| Arc::new(object.clone()))
    }

    fn check_namespace(&self, call: &Call<'_>, object: &Value) -> Result<(), Status> {
        let ns = meta::namespace(object);
        let Some(namespace) = self.store.get(&gvr::NAMESPACES, "", ns) else {
            return Err(Status::not_found(&gvr::NAMESPACES, ns));
        };
        if meta::is_deleting(&namespace) {
            let why =
                format!("unable to create new content in namespace {ns} because it is being terminated");
            let mut status = Status::forbidden(call.gvr(), meta::name(object), &why);
            status.details["causes"] = json!([{
                "reason": "NamespaceTerminating",
                "message": format!("namespace {ns} is being terminated"),
                "field": "metadata.namespace",
            }]);
            return Err(status);
        }
        Ok(())
    }

    fn give_name(&self, res: &Resource, object: &mut Value) {
        let prefix = text_of(object, "generateName").to_owned();
        if !meta::name(object).is_empty() || prefix.is_empty() {
            return;
        }
        let ns = meta::namespace(object).to_owned();
        let mut name = format!("{prefix}{}", meta::suffix());
        while self.store.get(&res.stored_as, &ns, &name).is_some() {
            name = format!("{prefix}{}", meta::suffix());
        }
        meta::of(object).insert("name".into(), json!(name));
    }
}

fn text_of<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

fn check_version_and_kind(res: &Resource, object: &Value) -> Result<(), Status> {
    let (version, kind) = (meta::text(object, "/apiVersion"), meta::text(object, "/kind"));
    let wanted = res.api_version();
    if kind.is_empty() {
        return Err(Status::bad_request("Object 'Kind' is missing in request body"));
    }
    if version != wanted || kind != res.kind {
        return Err(Status::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({wanted})"
        )));
    }
    Ok(())
}

/// The namespace of the request goes into the object; both must agree.
fn place(res: &Resource, ns: Option<&str>, object: &mut Value) -> Result<(), Status> {
    let own = meta::namespace(object).to_owned();
    if !res.namespaced {
        meta::of(object).remove("namespace");
        return Ok(());
    }
    let wanted = ns.unwrap_or_default();
    if wanted.is_empty() && own.is_empty() {
        return Err(Status::bad_request("an empty namespace may not be set during creation"));
    }
    if !wanted.is_empty() && !own.is_empty() && wanted != own {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if own.is_empty() {
        meta::of(object).insert("namespace".into(), json!(wanted));
    }
    Ok(())
}

fn check_preconditions(call: &Call<'_>, object: &Value, current: &Value) -> Result<(), Status> {
    let name = meta::name(current);
    let (uid, own) = (meta::uid(object), meta::uid(current));
    if !uid.is_empty() && uid != own {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {own}");
        return Err(Status::conflict(call.gvr(), name, &why));
    }
    let version = text_of(object, "resourceVersion");
    if version.is_empty() || version == "0" {
        return Ok(());
    }
    if version != text_of(current, "resourceVersion") {
        return Err(Status::modified(call.gvr(), name));
    }
    Ok(())
}

/// Records who manages what was changed.
fn manage(call: &Call<'_>, before: &Value, after: &mut Value) {
    let Some(manager) = call.manager else { return };
    let api_version = call.res.api_version();
    let writer = Writer {
        manager,
        api_version: &api_version,
        subresource: call.sub.unwrap_or_default(),
        time: stamp(call.now),
        force: false,
    };
    apply::track(Shape::of(&api_version, call.res.kind), before, after, &writer);
}

/// A writer that says nothing about managers leaves them as they are.
fn keep_managers(call: &Call<'_>, current: &Value, next: &mut Value) {
    let applied = call.manager.is_none() && next["metadata"].get("managedFields").is_some();
    if !applied && let Some(managers) = current["metadata"].get("managedFields") {
        next["metadata"]["managedFields"] = managers.clone();
    }
}

/// What an update through this subresource may touch.
fn part(call: &Call<'_>, current: &Value, sent: Value) -> Value {
    let mut next = sent;
    match call.sub {
        Some("status") => {
            let mut kept = current.clone();
            kept["status"] = next["status"].take();
            if call.res.is(&gvr::NODES) {
                kept["metadata"]["annotations"] = next["metadata"]["annotations"].take();
            }
            kept
        }
        _ if call.res.has_status() => {
            let fields = map(&mut next);
            match current.get("status") {
                Some(status) => fields.insert("status".into(), status.clone()),
                None => fields.remove("status"),
            };
            next
        }
        _ => next,
    }
}

fn map(object: &mut Value) -> &mut serde_json::Map<String, Value> {
    object.as_object_mut().expect("an object with a kind is a map")
}

fn same_spec(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else {
        return false;
    };
    let differs = |key: &String| one.get(key) != other.get(key);
    !one.keys().chain(other.keys()).any(|key| key != "metadata" && key != "status" && differs(key))
}

/// A deleted object goes when nobody holds it any longer.
pub(super) fn is_finished(res: &Resource, object: &Value) -> bool {
    let meta = &object["metadata"];
    let waits = res.is(&gvr::PODS) && meta["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) > 0;
    let held = res.is(&gvr::NAMESPACES) && !meta::list(object, "/spec/finalizers").is_empty();
    meta::is_deleting(object) && meta::finalizers(object).is_empty() && !waits && !held
}
