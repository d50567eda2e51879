//! The simulated image registries: what they hold, whom they let in, and how they are feeling.
//!
//! Owns the data of every registry and the pure answer to "what happens when a node pulls this image with
//! these credentials now". Refuses to know pods, clocks or the API: callers hand in the time and the secrets.

mod credentials;
mod pull;
mod reference;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use credentials::{Keyring, Login};
pub(in crate::sim) use pull::hex;
pub use pull::{PullFailure, PullResult};
pub use reference::ImageRef;

/// All registries of the simulated world, by host.
#[derive(Debug, Clone, Default)]
pub struct Registries {
    hosts: BTreeMap<String, Registry>,
}

/// One registry host.
#[derive(Debug, Clone)]
pub struct Registry {
    /// The host as it stands in an image reference, such as `harbor.example.com`.
    pub host: String,
    /// Who may pull.
    pub auth: Auth,
    /// How it feels today.
    pub mode: Mode,
    /// Repository path to the tags it holds.
    pub repositories: BTreeMap<String, BTreeSet<String>>,
}

/// How a registry tells its friends from strangers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Everybody may pull everything.
    Public,
    /// Every repository needs one of the accounts; strangers get a bare 401 (Harbor, Artifactory, basic auth).
    Private { accounts: Vec<Account> },
    /// Like Docker Hub: `private` prefixes need an account; a typo and a private repository read the same.
    DockerHub { private: Vec<String>, accounts: Vec<Account> },
    /// Like Harbor: repositories live in projects; public projects need no account.
    Projects { public: BTreeSet<String>, private: BTreeSet<String>, accounts: Vec<Account> },
    /// A token service refuses strangers before the registry is asked (GitLab 401, GHCR 403).
    Token { anonymous: TokenRefusal, accounts: Vec<Account> },
}

/// What a token service answers to somebody without credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefusal {
    Unauthorized,
    Forbidden,
}

/// A login of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub user: String,
    pub password: String,
    /// Repository prefixes it may pull; empty means all.
    pub may_pull: Vec<String>,
}

/// The health of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Ok,
    /// 429 for everybody until the given time.
    RateLimitedUntil(Timestamp),
    /// 429 for those who do not log in.
    RateLimitedAnonymous,
    /// 503 until the given time, or for good.
    Outage {
        until: Option<Timestamp>,
    },
    /// Accepts the connection and never answers.
    Hanging,
}

impl Account {
    /// An account that may pull every repository.
    pub fn new(user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: password.to_owned(), may_pull: Vec::new() }
    }
}

impl Registry {
    /// A registry in good health that holds nothing yet.
    pub fn new(host: &str, auth: Auth) -> Self {
        Self { host: host.to_owned(), auth, mode: Mode::Ok, repositories: BTreeMap::new() }
    }

    /// The same registry, holding `repository` with these tags as well.
    #[must_use]
    pub fn with(mut self, repository: &str, tags: &[&str]) -> Self {
        self.repositories
            .entry(repository.to_owned())
            .or_default()
            .extend(tags.iter().map(|tag| (*tag).to_owned()));
        self
    }

    /// Whether the repository is there with that tag. A digest counts as held when its repository is.
    pub fn holds(&self, image: &ImageRef) -> bool {
        self.repositories
            .get(&image.repository)
            .is_some_and(|tags| image.is_digest() || tags.contains(&image.tag))
    }
}

impl Registries {
    /// Adds a registry; what another scenario already put on that host stays.
    pub fn add(&mut self, registry: Registry) {
        match self.hosts.get_mut(&registry.host) {
            None => {
                self.hosts.insert(registry.host.clone(), registry);
            }
            Some(known) => {
                known.auth = registry.auth;
                known.mode = registry.mode;
                for (repository, tags) in registry.repositories {
                    known.repositories.entry(repository).or_default().extend(tags);
                }
            }
        }
    }

    /// The registry of that host.
    pub fn get(&self, host: &str) -> Option<&Registry> {
        self.hosts.get(host)
    }

    /// Changes how a registry feels; an unknown host is left alone.
    pub fn set_mode(&mut self, host: &str, mode: Mode) {
        if let Some(registry) = self.hosts.get_mut(host) {
            registry.mode = mode;
        }
    }

    /// What a node gets when it pulls `image` with `keyring` at `now`.
    pub fn pull(&self, image: &ImageRef, keyring: &Keyring, now: Timestamp) -> PullResult {
        match self.hosts.get(&image.host) {
            Some(registry) => pull::pull(registry, image, keyring, now),
            None => Err(PullFailure::no_such_host(image)),
        }
    }
}
