//! `/healthz`: alive. `/readyz`: ready, or what is not. `/metrics`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::Metrics;

/// Something that is not ready yet, or not any more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotReady {
    /// Such as `cluster production`.
    pub what: String,
    /// Such as `pods are not listed yet`.
    pub why: String,
}

type Ask = dyn Fn() -> BoxFuture<'static, Vec<NotReady>> + Send + Sync;

/// How to ask whether everything is ready; an empty answer means that it is.
#[derive(Clone)]
pub struct Readiness(Arc<Ask>);

impl Readiness {
    /// Asks `ask` at each probe.
    pub fn new(ask: impl Fn() -> BoxFuture<'static, Vec<NotReady>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    waiting: Vec<NotReady>,
}

/// The routes for probes and scrapes; they need no token and tell nothing about incidents.
pub fn router(metrics: Metrics, readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state(readiness))
        .route("/metrics", get(scrape).with_state(metrics))
}

async fn ready(State(Readiness(ask)): State<Readiness>) -> Response {
    let waiting = ask().await;
    let status = if waiting.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(Ready { ready: waiting.is_empty(), waiting })).into_response()
}

async fn scrape(State(metrics): State<Metrics>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(waiting: Vec<NotReady>, path: &str) -> (u16, String) {
        let readiness = Readiness::new(move || {
            let waiting = waiting.clone();
            Box::pin(async move { waiting })
        });
        let request = Request::get(path).body(Body::empty()).expect("a valid request");
        let response = router(Metrics::install(), readiness).oneshot(request).await.expect("infallible");
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a small body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn readiness_says_what_is_missing() {
        let pods = NotReady { what: "cluster a".into(), why: "pods are not listed yet".into() };
        let (status, body) = get(vec![pods], "/readyz").await;
        assert_eq!(status, 503);
        assert!(body.contains("pods are not listed yet"), "{body}");
        assert_eq!(get(Vec::new(), "/readyz").await.0, 200);
    }

    #[tokio::test]
    async fn being_alive_does_not_depend_on_being_ready() {
        let anything = NotReady { what: "store".into(), why: "read-only".into() };
        assert_eq!(get(vec![anything], "/healthz").await.0, 200);
    }

    #[tokio::test]
    async fn metrics_are_text_that_prometheus_reads() {
        let (status, body) = get(Vec::new(), "/metrics").await;
        assert_eq!(status, 200);
        assert!(body.contains("# TYPE kubemend_build_info gauge"), "{body}");
    }
}
