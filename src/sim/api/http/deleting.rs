//! Deleting over HTTP: options from the body or the query, and what is answered.
//!
//! A real API server reads the query's options (`dryRun`, `gracePeriodSeconds`, `propagationPolicy`) only
//! where there is no body; beside a body they are ignored, `?dryRun=All` too.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::gvr;
use super::super::meta;
use super::super::remove::{DeleteOptions, Deleted, Propagation};
use super::super::status::Status;
use super::Asked;
use super::answer::{self, Answer};
use super::read;

pub(super) fn is_dry(options: &Value) -> bool {
    meta::list(options, "/dryRun").iter().any(|one| one == "All")
}

/// The options of a DELETE: the body's, and the query's where there is no body.
fn asked_options(asked: &Asked) -> Result<Value, Status> {
    if !asked.body.is_empty() {
        return asked.read_body();
    }
    let query = &asked.query;
    let mut options = json!({});
    if query.dry_run() {
        options["dryRun"] = json!(["All"]);
    }
    if !query.get("propagationPolicy").is_empty() {
        options["propagationPolicy"] = json!(query.get("propagationPolicy"));
    }
    if let Some(seconds) = query.number::<i64>("gracePeriodSeconds") {
        options["gracePeriodSeconds"] = json!(seconds);
    }
    if !query.get("orphanDependents").is_empty() {
        options["orphanDependents"] = json!(query.is("orphanDependents"));
    }
    Ok(options)
}

pub(super) fn delete_options(body: &Value) -> DeleteOptions {
    let policy = body["propagationPolicy"].as_str().unwrap_or_default();
    let orphan = body["orphanDependents"].as_bool();
    let text = |pointer: &str| Some(meta::text(body, pointer)).filter(|s| !s.is_empty()).map(str::to_owned);
    DeleteOptions {
        grace: body["gracePeriodSeconds"].as_i64(),
        uid: text("/preconditions/uid"),
        resource_version: text("/preconditions/resourceVersion"),
        propagation: match (policy, orphan) {
            ("Orphan", _) | ("", Some(true)) => Some(Propagation::Orphan),
            ("Foreground", _) => Some(Propagation::Foreground),
            ("Background", _) | ("", Some(false)) => Some(Propagation::Background),
            _ => None,
        },
    }
}

pub(super) fn delete(asked: &Asked) -> Answer {
    let body = asked_options(asked)?;
    let options = delete_options(&body);
    let mut call = asked.call();
    call.dry_run = is_dry(&body);
    let removed =
        asked.api.inner.state.lock().remove(&call, asked.target.ns(), &asked.target.name, &options)?;
    match removed {
        Deleted::Gone(object) if !asked.res.is(&gvr::PODS) => {
            let mut details = json!({"name": meta::name(&object), "kind": asked.res.gvr.resource,
                "uid": meta::uid(&object)});
            if !asked.res.gvr.group.is_empty() {
                details["group"] = json!(asked.res.gvr.group);
            }
            Ok(answer::json(200, &success(Some(details))))
        }
        Deleted::Gone(object) | Deleted::Marked(object) => Ok(answer::json(200, &asked.res.present(&object))),
    }
}

pub(super) fn success(details: Option<Value>) -> Value {
    let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"});
    match details {
        Some(details) => status["details"] = details,
        None => status["code"] = json!(201),
    }
    status
}

pub(super) fn delete_collection(asked: &Asked) -> Answer {
    let body = asked_options(asked)?;
    let options = delete_options(&body);
    let selector = read::selector(&asked.res, &asked.query)?;
    let mut call = asked.call();
    call.dry_run = is_dry(&body);
    let mut state = asked.api.inner.state.lock();
    let mut gone = Vec::new();
    for object in state.store.all(&asked.res.stored_as, asked.target.ns()) {
        if selector.matches(&object) {
            let ns = Some(meta::namespace(&object));
            gone.push(Arc::clone(state.remove(&call, ns, meta::name(&object), &options)?.object()));
        }
    }
    let meta = json!({"resourceVersion": state.store.revision.to_string()});
    drop(state);
    Ok(answer::bytes(200, "application/json", read::plain(&asked.res, &gone, &meta)))
}
