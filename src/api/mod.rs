//! `/api/v1`: JSON over HTTP for the terminal, the console and programs.
//!
//! Owns parsing requests, recognising bearer tokens, shaping answers, the event stream, and the OpenAPI
//! document. Refuses to decide: what an identity may do is the gate's to say, and everything that changes
//! something goes through the engine's handle. Never sends the inside of a failure.

pub mod asks;
pub mod auth;
mod desk;
mod events;
pub mod filter;
mod guard;
mod openapi;
pub mod problem;
mod request;
mod routes;
mod serve;
mod settings;
#[cfg(test)]
mod tests;
pub mod view;

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::middleware;
use axum::routing::{MethodRouter, any};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use guard::REQUEST_ID;
pub use settings::{Limits, Settings, TokenEntry};

use auth::Tokens;
use problem::{Code, Problem};
use routes::Access;

use crate::engine::Handle;

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Api {
    engine: Handle,
    tokens: Arc<Tokens>,
    limits: Limits,
    /// Places for requests, and for event streams.
    places: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    stop: CancellationToken,
}

/// The API's routes. `outside` are further routes on the same listener (probes, pages); they need no token and
/// pass the same limits, and what is nowhere else is theirs if they have a fallback. Event streams end when `stop` is cancelled.
pub fn router(
    engine: Handle,
    tokens: Tokens,
    limits: Limits,
    outside: Router,
    stop: CancellationToken,
) -> Router {
    let api = Api {
        engine,
        tokens: Arc::new(tokens),
        places: Arc::new(Semaphore::new(limits.requests_at_once)),
        streams: Arc::new(Semaphore::new(limits.event_streams)),
        limits,
        stop,
    };
    let (open, closed): (Vec<_>, Vec<_>) =
        routes::all().into_iter().partition(|route| route.access == Access::Anyone);
    let guarded = mount(closed).route_layer(middleware::from_fn_with_state(api.clone(), guard::known_only));
    mount(open)
        .merge(guarded)
        .with_state(api.clone())
        .route("/api/{*rest}", any(nowhere))
        .method_not_allowed_fallback(|method: Method| async move {
            Problem::new(Code::MethodNotAllowed, format!("{method} is not possible here"), "")
        })
        .merge(outside)
        .layer(middleware::from_fn_with_state(api, guard::outermost))
}

/// What is asked for does not exist.
pub async fn nowhere() -> Problem {
    Problem::not_found("such page")
}

/// The OpenAPI document.
pub fn document() -> serde_json::Value {
    openapi::document(&routes::all())
}

fn mount(routes: Vec<routes::Route>) -> Router<Api> {
    let add = |router: Router<Api>, route: routes::Route| {
        let handler: MethodRouter<Api> = route.handler;
        router.route(route.path, handler)
    };
    routes.into_iter().fold(Router::new(), add)
}
