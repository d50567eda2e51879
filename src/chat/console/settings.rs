//! What an operator says about the console: whether there is one, how long people stay signed in, what stands in
//! front of it, and which identity provider vouches for people.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::incident::Text;

/// The section `console`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// Whether the web pages are served, on the API's address.
    pub enabled: bool,
    /// Where people reach the console from outside, such as `https://kubemend.example.com`; without a path.
    #[schemars(regex(pattern = "^https?://[^/?#\\s]+/?$"))]
    pub public_url: Option<String>,
    pub secure_cookies: SecureCookies,
    /// Addresses of proxies whose `X-Forwarded-For` is believed when tries to sign in are counted.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<IpAddr>,
    pub sessions: SessionSettings,
    /// Pages that keep themselves up to date at once; more are answered with 429 and show what they have.
    #[schemars(range(min = 1, max = 10_000))]
    pub live_streams: usize,
    /// A folder with templates and words that take the place of the built-in ones.
    pub templates: Option<PathBuf>,
    pub oidc: Option<OidcSettings>,
}

/// Whether cookies are for HTTPS only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SecureCookies {
    /// Where `publicUrl` begins with `https://`.
    #[default]
    Auto,
    Always,
    Never,
}

/// How long people stay signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SessionSettings {
    /// Hours without use after which a session ends.
    #[schemars(range(min = 1, max = 720))]
    pub idle_hours: u32,
    /// Hours after which a session ends, used or not.
    #[schemars(range(min = 1, max = 720))]
    pub longest_hours: u32,
    /// Sessions at a time; the longest unused makes room.
    #[schemars(range(min = 1, max = 10_000))]
    pub most: u32,
}

/// An OpenID Connect provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OidcSettings {
    /// What the button is called.
    #[serde(default = "provider")]
    pub name: String,
    /// Exactly as the provider writes it. HTTPS, except on this machine.
    #[schemars(regex(pattern = "^https?://"))]
    pub issuer: String,
    #[schemars(length(min = 1))]
    pub client_id: String,
    /// A file that holds the client's secret. Without one the client is public and has PKCE alone.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// An environment variable that holds it.
    #[serde(default)]
    pub client_secret_env: Option<String>,
    /// Scopes to ask for beside `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The claim that names somebody for ever; the gate knows them as `oidc:` and its value.
    #[serde(default = "subject")]
    pub identity_claim: String,
    /// The claim with a name for people to read.
    #[serde(default = "name")]
    pub name_claim: String,
    /// Further audiences that an ID token may name beside this client.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// The claim that lists somebody's groups.
    #[serde(default = "groups")]
    pub groups_claim: String,
    /// Roles by group, for people who do not stand under `gate.people`.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<Text>>,
    /// A file with the certificates (PEM) to trust instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            public_url: None,
            secure_cookies: SecureCookies::Auto,
            trusted_proxies: Vec::new(),
            sessions: SessionSettings::default(),
            live_streams: 256,
            templates: None,
            oidc: None,
        }
    }
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { idle_hours: 12, longest_hours: 72, most: 1000 }
    }
}

impl Settings {
    /// Whether cookies carry `Secure` and the prefix `__Host-`.
    pub fn secure(&self) -> bool {
        match self.secure_cookies {
            SecureCookies::Always => true,
            SecureCookies::Never => false,
            SecureCookies::Auto => self.public_url.as_deref().is_some_and(|url| url.starts_with("https://")),
        }
    }

    /// The public address as browsers write an origin.
    pub fn origin(&self) -> Option<String> {
        self.public_url.as_deref().map(|url| url.trim_end_matches('/').to_ascii_lowercase())
    }
}

impl OidcSettings {
    /// Whether the way to the provider cannot be listened to: HTTPS, or this machine.
    pub fn is_private(&self) -> bool {
        let Some(rest) = self.issuer.strip_prefix("http://") else { return true };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        host == "localhost"
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

fn provider() -> String {
    "OpenID Connect".to_owned()
}

fn scopes() -> Vec<String> {
    vec!["profile".to_owned(), "email".to_owned()]
}

fn subject() -> String {
    "sub".to_owned()
}

fn name() -> String {
    "name".to_owned()
}

fn groups() -> String {
    "groups".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_to_a_provider_is_for_this_machine_alone() {
        let settings = |issuer: &str| {
            let yaml = format!("{{\"issuer\": \"{issuer}\", \"clientId\": \"x\"}}");
            serde_json::from_str::<OidcSettings>(&yaml).expect("complete")
        };
        for private in
            ["https://id.example.com", "http://127.0.0.1:9000/x", "http://localhost", "http://[::1]:80"]
        {
            assert!(settings(private).is_private(), "{private}");
        }
        for open in ["http://id.example.com", "http://127.0.0.1.example.com", "http://localhost.evil/"] {
            assert!(!settings(open).is_private(), "{open}");
        }
    }

    #[test]
    fn cookies_are_for_https_where_people_come_by_https() {
        let at = |url: Option<&str>, secure_cookies| {
            Settings { public_url: url.map(str::to_owned), secure_cookies, ..Settings::default() }.secure()
        };
        assert!(at(Some("https://k.example.com"), SecureCookies::Auto));
        assert!(!at(Some("http://k.example.com"), SecureCookies::Auto));
        assert!(!at(None, SecureCookies::Auto));
        assert!(at(None, SecureCookies::Always));
        assert!(!at(Some("https://k.example.com"), SecureCookies::Never));
    }
}
