//! How the link to a platform stands: for readiness and for the page that shows it.

use std::sync::Arc;

use super::hearing::Hearing;
use super::outbox::{Outbox, Platform};

/// The link to one platform, to be looked at.
#[derive(Clone)]
pub struct Link {
    pub hearing: Hearing,
    backlog: Arc<dyn Fn() -> Backlog + Send + Sync>,
}

/// What waits to be sent, and what keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Backlog {
    pub waiting: usize,
    /// A channel that cannot be used, and why.
    pub trouble: Option<String>,
}

impl Link {
    /// The link that these two make.
    pub(super) fn new<P: Platform>(hearing: Hearing, outbox: Outbox<P>) -> Self {
        let backlog = move || {
            let broken = outbox.broken();
            let trouble = broken.iter().next().map(|(channel, why)| format!("{channel}: {why}"));
            Backlog { waiting: outbox.waiting(), trouble }
        };
        Self { hearing, backlog: Arc::new(backlog) }
    }

    /// What waits now.
    pub fn backlog(&self) -> Backlog {
        (self.backlog)()
    }
}
