//! Answers: JSON, `Status`, and the connection that just drops.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response as HttpResponse, header as names};
use axum::response::Response;
use serde_json::Value;

use super::super::status::Status;
use super::broken;

/// An answer, or the refusal to be sent instead.
pub(super) type Answer = Result<Response, Status>;

/// Marks a response whose connection is cut; it never reaches anybody.
#[derive(Clone)]
struct Cut;

pub(super) fn header<'a>(parts: &'a Parts, name: &str) -> &'a str {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

pub(super) fn json(code: u16, body: &Value) -> Response {
    bytes(code, "application/json", body.to_string())
}

pub(super) fn bytes(code: u16, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = HttpResponse::new(body.into());
    if let Ok(code) = code.try_into() {
        *response.status_mut() = code;
    }
    let headers = response.headers_mut();
    headers.insert(names::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(names::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

pub(super) fn status(status: &Status) -> Response {
    let mut response = json(status.code, &status.to_value());
    if let Some(after) = status.details.get("retryAfterSeconds").and_then(Value::as_u64) {
        response.headers_mut().insert(names::RETRY_AFTER, HeaderValue::from(after));
    }
    response
}

/// Warnings for fields that were dropped.
pub(super) fn warn(response: &mut Response, warnings: &[String]) {
    for warning in warnings {
        let text = format!("299 - {warning:?}");
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(names::WARNING, value);
        }
    }
}

/// Drops the connection before a byte of an answer is sent.
pub(super) fn cut() -> Response {
    let mut response = HttpResponse::new(broken());
    response.extensions_mut().insert(Cut);
    response
}

/// The code that goes out, 0 for a cut.
pub(super) fn code(response: &Response) -> u16 {
    if response.extensions().get::<Cut>().is_some() { 0 } else { response.status().as_u16() }
}
