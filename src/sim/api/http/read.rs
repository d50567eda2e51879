//! Getting and listing: pages that stay consistent, selectors, and the forms an answer can take (plain,
//! table, metadata only).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::meta;
use super::super::resource::Resource;
use super::super::selector::Selector;
use super::super::state::State;
use super::super::status::Status;
use super::super::store::Key;
use super::answer::{self, Answer};
use super::query::Query;
use super::{Asked, table};

/// The form in which objects are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Table,
    Metadata,
}

/// The first form in `Accept` this server can make.
pub(super) fn form(parts: &Parts) -> Form {
    for kind in answer::header(parts, "accept").split(',') {
        let mut pieces = kind.split(';').map(str::trim);
        if pieces.next() != Some("application/json") {
            continue;
        }
        let asked = pieces.find_map(|piece| piece.strip_prefix("as="));
        match asked {
            Some("Table") => return Form::Table,
            Some("PartialObjectMetadata" | "PartialObjectMetadataList") => return Form::Metadata,
            Some(_) => {}
            None => return Form::Plain,
        }
    }
    Form::Plain
}

pub(super) fn get(asked: &Asked) -> Answer {
    let state = asked.api.inner.state.lock();
    let object = state.find(&asked.res, asked.target.ns(), &asked.target.name)?;
    drop(state);
    let object = asked.res.present(&object);
    let shown = match form(&asked.parts) {
        Form::Plain => return Ok(answer::json(200, &object)),
        Form::Table => table::of(
            &asked.res,
            &[object],
            &json!({}),
            asked.query.get("includeObject"),
            asked.api.clock().now(),
        ),
        Form::Metadata => metadata_only(&object),
    };
    Ok(answer::json(200, &shown))
}

/// `PartialObjectMetadata`
pub(super) fn metadata_only(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

/// A page of a list.
struct Page {
    items: Vec<Arc<Value>>,
    revision: u64,
    next: Option<String>,
    remaining: usize,
}

pub(super) fn list(asked: &Asked) -> Answer {
    let page = page(asked)?;
    let mut meta = json!({"resourceVersion": page.revision.to_string()});
    if let Some(next) = &page.next {
        meta["continue"] = json!(next);
        if asked.query.get("labelSelector").is_empty() && asked.query.get("fieldSelector").is_empty() {
            meta["remainingItemCount"] = json!(page.remaining);
        }
    }
    let now = asked.api.clock().now();
    match form(&asked.parts) {
        Form::Plain => Ok(answer::bytes(200, "application/json", plain(&asked.res, &page.items, &meta))),
        Form::Table => {
            let items = page.items.iter().map(|object| asked.res.present(object)).collect::<Vec<_>>();
            let shown = table::of(&asked.res, &items, &meta, asked.query.get("includeObject"), now);
            Ok(answer::json(200, &shown))
        }
        Form::Metadata => {
            let items: Vec<Value> = page.items.iter().map(|object| metadata_only(object)).collect();
            Ok(answer::json(
                200,
                &json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                    "metadata": meta, "items": items}),
            ))
        }
    }
}

/// A typed list: items of built-in kinds do not repeat kind and version, as on a real server.
pub(super) fn plain(res: &Resource, items: &[Arc<Value>], meta: &Value) -> Vec<u8> {
    let head =
        json!({"kind": res.list_kind(), "apiVersion": res.api_version(), "metadata": meta}).to_string();
    let mut out = head.trim_end_matches('}').to_owned().into_bytes();
    let closed = head.len() - out.len();
    out.resize(out.len() + closed - 1, b'}');
    out.extend_from_slice(b",\"items\":[");
    for (at, object) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let object = res.present(object);
        if res.custom {
            // Writing into memory has no way to fail.
            let _ = serde_json::to_writer(&mut out, &*object);
        } else {
            write_item(&mut out, &object);
        }
    }
    out.extend_from_slice(b"]}\n");
    out
}

fn write_item(out: &mut Vec<u8>, object: &Value) {
    out.push(b'{');
    let fields = object.as_object().into_iter().flatten();
    let kept = fields.filter(|(key, _)| *key != "apiVersion" && *key != "kind");
    for (at, (key, value)) in kept.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let _ = serde_json::to_writer(&mut *out, key);
        out.push(b':');
        let _ = serde_json::to_writer(&mut *out, value);
    }
    out.push(b'}');
}

pub(super) fn selector(res: &Resource, query: &Query) -> Result<Selector, Status> {
    Selector::parse(res, query.get("labelSelector"), query.get("fieldSelector")).map_err(Status::bad_request)
}

fn page(asked: &Asked) -> Result<Page, Status> {
    let query = &asked.query;
    let selector = selector(&asked.res, query)?;
    let token = Token::parse(query.get("continue"))?;
    let state = asked.api.inner.state.lock();
    let (objects, revision) = snapshot(&state, asked, token.as_ref())?;
    drop(state);
    let limit = query.number::<usize>("limit").filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let ns = asked.target.ns();
    let name = &asked.target.name;
    let mut items = Vec::new();
    let mut rest = objects.into_iter().filter(|(key, object)| {
        ns.is_none_or(|ns| key.0 == ns)
            && (name.is_empty() || key.1 == *name)
            && token.as_ref().is_none_or(|token| *key > token.after)
            && (selector.is_all() || selector.matches(object))
    });
    let mut last = None;
    for (key, object) in rest.by_ref().take(limit) {
        items.push(object);
        last = Some(key);
    }
    let remaining = if limit == usize::MAX { 0 } else { rest.count() };
    let next = last.filter(|_| remaining > 0).map(|after| Token { revision, after }.text());
    Ok(Page { items, revision, next, remaining })
}

type Objects = BTreeMap<Key, Arc<Value>>;

fn snapshot(state: &State, asked: &Asked, token: Option<&Token>) -> Result<(Objects, u64), Status> {
    let now = state.store.revision;
    let Some(shelf) = state.store.peek(&asked.res.stored_as) else {
        return Ok((Objects::new(), now));
    };
    if let Some(token) = token {
        let then = shelf.at(token.revision).ok_or_else(Status::continue_expired)?;
        return Ok((then, token.revision));
    }
    let wanted: u64 = asked.query.number("resourceVersion").unwrap_or(0);
    if wanted > now {
        let message = format!("Too large resource version: {wanted}, current: {now}");
        let mut status = Status::new(504, "Timeout", message);
        status.details = json!({"retryAfterSeconds": 1,
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]});
        return Err(status);
    }
    if asked.query.get("resourceVersionMatch") == "Exact" && wanted > 0 {
        let then = shelf.at(wanted).ok_or_else(|| Status::too_old(wanted, now))?;
        return Ok((then, wanted));
    }
    Ok((shelf.objects.clone(), now))
}

/// A `continue` token: the snapshot and the last key of the page before.
struct Token {
    revision: u64,
    after: Key,
}

impl Token {
    fn parse(text: &str) -> Result<Option<Self>, Status> {
        if text.is_empty() {
            return Ok(None);
        }
        let bad = || Status::bad_request("continue key is not valid: invalid continue token");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| bad())?;
        let after = (meta::text(&token, "/ns").to_owned(), meta::text(&token, "/name").to_owned());
        let revision = token["rv"].as_u64().ok_or_else(bad)?;
        Ok(Some(Self { revision, after }))
    }

    fn text(&self) -> String {
        let token = json!({"rv": self.revision, "ns": self.after.0, "name": self.after.1});
        URL_SAFE_NO_PAD.encode(token.to_string())
    }
}
