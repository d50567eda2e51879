//! The other way in: Slack calls kubemend, and signs what it sends.
//!
//! Refused before anything is read: bodies that are too large. Refused before anything is understood: wrong
//! signatures (compared in constant time), old ones (five minutes), and a request that came before, byte for
//! byte. What is left is put into the inbox and acknowledged at once.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Map, Value, json};
use slack_morphism::signature_verifier::SlackEventSignatureVerifier;

use super::inbound::Channel;
use super::inbox::{Inbox, Receipt};
use super::settings::Secret;

/// The largest body: a view has at most 250 KB, and three bytes may stand for one.
const LARGEST: usize = 1024 * 1024;

/// What the routes share.
#[derive(Clone)]
struct Door {
    verifier: Arc<SlackEventSignatureVerifier>,
    inbox: Arc<Inbox>,
}

/// `/slack/commands`, `/slack/interactions` and `/slack/events`.
pub(super) fn router(secret: &Secret, inbox: Arc<Inbox>) -> Router {
    let secret = secret.expose().to_owned().into();
    let door = Door { verifier: Arc::new(SlackEventSignatureVerifier::new(&secret)), inbox };
    Router::new()
        .route("/slack/commands", post(commands))
        .route("/slack/interactions", post(interactions))
        .route("/slack/events", post(events))
        .with_state(door)
}

async fn commands(State(door): State<Door>, request: Request) -> Response {
    let body = match door.let_in(request).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let fields = form(&body);
    if fields.contains_key("ssl_check") {
        return StatusCode::OK.into_response();
    }
    told(door.inbox.offer(Channel::Commands, &Value::Object(fields).to_string())).await
}

async fn interactions(State(door): State<Door>, request: Request) -> Response {
    let body = match door.let_in(request).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    match form(&body).get("payload").and_then(Value::as_str) {
        Some(payload) => told(door.inbox.offer(Channel::Interactions, payload)).await,
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn events(State(door): State<Door>, request: Request) -> Response {
    let body = match door.let_in(request).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let head: Value = serde_json::from_str(&body).unwrap_or_default();
    match (head["type"].as_str(), head["challenge"].as_str()) {
        (Some("url_verification"), Some(challenge)) => {
            axum::Json(json!({"challenge": challenge})).into_response()
        }
        _ => told(door.inbox.offer(Channel::Events, &body)).await,
    }
}

impl Door {
    /// The body of a request that Slack signed, just now, for the first time.
    async fn let_in(&self, request: Request) -> Result<String, StatusCode> {
        let (parts, body) = request.into_parts();
        let body = read(&parts.headers, body).await?;
        let signature = text(&parts.headers, SlackEventSignatureVerifier::SLACK_SIGNED_HASH_HEADER)?;
        let moment = text(&parts.headers, SlackEventSignatureVerifier::SLACK_SIGNED_TIMESTAMP)?;
        self.verifier
            .verify(signature, &body, moment)
            .map_err(|error| refuse("a signature that is wrong", &error))?;
        if self.inbox.is_replay(&format!("signature {moment} {signature}")) {
            return Err(refuse("a request that came before", &"byte for byte"));
        }
        Ok(body)
    }
}

fn refuse(what: &str, why: &dyn std::fmt::Display) -> StatusCode {
    metrics::counter!("kubemend_slack_refused_total").increment(1);
    tracing::warn!("refused {what} at /slack: {why}");
    StatusCode::UNAUTHORIZED
}

fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, StatusCode> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.ok_or_else(|| refuse("an unsigned request", &name))
}

/// What announces too much is not read at all; what does not announce it is read so far and no further.
async fn read(headers: &HeaderMap, body: Body) -> Result<String, StatusCode> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > LARGEST) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let bytes = to_bytes(body, LARGEST).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| StatusCode::BAD_REQUEST)
}

fn form(body: &str) -> Map<String, Value> {
    form_urlencoded::parse(body.as_bytes())
        .take(64)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}

async fn told(receipt: Receipt) -> Response {
    let (payload, mut due) = match receipt {
        Receipt::Acknowledge(payload, due) => (payload, due),
        Receipt::Full => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    due.in_time().await;
    match payload {
        None => StatusCode::OK.into_response(),
        Some(payload) => axum::Json(payload).into_response(),
    }
}
