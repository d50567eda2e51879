//! What is sent back: pages, parts of pages, files, ways elsewhere, and failures as a person may read them.

use std::io::Write as _;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::engine::{Kind, Refused};

/// Shorter answers are not worth packing.
const WORTH_PACKING: usize = 512;

/// A request that was not granted. The outermost layer makes a page of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    pub status: StatusCode,
    /// What a person may read about it; `""` where the status says it all.
    pub detail: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "")
    }

    pub(super) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub(super) fn too_many(detail: &str) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let text = if self.detail.is_empty() { self.status.to_string() } else { self.detail.clone() };
        let mut response = (self.status, text).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refused> for Failure {
    /// What a person is told; the inside of a failure goes to the log.
    fn from(refused: Refused) -> Self {
        let status = match refused.kind() {
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::StaleDigest | Kind::Conflict => StatusCode::CONFLICT,
            Kind::Expired => StatusCode::GONE,
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        };
        if let Some(source) = std::error::Error::source(&refused).filter(|_| status.is_server_error()) {
            tracing::error!(error = source, "{refused}");
        }
        Self::new(status, refused.to_string())
    }
}

/// A page, packed where the browser can unpack it.
pub(super) fn html(status: StatusCode, html: String, asked: &HeaderMap) -> Response {
    let bytes = Bytes::from(html);
    if bytes.len() < WORTH_PACKING || !unpacks(asked) {
        return with(status, "text/html; charset=utf-8", bytes, false);
    }
    with(status, "text/html; charset=utf-8", packed(&bytes, Compression::new(4)), true)
}

/// What was packed before, or as it is.
pub(super) fn ready(
    content_type: &'static str,
    plain: &Bytes,
    packed: &Bytes,
    asked: &HeaderMap,
) -> Response {
    let pack = !packed.is_empty() && unpacks(asked);
    let bytes = if pack { packed } else { plain };
    with(StatusCode::OK, content_type, bytes.clone(), pack)
}

/// Elsewhere, by GET.
pub(super) fn see(place: &str) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, place);
    response
}

/// The same for htmx, which does not see where a redirection leads.
pub(super) fn see_whole(place: &str) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert("hx-redirect", place);
    response
}

/// The bytes, packed.
pub(super) fn packed(bytes: &[u8], how: Compression) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), how);
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    Bytes::from(written.expect("writing to memory cannot fail"))
}

/// A path of this site, or the front page: nobody is sent elsewhere by a link to us.
pub(super) fn own_path(wanted: &str) -> &str {
    let own = wanted.starts_with('/')
        && !wanted.starts_with("//")
        && wanted.len() <= 2000
        && wanted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if own { wanted } else { "/incidents" }
}

fn with(status: StatusCode, content_type: &'static str, bytes: Bytes, packed: bool) -> Response {
    let mut response = (status, Body::from(bytes)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn unpacks(asked: &HeaderMap) -> bool {
    let accepted =
        asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|item| {
        let (coding, quality) = item.split_once(';').unwrap_or((item, ""));
        coding.trim().eq_ignore_ascii_case("gzip") && !matches!(quality.trim(), "q=0" | "q=0.0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(own_path("/incidents/i-7?x=1#a"), "/incidents/i-7?x=1#a");
        for elsewhere in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb: c", "/\u{a0}"]
        {
            assert_eq!(own_path(elsewhere), "/incidents", "{elsewhere}");
        }
    }

    #[test]
    fn only_those_get_packed_answers_who_can_unpack_them() {
        let asked = |value: &str| {
            [(header::ACCEPT_ENCODING, value.parse::<HeaderValue>().expect("a header"))].into_iter().collect()
        };
        assert!(unpacks(&asked("br, gzip;q=0.8")));
        for other in ["", "br", "gzip;q=0", "xgzip"] {
            assert!(!unpacks(&asked(other)), "{other}");
        }
    }
}
