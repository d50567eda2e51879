//! The HTTP side: who is let in, what goes wrong on purpose, rate limits, bodies, answers.

use std::sync::Weak;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use super::form::Refused;
use super::routes::{self, Asked};
use super::state::Call;
use super::{BOT_TOKEN, FakeDiscord, Fault, Inner, limits, record};

/// What a request may weigh.
const LARGEST: usize = 25 * 1024 * 1024;

type Answer = Response<Full<Bytes>>;

pub async fn serve(listener: TcpListener, discord: Weak<Inner>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let discord = discord.clone();
        connections.spawn(async move {
            let answers = service_fn(|request| answer(request, discord.clone()));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answers)
                .await;
        });
    }
}

/// Ends a connection without an answer.
#[derive(Debug)]
pub struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut")
    }
}

impl std::error::Error for Cut {}

async fn answer(request: Request<Incoming>, discord: Weak<Inner>) -> Result<Answer, Cut> {
    let Some(inner) = discord.upgrade() else { return Err(Cut) };
    let discord = FakeDiscord { inner };
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix("/api/v10").unwrap_or_default().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let method = parts.method.as_str().to_owned();
    let route = routes::find(&method, &path);
    let body = match Limited::new(body, LARGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(refused(&Refused::new(413, 40005, "Request entity too large"))),
    };
    let named = route.as_ref().map_or_else(|| format!("{method} {path}"), |route| route.name.clone());
    let fault = discord.fault_for(&named);
    let note = |body: &Value, status: u16, answer: &Value| {
        discord.note([&named, &path, &query], body, status, answer);
    };
    match &fault {
        Some(Fault::Cut) => {
            note(&Value::Null, 0, &Value::Null);
            return Err(Cut);
        }
        Some(Fault::RateLimited(wait, scope)) => {
            let (headers, body) = limits::refusal(*wait, *scope);
            note(&Value::Null, 429, &body);
            return Ok(with_headers(json_answer(429, &body), &headers));
        }
        Some(Fault::ShutOut(seconds)) => {
            note(&Value::Null, 429, &Value::Null);
            let headers = [("retry-after", seconds.to_string())];
            return Ok(with_headers(page(429, "error code: 1015"), &headers));
        }
        Some(Fault::Status(status)) => {
            note(&Value::Null, *status, &Value::Null);
            return Ok(page(*status, "<html>upstream trouble</html>"));
        }
        Some(Fault::Slow(time)) => tokio::time::sleep(*time).await,
        Some(Fault::DoneAndCut | Fault::DoneUnanswered | Fault::DoneAnd502) | None => {}
    }
    let Done { given, status, answer, headers } = done(&discord, route, &parts.headers, &query, &body);
    note(&given, status, &answer);
    record::request(&method, &path, &query, &given, (status, &answer));
    match fault {
        Some(Fault::DoneAndCut) => Err(Cut),
        Some(Fault::DoneUnanswered) => std::future::pending().await,
        Some(Fault::DoneAnd502) => Ok(page(502, "<html>502</html>")),
        _ => Ok(with_headers(json_answer(status, &answer), &headers)),
    }
}

