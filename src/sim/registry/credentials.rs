//! Pull secrets as the kubelet reads them: which logins they hold and which of them fit an image.
//! Owns the matching rules of the kubelet's keyring; refuses to judge whether a login is any good.

use base64::Engine as _;
use serde_json::Value;

use super::ImageRef;

/// The logins that the secrets of one pod add up to, in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    host: String,
    path: String,
    login: Login,
}

/// A user name and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({}, …)", self.user)
    }
}

impl Keyring {
    /// Adds what a Secret holds. Secrets of another type, or that do not parse, add nothing: the kubelet
    /// ignores them silently and pulls without.
    pub fn add_secret(&mut self, secret: &Value) {
        let auths = match secret["type"].as_str() {
            Some("kubernetes.io/dockerconfigjson") => {
                decoded(&secret["data"][".dockerconfigjson"]).map(|config| config["auths"].clone())
            }
            Some("kubernetes.io/dockercfg") => decoded(&secret["data"][".dockercfg"]),
            _ => None,
        };
        let Some(Value::Object(auths)) = auths else { return };
        for (server, auth) in &auths {
            if let Some(login) = login(auth) {
                let (host, path) = server_of(server);
                self.entries.push(Entry { host, path, login });
            }
        }
        // The most specific path is tried first, as the kubelet sorts its index.
        self.entries.sort_by_key(|entry| std::cmp::Reverse(entry.path.len()));
    }

    /// The logins that fit the image, most specific first.
    pub fn lookup(&self, image: &ImageRef) -> Vec<&Login> {
        self.entries.iter().filter(|entry| entry.fits(image)).map(|entry| &entry.login).collect()
    }
}

impl Entry {
    fn fits(&self, image: &ImageRef) -> bool {
        let host_fits = self.host == image.host
            || self
                .host
                .strip_prefix("*.")
                .is_some_and(|suffix| image.host.split_once('.').is_some_and(|(_, parent)| parent == suffix));
        host_fits && (self.path.is_empty() || image.repository.starts_with(&self.path))
    }
}

fn decoded(data: &Value) -> Option<Value> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(data.as_str()?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn login(auth: &Value) -> Option<Login> {
    if let Some(packed) = auth["auth"].as_str() {
        let bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (user, password) = text.split_once(':')?;
        return Some(Login { user: user.to_owned(), password: password.to_owned() });
    }
    Some(Login {
        user: auth["username"].as_str()?.to_owned(),
        password: auth["password"].as_str()?.to_owned(),
    })
}

/// `https://index.docker.io/v1/`, `harbor.example.com/payments`, … as host and path.
fn server_of(server: &str) -> (String, String) {
    let bare = server.trim_start_matches("https://").trim_start_matches("http://");
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let path = path.trim_end_matches('/');
    let path = if matches!(path, "v1" | "v2") { "" } else { path };
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    };
    (host.to_owned(), path.to_owned())
}
