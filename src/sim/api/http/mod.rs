//! The HTTP face: from a request to an answer. Owns the order of steps (who, what, may they, faults, do,
//! record); each step is a file.

mod access;
mod answer;
mod deleting;
mod discovery;
mod logs;
mod openapi;
mod patching;
mod proto;
mod protobody;
mod query;
mod read;
mod route;
mod scale;
mod table;
mod watch;
mod write;

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::{Router, http::Method};

use super::ApiServer;
use super::faults::{Struck, What};
use super::record::RecordedRequest;
use super::resource::Resource;
use super::status::Status;
use super::user::User;
use answer::Answer;
use query::Query;
use route::{Route, Target};

/// Bodies above this are refused, as a real server does.
const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// Everything served at any path.
pub(super) fn router(api: ApiServer) -> Router {
    Router::new().fallback(serve).with_state(api)
}

/// A request about a resource that exists, made by somebody who may.
pub(super) struct Asked {
    pub(super) api: ApiServer,
    pub(super) who: User,
    pub(super) target: Target,
    pub(super) res: std::sync::Arc<Resource>,
    pub(super) query: Query,
    pub(super) parts: Parts,
    pub(super) body: Bytes,
    pub(super) faults: Vec<What>,
}

async fn serve(State(api): State<ApiServer>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    access::unwrap_path(&mut parts);
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return refused(&Status::new(
            413,
            "RequestEntityTooLarge",
            "Request entity too large: limit is 3145728",
        ));
    };
    let record = (parts.method != Method::GET).then(|| recorded(&parts, &body));
    let (who, response) = match access::who(&api, &parts) {
        Ok(who) => (who.name.clone(), admitted(&api, who, parts, body).await),
        Err(status) => (String::new(), refused(&status)),
    };
    if let Some(mut record) = record {
        record.user = who;
        record.code = answer::code(&response);
        api.inner.requests.add(record);
    }
    response
}

fn recorded(parts: &Parts, body: &Bytes) -> RecordedRequest {
    RecordedRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        content_type: answer::header(parts, "content-type").to_owned(),
        body: String::from_utf8_lossy(body).into_owned(),
        user: String::new(),
        code: 0,
    }
}

async fn admitted(api: &ApiServer, who: User, parts: Parts, body: Bytes) -> Response {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let route = route::parse(&parts.method, parts.uri.path(), &query);
    if let Err(status) = access::authorize(api, &who, &route, &query) {
        return refused(&status);
    }
    match route {
        Route::Path { path, .. } => discovery::serve(api, &path, &parts).unwrap_or_else(|s| refused(&s)),
        Route::Resource(target) => {
            let faults = api.inner.faults.strike(&Struck {
                verb: target.verb,
                resource: &target.with_sub(),
                namespace: &target.namespace,
                name: &target.name,
                user: &who.name,
            });
            let found =
                api.inner.state.lock().registry.find(&target.group, &target.version, &target.resource);
            let Some(res) = found else {
                return refused(&Status::no_such_path());
            };
            let api = api.clone();
            struck(Asked { api, who, target, res, query, parts, body, faults }).await
        }
    }
}

/// Faults first, then the request itself.
async fn struck(asked: Asked) -> Response {
    for fault in &asked.faults {
        match fault {
            What::Delay(by) => delay(*by).await,
            What::CutBefore => return answer::cut(),
            What::Status(code, after) => return refused(&injected(*code, *after)),
            What::Gone if asked.target.verb == "list" => return refused(&Status::too_old(1, 2)),
            What::Gone | What::CutAfter | What::Duplicate | What::Reorder | What::SilentWatch => {}
        }
    }
    let cut = asked.target.verb != "watch" && asked.faults.contains(&What::CutAfter);
    let answer = dispatch(asked);
    if cut { answer::cut() } else { answer.unwrap_or_else(|status| refused(&status)) }
}

async fn delay(by: Duration) {
    tokio::time::sleep(by).await;
}

fn injected(code: u16, after: u32) -> Status {
    match code {
        409 => Status::new(409, "Conflict", "Operation cannot be fulfilled: injected conflict"),
        429 => Status::too_many_requests("too many requests, please try again later", after),
        503 => Status::new(503, "ServiceUnavailable", "the server is currently unable to handle the request"),
        504 => Status::new(504, "Timeout", "request did not complete within the allotted timeout"),
        500 => Status::internal("injected failure"),
        other => Status::new(other, "", "injected answer"),
    }
}

fn dispatch(asked: Asked) -> Answer {
    let sub = asked.target.sub.clone();
    if let Some(sub) = &sub
        && asked.res.sub(sub).is_none_or(|known| !known.verbs.contains(&asked.target.verb))
    {
        return Err(if asked.res.sub(sub).is_none() {
            Status::no_such_path()
        } else {
            Status::method_not_allowed()
        });
    }
    if sub.is_none() && !asked.res.has_verb(asked.target.verb) {
        return Err(Status::method_not_allowed());
    }
    match (sub.as_deref(), asked.target.verb) {
        (Some("log"), _) => logs::serve(asked),
        (Some("scale"), _) => scale::serve(&asked),
        (_, "get") => read::get(&asked),
        (_, "list") => read::list(&asked),
        (_, "watch") => watch::serve(asked),
        (_, "create") => write::create(&asked),
        (_, "update") => write::update(&asked),
        (_, "patch") => patching::patch(&asked),
        (_, "delete") => deleting::delete(&asked),
        (_, "deletecollection") => deleting::delete_collection(&asked),
        _ => Err(Status::method_not_allowed()),
    }
}

fn refused(status: &Status) -> Response {
    answer::status(status)
}

/// A body that ends in an error: hyper closes the connection.
fn broken() -> Body {
    Body::from_stream(futures::stream::once(async {
        Err::<Bytes, _>(std::io::Error::new(std::io::ErrorKind::ConnectionReset, "injected cut"))
    }))
}