/// What came of a request.
struct Done {
    given: Value,
    status: u16,
    answer: Value,
    headers: Vec<(&'static str, String)>,
}

impl Done {
    fn new(given: Value, outcome: routes::Outcome, headers: Vec<(&'static str, String)>) -> Self {
        match outcome {
            Ok((status, answer)) => Self { given, status, answer, headers },
            Err(refused) => Self { given, status: refused.status, answer: refused.body(), headers },
        }
    }
}

fn done(
    discord: &FakeDiscord,
    route: Option<routes::Route>,
    headers: &HeaderMap,
    query: &str,
    body: &[u8],
) -> Done {
    let Some(route) = route else {
        return Done::new(Value::Null, Err(Refused::new(404, 0, "404: Not Found")), Vec::new());
    };
    if let Err(refused) = admitted(&route, headers) {
        return Done::new(Value::Null, Err(refused), Vec::new());
    }
    let found = discord.with(|state| limits::take(state, &route.name, &route.place));
    let mut told = found.headers();
    if let Some((wait, scope)) = found.over {
        let (more, answer) = limits::refusal(wait, scope);
        told.extend(more);
        return Done { given: Value::Null, status: 429, answer, headers: told };
    }
    match read(headers, body) {
        Err(refused) => Done::new(Value::Null, Err(refused), told),
        Ok((given, files)) => {
            let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
            discord.with(|state| state.files.extend(files));
            let asked = Asked { parts: &route.parts, query, body: &given, files: &names };
            let outcome = discord.with(|state| routes::call(state, &route.name, &asked, discord));
            Done::new(given, outcome, told)
        }
    }
}

fn admitted(route: &routes::Route, headers: &HeaderMap) -> Result<(), Refused> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let agent = header("user-agent");
    let named = agent.strip_prefix("DiscordBot (").and_then(|rest| rest.split_once(')'));
    if named.is_none_or(|(inside, _)| inside.split(", ").count() != 2) {
        return Err(Refused::new(403, 40333, "internal network error"));
    }
    if !route.open && header("authorization") != format!("Bot {BOT_TOKEN}") {
        return Err(Refused::new(401, 0, "401: Unauthorized"));
    }
    Ok(())
}

/// The body as JSON, and the files beside it.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<(Value, Vec<(String, String)>), Refused> {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let broken = || Refused::new(400, 50109, "The request body contains invalid JSON.");
    if body.is_empty() {
        return Ok((Value::Null, Vec::new()));
    }
    if kind.starts_with("application/json") {
        return Ok((serde_json::from_slice(body).map_err(|_| broken())?, Vec::new()));
    }
    let Some((_, boundary)) = kind.split_once("multipart/form-data; boundary=") else {
        return Err(Refused::new(400, 50035, "Invalid Form Body"));
    };
    let text = String::from_utf8_lossy(body);
    let (mut given, mut files) = (Value::Null, Vec::new());
    for part in text.split(&format!("--{}", boundary.trim_matches('"'))) {
        let Some((head, content)) = part.split_once("\r\n\r\n") else { continue };
        if head.contains("name=\"payload_json\"") {
            given = serde_json::from_str(content.trim_end()).map_err(|_| broken())?;
        } else if let Some(name) = head.split("filename=\"").nth(1).and_then(|rest| rest.split('"').next()) {
            let content = content.strip_suffix("\r\n").unwrap_or(content);
            files.push((name.to_owned(), content.to_owned()));
        }
    }
    Ok((given, files))
}

impl FakeDiscord {
    fn note(&self, [route, path, query]: [&str; 3], body: &Value, status: u16, answer: &Value) {
        self.with(|state| {
            let shared = answer["message"].as_str().is_some_and(|text| text.starts_with("The resource"));
            if matches!(status, 401 | 403) || status == 429 && !shared {
                state.invalid += 1;
            }
            let call = Call {
                route: route.to_owned(),
                path: path.to_owned(),
                query: query.to_owned(),
                body: body.clone(),
                status,
                code: answer["code"].as_u64().filter(|_| status >= 400).unwrap_or(0),
                answer: answer.clone(),
                at: state.now(),
            };
            state.calls.push(call);
        });
    }
}

fn refused(refused: &Refused) -> Answer {
    json_answer(refused.status, &refused.body())
}

fn json_answer(status: u16, body: &Value) -> Answer {
    let text = if status == 204 { String::new() } else { body.to_string() };
    let answer = Response::builder().status(status).header("content-type", "application/json");
    answer.body(Full::new(Bytes::from(text))).expect("a response")
}

fn page(status: u16, text: &str) -> Answer {
    let answer = Response::builder().status(status).header("content-type", "text/html");
    answer.body(Full::new(Bytes::from(text.to_owned()))).expect("a response")
}

fn with_headers(mut answer: Answer, headers: &[(&'static str, String)]) -> Answer {
    for (name, value) in headers {
        answer.headers_mut().insert(*name, value.parse().expect("plain text"));
    }
    answer
}
