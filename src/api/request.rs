//! Reading what was sent: who, the query, the body. Whatever is wrong becomes a [`Problem`] that says so.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Api;
use super::problem::{Code, Problem};
use crate::incident::Actor;

/// Whoever sent the request; put there by the guard.
pub(super) struct Who(pub Actor);

impl FromRequestParts<Api> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let actor = parts.extensions.get::<Actor>().cloned();
        actor.map(Self).ok_or_else(|| Problem::unauthorized("no token was sent"))
    }
}

/// The query string.
pub(super) struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Api) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(refused) => {
                Err(Problem::invalid(format!("the query cannot be read: {}", refused.body_text())))
            }
        }
    }
}

/// A JSON body of bounded size.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Api) -> Result<Self, Problem> {
        let declared = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = declared.is_some_and(|kind| kind.split(';').next() == Some("application/json"));
        let limit = state.limits.body_bytes;
        let bytes = axum::body::to_bytes(request.into_body(), limit).await.map_err(|_| too_large(limit))?;
        if !is_json {
            return Err(Problem::invalid("the body must be JSON: send `Content-Type: application/json`"));
        }
        let read = serde_json::from_slice(&bytes);
        read.map(Self).map_err(|error| Problem::invalid(format!("the body cannot be read: {error}")))
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("the body is larger than {limit} bytes"), "send less")
}
