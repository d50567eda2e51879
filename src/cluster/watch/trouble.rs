//! Why a listing or a watch ended, and what that asks for.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use crate::cluster::wire::Status;

/// Why it ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::cluster) enum Trouble {
    /// The server ended the watch in good order.
    Ended,
    /// 410: the resource version is too old.
    Expired,
    /// 403.
    Forbidden(String),
    /// 401: the token may have expired.
    Unauthorized,
    /// 404 or 405: the kind is not served here.
    Absent,
    /// 429, or a server that asks for patience.
    Throttled(Option<Duration>),
    /// Another 4xx: the server does not understand the request.
    Refused(String),
    /// 5xx.
    Server(String),
    /// The connection broke, or could not be made.
    Broken(String),
    /// Nothing came for too long.
    Silent,
    /// Deliveries came in the wrong order.
    OutOfOrder,
}

impl Trouble {
    /// A label of a closed set, for metrics.
    pub(in crate::cluster) fn label(&self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Expired => "expired",
            Self::Forbidden(_) => "forbidden",
            Self::Unauthorized => "unauthorized",
            Self::Absent => "absent",
            Self::Throttled(_) => "throttled",
            Self::Refused(_) => "refused",
            Self::Server(_) => "server",
            Self::Broken(_) => "broken",
            Self::Silent => "silent",
            Self::OutOfOrder => "out-of-order",
        }
    }

    /// In words, for people.
    pub(in crate::cluster) fn text(&self) -> String {
        match self {
            Self::Ended => "the server ended the watch".to_owned(),
            Self::Expired => "the resource version is too old".to_owned(),
            Self::Forbidden(message) => format!("no right: {message}"),
            Self::Unauthorized => "the credentials are not accepted".to_owned(),
            Self::Absent => "the server does not serve this kind".to_owned(),
            Self::Throttled(_) => "the server asks for patience".to_owned(),
            Self::Refused(message) => format!("refused: {message}"),
            Self::Server(message) => format!("the server failed: {message}"),
            Self::Broken(message) => format!("connection: {message}"),
            Self::Silent => "nothing came for too long".to_owned(),
            Self::OutOfOrder => "an older version came after a newer one".to_owned(),
        }
    }

    /// What a `Status` means, in an answer or in the middle of a watch.
    pub(super) fn of(status: Status, headers: Option<&HeaderMap>) -> Self {
        let Status { code, reason, message, details } = status;
        let after = headers
            .and_then(|headers| headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok())
            .or(details.retry_after_seconds)
            .map(Duration::from_secs);
        let message = cut(if message.is_empty() { reason } else { message });
        match code {
            401 => Self::Unauthorized,
            403 => Self::Forbidden(message),
            404 | 405 => Self::Absent,
            410 => Self::Expired,
            429 => Self::Throttled(after),
            500.. | 0 if after.is_some() => Self::Throttled(after),
            500.. | 0 => Self::Server(message),
            _ => Self::Refused(message),
        }
    }

    /// A failed answer whose body is `Status` or anything else.
    pub(super) fn answer(code: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut status: Status = serde_json::from_slice(body).unwrap_or_default();
        status.code = code.as_u16();
        if status.message.is_empty() {
            code.canonical_reason().unwrap_or("unknown status").clone_into(&mut status.message);
        }
        Self::of(status, Some(headers))
    }
}

/// Servers and what stands between may write much.
fn cut(mut text: String) -> String {
    const LONGEST: usize = 300;
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

/// How long to wait before the next attempt: doubling, with jitter, bounded.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: 0 }
    }

    /// Between half and all of what is due, so that eleven watches do not come back in step.
    pub(super) fn next(&mut self, jitter: f64) -> Duration {
        let due = self.first.saturating_mul(1 << self.failures.min(16)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        due.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }

    /// It works again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u16) -> Trouble {
        Trouble::of(Status { code, message: "m".into(), ..Status::default() }, None)
    }

    #[test]
    fn each_code_asks_for_its_own() {
        assert_eq!(of(410), Trouble::Expired);
        assert_eq!(of(401), Trouble::Unauthorized);
        assert_eq!(of(403), Trouble::Forbidden("m".into()));
        assert_eq!(of(422), Trouble::Refused("m".into()));
        assert_eq!(of(503), Trouble::Server("m".into()));
    }

    #[test]
    fn patience_is_read_from_the_header_or_the_status() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, "7".parse().unwrap());
        let seven = Trouble::Throttled(Some(Duration::from_secs(7)));
        assert_eq!(Trouble::answer(StatusCode::TOO_MANY_REQUESTS, &headers, b"slow down"), seven);
        assert_eq!(Trouble::answer(StatusCode::SERVICE_UNAVAILABLE, &headers, b""), seven);
        let body = br#"{"details":{"retryAfterSeconds":7}}"#;
        assert_eq!(Trouble::answer(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body), seven);
    }

    #[test]
    fn waiting_doubles_up_to_its_bound_and_starts_over() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let waits: Vec<u64> = (0..4).map(|_| backoff.next(1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5]);
        backoff.reset();
        assert_eq!(backoff.next(0.0), Duration::from_millis(500));
    }
}
