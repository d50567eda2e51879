//! What came of a request to Discord, by what can be done about it.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use hyper_util::client::legacy::Error as LinkError;
use serde_json::Value;
use thiserror::Error;

/// Why a request did not do what it should. Holds no token, URL or body.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum WebError {
    /// HTTP 429, or a request that would have been answered with it and was not made.
    #[error("{route}: rate limited for {after:.1?}")]
    RateLimited { route: &'static str, after: Duration, scope: Scope },
    /// Discord answered that it will not. `code` is 0 where it gave none.
    #[error("{route}: Discord says {message} (HTTP {status}, code {code}){}", at(path))]
    Api { route: &'static str, status: u16, code: u64, message: String, path: String },
    /// It certainly never reached Discord.
    #[error("{route}: not sent: {why}")]
    NotSent { route: &'static str, why: String },
    /// Whether Discord did it is not known.
    #[error("{route}: no certain answer: {why}")]
    Unknown { route: &'static str, why: String },
}

/// How far a rate limit reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// This route, in this channel, guild or webhook.
    Route,
    /// The same, and others use it up, too.
    Shared,
    /// Everything.
    Global,
}

impl WebError {
    /// What Discord answered with another status than success; 429 is judged elsewhere.
    pub(super) fn answered(route: &'static str, status: StatusCode, body: &Value) -> Self {
        if status.is_server_error() {
            return Self::unknown(route, &format!("HTTP {}", status.as_u16()));
        }
        let message = body["message"].as_str().or(status.canonical_reason()).unwrap_or("no");
        Self::Api {
            route,
            status: status.as_u16(),
            code: body["code"].as_u64().unwrap_or_default(),
            message: short(message),
            path: place(&body["errors"], DEEPEST).unwrap_or_default(),
        }
    }

    /// A failure below HTTP: refused, or broken in between.
    pub(super) fn link(route: &'static str, error: &(dyn Error + 'static)) -> Self {
        let connecting =
            chain(error).any(|error| error.downcast_ref::<LinkError>().is_some_and(LinkError::is_connect));
        let why = chain(error).last().map(ToString::to_string).unwrap_or_default();
        if connecting { Self::not_sent(route, &why) } else { Self::unknown(route, &why) }
    }

    pub(super) fn unknown(route: &'static str, why: &str) -> Self {
        Self::Unknown { route, why: short(why) }
    }

    pub(in crate::chat::discord) fn not_sent(route: &'static str, why: &str) -> Self {
        Self::NotSent { route, why: short(why) }
    }

    pub(super) fn no_roots(error: &dyn Error) -> Self {
        let why = format!("the operating system's CA certificates cannot be read: {error}");
        Self::NotSent { route: "connect", why }
    }

    /// Discord's number for the refusal.
    pub fn code(&self) -> Option<u64> {
        match self {
            Self::Api { code, .. } => Some(*code),
            Self::RateLimited { .. } | Self::NotSent { .. } | Self::Unknown { .. } => None,
        }
    }

    /// The HTTP status of the refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } => Some(*status),
            Self::RateLimited { .. } | Self::NotSent { .. } | Self::Unknown { .. } => None,
        }
    }

    /// Certainly not done, and worth another try.
    pub fn passes(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::NotSent { .. })
    }

    /// For metrics.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::Api { .. } => "refused",
            Self::NotSent { .. } => "not_sent",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// How deep the places of a form error are followed.
const DEEPEST: usize = 12;

/// The first place that a form error names, with what is wrong there: `embeds.0.title: too long`.
fn place(errors: &Value, depth: usize) -> Option<String> {
    let fields = errors.as_object().filter(|_| depth > 0)?;
    if let Some(first) = fields.get("_errors").and_then(|found| found.get(0)) {
        return Some(short(first["message"].as_str().unwrap_or_default()));
    }
    fields.iter().find_map(|(name, inner)| {
        let rest = place(inner, depth - 1)?;
        let parts = if inner.get("_errors").is_some() { ": " } else { "." };
        Some(short(&format!("{name}{parts}{rest}")))
    })
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" at {path}") }
}

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_error_says_where() {
        let body = json!({"code": 50035, "message": "Invalid Form Body", "errors": {"embeds": {"0": {"fields":
            {"2": {"value": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 1024 or fewer"}]}}}}}}});
        let error = WebError::answered("channels/{}/messages", StatusCode::BAD_REQUEST, &body);
        let told = "channels/{}/messages: Discord says Invalid Form Body (HTTP 400, code 50035) at embeds.0.fields.2.value: Must be 1024 or fewer";
        assert_eq!(error.to_string(), told);
        assert_eq!(error.code(), Some(50035));
    }

    #[test]
    fn a_server_error_leaves_open_whether_it_was_done() {
        let error = WebError::answered("x", StatusCode::BAD_GATEWAY, &Value::Null);
        assert!(matches!(error, WebError::Unknown { .. }), "{error}");
        let error = WebError::answered("x", StatusCode::FORBIDDEN, &Value::Null);
        assert_eq!((error.status(), error.code()), (Some(403), Some(0)));
    }
}
