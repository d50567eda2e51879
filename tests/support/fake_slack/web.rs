//! The HTTP side: methods, response URLs.

use std::sync::Weak;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::state::Call;
use super::{APP_TOKEN, BOT_TOKEN, FakeSlack, Fault, Inner, calls, files, methods};

pub async fn serve(listener: TcpListener, slack: Weak<Inner>) {
    let router = Router::new().fallback(answer).with_state(slack);
    let _ = axum::serve(listener, router).await;
}

async fn answer(Shared(slack): Shared<Weak<Inner>>, request: Request) -> Response {
    let Some(inner) = slack.upgrade() else { return plain(StatusCode::GONE, "over") };
    let slack = FakeSlack { inner };
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = to_bytes(body, 4 * 1024 * 1024).await.unwrap_or_default();
    if let Some(id) = path.strip_prefix("/response/") {
        let body = serde_json::from_slice(&body).unwrap_or_default();
        return responded(&slack, id, &body).await;
    }
    if let Some(id) = path.strip_prefix("/upload/") {
        return files::upload(&slack, id, &body);
    }
    let Some(method) = path.strip_prefix("/api/") else {
        return plain(StatusCode::NOT_FOUND, "no such page");
    };
    let query = parts.uri.query().unwrap_or_default().to_owned();
    called(&slack, method, &parts.headers, &query, &body).await
}

/// An answer at a response URL; in faults and calls it is named `response_url`.
async fn responded(slack: &FakeSlack, id: &str, body: &Value) -> Response {
    let method = "response_url";
    let fault = slack.fault_for(method);
    note(slack, method, body, if fault.is_some() { "struck" } else { "ok" });
    match fault {
        Some(Fault::RateLimited(seconds)) => {
            let mut answer = plain(StatusCode::TOO_MANY_REQUESTS, "ratelimited");
            answer.headers_mut().insert("retry-after", seconds.into());
            answer
        }
        Some(Fault::Status(code)) => plain(StatusCode::from_u16(code).expect("a status"), "trouble"),
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            calls::respond(slack, id, body)
        }
        Some(Fault::DoneUnanswered) => {
            let _ = calls::respond(slack, id, body);
            std::future::pending().await
        }
        Some(Fault::DoneAnd502) => {
            let _ = calls::respond(slack, id, body);
            plain(StatusCode::BAD_GATEWAY, "trouble")
        }
        None => calls::respond(slack, id, body),
    }
}

async fn called(slack: &FakeSlack, method: &str, headers: &HeaderMap, query: &str, body: &[u8]) -> Response {
    let fault = slack.fault_for(method);
    match &fault {
        Some(Fault::RateLimited(seconds)) => {
            note(slack, method, &Value::Null, "ratelimited");
            let mut answer = json_answer(&json!({"ok": false, "error": "ratelimited"}));
            *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            answer.headers_mut().insert("retry-after", (*seconds).into());
            return answer;
        }
        Some(Fault::Status(code)) => {
            note(slack, method, &Value::Null, &format!("HTTP {code}"));
            return plain(StatusCode::from_u16(*code).expect("a status"), "<html>upstream trouble</html>");
        }
        Some(Fault::Slow(time)) => tokio::time::sleep(*time).await,
        Some(Fault::DoneUnanswered | Fault::DoneAnd502) | None => {}
    }
    let arguments = arguments(method, headers, query, body);
    let outcome = arguments.clone().and_then(|arguments| {
        authorise(slack, method, headers)?;
        calls::call(slack, method, &arguments)
    });
    let told = outcome.as_ref().err().map_or("ok", |error| error.code.as_str());
    if told != "ok" {
        assert!(methods::is_known_error(method, told), "{method} never says {told}");
    }
    note(slack, method, &arguments.unwrap_or_default(), told);
    match fault {
        Some(Fault::DoneUnanswered) => std::future::pending().await,
        Some(Fault::DoneAnd502) => plain(StatusCode::BAD_GATEWAY, "<html>502</html>"),
        _ => finished(slack, outcome),
    }
}

