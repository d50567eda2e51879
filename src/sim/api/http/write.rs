//! Creating and replacing over HTTP: reading bodies, strictness about unknown fields, and which step of
//! the state each becomes.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Value, json};

use super::super::auth::review;
use super::super::meta;
use super::super::schema::{Shape, prune};
use super::super::state::Call;
use super::super::status::Status;
use super::answer::{self, Answer, header};
use super::deleting::{delete_options, is_dry, success};
use super::read;
use super::{Asked, protobody};

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

    pub(super) fn shape(&self) -> Shape {
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
    pub(super) fn prune(&self, object: &mut Value) -> Result<Vec<String>, Status> {
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

pub(super) fn parse_json(body: &[u8]) -> Result<Value, Status> {
    serde_json::from_slice(body)
        .map_err(|why| Status::bad_request(format!("couldn't get version/kind; json parse error: {why}")))
}

pub(super) fn parse_yaml(body: &[u8]) -> Result<Value, Status> {
    let text = std::str::from_utf8(body)
        .map_err(|why| Status::bad_request(format!("error decoding YAML: {why}")))?;
    serde_saphyr::from_str(text).map_err(|why| Status::bad_request(format!("error decoding YAML: {why}")))
}

pub(super) fn answered(code: u16, asked: &Asked, object: &Arc<Value>, warnings: &[String]) -> Response {
    let shown = asked.res.present(object);
    let mut response = match read::form(&asked.parts) {
        read::Form::Metadata => answer::json(code, &read::metadata_only(&shown)),
        read::Form::Table => {
            let now = asked.api.clock().now();
            let include = asked.query.get("includeObject");
            answer::json(code, &super::table::of(&asked.res, &[shown], &json!({}), include, now))
        }
        read::Form::Plain => answer::json(code, &shown),
    };
    answer::warn(&mut response, warnings);
    response
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
    Ok(answered(201, asked, &stored, &warnings))
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
            let options = delete_options(&body["deleteOptions"]);
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
    Ok(answered(200, asked, &stored, &warnings))
}
