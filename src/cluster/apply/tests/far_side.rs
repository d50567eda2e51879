//! A server with one object that answers as it is told, and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::BoxError;

use crate::cluster::apply::Writer;

/// What the far side does with a changing request.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Does {
    /// Carries it out and answers.
    Answers,
    /// Carries it out, and the connection breaks before the answer.
    CutsAfter,
    /// The connection breaks before anything is done.
    CutsBefore,
    /// Carries it out and never answers.
    HangsAfter,
    /// Refuses with this status.
    Refuses(u16),
    /// Carries it out and answers with this status all the same (a proxy's 502).
    Lies(u16),
}

/// A changing request: method, path and query, body, impersonated user.
pub(super) type Sent = (Method, String, Value, Option<String>);

/// A server with one object.
#[derive(Clone)]
pub(super) struct FarSide {
    pub(super) object: Arc<Mutex<Option<Value>>>,
    pub(super) does: Arc<Mutex<Does>>,
    pub(super) reads_fail_after_change: Arc<Mutex<bool>>,
    pub(super) changes: Arc<AtomicUsize>,
    pub(super) seen: Arc<Mutex<Vec<Sent>>>,
}

impl FarSide {
    pub(super) fn new(object: Option<Value>, does: Does) -> Self {
        Self {
            object: Arc::new(Mutex::new(object)),
            does: Arc::new(Mutex::new(does)),
            reads_fail_after_change: Arc::default(),
            changes: Arc::default(),
            seen: Arc::default(),
        }
    }

    pub(super) fn client(&self) -> Client {
        let far = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let far = far.clone();
            async move { far.serve(request).await }
        });
        Client::new(service, "default")
    }

    pub(super) fn writer(&self) -> Writer {
        Writer::new("prod".into(), self.client()).patient_for(Duration::from_millis(150))
    }

    pub(super) fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }

    async fn serve(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let (parts, body) = request.into_parts();
        if parts.method == Method::GET {
            if *self.reads_fail_after_change.lock() && self.changes() > 0 {
                return Err("connection reset".into());
            }
            return Ok(self
                .object
                .lock()
                .as_ref()
                .map_or_else(|| reply(404, &json!({"message": "not found"})), |o| reply(200, o)));
        }
        self.changes.fetch_add(1, Ordering::SeqCst);
        let body = serde_json::from_slice(&body.collect().await?.to_bytes()).unwrap_or_default();
        let user = parts.headers.get("Impersonate-User").and_then(|v| v.to_str().ok()).map(str::to_owned);
        self.seen.lock().push((parts.method.clone(), parts.uri.to_string(), body, user));
        let does = *self.does.lock();
        match does {
            Does::CutsBefore => Err("connection reset".into()),
            Does::Refuses(code) => Ok(reply(code, &json!({"message": "no"}))),
            Does::Answers => Ok(self.carry_out(&parts.method)),
            Does::Lies(code) => {
                self.carry_out(&parts.method);
                Ok(reply(code, &json!({"message": "bad gateway"})))
            }
            Does::CutsAfter => {
                self.carry_out(&parts.method);
                Err("connection reset".into())
            }
            Does::HangsAfter => {
                self.carry_out(&parts.method);
                std::future::pending().await
            }
        }
    }

    /// As an API server does it: uid preconditions and tests hold, or nothing is done.
    pub(super) fn carry_out(&self, method: &Method) -> Response<Body> {
        let body = self.seen.lock().last().expect("a request").2.clone();
        let mut slot = self.object.lock();
        let Some(object) = slot.as_mut() else { return reply(404, &json!({"message": "not found"})) };
        if *method == Method::DELETE {
            if body["preconditions"]["uid"] != object["metadata"]["uid"] {
                return reply(409, &json!({"message": "the UID in the precondition does not match"}));
            }
            *slot = None;
            return reply(200, &json!({"kind": "Status", "status": "Success"}));
        }
        let patch: json_patch::Patch = serde_json::from_value(body).expect("a JSON patch");
        if json_patch::patch(object, &patch).is_err() {
            return reply(422, &json!({"message": "the server rejected our request"}));
        }
        object["metadata"]["generation"] =
            json!(object["metadata"]["generation"].as_i64().unwrap_or_default() + 1);
        object["metadata"]["resourceVersion"] = json!("8");
        reply(200, object)
    }
}

pub(super) fn reply(code: u16, body: &Value) -> Response<Body> {
    Response::builder().status(code).body(Body::from(body.to_string().into_bytes())).expect("a response")
}
