//! Discord's REST API, over the HTTP client that everything here uses.
//!
//! One request each: nothing is retried or waited for here, what came of it is classified ([`WebError`]) and
//! whoever asked decides. A request that the known limits would refuse is not made. serenity's own client is
//! left out, because it brings a TLS of its own; docs/security.md says more.
//!
//! Refuses to show tokens, paths with tokens, or bodies in errors and logs.

mod connect;
mod error;
pub(super) mod host;
mod limits;
mod route;
#[cfg(test)]
pub(super) mod tests;
mod written;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use rustls::ClientConfig;
use serde_json::{Value, json};
use serenity::model::gateway::BotGateway;

pub use error::{Scope, WebError};
pub use route::Route;
pub use written::File;

use super::inbound::Place;
use super::settings::{Secret, Secrets, Settings};
use host::Api;
use limits::{Denied, Limits};
use route::Lane;
use written::Written;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long an answer to an interaction may take: it is good for three seconds.
const ANSWERING: Duration = Duration::from_secs(3);
/// The largest answer that is read.
const LARGEST: usize = 8 * 1024 * 1024;
/// How Discord asks bots to name themselves.
const NAME: &str = concat!("DiscordBot (https://kubemend.dev, ", env!("CARGO_PKG_VERSION"), ")");

/// Discord's REST API with the bot's token.
pub struct Web {
    api: Api,
    tls: ClientConfig,
    http: connect::Http,
    /// Answers to interactions never wait for connections that posts use.
    answers: connect::Http,
    bot: HeaderValue,
    limits: Limits,
}

/// What `users/@me` says of the bot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Myself {
    pub id: String,
    pub name: String,
}

impl Web {
    /// A client. Nothing is sent yet.
    pub fn new(settings: &Settings, secrets: &Secrets) -> Result<Self, WebError> {
        Self::trusting(settings, &secrets.bot, connect::trusted()?)
    }

    /// The same with other roots than the operating system's.
    pub(in crate::chat::discord) fn trusting(
        settings: &Settings,
        bot: &Secret,
        tls: ClientConfig,
    ) -> Result<Self, WebError> {
        let no_url = || WebError::not_sent("connect", "chat.discord.apiUrl is no URL that may be used");
        let api = Api::read(&settings.api_url).ok_or_else(no_url)?;
        let no_header = |_| WebError::not_sent("connect", "the bot token cannot stand in a header");
        let mut bot = HeaderValue::from_str(&format!("Bot {}", bot.expose())).map_err(no_header)?;
        bot.set_sensitive(true);
        let (http, answers) = (connect::client(&tls), connect::client(&tls));
        Ok(Self { api, tls, http, answers, bot, limits: Limits::default() })
    }

    /// Makes a request; gives what Discord answered, or `null` where it answered nothing.
    pub async fn call(&self, route: &Route, body: Option<&Value>) -> Result<Value, WebError> {
        self.send(route, body.map(Written::json)).await
    }

    async fn send(&self, route: &Route, body: Option<Written>) -> Result<Value, WebError> {
        self.limits.enter(route, Instant::now()).map_err(|denied| held_back(route, denied))?;
        let started = Instant::now();
        let patience = match route.lane {
            Lane::Bot => PATIENCE,
            Lane::Interaction => ANSWERING,
        };
        let outcome = match tokio::time::timeout(patience, self.exchange(route, body)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(WebError::unknown(route.template, "it took too long")),
        };
        let label = outcome.as_ref().err().map_or("ok", WebError::kind);
        let labels = [("method", route.method.to_string()), ("route", route.template.to_owned())];
        let count = [labels[0].clone(), labels[1].clone(), ("outcome", label.to_owned())];
        metrics::counter!("kubemend_discord_requests_total", &count).increment(1);
        metrics::histogram!("kubemend_discord_request_seconds", &labels)
            .record(started.elapsed().as_secs_f64());
        outcome
    }

    /// Who the bot token belongs to.
    pub async fn myself(&self) -> Result<Myself, WebError> {
        let told = self.call(&Route::get("users/@me", &[]), None).await?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        Ok(Myself { id: text("id"), name: text("username") })
    }

    /// Where the gateway is, and how many sessions may be begun.
    pub async fn gateway(&self) -> Result<BotGateway, WebError> {
        let route = Route::get("gateway/bot", &[]);
        let told = self.call(&route, None).await?;
        serde_json::from_value(told)
            .map_err(|_| WebError::unknown(route.template, "the answer cannot be read"))
    }

    /// The first answer to an interaction, within three seconds of it.
    pub async fn callback(&self, place: &Place, body: &Value) -> Result<(), WebError> {
        let names = [place.interaction.as_str(), place.token.expose()];
        self.call(&Route::post("interactions/{}/{}/callback", &names), Some(body)).await.map(drop)
    }

    /// Puts a body in the place of the first answer. For a button that was acknowledged with an update, the
    /// first answer is the message of the button itself.
    pub async fn edit_original(
        &self,
        place: &Place,
        body: &Value,
        file: Option<&File>,
    ) -> Result<Value, WebError> {
        let names = [place.application.as_str(), place.token.expose()];
        self.send(&Route::patch("webhooks/{}/{}/messages/@original", &names), Some(written(body, file))).await
    }

