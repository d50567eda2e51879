//! Deleting over HTTP: options from body and query, and what is answered.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::gvr;
use super::super::meta;
use super::super::remove::{DeleteOptions, Deleted, Propagation};
use super::Asked;
use super::answer::{self, Answer};
use super::read;

pub(super) fn is_dry(options: &Value) -> bool {
    meta::list(options, "/dryRun").iter().any(|one| one == "All")
}

pub(super) fn delete_options(body: &Value, asked: &Asked) -> DeleteOptions {
    let policy = body["propagationPolicy"].as_str().unwrap_or(asked.query.get("propagationPolicy"));
    let orphan = body["orphanDependents"].as_bool();
    let text = |pointer: &str| Some(meta::text(body, pointer)).filter(|s| !s.is_empty()).map(str::to_owned);
    DeleteOptions {
        grace: body["gracePeriodSeconds"].as_i64().or_else(|| asked.query.number("gracePeriodSeconds")),
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
    let body = if asked.body.is_empty() { json!({}) } else { asked.read_body()? };
    let options = delete_options(&body, asked);
    let mut call = asked.call();
    call.dry_run |= is_dry(&body);
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
    let body = if asked.body.is_empty() { json!({}) } else { asked.read_body()? };
    let options = delete_options(&body, asked);
    let selector = read::selector(&asked.res, &asked.query)?;
    let mut call = asked.call();
    call.dry_run |= is_dry(&body);
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
