//! Deleting: preconditions, grace, finalizers and what becomes of dependents. Owns the decision whether an
//! object goes at once or is only marked; the collector and the kubelet do the rest.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::clock::stamp;
use super::gvr;
use super::meta;
use super::state::{Call, State, is_finished};
use super::status::Status;

/// `metav1.DeleteOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Seconds to wait; the object's own default if None.
    pub grace: Option<i64>,
    /// Only the object with this uid.
    pub uid: Option<String>,
    /// Only the object in this version.
    pub resource_version: Option<String>,
    /// What becomes of dependents.
    pub propagation: Option<Propagation>,
}

impl DeleteOptions {
    /// At once, without grace.
    pub fn now() -> Self {
        Self { grace: Some(0), ..Self::default() }
    }
}

/// What becomes of an object's dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They go after it.
    Background,
    /// They go before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// Finalizer of a foreground deletion.
pub(super) const FOREGROUND: &str = "foregroundDeletion";
/// Finalizer of an orphaning deletion.
pub(super) const ORPHAN: &str = "orphan";

/// What a deletion came to.
#[derive(Clone, Debug)]
pub enum Deleted {
    /// It is gone; this is how it was.
    Gone(Arc<Value>),
    /// It is marked and waits for its kubelet or its finalizers.
    Marked(Arc<Value>),
}

impl Deleted {
    /// The object, gone or marked.
    pub fn object(&self) -> &Arc<Value> {
        match self {
            Self::Gone(object) | Self::Marked(object) => object,
        }
    }
}

impl State {
    pub(super) fn remove(
        &mut self,
        call: &Call<'_>,
        ns: Option<&str>,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Deleted, Status> {
        let current = self.find(&call.res, ns, name)?;
        check(call, &current, options)?;
        let marked = mark(call, &current, options);
        if is_finished(&call.res, &marked) {
            return Ok(Deleted::Gone(self.finish(call, &marked)));
        }
        if marked == *current {
            return Ok(Deleted::Marked(current));
        }
        Ok(Deleted::Marked(self.commit(call, marked)))
    }
}

fn check(call: &Call<'_>, current: &Value, options: &DeleteOptions) -> Result<(), Status> {
    let name = meta::name(current);
    if let Some(uid) = &options.uid
        && uid != meta::uid(current)
    {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            meta::uid(current)
        );
        return Err(Status::conflict(call.gvr(), name, &why));
    }
    let own = meta::text(current, "/metadata/resourceVersion");
    if let Some(version) = &options.resource_version
        && version != own
    {
        let why = format!(
            "Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object \
             meta: {own}"
        );
        return Err(Status::conflict(call.gvr(), name, &why));
    }
    Ok(())
}

/// The object with everything a deletion writes into it.
fn mark(call: &Call<'_>, current: &Value, options: &DeleteOptions) -> Value {
    let mut object = current.clone();
    set_propagation(&mut object, options.propagation);
    let grace = if call.res.is(&gvr::PODS) { pod_grace(current, options) } else { 0 };
    let before = current["metadata"]["deletionGracePeriodSeconds"].as_i64();
    let again = meta::is_deleting(current);
    if !again || before.is_some_and(|before| grace < before) {
        let at = call.now.saturating_add(SignedDuration::from_secs(grace)).unwrap_or(call.now);
        let meta = meta::of(&mut object);
        // A second, shorter deletion does not move the time of the first one behind it.
        meta.insert("deletionTimestamp".into(), json!(stamp(at)));
        meta.insert("deletionGracePeriodSeconds".into(), json!(grace));
        if let Some(generation) = meta.get("generation").and_then(Value::as_i64)
            && !again
        {
            meta.insert("generation".into(), json!(generation + 1));
        }
    }
    if call.res.is(&gvr::NAMESPACES) {
        meta::map_at(&mut object, "status").insert("phase".into(), json!("Terminating"));
    }
    object
}

fn pod_grace(pod: &Value, options: &DeleteOptions) -> i64 {
    let phase = meta::text(pod, "/status/phase");
    if meta::text(pod, "/spec/nodeName").is_empty() || phase == "Succeeded" || phase == "Failed" {
        return 0;
    }
    let own = pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
    let before = pod["metadata"]["deletionGracePeriodSeconds"].as_i64();
    let asked = options.grace.unwrap_or(before.unwrap_or(own)).max(0);
    before.map_or(asked, |before| asked.min(before))
}

fn set_propagation(object: &mut Value, propagation: Option<Propagation>) {
    let wanted = match propagation {
        None => return,
        Some(Propagation::Background) => None,
        Some(Propagation::Foreground) => Some(FOREGROUND),
        Some(Propagation::Orphan) => Some(ORPHAN),
    };
    let mut names: Vec<String> = meta::finalizers(object)
        .into_iter()
        .filter(|one| *one != FOREGROUND && *one != ORPHAN)
        .map(str::to_owned)
        .collect();
    names.extend(wanted.map(str::to_owned));
    if names.is_empty() {
        meta::of(object).remove("finalizers");
    } else {
        meta::of(object).insert("finalizers".into(), json!(names));
    }
}