    /// The first answer; of a button that was acknowledged with an update, its message.
    pub async fn original(&self, place: &Place) -> Result<Value, WebError> {
        let names = [place.application.as_str(), place.token.expose()];
        self.call(&Route::get("webhooks/{}/{}/messages/@original", &names), None).await
    }

    /// A member of a server.
    pub async fn member(&self, guild: &str, user: &str) -> Result<Value, WebError> {
        self.call(&Route::get("guilds/{}/members/{}", &[guild, user]), None).await
    }

    /// Takes the first answer away.
    pub async fn delete_original(&self, place: &Place) -> Result<(), WebError> {
        let names = [place.application.as_str(), place.token.expose()];
        self.call(&Route::delete("webhooks/{}/{}/messages/@original", &names), None).await.map(drop)
    }

    /// A further answer; with flag 64 only the asker sees it.
    pub async fn follow_up(
        &self,
        place: &Place,
        body: &Value,
        file: Option<&File>,
    ) -> Result<Value, WebError> {
        let names = [place.application.as_str(), place.token.expose()];
        self.send(&Route::post("webhooks/{}/{}", &names), Some(written(body, file))).await
    }

    /// An ordinary message.
    pub async fn post(&self, channel: &str, body: &Value, file: Option<&File>) -> Result<Value, WebError> {
        self.send(&Route::post("channels/{}/messages", &[channel]), Some(written(body, file))).await
    }

    /// Puts a body in the place of a further answer's.
    pub async fn edit_follow_up(
        &self,
        place: &Place,
        message: &str,
        body: &Value,
    ) -> Result<Value, WebError> {
        let names = [place.application.as_str(), place.token.expose(), message];
        self.call(&Route::patch("webhooks/{}/{}/messages/{}", &names), Some(body)).await
    }

    /// Which gateway URLs may be opened, and how their certificates are judged.
    pub(super) fn trust(&self) -> (&Api, &ClientConfig) {
        (&self.api, &self.tls)
    }

    async fn exchange(&self, route: &Route, body: Option<Written>) -> Result<Value, WebError> {
        let request = self.request(route, body)?;
        let client = match route.lane {
            Lane::Bot => &self.http,
            Lane::Interaction => &self.answers,
        };
        let answer = client.request(request).await.map_err(|error| WebError::link(route.template, &error))?;
        let (parts, body) = answer.into_parts();
        self.limits.learn(route, parts.status, &parts.headers, Instant::now());
        let body = read(route, body).await;
        if parts.status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.limited(route, &parts.headers, body.unwrap_or_default().as_ref()));
        }
        let body = body?;
        if !parts.status.is_success() {
            let body = serde_json::from_slice(&body).unwrap_or_default();
            return Err(WebError::answered(route.template, parts.status, &body));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|_| WebError::unknown(route.template, "the answer is no JSON"))
    }

    fn request(&self, route: &Route, body: Option<Written>) -> Result<Request<Full<Bytes>>, WebError> {
        let no_path = || WebError::not_sent(route.template, "this is no path");
        let uri = self.api.url(&route.path).ok_or_else(no_path)?;
        let mut request = Request::builder()
            .method(route.method.clone())
            .uri(uri)
            .header(header::USER_AGENT, NAME)
            .header(header::ACCEPT, "application/json");
        if route.lane == Lane::Bot {
            request = request.header(header::AUTHORIZATION, self.bot.clone());
        }
        let bytes = match body {
            Some(Written { kind, bytes }) => {
                request = request.header(header::CONTENT_TYPE, kind);
                bytes
            }
            None => Bytes::new(),
        };
        request.body(Full::new(bytes)).map_err(|error| WebError::not_sent(route.template, &error.to_string()))
    }

    fn limited(&self, route: &Route, headers: &HeaderMap, body: &[u8]) -> WebError {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let (after, scope) = self.limits.limited(route, headers, &body, Instant::now());
        WebError::RateLimited { route: route.template, after, scope }
    }
}

fn written(body: &Value, file: Option<&File>) -> Written {
    file.map_or_else(|| Written::json(body), |file| Written::with(body, file))
}

async fn read(route: &Route, body: Incoming) -> Result<Bytes, WebError> {
    let collected = Limited::new(body, LARGEST).collect().await;
    collected
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| WebError::unknown(route.template, &format!("the answer broke off: {error}")))
}

fn held_back(route: &Route, denied: Denied) -> WebError {
    match denied {
        Denied::Wait(after, scope) => {
            metrics::counter!("kubemend_discord_requests_spared_total").increment(1);
            WebError::RateLimited { route: route.template, after, scope }
        }
        Denied::LockedOut => WebError::not_sent(
            route.template,
            "Discord refused the bot token a moment ago; put a new one where chat.discord.botToken… says and start kubemend again",
        ),
    }
}

/// The body of an acknowledgement; `flags` 64 shows what follows to the asker alone.
pub(super) fn callback(kind: u8, data: Option<Value>) -> Value {
    match data {
        Some(data) => json!({"type": kind, "data": data}),
        None => json!({"type": kind}),
    }
}
