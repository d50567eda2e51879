//! Creating, replacing, patching and deleting over HTTP: reading bodies, strictness about unknown fields,
//! and which step of the state each becomes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::auth::review;
use super::super::clock::stamp;
use super::super::gvr;
use super::super::meta;
use super::super::patch::apply::{self, Conflict, Writer};
use super::super::patch::{Patch, PatchError};
use super::super::remove::{DeleteOptions, Deleted, Propagation};
use super::super::schema::{Shape, prune};
use super::super::state::Call;
use super::super::status::Status;
use super::answer::{self, Answer, header};
use super::read;
use super::{Asked, protobody};

const PATCH_TYPES: &str = "application/json-patch+json, application/merge-patch+json, \
                           application/strategic-merge-patch+json, application/apply-patch+yaml";
const CUSTOM_PATCH_TYPES: &str =
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
const BODY_TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

impl Asked {
    pub(super) fn call(&self) -> Call<'_> {
        Call {
            who: &self.who,
            res: Arc::clone(&self.res),
            sub: self.target.sub.as_deref(),
            now: self.api.clock().now(),
            dry_run: self.query.dry_run(),
            manager: Some(self.manager()),
        }
    }

    fn manager(&self) -> &str {
        match self.query.get("fieldManager") {
            "" => header(&self.parts, "user-agent").split('/').next().filter(|one| !one.is_empty()),
            named => Some(named),
        }
        .unwrap_or("unknown")
    }

    fn shape(&self) -> Shape {
        Shape::of(&self.res.api_version(), self.res.kind)
    }

    pub(super) fn read_body(&self) -> Result<Value, Status> {
        let kind = header(&self.parts, "content-type").split(';').next().unwrap_or_default().trim();
        match kind {
            "" | "application/json" => parse_json(&self.body),
            "application/yaml" => parse_yaml(&self.body),
            protobody::KIND => protobody::decode(&self.body)
                .map_err(|why| Status::bad_request(format!("the protobuf body cannot be read: {why}"))),
            _ => Err(Status::unsupported_media_type(BODY_TYPES)),
        }
    }

    /// Drops unknown fields; they are an error, a warning or nothing, as the request wishes.
    fn prune(&self, object: &mut Value) -> Result<Vec<String>, Status> {
        let kind = self.res.kind;
        let version = &self.res.gvr.version;
        let told = |why: &str| {
            Status::bad_request(format!("{kind} in version {version:?} cannot be handled as a {kind}: {why}"))
        };
        let unknown = prune::prune(self.shape(), object).map_err(|why| told(&why))?;
        let unknown: Vec<String> = unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
        match self.query.get("fieldValidation") {
            "Strict" if !unknown.is_empty() => {
                Err(told(&format!("strict decoding error: {}", unknown.join(", "))))
            }
            "Ignore" | "Strict" => Ok(Vec::new()),
            _ => Ok(unknown),
        }
    }
}

fn parse_json(body: &[u8]) -> Result<Value, Status> {
    serde_json::from_slice(body)
        .map_err(|why| Status::bad_request(format!("couldn't get version/kind; json parse error: {why}")))
}

fn parse_yaml(body: &[u8]) -> Result<Value, Status> {
    let text = std::str::from_utf8(body)
        .map_err(|why| Status::bad_request(format!("error decoding YAML: {why}")))?;
    serde_saphyr::from_str(text).map_err(|why| Status::bad_request(format!("error decoding YAML: {why}")))
}

fn answered(code: u16, asked: &Asked, object: &Arc<Value>, warnings: &[String]) -> Answer {
    let shown = asked.res.present(object);
    let mut response = match read::form(&asked.parts) {
        read::Form::Metadata => answer::json(code, &read::metadata_only(&shown)),
        read::Form::Table => {
            let now = asked.api.clock().now();
            let include = asked.query.get("includeObject");
            answer::json(code, &super::table::of(&asked.res, &[shown], json!({}), include, now))
        }
        read::Form::Plain => answer::json(code, &shown),
    };
    answer::warn(&mut response, warnings);
    Ok(response)
}

pub(super) fn create(asked: &Asked) -> Answer {
    if let Some(sub) = &asked.target.sub {
        return create_sub(asked, sub);
    }
    let mut object = asked.read_body()?;
    let warnings = asked.prune(&mut object)?;
    let fields = object.as_object_mut().ok_or_else(|| Status::bad_request("the body is not an object"))?;
    if asked.target.resource.ends_with("reviews") {
        return answer_review(asked, object);
    }
    // A typed client may leave both out: the path says them.
    meta::default_to(fields, "apiVersion", asked.res.api_version());
    meta::default_to(fields, "kind", asked.res.kind);
    let stored = asked.api.inner.state.lock().create(&asked.call(), asked.target.ns(), object)?;
    answered(201, asked, &stored, &warnings)
}

fn answer_review(asked: &Asked, object: Value) -> Answer {
    let state = asked.api.inner.state.lock();
    let now = asked.api.clock().now();
    let (store, tokens) = (&state.store, &asked.api.inner.tokens);
    let done = review::answer(asked.res.kind, &asked.who, asked.target.ns(), object, store, tokens, now)?;
    Ok(answer::json(201, &done))
}

fn create_sub(asked: &Asked, sub: &str) -> Answer {
    let body = asked.read_body()?;
    let mut state = asked.api.inner.state.lock();
    let current = state.find(&asked.res, asked.target.ns(), &asked.target.name)?;
    match sub {
        "token" => {
            let now = asked.api.clock().now();
            let made = review::token_request(&current, body, &asked.api.inner.tokens, now)?;
            Ok(answer::json(201, &made))
        }
        "eviction" => {
            let options = delete_options(&body["deleteOptions"], asked);
            let mut call = asked.call();
            call.dry_run |= is_dry(&body["deleteOptions"]);
            state.evict(&call, &current, &options)?;
            Ok(answer::json(201, &success(None)))
        }
        "binding" => {
            state.bind(&asked.call(), &current, &body)?;
            Ok(answer::json(201, &success(None)))
        }
        _ => Err(Status::method_not_allowed()),
    }
}

pub(super) fn update(asked: &Asked) -> Answer {
    let mut object = asked.read_body()?;
    let warnings = asked.prune(&mut object)?;
    let fields = object.as_object_mut().ok_or_else(|| Status::bad_request("the body is not an object"))?;
    meta::default_to(fields, "apiVersion", asked.res.api_version());
    meta::default_to(fields, "kind", asked.res.kind);
    let name = meta::name(&object);
    if name != asked.target.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            asked.target.name
        )));
    }
    if asked.res.namespaced {
        let own = meta::namespace(&object);
        if !own.is_empty() && own != asked.target.namespace {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        let namespace = json!(asked.target.namespace);
        meta::of(&mut object).insert("namespace".into(), namespace);
    }
    let stored = asked.api.inner.state.lock().update(&asked.call(), object)?;
    answered(200, asked, &stored, &warnings)
}

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
    answered(200, asked, &stored, &warnings)
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
    answered(code, asked, &stored, &warnings)
}

fn contested(all: &[Conflict]) -> Status {
    let texts: Vec<String> = all.iter().map(|one| format!("conflict with {}: {}", one.with, one.path)).collect();
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

fn is_dry(options: &Value) -> bool {
    meta::list(options, "/dryRun").iter().any(|one| one == "All")
}

fn delete_options(body: &Value, asked: &Asked) -> DeleteOptions {
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
        Deleted::Gone(object) | Deleted::Marked(object) => {
            Ok(answer::json(200, &asked.res.present(&object)))
        }
    }
}

fn success(details: Option<Value>) -> Value {
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
