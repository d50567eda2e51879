//! What an operator says about the HTTP API: where it listens, who may come in, how much it takes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::incident::Text;

/// The section `api`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// Address and port. Loopback unless told otherwise: the API speaks plain HTTP, so put something that
    /// speaks TLS in front of it before others can reach it.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Who may use the API. Without any token nobody can.
    pub tokens: Vec<TokenEntry>,
    pub limits: Limits,
}

/// One bearer token: who it stands for, and where its secret is. Exactly one of `tokenFile`, `tokenEnv` and
/// `tokenSha256` is given; the token itself never stands in this file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenEntry {
    /// The identity, as roles and the audit log name it.
    #[schemars(length(min = 1))]
    pub id: Text,
    /// What to call it in messages; the id where it is left out.
    #[serde(default)]
    pub name: Option<Text>,
    /// The roles that this identity has.
    #[serde(default)]
    pub roles: Vec<Text>,
    /// A file that holds the token.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// An environment variable that holds the token.
    #[serde(default)]
    pub token_env: Option<String>,
    /// The token's SHA-256 in hexadecimal: `printf %s TOKEN | sha256sum`.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-fA-F]{64}$"))]
    pub token_sha256: Option<String>,
}

/// How much the API takes at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// The largest request body, in bytes.
    #[schemars(range(min = 1024, max = 1_048_576))]
    pub body_bytes: usize,
    /// How long one request may take, in seconds; event streams excepted.
    #[schemars(range(min = 1, max = 300))]
    pub request_seconds: u64,
    /// Requests being served at once; more are answered with 429.
    #[schemars(range(min = 1, max = 10_000))]
    pub requests_at_once: usize,
    /// Event streams open at once; more are answered with 429.
    #[schemars(range(min = 1, max = 1_000))]
    pub event_streams: usize,
    /// Seconds of silence after which an event stream shows that it is alive.
    #[schemars(range(min = 1, max = 300))]
    pub heartbeat_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            tokens: Vec::new(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            request_seconds: 30,
            requests_at_once: 256,
            event_streams: 32,
            heartbeat_seconds: 15,
        }
    }
}
