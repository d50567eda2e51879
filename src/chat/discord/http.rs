//! The other way in: Discord calls kubemend, and signs what it sends.
//!
//! Refused before anything is read: bodies that are too large. Refused before anything is understood: wrong
//! signatures (Ed25519 over timestamp and body), old ones (five minutes; Discord itself names no limit), and a
//! request that came before. What is left is put into the inbox; the acknowledgement is the response.

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use serde::Deserialize;
use serde_json::{Value, json};
use serenity::interactions_endpoint::Verifier;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::ack::{GOOD_FOR, Unanswered};
use super::inbox::{Inbox, Receipt};
use crate::chat::hearing::Clock;

/// The largest body that is read.
const LARGEST: usize = 1024 * 1024;
/// How old a signature may be, and how far ahead its clock.
const WINDOW_SECONDS: i64 = 300;
const PING: u64 = 1;

/// What the route shares.
#[derive(Clone)]
struct Door {
    verifier: Arc<Verifier>,
    inbox: Arc<Inbox>,
    clock: Clock,
}

/// What verifies signatures with a public key; nothing if it is none.
pub(super) fn verifier(key: &str) -> Option<Verifier> {
    let digits = key.as_bytes();
    let hex = digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit);
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(key.as_bytes().chunks_exact(2)).filter(|_| hex) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Verifier::try_new(bytes).ok().filter(|_| hex)
}

/// `/discord/interactions`.
pub(super) fn router(verifier: Verifier, inbox: Arc<Inbox>, clock: Clock) -> Router {
    let door = Door { verifier: Arc::new(verifier), inbox, clock };
    Router::new().route("/discord/interactions", post(interactions)).with_state(door)
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: u64,
}

async fn interactions(State(door): State<Door>, request: Request) -> Response {
    let (body, signed) = match door.let_in(request).await {
        Ok(let_in) => let_in,
        Err(status) => return status.into_response(),
    };
    match serde_json::from_str::<Head>(&body) {
        Ok(Head { kind: PING }) => return axum::Json(json!({"type": 1})).into_response(),
        Ok(_) => {}
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    }
    if door.inbox.is_replay(&signed) {
        return refuse("a request that came before", "byte for byte").into_response();
    }
    match door.inbox.offer(&body) {
        Receipt::Answer(body, kept, tell) => {
            kept.in_time().await;
            respond(&body, tell)
        }
        Receipt::Wait(answer, otherwise) => match tokio::time::timeout(GOOD_FOR, answer).await {
            Ok(Ok((first, tell))) => respond(&first.body(), Some(tell)),
            Ok(Err(_)) | Err(_) => respond(&otherwise.body(), None),
        },
        Receipt::Unknown => StatusCode::BAD_REQUEST.into_response(),
        Receipt::Full => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

impl Door {
    /// The body of a request that Discord signed just now, and a name for it.
    async fn let_in(&self, request: Request) -> Result<(String, String), StatusCode> {
        let (parts, body) = request.into_parts();
        let body = read(&parts.headers, body).await?;
        let signature = text(&parts.headers, "x-signature-ed25519")?;
        let moment = text(&parts.headers, "x-signature-timestamp")?;
        self.verifier
            .verify(signature, moment, body.as_bytes())
            .map_err(|()| refuse("a signature that is wrong", "Ed25519"))?;
        let signed_at: i64 = moment.parse().map_err(|_| refuse("a time that is none", "its timestamp"))?;
        if (self.clock)().as_second().abs_diff(signed_at) > WINDOW_SECONDS.unsigned_abs() {
            return Err(refuse("an old signature", "more than five minutes"));
        }
        // Not the signature's own digits: those can be written in more than one way.
        let mut signed = Sha256::new();
        signed.update(moment.as_bytes());
        signed.update(b"\n");
        signed.update(body.as_bytes());
        let name = signed.finalize().iter().fold("signed ".to_owned(), |mut name, byte| {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
            name
        });
        Ok((body, name))
    }
}

fn refuse(what: &str, why: &str) -> StatusCode {
    metrics::counter!("kubemend_discord_refused_total").increment(1);
    tracing::warn!("refused {what} at /discord: {why}");
    StatusCode::UNAUTHORIZED
}

fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, StatusCode> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.ok_or_else(|| refuse("an unsigned request", name))
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

type Tell = oneshot::Sender<Result<(), Unanswered>>;

fn respond(body: &Value, tell: Option<Tell>) -> Response {
    let body = Telling { bytes: Some(Bytes::from(body.to_string())), tell };
    ([(header::CONTENT_TYPE, "application/json")], Body::new(body)).into_response()
}

/// A response's body that tells when it has been handed to the connection: further answers must come after.
struct Telling {
    bytes: Option<Bytes>,
    tell: Option<Tell>,
}

impl http_body::Body for Telling {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        let sent = self.bytes.is_none();
        if let Some(tell) = self.tell.take() {
            // Nobody need wait for it.
            let _ = tell.send(if sent { Ok(()) } else { Err(Unanswered::TooLate) });
        }
    }
}
