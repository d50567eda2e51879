//! Why kubemend could not start, or stopped: what, where, and the way out.

use std::net::SocketAddr;

use thiserror::Error;

use crate::chat::console::ConsoleError;
use crate::cluster::ConnectError;
use crate::playbook::Problem;
use crate::store::StoreError;

/// A failed start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the store cannot be used")]
    Store(#[source] StoreError),
    #[error("the playbooks have mistakes:\n{}", lines(.0))]
    Playbooks(Vec<Problem>),
    #[error("the console cannot be served")]
    Console(#[source] ConsoleError),
    #[error("no connection to cluster {name} can be set up")]
    Cluster { name: String, source: ConnectError },
    #[error("chat cannot be set up:\n{0}")]
    Chat(String),
    #[error("{part} ended by itself, so kubemend stopped; the log says why")]
    Broken { part: &'static str },
}

impl StartError {
    /// What to do about it.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "choose another address in api.listen, or stop what listens there",
            Self::Store(_) => "store.path must lie in a folder that exists and can be written",
            Self::Playbooks(_) => {
                "`kubemend playbooks lint` checks them; playbooks.disabled switches one off"
            }
            Self::Console(_) => {
                "console.templates names a folder of templates, console.oidc a provider; console.enabled switches the pages off"
            }
            Self::Cluster { .. } => {
                "`kubectl config get-contexts` lists the contexts; clusters[].source names one"
            }
            Self::Chat(_) => {
                "`kubemend doctor --config FILE` looks at the platform's side; docs/slack.md has each step"
            }
            Self::Broken { .. } => "start it again; what was under way is taken up where it stood",
        }
    }

    /// The error with its causes, one after the other.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|p| format!("{}:{}:{}: {}", p.file, p.line, p.column, p.message))
        .collect::<Vec<_>>()
        .join("\n")
}
