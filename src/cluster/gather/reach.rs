//! One GET: with a time limit, a size limit and a bound on how many run at once.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use tokio::sync::Semaphore;

const PATIENCE: Duration = Duration::from_secs(10);
const AT_ONCE: usize = 8;
/// A list of a namespace's pull secrets or names; larger answers are not evidence.
const LARGEST: usize = 8 * 1024 * 1024;

/// Why nothing was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Miss {
    NotThere,
    /// What the API server says of the missing right.
    Forbidden(String),
    Other(String),
}

impl Miss {
    /// For people; ends up in a gap.
    pub(super) fn why(self) -> String {
        match self {
            Self::NotThere => "it does not exist".to_owned(),
            Self::Forbidden(message) => format!("no right to: {message}"),
            Self::Other(message) => message,
        }
    }
}

/// Gives the client of the moment: it is another one after credentials were renewed.
pub(in crate::cluster) type Clients = Box<dyn Fn() -> kube::Client + Send + Sync>;

/// The way to the API server.
pub(super) struct Reach {
    clients: Clients,
    turns: Semaphore,
}

impl Reach {
    pub(super) fn new(clients: Clients) -> Self {
        Self { clients, turns: Semaphore::new(AT_ONCE) }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Bytes, Miss> {
        self.get_as(path, "application/json").await
    }

    /// With an `Accept` of the caller's.
    pub(super) async fn get_as(&self, path: &str, accept: &str) -> Result<Bytes, Miss> {
        let request = Request::get(path).header(http::header::ACCEPT, accept).body(Body::empty());
        let request = request.map_err(|error| Miss::Other(format!("this cannot be asked for: {error}")))?;
        let _turn = self.turns.acquire().await.map_err(|_| Miss::Other("kubemend is stopping".to_owned()))?;
        let answered = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        answered.unwrap_or_else(|_| Err(Miss::Other(format!("no answer within {} s", PATIENCE.as_secs()))))
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Bytes, Miss> {
        let response = (self.clients)().send(request).await.map_err(|error| Miss::Other(chain(&error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body =
            body.map_err(|_| Miss::Other("the answer broke off or is too large".to_owned()))?.to_bytes();
        match status {
            StatusCode::OK => Ok(body),
            StatusCode::NOT_FOUND => Err(Miss::NotThere),
            StatusCode::FORBIDDEN => Err(Miss::Forbidden(message(&body))),
            _ => Err(Miss::Other(format!("HTTP {}: {}", status.as_u16(), message(&body)))),
        }
    }
}

/// The `message` of a Status, bounded.
fn message(body: &[u8]) -> String {
    let status: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = status["message"].as_str().unwrap_or("no reason given");
    crate::incident::redact(text).chars().take(300).collect()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    crate::incident::redact(&text).chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_server_says_of_a_failure_is_told_without_credentials() {
        let said = br#"{"message": "cannot reach https://bot:hunter2@harbor.example.com/v2"}"#;
        let told = message(said);
        assert!(told.contains("harbor.example.com") && !told.contains("hunter2"), "{told}");
        let told = chain(&std::io::Error::other("proxy http://bot:hunter2@proxy.example.com refused"));
        assert!(told.contains("proxy.example.com") && !told.contains("hunter2"), "{told}");
    }
}
