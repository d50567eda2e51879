//! Patching over HTTP: the four content types, what a patch may not change, and the conflicts of apply.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::clock::stamp;
use super::super::meta;
use super::super::patch::apply::{self, Conflict, Writer};
use super::super::patch::{Patch, PatchError};
use super::super::status::Status;
use super::Asked;
use super::answer::{Answer, header};
use super::write::{answered, parse_json, parse_yaml};

const PATCH_TYPES: &str = "application/json-patch+json, application/merge-patch+json, \
                           application/strategic-merge-patch+json, application/apply-patch+yaml";
const CUSTOM_PATCH_TYPES: &str =
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

pub(super) fn patch(asked: &Asked) -> Answer {
    let kind = header(&asked.parts, "content-type").split(';').next().unwrap_or_default().trim();
    let patch = match kind {
        "application/json-patch+json" => Patch::Json(parse_json(&asked.body)?),
        "application/merge-patch+json" => Patch::Merge(parse_json(&asked.body)?),
        "application/strategic-merge-patch+json" if !asked.res.custom => {
            Patch::Strategic(parse_json(&asked.body)?)
        }
        "application/apply-patch+yaml" => return apply_patch(asked, parse_yaml(&asked.body)?),
        _ if asked.res.custom => return Err(Status::unsupported_media_type(CUSTOM_PATCH_TYPES)),
        _ => return Err(Status::unsupported_media_type(PATCH_TYPES)),
    };
    let mut state = asked.api.inner.state.lock();
    let current = state.find(&asked.res, asked.target.ns(), &asked.target.name)?;
    let current = asked.res.present(&current);
    let mut next = patch.apply(asked.shape(), &current).map_err(misfit)?;
    let warnings = asked.prune(&mut next).map_err(|status| invalid_patch(&status))?;
    check_identity(asked, &current, &next)?;
    let stored = state.update(&asked.call(), next)?;
    drop(state);
    Ok(answered(200, asked, &stored, &warnings))
}

fn misfit(why: PatchError) -> Status {
    match why {
        PatchError::Malformed(text) => Status::bad_request(text),
        // A real server does not say which operation failed either.
        PatchError::Unfit => {
            let mut status =
                Status::new(422, "Invalid", "the server rejected our request due to an error in our request");
            status.details = json!({});
            status
        }
    }
}

/// What is a 400 for a body is a 422 for a patch, unless strictness was asked for.
fn invalid_patch(status: &Status) -> Status {
    if status.message.contains("strict decoding error") {
        return status.clone();
    }
    let mut invalid = Status::new(422, "Invalid", status.message.clone());
    invalid.details = json!({"causes": [{"reason": "FieldValueInvalid", "message": status.message,
        "field": "patch"}]});
    invalid
}

fn check_identity(asked: &Asked, current: &Value, next: &Value) -> Result<(), Status> {
    for field in ["name", "namespace", "uid"] {
        let (before, after) = (&current["metadata"][field], &next["metadata"][field]);
        if before != after && !after.is_null() {
            let path = format!("metadata.{field}");
            let cause = super::super::status::Cause::invalid(path, after, "field is immutable");
            return Err(Status::invalid(asked.res.gvr.group, asked.res.kind, &asked.target.name, &[cause]));
        }
    }
    Ok(())
}

fn apply_patch(asked: &Asked, mut config: Value) -> Answer {
    if asked.query.get("fieldManager").is_empty() {
        let cause = super::super::status::Cause::required("fieldManager", "is required for apply patch");
        return Err(Status::invalid("meta.k8s.io", "PatchOptions", "", &[cause]));
    }
    if !config["metadata"]["managedFields"].is_null() {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    let warnings = asked.prune(&mut config)?;
    meta::of(&mut config).insert("name".into(), json!(asked.target.name));
    if asked.res.namespaced {
        meta::of(&mut config).insert("namespace".into(), json!(asked.target.namespace));
    }
    let mut call = asked.call();
    call.manager = None;
    let api_version = asked.res.api_version();
    let writer = Writer {
        manager: asked.query.get("fieldManager"),
        api_version: &api_version,
        subresource: asked.target.sub.as_deref().unwrap_or_default(),
        time: stamp(call.now),
        force: asked.query.is("force"),
    };
    let mut state = asked.api.inner.state.lock();
    let current = state.find(&asked.res, asked.target.ns(), &asked.target.name).ok();
    let base = current.as_ref().map_or_else(|| Arc::new(json!({})), |object| asked.res.present(object));
    let next = apply::apply(asked.shape(), &base, &config, &writer).map_err(|all| contested(&all))?;
    let (code, stored) = match current {
        Some(_) => (200, state.update(&call, next)?),
        None => (201, state.create(&call, asked.target.ns(), next)?),
    };
    drop(state);
    Ok(answered(code, asked, &stored, &warnings))
}

fn contested(all: &[Conflict]) -> Status {
    let texts: Vec<String> =
        all.iter().map(|one| format!("conflict with {}: {}", one.with, one.path)).collect();
    let many = if all.len() == 1 { "conflict" } else { "conflicts" };
    let message = if all.len() == 1 {
        format!("Apply failed with 1 {many}: {}", texts.join(""))
    } else {
        format!("Apply failed with {} {many}: {}", all.len(), texts.join("\n"))
    };
    let causes: Vec<Value> = all
        .iter()
        .map(|one| {
            json!({"reason": "FieldManagerConflict", "message": format!("conflict with {}", one.with),
                "field": one.path})
        })
        .collect();
    let mut status = Status::new(409, "Conflict", message);
    status.details = json!({"causes": causes});
    status
}
