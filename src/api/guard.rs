//! What every request passes before and after its route: an id, the limits, who is asking, the headers that
//! keep browsers from doing more with an answer than was meant.

use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::{Instrument as _, Level, debug, info, info_span, warn};

use super::Api;
use super::problem::{Code, Problem};
use crate::incident::Actor;

/// The header that names a request in answers and logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
];

/// Names the request, answers it, and says in the log and the metrics what became of it.
pub(super) async fn outermost(State(api): State<Api>, request: Request, next: Next) -> Response {
    let id = format!("{:016x}", rand::random::<u64>());
    let (method, route) = (request.method().clone(), route_of(&request));
    let started = std::time::Instant::now();
    let span = info_span!("request", request.id = id);
    let mut response = limited(&api, request, next).instrument(span).await;
    decorate(response.headers_mut(), &id);
    let status = response.status();
    report(&id, &method, &route, status);
    let labels = [("route", route), ("status", status.as_u16().to_string())];
    metrics::counter!("kubemend_api_requests_total", &labels).increment(1);
    metrics::histogram!("kubemend_api_request_seconds").record(started.elapsed().as_secs_f64());
    response
}

/// Lets in only those whose token is known. Runs before every route that is not open to anyone.
pub(super) async fn known_only(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let who: Result<Actor, Problem> = api.tokens.who(header).cloned();
    match who {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(problem) => {
            metrics::counter!("kubemend_api_refused_total").increment(1);
            problem.into_response()
        }
    }
}

async fn limited(api: &Api, request: Request, next: Next) -> Response {
    let Ok(_place) = api.places.try_acquire() else {
        return Problem::too_many("too many requests at once").into_response();
    };
    let limit = Duration::from_secs(api.limits.request_seconds);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            Code::Unavailable,
            format!("the request took longer than {} seconds", limit.as_secs()),
            "try again; if it was a decision, look first whether it was recorded",
        )
        .into_response(),
    }
}

/// The template of the path, never the path: labels come from a closed set.
fn route_of(request: &Request) -> String {
    request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned())
}

fn decorate(headers: &mut HeaderMap, id: &str) {
    // Pages have a policy of their own.
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
}

/// What fails or may have changed something is said; that somebody looked, only to those who want to know.
fn report(id: &str, method: &Method, route: &str, status: StatusCode) {
    let (code, request) = (status.as_u16(), id);
    match loudness(method, status) {
        Level::WARN => warn!(request.id = request, http.status = code, "{method} {route} answered {code}"),
        Level::DEBUG => debug!(request.id = request, http.status = code, "{method} {route} answered {code}"),
        _ => info!(request.id = request, http.status = code, "{method} {route} answered {code}"),
    }
}

fn loudness(method: &Method, status: StatusCode) -> Level {
    if status.is_server_error() {
        Level::WARN
    } else if method.is_safe() && !status.is_client_error() {
        Level::DEBUG
    } else {
        Level::INFO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_looked_at_is_not_told_and_what_changes_or_fails_is() {
        let loud = |method: Method, code: u16| loudness(&method, StatusCode::from_u16(code).unwrap());
        assert_eq!(loud(Method::GET, 200), Level::DEBUG);
        assert_eq!(loud(Method::HEAD, 304), Level::DEBUG);
        assert_eq!(loud(Method::GET, 401), Level::INFO);
        assert_eq!(loud(Method::POST, 200), Level::INFO);
        assert_eq!(loud(Method::POST, 409), Level::INFO);
        assert_eq!(loud(Method::GET, 503), Level::WARN);
        assert_eq!(loud(Method::POST, 500), Level::WARN);
    }
}
