//! The connection to one API server: two clients of one configuration, made anew when the credentials are no
//! longer accepted.
//!
//! One client repeats what failed for a moment; it only ever reads. The other sends once and says what came
//! of it: watches have their own patience, and a change must not be sent twice.

use std::time::Duration;

use arc_swap::ArcSwap;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::config::Access;

/// Credentials are not fetched anew more often than this.
const RENEW_AT_MOST_EVERY: Duration = Duration::from_secs(5);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    #[error("not inside a cluster")]
    InCluster(#[source] kube::config::InClusterError),
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),
    #[error("no client could be made")]
    Client(#[source] Box<kube::Error>),
}

pub(super) struct Link {
    access: Access,
    clients: ArcSwap<Clients>,
    renewed: Mutex<Option<Instant>>,
}

struct Clients {
    plain: Client,
    retrying: Client,
}

impl Link {
    pub(super) async fn open(access: Access) -> Result<Self, ConnectError> {
        let clients = ArcSwap::from_pointee(make(&access).await?);
        Ok(Self { access, clients, renewed: Mutex::new(None) })
    }

    /// Sends once.
    pub(super) fn plain(&self) -> Client {
        self.clients.load().plain.clone()
    }

    /// Repeats what the server was too busy for. For reading only.
    pub(super) fn retrying(&self) -> Client {
        self.clients.load().retrying.clone()
    }

    /// Reads the configuration and its credentials again. Token files are read by kube itself once a minute;
    /// this is for what it does not do, and for not waiting that long.
    pub(super) async fn renew(&self) {
        let mut renewed = self.renewed.lock().await;
        if renewed.is_some_and(|at| at.elapsed() < RENEW_AT_MOST_EVERY) {
            return;
        }
        *renewed = Some(Instant::now());
        match make(&self.access).await {
            Ok(clients) => self.clients.store(clients.into()),
            Err(error) => tracing::warn!("credentials cannot be renewed: {error}"),
        }
    }
}

async fn make(access: &Access) -> Result<Clients, ConnectError> {
    let mut config = configuration(access).await?;
    config.connect_timeout = Some(CONNECT_WITHIN);
    // A watch is silent for as long as nothing happens; it has its own deadline.
    config.read_timeout = None;
    let client = |config| Client::try_from(config).map_err(|e| ConnectError::Client(Box::new(e)));
    config.default_retry = false;
    let plain = client(config.clone())?;
    config.default_retry = true;
    Ok(Clients { plain, retrying: client(config)? })
}

async fn configuration(access: &Access) -> Result<Config, ConnectError> {
    let of_kubeconfig = |error| ConnectError::Kubeconfig(Box::new(error));
    match access {
        Access::InCluster => Config::incluster().map_err(ConnectError::InCluster),
        Access::Direct(config) => Ok(Config::clone(config)),
        Access::Kubeconfig { path, context } => {
            let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
            match path {
                None => Config::from_kubeconfig(&options).await.map_err(of_kubeconfig),
                Some(path) => {
                    let file = Kubeconfig::read_from(path).map_err(of_kubeconfig)?;
                    Config::from_custom_kubeconfig(file, &options).await.map_err(of_kubeconfig)
                }
            }
        }
    }
}

/// What is worth saying of a client's error: its innermost causes, once each.
pub(super) fn describe(error: &kube::Error) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = next {
        next = cause.source();
        let words = cause.to_string();
        // kube's own texts repeat their sources.
        if next.is_none_or(|source| !words.contains(&source.to_string())) && !text.contains(&words) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&words);
        }
    }
    text
}
