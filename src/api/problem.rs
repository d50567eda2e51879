//! What the API says when it cannot do what was asked.
//!
//! One shape for every error: a code for programs, a sentence for people, the way out. Never the inside of a
//! failure: that goes to the log, under the request id that the answer carries.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of every answer that is an error.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

/// What went wrong, and the way out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorDetail {
    pub code: Code,
    pub message: String,
    /// What to do about it; `""` where there is nothing to say.
    pub hint: String,
}

/// Every kind of error, and its HTTP status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Code {
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    /// The state is not one in which this can be done.
    Conflict,
    /// The digest named is not the proposal's.
    StaleDigest,
    /// The time to decide is over.
    Expired,
    TooLarge,
    Invalid,
    TooMany,
    Internal,
    Unavailable,
}

impl Code {
    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict | Self::StaleDigest => StatusCode::CONFLICT,
            Self::Expired => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// An error on its way to whoever asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem(pub ErrorDetail);

impl Problem {
    /// An error with its way out.
    pub fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self(ErrorDetail { code, message: message.into(), hint: hint.into() })
    }

    /// The token is missing or wrong.
    pub fn unauthorized(message: &str) -> Self {
        Self::new(Code::Unauthorized, message, "send `Authorization: Bearer TOKEN` with a configured token")
    }

    /// There is no such thing.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no {what}"), "")
    }

    /// What was sent is not what is wanted.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::Invalid, message, "/api/v1/openapi.json describes what may be sent")
    }

    /// Too much at once.
    pub fn too_many(message: &str) -> Self {
        Self::new(Code::TooMany, message, "try again in a few seconds")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let code = self.0.code;
        let mut response = (code.status(), Json(ErrorBody { error: self.0 })).into_response();
        if code == Code::Unauthorized {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(code, Code::TooMany | Code::Unavailable) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
