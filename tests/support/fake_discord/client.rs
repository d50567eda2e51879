//! A small client: for tests of the fake itself, and for what tests do at Discord beside the product.

use std::collections::BTreeMap;

use futures::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{BOT_TOKEN, FakeDiscord};

pub const AGENT: &str = "DiscordBot (https://example.com, 1.0)";

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: BTreeMap<String, String>,
}

impl Answer {
    pub fn code(&self) -> u64 {
        self.body["code"].as_u64().unwrap_or(0)
    }

    /// The status, Discord's code, and where a form is wrong: `400 50035 embeds.0.title BASE_TYPE_MAX_LENGTH`.
    pub fn refusal(&self) -> String {
        let mut told = format!("{} {}", self.status, self.code());
        places(&self.body["errors"], "", &mut told);
        told
    }
}

fn places(errors: &Value, at: &str, told: &mut String) {
    for (key, value) in errors.as_object().into_iter().flatten() {
        if key == "_errors" {
            for error in value.as_array().into_iter().flatten() {
                told.push_str(&format!(" {at} {}", error["code"].as_str().unwrap_or_default()));
            }
        } else {
            places(value, &if at.is_empty() { key.clone() } else { format!("{at}.{key}") }, told);
        }
    }
}

pub struct Small {
    base: String,
    client: Client<HttpConnector, Full<bytes::Bytes>>,
    pub headers: Vec<(&'static str, String)>,
}

impl Small {
    pub fn new(discord: &FakeDiscord) -> Self {
        let client = Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        let headers = vec![("user-agent", AGENT.to_owned()), ("authorization", format!("Bot {BOT_TOKEN}"))];
        Self { base: discord.api_url(), client, headers }
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| ("application/json".to_owned(), body.to_string()));
        self.send_raw(method, path, body).await.expect("the fake answers")
    }

    /// With a body of any kind; `None` where the connection was cut.
    pub async fn send_raw(&self, method: &str, path: &str, body: Option<(String, String)>) -> Option<Answer> {
        let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let (kind, text) = body.unwrap_or_default();
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let request = request.body(Full::new(bytes::Bytes::from(text))).expect("a request");
        let answer = self.client.request(request).await.ok()?;
        let status = answer.status().as_u16();
        let named = answer.headers().iter();
        let headers =
            named.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
        let headers = headers.collect();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        Some(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default(), headers })
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body)).await
    }

    /// Answers an interaction.
    pub async fn answer(&self, discord: &FakeDiscord, id: &str, body: Value) -> Answer {
        let token = discord.with(|state| state.interactions[id].token.clone());
        self.post(&format!("/interactions/{id}/{token}/callback"), body).await
    }
}

/// A link to the gateway.
pub struct Line {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Line {
    /// Connects; the first frame is hello.
    pub async fn open(url: &str) -> Self {
        let (socket, _) =
            connect_async(format!("{url}/?v=10&encoding=json")).await.expect("the gateway is there");
        let mut line = Self { socket };
        assert_eq!(line.next().await.expect("a frame")["op"], 10);
        line
    }

    pub async fn send(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.expect("it is open");
    }

    /// The next frame; the code where it was closed; `Err(0)` where it was cut.
    pub async fn next(&mut self) -> Result<Value, u16> {
        let wait = std::time::Duration::from_secs(20);
        loop {
            match tokio::time::timeout(wait, self.socket.next()).await.expect("something comes") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(0),
            }
        }
    }

    pub async fn identify(&mut self, token: &str, intents: u64) -> Result<Value, u16> {
        let properties = json!({"os": "linux", "browser": "small", "device": "small"});
        self.send(json!({"op": 2, "d": {"token": token, "intents": intents, "properties": properties}}))
            .await;
        self.next().await
    }
}
