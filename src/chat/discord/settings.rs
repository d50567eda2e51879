//! What an operator says about Discord: which way in, which guilds, where the secrets are, how the link is kept.
//!
//! Secrets never stand in the file: it names files or environment variables. The public key is no secret.
//! Refuses a mode without what it needs, and an API without TLS on another machine.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::chat::secret::{Secret, Source};
use crate::incident::Text;

/// Discord's own API.
pub const API_URL: &str = "https://discord.com/api/v10";

/// The section `chat.discord`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// How Discord reaches kubemend.
    pub mode: Mode,
    /// A file that holds the bot token.
    pub bot_token_file: Option<PathBuf>,
    /// An environment variable that holds it.
    pub bot_token_env: Option<String>,
    /// The application's id: discord.com/developers → your app → General Information.
    #[schemars(regex(pattern = "^([0-9]{1,20})?$"))]
    pub application_id: Text,
    /// The application's public key, 64 hexadecimal digits; for `http`.
    #[schemars(regex(pattern = "^[0-9a-fA-F]{64}$"))]
    pub public_key: Option<String>,
    /// The ids of the servers that kubemend listens to. Whoever comes from elsewhere is not heard.
    #[schemars(inner(regex(pattern = "^[0-9]{1,20}$")))]
    pub guilds: Vec<Text>,
    /// Where the API is. Discord's own unless a proxy stands before it (or a test); without TLS on this
    /// machine only.
    #[schemars(regex(pattern = "^https?://[^ ]+[^/]$"))]
    pub api_url: String,
    pub gateway: GatewaySettings,
}

/// How Discord reaches kubemend.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Over a WebSocket that kubemend opens. Nothing listens; no ingress is needed.
    #[default]
    Gateway,
    /// Discord calls `/discord/interactions`, and signs what it sends.
    Http,
}

/// How the gateway's WebSocket is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GatewaySettings {
    /// A heartbeat that is not acknowledged for this many seconds means that the link is dead.
    #[schemars(range(min = 1, max = 60))]
    pub silent_seconds: u64,
    /// The longest pause between two tries to connect, in seconds.
    #[schemars(range(min = 1, max = 300))]
    pub longest_pause_seconds: u64,
    /// Gaps shorter than this many seconds are not reported in the channels.
    #[schemars(range(min = 0, max = 3600))]
    pub report_gaps_over_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            bot_token_file: None,
            bot_token_env: None,
            application_id: Text::default(),
            public_key: None,
            guilds: Vec::new(),
            api_url: API_URL.to_owned(),
            gateway: GatewaySettings::default(),
        }
    }
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self { silent_seconds: 10, longest_pause_seconds: 60, report_gaps_over_seconds: 15 }
    }
}

impl GatewaySettings {
    pub(super) fn silent(&self) -> Duration {
        Duration::from_secs(self.silent_seconds)
    }

    pub(super) fn longest_pause(&self) -> Duration {
        Duration::from_secs(self.longest_pause_seconds)
    }

    pub(super) fn report_gaps_over(&self) -> Duration {
        Duration::from_secs(self.report_gaps_over_seconds)
    }
}

/// The secrets, read. Never shown.
#[derive(Clone)]
pub struct Secrets {
    pub bot: Secret,
}

/// Something that is missing or cannot be: the field, what is wrong, and the way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    pub field: &'static str,
    pub what: String,
    pub way_out: &'static str,
}

const PORTAL: &str = "it is at discord.com/developers → your app → General Information";

impl Settings {
    /// Where the bot token is.
    pub fn source(&self) -> Source<'_> {
        Source {
            field: "botToken",
            file: self.bot_token_file.as_deref(),
            env: self.bot_token_env.as_deref(),
            prefix: "",
            found: "discord.com/developers → your app → Bot → Reset Token",
        }
    }

    /// What the schema cannot say.
    pub fn mistakes(&self) -> Vec<Wrong> {
        let mut found = Vec::new();
        let mut wrong = |field, what: &str, way_out| {
            found.push(Wrong { field, what: what.to_owned(), way_out });
        };
        if self.application_id.is_empty() {
            wrong("applicationId", "Discord's application is not named", PORTAL);
        }
        if self.guilds.is_empty() {
            let way_out = "name your server's id: Discord → Settings → Advanced → Developer Mode, then right click on the server → Copy Server ID";
            wrong("guilds", "nobody could be heard: no server is named", way_out);
        }
        match (self.mode, &self.public_key) {
            (Mode::Http, None) => {
                wrong(
                    "publicKey",
                    "without the public key nothing that Discord sends can be verified",
                    PORTAL,
                );
            }
            (Mode::Http, Some(key)) if super::http::verifier(key).is_none() => {
                wrong("publicKey", "this is no public key", PORTAL);
            }
            (Mode::Http | Mode::Gateway, _) => {}
        }
        if super::web::host::Api::read(&self.api_url).is_none() {
            let way_out =
                "write https://…; http:// is for this machine only, because the bot token is sent there";
            wrong("apiUrl", "the bot token would travel in the clear, or this is no URL", way_out);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Settings {
        Settings { application_id: "1000".into(), guilds: vec!["2000".into()], ..Settings::default() }
    }

    fn fields(settings: &Settings) -> Vec<&'static str> {
        settings.mistakes().iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn what_is_missing_is_told_by_field() {
        assert_eq!(fields(&Settings::default()), ["applicationId", "guilds"]);
        assert_eq!(fields(&whole()), Vec::<&str>::new());
    }

    #[test]
    fn over_http_a_public_key_is_asked_for() {
        let mut settings = Settings { mode: Mode::Http, ..whole() };
        assert_eq!(fields(&settings), ["publicKey"]);
        settings.public_key = Some("12".into());
        assert_eq!(fields(&settings), ["publicKey"]);
        let key = "67c6bd767ca099e79efac9fcce4d2022a63bf7dea780e7f3d813f694c1597089";
        settings.public_key = Some(key.into());
        assert_eq!(fields(&settings), Vec::<&str>::new());
    }

    #[test]
    fn a_token_is_never_sent_to_another_machine_without_tls() {
        for url in ["http://discord.com/api/v10", "ftp://discord.com", "https://me@discord.com/api", "no url"]
        {
            assert_eq!(fields(&Settings { api_url: url.into(), ..whole() }), ["apiUrl"], "{url}");
        }
        for url in ["http://127.0.0.1:8080/api", "http://[::1]:80/api", "https://proxy.example.com/discord"] {
            assert_eq!(fields(&Settings { api_url: url.into(), ..whole() }), Vec::<&str>::new(), "{url}");
        }
    }
}
