//! The `scale` subresource: an `autoscaling/v1` Scale as another view of `spec.replicas`.

use serde_json::{Value, json};

use super::super::meta;
use super::super::patch::Patch;
use super::super::schema::Shape;
use super::super::status::Status;
use super::Asked;
use super::answer::{self, Answer, header};

pub(super) fn serve(asked: &Asked) -> Answer {
    let mut state = asked.api.inner.state.lock();
    let current = state.find(&asked.res, asked.target.ns(), &asked.target.name)?;
    let seen = view(&current);
    let wanted = match asked.target.verb {
        "get" => return Ok(answer::json(200, &seen)),
        "update" => asked.read_body()?,
        _ => patched(asked, &seen)?,
    };
    let replicas = &wanted["spec"]["replicas"];
    if replicas.as_i64().is_none_or(|count| count < 0) {
        let cause = super::super::status::Cause::invalid(
            "spec.replicas",
            replicas,
            "must be greater than or equal to 0",
        );
        return Err(Status::invalid("autoscaling", "Scale", &asked.target.name, &[cause]));
    }
    let mut next = (*current).clone();
    next["spec"]["replicas"] = replicas.clone();
    for field in ["resourceVersion", "uid"] {
        if let Some(value) = wanted["metadata"].get(field) {
            next["metadata"][field] = value.clone();
        }
    }
    let mut call = asked.call();
    call.sub = None;
    let stored = state.update(&call, next)?;
    Ok(answer::json(200, &view(&stored)))
}

fn patched(asked: &Asked, seen: &Value) -> Result<Value, Status> {
    let body: Value =
        serde_json::from_slice(&asked.body).map_err(|why| Status::bad_request(why.to_string()))?;
    let patch = match header(&asked.parts, "content-type") {
        "application/json-patch+json" => Patch::Json(body),
        "application/merge-patch+json" => Patch::Merge(body),
        _ => Patch::Strategic(body),
    };
    patch
        .apply(Shape::of("autoscaling/v1", "Scale"), seen)
        .map_err(|why| Status::bad_request(format!("{why:?}")))
}

fn view(object: &Value) -> Value {
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let selector: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let meta = &object["metadata"];
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": meta::name(object), "namespace": meta::namespace(object), "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"]},
        "spec": {"replicas": object["spec"]["replicas"].as_i64().unwrap_or(1)},
        "status": {"replicas": object["status"]["replicas"].as_i64().unwrap_or(0),
            "selector": selector.join(",")}})
}