fn finished(slack: &FakeSlack, outcome: Result<Value, Refused>) -> Response {
    let body = match outcome {
        Ok(mut value) => {
            value["ok"] = json!(true);
            value
        }
        Err(refused) => refused.body(),
    };
    let mut answer = json_answer(&body);
    let scopes: Vec<String> = slack.with(|state| state.scopes.iter().cloned().collect());
    let scopes = scopes.join(",").parse().expect("plain names");
    answer.headers_mut().insert("x-oauth-scopes", scopes);
    answer
}

fn note(slack: &FakeSlack, method: &str, arguments: &Value, outcome: &str) {
    let call = Call {
        method: method.to_owned(),
        arguments: arguments.clone(),
        at: Instant::now(),
        outcome: outcome.to_owned(),
    };
    slack.with(|state| state.calls.push(call));
}

/// Why a call is refused.
#[derive(Clone, Debug)]
pub struct Refused {
    pub code: String,
    pub errors: Vec<String>,
    pub needed: Option<String>,
    pub provided: Option<String>,
}

impl From<&str> for Refused {
    fn from(code: &str) -> Self {
        Self { code: code.to_owned(), errors: Vec::new(), needed: None, provided: None }
    }
}

impl Refused {
    pub fn blocks(errors: Vec<String>) -> Self {
        Self { errors, ..Self::from("invalid_blocks") }
    }

    pub fn arguments(error: String) -> Self {
        Self { errors: vec![error], ..Self::from("invalid_arguments") }
    }

    fn body(&self) -> Value {
        let mut body = json!({"ok": false, "error": self.code});
        if !self.errors.is_empty() {
            let messages: Vec<String> = self.errors.iter().map(|error| format!("[ERROR] {error}")).collect();
            body["errors"] = json!(self.errors);
            body["response_metadata"] = json!({"messages": messages});
        }
        if let Some(needed) = &self.needed {
            body["needed"] = json!(needed);
            body["provided"] = json!(self.provided);
        }
        body
    }
}

fn authorise(slack: &FakeSlack, method: &str, headers: &HeaderMap) -> Result<(), Refused> {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or("not_authed")?;
    let wanted = if method == "apps.connections.open" { APP_TOKEN } else { BOT_TOKEN };
    if token != wanted {
        return Err(if method == "auth.test" || method == "apps.connections.open" {
            "invalid_auth".into()
        } else {
            "not_authed".into()
        });
    }
    let known = methods::find(method).ok_or("unknown_method")?;
    slack.with(|state| {
        if known.scopes.is_empty() || known.scopes.iter().any(|scope| state.scopes.contains(*scope)) {
            return Ok(());
        }
        let provided: Vec<&str> = state.scopes.iter().map(String::as_str).collect();
        Err(Refused {
            needed: Some(known.scopes[0].to_owned()),
            provided: Some(provided.join(",")),
            ..Refused::from("missing_scope")
        })
    })
}

/// Arguments from where this method takes them; unknown and missing ones are refused.
fn arguments(method: &str, headers: &HeaderMap, query: &str, body: &[u8]) -> Result<Value, Refused> {
    let known = methods::find(method).ok_or("unknown_method")?;
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given: Map<String, Value> = if kind.starts_with("application/json") {
        if !known.json {
            return Err(Refused::arguments(format!("{method} takes no JSON")));
        }
        serde_json::from_slice(body).map_err(|_| Refused::from("invalid_post_type"))?
    } else {
        let form = String::from_utf8_lossy(body).into_owned();
        let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(form.as_bytes()));
        pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
    };
    for name in given.keys() {
        if !known.arguments.contains(&name.as_str()) {
            return Err(Refused::arguments(format!("unknown argument: {name}")));
        }
    }
    for name in known.required {
        if given.get(*name).is_none_or(Value::is_null) {
            return Err(Refused::arguments(format!("missing required argument: {name}")));
        }
    }
    Ok(Value::Object(given))
}

pub fn json_answer(body: &Value) -> Response {
    Response::builder()
        .header("content-type", "application/json; charset=utf-8")
        .body(Body::from(body.to_string()))
        .expect("a response")
}

pub fn plain(status: StatusCode, text: &str) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "text/html")
        .body(Body::from(text.to_owned()))
        .expect("a response")
}

/// How long Slack waits for an acknowledgement.
pub const ACK_WITHIN: Duration = Duration::from_secs(3);
