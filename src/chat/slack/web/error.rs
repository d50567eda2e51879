//! What came of a request to Slack, by what can be done about it.

use std::error::Error;
use std::time::Duration;

use hyper_util::client::legacy::Error as LinkError;
use slack_morphism::errors::SlackClientError;
use thiserror::Error;

/// How long to wait where Slack does not say.
const USUAL_WAIT: Duration = Duration::from_secs(5);

/// Why a request did not do what it should. Holds no token, URL or body.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum WebError {
    /// HTTP 429.
    #[error("{method}: rate limited for {} s", after.as_secs())]
    RateLimited { method: &'static str, after: Duration },
    /// Slack answered that it will not.
    #[error("{method}: Slack says {code}{}{}", said(detail), needing(needed.as_deref()))]
    Api { method: &'static str, code: String, detail: String, needed: Option<String> },
    /// It certainly never reached Slack.
    #[error("{method}: not sent: {why}")]
    NotSent { method: &'static str, why: String },
    /// Whether Slack did it is not known.
    #[error("{method}: no certain answer: {why}")]
    Unknown { method: &'static str, why: String },
}

impl WebError {
    /// What slack-morphism told.
    pub(super) fn of(method: &'static str, error: &SlackClientError) -> Self {
        match error {
            SlackClientError::RateLimitError(limited) => {
                Self::RateLimited { method, after: limited.retry_after.unwrap_or(USUAL_WAIT) }
            }
            SlackClientError::ApiError(refused) => {
                let body = refused.http_response_body.as_deref().unwrap_or_default();
                let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
                Self::Api {
                    method,
                    code: refused.code.clone(),
                    detail: short(&refused.errors.clone().unwrap_or_default().join("; ")),
                    needed: body["needed"].as_str().map(short),
                }
            }
            SlackClientError::HttpError(http) if http.status_code.is_client_error() => {
                Self::api(method, &format!("HTTP {}", http.status_code.as_u16()))
            }
            SlackClientError::HttpError(http) => {
                Self::unknown(method, &format!("HTTP {}", http.status_code.as_u16()))
            }
            SlackClientError::HttpProtocolError(protocol) => {
                let cause = protocol.cause.as_deref().map(|cause| cause as &(dyn Error + 'static));
                cause.map_or_else(
                    || Self::unknown(method, "the connection broke"),
                    |cause| Self::link(method, cause),
                )
            }
            SlackClientError::ProtocolError(undecodable) => {
                Self::unknown(method, &format!("the answer cannot be read: {}", undecodable.json_error))
            }
            SlackClientError::EndOfStream(_)
            | SlackClientError::SystemError(_)
            | SlackClientError::SocketModeProtocolError(_) => Self::unknown(method, "the connection broke"),
        }
    }

    /// A failure below HTTP: refused, or broken in between.
    fn link(method: &'static str, error: &(dyn Error + 'static)) -> Self {
        let connecting =
            chain(error).any(|error| error.downcast_ref::<LinkError>().is_some_and(LinkError::is_connect));
        let why = chain(error).last().map(ToString::to_string).unwrap_or_default();
        if connecting { Self::NotSent { method, why: short(&why) } } else { Self::unknown(method, &why) }
    }

    pub(super) fn api(method: &'static str, code: &str) -> Self {
        Self::Api { method, code: short(code), detail: String::new(), needed: None }
    }

    pub(super) fn unknown(method: &'static str, why: &str) -> Self {
        Self::Unknown { method, why: short(why) }
    }

    pub(super) fn not_sent(method: &'static str, error: &dyn Error) -> Self {
        Self::NotSent { method, why: short(&error.to_string()) }
    }

    pub(super) fn too_long(method: &'static str) -> Self {
        Self::unknown(method, "it took too long")
    }

    pub(super) fn no_token(method: &'static str) -> Self {
        Self::NotSent { method, why: "there is no app-level token".to_owned() }
    }

    pub(super) fn elsewhere(method: &'static str) -> Self {
        Self::NotSent { method, why: "the URL is not one of Slack's".to_owned() }
    }

    pub(super) fn no_roots(error: &dyn Error) -> Self {
        let why = format!("the operating system's CA certificates cannot be read: {error}");
        Self::NotSent { method: "connect", why }
    }

    /// Slack's name for the refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api { code, .. } => Some(code),
            Self::RateLimited { .. } | Self::NotSent { .. } | Self::Unknown { .. } => None,
        }
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

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn said(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(" ({detail})") }
}

fn needing(scope: Option<&str>) -> String {
    scope.map(|scope| format!("; it needs the scope {scope}")).unwrap_or_default()
}

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}
