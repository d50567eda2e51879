//! What an operator says about Slack: which way in, where the secrets are, how the link is kept.
//!
//! Secrets never stand in the file: it names files or environment variables. Refuses a mode without the
//! secrets that it needs.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::chat::secret::{Secret, Source};

/// Slack's own Web API.
pub const API_URL: &str = "https://slack.com/api";

/// The section `chat.slack`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// How Slack reaches kubemend.
    pub mode: Mode,
    /// A file that holds the bot token (`xoxb-…`).
    pub bot_token_file: Option<PathBuf>,
    /// An environment variable that holds it.
    pub bot_token_env: Option<String>,
    /// A file that holds the app-level token (`xapp-…`, scope `connections:write`); for `socket`.
    pub app_token_file: Option<PathBuf>,
    /// An environment variable that holds it.
    pub app_token_env: Option<String>,
    /// A file that holds the signing secret; for `http`.
    pub signing_secret_file: Option<PathBuf>,
    /// An environment variable that holds it.
    pub signing_secret_env: Option<String>,
    /// Where the Web API is. Slack's own unless a proxy stands before it (or a test).
    #[schemars(regex(pattern = "^https?://[^ ]+[^/]$"))]
    pub api_url: String,
    pub socket: SocketSettings,
    /// For how many minutes what Slack said of a user or a user group is taken for true.
    #[schemars(range(min = 1, max = 60))]
    pub identity_minutes: u32,
}

/// How Slack reaches kubemend.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Over WebSockets that kubemend opens. Nothing listens; no ingress is needed.
    #[default]
    Socket,
    /// Slack calls `/slack/commands`, `/slack/interactions` and `/slack/events`, and signs what it sends.
    Http,
}

/// How the WebSockets are kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SocketSettings {
    /// How many are open at once, so that one can be renewed without a gap.
    #[schemars(range(min = 1, max = 8))]
    pub connections: usize,
    /// After how many seconds each is asked whether it is alive.
    #[schemars(range(min = 1, max = 60))]
    pub ping_seconds: u64,
    /// Without an answer for this many seconds, or without any frame for twice as long, a link is dead.
    #[schemars(range(min = 1, max = 120))]
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
            app_token_file: None,
            app_token_env: None,
            signing_secret_file: None,
            signing_secret_env: None,
            api_url: API_URL.to_owned(),
            socket: SocketSettings::default(),
            identity_minutes: 5,
        }
    }
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            connections: 2,
            ping_seconds: 10,
            silent_seconds: 15,
            longest_pause_seconds: 30,
            report_gaps_over_seconds: 15,
        }
    }
}

impl SocketSettings {
    pub(super) fn ping(&self) -> Duration {
        Duration::from_secs(self.ping_seconds)
    }

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

impl Settings {
    /// Where the secrets are that this mode needs, the bot token first.
    pub fn sources(&self) -> [Source<'_>; 2] {
        let bot = Source {
            field: "botToken",
            file: self.bot_token_file.as_deref(),
            env: self.bot_token_env.as_deref(),
            prefix: "xoxb-",
            found: "api.slack.com/apps → your app → OAuth & Permissions → Bot User OAuth Token",
        };
        let way_in = match self.mode {
            Mode::Socket => Source {
                field: "appToken",
                file: self.app_token_file.as_deref(),
                env: self.app_token_env.as_deref(),
                prefix: "xapp-",
                found: "api.slack.com/apps → your app → Basic Information → App-Level Tokens, scope connections:write",
            },
            Mode::Http => Source {
                field: "signingSecret",
                file: self.signing_secret_file.as_deref(),
                env: self.signing_secret_env.as_deref(),
                prefix: "",
                found: "api.slack.com/apps → your app → Basic Information → Signing Secret",
            },
        };
        [bot, way_in]
    }
}

/// The secrets, read. Never shown.
#[derive(Clone)]
pub struct Secrets {
    pub bot: Secret,
    pub way_in: WayIn,
}

/// What the mode needs besides the bot token.
#[derive(Clone)]
pub enum WayIn {
    /// The app-level token.
    Socket(Secret),
    /// The signing secret.
    Http(Secret),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_asks_for_its_own_secret() {
        let mut settings = Settings::default();
        assert_eq!(settings.sources()[1].field, "appToken");
        settings.mode = Mode::Http;
        assert_eq!(settings.sources()[1].field, "signingSecret");
    }
}
