//! A person with a token, over HTTP.

use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};

use super::eventually;

/// `/api/v1` of a running kubemend.
#[derive(Clone)]
pub struct Api {
    client: kube::Client,
}

impl Api {
    /// The API at `http://ADDRESS`, with a token.
    pub fn at(url: &str, token: &str) -> Self {
        let mut config = kube::Config::new(url.parse().expect("the test gives a URL"));
        config.auth_info.token = Some(token.to_owned().into());
        config.default_retry = false;
        Self { client: kube::Client::try_from(config).expect("plain HTTP needs nothing that could fail") }
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), String> {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(Body::from(bytes))
            .map_err(|error| error.to_string())?;
        let answer = self.client.send(request).await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, None).await.expect("the API answers");
        assert!(status.is_success(), "GET {path}: {status}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, Some(body)).await.expect("the API answers")
    }

    /// Waits until it answers at all.
    pub async fn wait_ready(&self) {
        eventually("kubemend is ready", Duration::from_secs(60), || async {
            match self.send(Method::GET, "/readyz", None).await {
                Ok((StatusCode::OK, _)) => Ok(()),
                Ok((status, body)) => Err(format!("{status}: {body}")),
                Err(error) => Err(error),
            }
        })
        .await;
    }

    /// The first open incident of that condition in that namespace.
    pub async fn incident(&self, condition: &str, namespace: &str, limit: Duration) -> Value {
        let path = format!("/api/v1/incidents?condition={condition}&namespace={namespace}&state=open");
        eventually(&format!("incident {condition} in {namespace}"), limit, || async {
            let page = self.get(&path).await;
            page["incidents"].get(0).cloned().ok_or_else(|| overview(&page))
        })
        .await
    }

    /// The open proposal of an incident for that remedy's first action.
    pub async fn proposal(&self, incident: &str, action: &str, limit: Duration) -> Value {
        let path = format!("/api/v1/incidents/{incident}");
        eventually(&format!("a proposal with {action} for {incident}"), limit, || async {
            let detail = self.get(&path).await;
            let records = detail["incident"]["proposals"].as_object().cloned().unwrap_or_default();
            let fits = |record: &Value| {
                record["state"]["is"] == "open"
                    && record["proposal"]["plan"]["actions"]
                        .as_array()
                        .is_some_and(|actions| actions.contains(&json!(action)))
            };
            match records.values().find(|record| fits(record)) {
                Some(record) => Ok(record["proposal"].clone()),
                None => Err(format!("proposals {}; entries {}", json!(records), detail["entries"])),
            }
        })
        .await
    }

    /// The same with so many changes: one for each object that it hits.
    pub async fn proposal_with(
        &self,
        incident: &str,
        action: &str,
        changes: usize,
        limit: Duration,
    ) -> Value {
        eventually(
            &format!("a proposal with {action} and {changes} changes for {incident}"),
            limit,
            || async {
                let proposal = self.proposal(incident, action, limit).await;
                let planned = proposal["plan"]["changes"].as_array().map_or(0, Vec::len);
                if planned == changes { Ok(proposal) } else { Err(format!("{planned} changes")) }
            },
        )
        .await
    }

    /// The proposal and what came of it.
    pub async fn look(&self, proposal: &Value) -> Value {
        self.get(&format!("/api/v1/proposals/{}", id(proposal))).await
    }

    /// Decides: `approve`, `deny` or `withdraw`.
    pub async fn decide(
        &self,
        what: &str,
        proposal: &Value,
        digest: &Value,
        typed: &Value,
    ) -> (StatusCode, Value) {
        let body = json!({"digest": digest, "confirmation": typed});
        self.post(&format!("/api/v1/proposals/{}/{what}", id(proposal)), &body).await
    }

    /// The same where the answer may be lost because the process dies.
    pub async fn try_approve(&self, proposal: &Value) -> Result<(StatusCode, Value), String> {
        let body =
            json!({"digest": proposal["digest"], "confirmation": proposal["policy"]["typedConfirmation"]});
        self.send(Method::POST, &format!("/api/v1/proposals/{}/approve", id(proposal)), Some(&body)).await
    }

    /// Approves what was seen, with whatever confirmation the policy asks for.
    pub async fn approve(&self, proposal: &Value) -> (StatusCode, Value) {
        let id = proposal["id"].as_str().expect("a proposal has an id");
        let body = json!({
            "digest": proposal["digest"],
            "confirmation": proposal["policy"]["typedConfirmation"],
        });
        self.post(&format!("/api/v1/proposals/{id}/approve"), &body).await
    }

    /// The verdict of the proposal's execution, once there is one.
    pub async fn verdict(&self, proposal: &Value, limit: Duration) -> String {
        let id = proposal["id"].as_str().expect("a proposal has an id");
        let path = format!("/api/v1/proposals/{id}");
        eventually(&format!("a verdict about {id}"), limit, || async {
            let detail = self.get(&path).await;
            match detail["execution"]["state"]["verdict"].as_str() {
                Some(verdict) => Ok(verdict.to_owned()),
                None => Err(format!("state {}, execution {}", detail["state"], detail["execution"])),
            }
        })
        .await
    }

    /// Waits until the incident is resolved.
    pub async fn resolved(&self, incident: &str, limit: Duration) {
        let path = format!("/api/v1/incidents/{incident}");
        eventually(&format!("{incident} is resolved"), limit, || async {
            let detail = self.get(&path).await;
            match detail["incident"]["status"]["is"].as_str() {
                Some("resolved") => Ok(()),
                _ => Err(format!("{} {}", detail["incident"]["status"], detail["incident"]["members"])),
            }
        })
        .await;
    }
}

/// The id of a proposal or an incident.
pub fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("it has an id")
}

fn overview(page: &Value) -> String {
    let none = Vec::new();
    let rows = page["incidents"].as_array().unwrap_or(&none);
    let names: Vec<String> = rows.iter().map(|row| format!("{} {}", row["id"], row["condition"])).collect();
    format!("incidents: [{}]", names.join(", "))
}
