//! Slack's Web API, through slack-morphism.
//!
//! One request each: nothing is retried or waited for here, what came of it is classified ([`WebError`]) and
//! whoever asked decides. slack-morphism's own rate control stays off, because it spaces `chat.postMessage`
//! over the whole workspace and forgets Retry-After across methods; the outbox does both better.
//!
//! Refuses to show tokens, response URLs or bodies in errors and logs.

mod connect;
mod error;
mod scopes;
mod upload;

use std::time::Duration;

use serde_json::Value;
use slack_morphism::api::{SlackApiAppsConnectionOpenRequest, SlackApiAuthTestResponse};
use slack_morphism::prelude::SlackClientHyperHttpsConnector;
use slack_morphism::{
    ClientResult, SlackApiToken, SlackClient, SlackClientApiCallContext, SlackClientHttpConnector as _,
};

pub use error::WebError;

use super::settings::{Secrets, WayIn};

/// How long a request may take. Slack ends its own after 30 seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Slack's Web API with the bot's token, and with the app's where there is one.
pub struct Web {
    client: SlackClient<SlackClientHyperHttpsConnector>,
    plain: connect::Plain,
    bot: SlackApiToken,
    app: Option<SlackApiToken>,
    api_url: String,
}

/// What `auth.test` says of the bot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Myself {
    pub user: String,
    pub name: String,
    pub bot: Option<String>,
    pub team: String,
    pub team_name: String,
    pub url: String,
}

impl Web {
    /// A client for `api_url`. Nothing is sent yet.
    pub fn new(api_url: &str, secrets: &Secrets) -> Result<Self, WebError> {
        let connector = connect::connector(api_url)?;
        let client = SlackClient::new(
            SlackClientHyperHttpsConnector::with_connector(connector.clone()).with_slack_api_url(api_url),
        );
        let app = match &secrets.way_in {
            WayIn::Socket(token) => Some(token_of(token.expose())),
            WayIn::Http(_) => None,
        };
        let bot = token_of(secrets.bot.expose());
        Ok(Self { client, plain: connect::plain(connector), bot, app, api_url: api_url.to_owned() })
    }

    /// Calls a method that takes its arguments as JSON.
    pub async fn post(&self, method: &'static str, arguments: &Value) -> Result<Value, WebError> {
        let session = self.client.open_session(&self.bot);
        within(method, session.http_session_api.http_post(method, arguments, None)).await
    }

    /// Calls a method that takes its arguments in the URL.
    pub async fn get(&self, method: &'static str, arguments: &[(&str, &str)]) -> Result<Value, WebError> {
        let session = self.client.open_session(&self.bot);
        let arguments: Vec<(&str, Option<&str>)> =
            arguments.iter().map(|(name, value)| (*name, Some(*value))).collect();
        within(method, session.http_session_api.http_get(method, &arguments, None)).await
    }

    /// Who the bot token belongs to.
    pub async fn myself(&self) -> Result<Myself, WebError> {
        let session = self.client.open_session(&self.bot);
        let told: SlackApiAuthTestResponse = within("auth.test", session.auth_test()).await?;
        Ok(Myself {
            user: told.user_id.0,
            name: told.user.unwrap_or_default(),
            bot: told.bot_id.map(|id| id.0),
            team: told.team_id.0,
            team_name: told.team,
            url: told.url.0.to_string(),
        })
    }

    /// The scopes that the bot token has.
    pub async fn scopes(&self) -> Result<Vec<String>, WebError> {
        let limited =
            tokio::time::timeout(PATIENCE, scopes::ask(&self.plain, &self.api_url, &self.bot.token_value.0));
        limited.await.map_err(|_| WebError::too_long("auth.test"))?
    }

    /// Where a new Socket Mode link may be opened. The URL holds a ticket; it is not to be shown.
    pub async fn open_connection(&self) -> Result<String, WebError> {
        let method = "apps.connections.open";
        let token = self.app.as_ref().ok_or_else(|| WebError::no_token(method))?;
        let session = self.client.open_session(token);
        let asked = SlackApiAppsConnectionOpenRequest::new();
        let told = within(method, session.apps_connections_open(&asked)).await?;
        Ok(told.url.0.to_string())
    }

    /// Answers a command or a click at its response URL.
    pub async fn respond(&self, url: &str, body: &Value) -> Result<(), WebError> {
        let method = "response_url";
        let target = self.answerable(url).ok_or_else(|| WebError::elsewhere(method))?;
        let span = tracing::Span::none();
        let context = SlackClientApiCallContext {
            rate_control_params: None,
            token: None,
            tracing_span: &span,
            is_sensitive_url: true,
        };
        let bytes = body.to_string().into_bytes();
        let connector = &self.client.http_api.connector;
        let sent = connector.http_post_uri_binary::<Value>(
            target,
            "application/json; charset=utf-8".to_owned(),
            &bytes,
            context,
        );
        within(method, sent).await.map(drop)
    }

    /// Puts a text where Slack said that a file can be put.
    pub async fn upload(&self, url: &str, text: &str) -> Result<(), WebError> {
        let method = "upload_url";
        let target = self.answerable(url).ok_or_else(|| WebError::elsewhere(method))?;
        let limited = tokio::time::timeout(PATIENCE, upload::put(&self.plain, target, text));
        limited.await.map_err(|_| WebError::too_long(method))?
    }

    /// Only Slack's own hosts, or the host of the configured API, are ever answered.
    fn answerable<U: std::str::FromStr>(&self, url: &str) -> Option<U> {
        let own = authority(&self.api_url)?;
        let theirs = authority(url)?;
        let slacks = theirs.0 == "https" && (theirs.1 == "slack.com" || theirs.1.ends_with(".slack.com"));
        (slacks || theirs == own).then(|| url.parse().ok()).flatten()
    }
}

/// Scheme and host (with port) of a URL; nothing for one with a user in it.
fn authority(url: &str) -> Option<(String, String)> {
    let uri: http::Uri = url.parse().ok()?;
    let host = uri.authority()?.as_str();
    (!host.contains('@')).then(|| Some((uri.scheme_str()?.to_owned(), host.to_ascii_lowercase())))?
}

fn token_of(text: &str) -> SlackApiToken {
    SlackApiToken::new(text.to_owned().into())
}

async fn within<T>(
    method: &'static str,
    request: impl Future<Output = ClientResult<T>>,
) -> Result<T, WebError> {
    let started = std::time::Instant::now();
    let outcome = match tokio::time::timeout(PATIENCE, request).await {
        Ok(outcome) => outcome.map_err(|error| WebError::of(method, &error)),
        Err(_) => Err(WebError::too_long(method)),
    };
    let label = outcome.as_ref().err().map_or("ok", WebError::kind);
    metrics::counter!("kubemend_slack_requests_total", "method" => method, "outcome" => label).increment(1);
    metrics::histogram!("kubemend_slack_request_seconds", "method" => method)
        .record(started.elapsed().as_secs_f64());
    outcome
}

#[cfg(test)]
mod tests {
    use super::authority;

    #[test]
    fn a_host_is_read_from_a_url_and_a_user_in_it_is_refused() {
        let slack = authority("https://hooks.slack.com/commands/T/1/x").expect("a URL");
        assert_eq!(slack, ("https".to_owned(), "hooks.slack.com".to_owned()));
        assert_eq!(authority("https://hooks.slack.com@evil.example/"), None);
        assert_eq!(authority("/commands"), None);
    }
}
