//! Both ways in, up to where what happened is handed over: what is heard, and since when nothing was.

use std::sync::Arc;

use axum::Router;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::gateway::Gateway;
use super::inbox::{Inbox, Taken};
use super::lane::{self, Job, Lane};
use super::settings::{Mode, Secrets, Settings};
use super::web::{Web, WebError};
use crate::chat::hearing::{Clock, Gap, Hearing};
use crate::chat::owed::Owing;

/// How many ended gaps can wait to be told.
const GAPS: usize = 16;

/// Hears Discord.
pub struct Ears {
    /// What happened, each once.
    pub taken: mpsc::Receiver<Taken>,
    /// Times in which nothing could be heard, as they end.
    pub gaps: mpsc::Receiver<Gap>,
    pub hearing: Hearing,
    /// The route that Discord calls, in the mode that has one.
    pub routes: Router,
    pub link: Link,
    /// Where what is owed is taken up again.
    pub(super) inbox: Arc<Inbox>,
}

/// What must run for something to be heard and acknowledged.
pub struct Link {
    web: Arc<Web>,
    jobs: mpsc::Receiver<Job>,
    gateway: Option<Gateway>,
}

impl Ears {
    /// The way in that the settings name. Nothing is opened before [`Link::run`]; what is owed an answer is forgotten
    /// with the process.
    pub fn new(
        settings: &Settings,
        secrets: &Secrets,
        web: Arc<Web>,
        clock: Clock,
    ) -> Result<Self, WebError> {
        Self::keeping(settings, secrets, web, clock, Owing::unkept("discord"))
    }

    /// The same; what is owed an answer is kept.
    pub(super) fn keeping(
        settings: &Settings,
        secrets: &Secrets,
        web: Arc<Web>,
        clock: Clock,
        owing: Owing,
    ) -> Result<Self, WebError> {
        let (inbox, taken) = Inbox::new(owing);
        let (inbox, hearing) = (Arc::new(inbox), Hearing::new("discord", clock()));
        let ((lane, jobs), (tell, gaps)) = (Lane::new(), mpsc::channel(GAPS));
        let (routes, gateway) = match settings.mode {
            Mode::Gateway => {
                let gateway = Gateway {
                    web: Arc::clone(&web),
                    settings: settings.gateway.clone(),
                    token: secrets.bot.clone(),
                    inbox: Arc::clone(&inbox),
                    lane,
                    hearing: hearing.clone(),
                    clock,
                    gaps: tell,
                };
                (Router::new(), Some(gateway))
            }
            Mode::Http => {
                let key = settings.public_key.as_deref().unwrap_or_default();
                let verifier = super::http::verifier(key).ok_or_else(|| {
                    WebError::not_sent("connect", "chat.discord.publicKey is no public key")
                })?;
                // Whether Discord can reach the route is not known here; that it is there is all there is.
                hearing.link_up(clock());
                (super::http::router(verifier, Arc::clone(&inbox), clock), None)
            }
        };
        Ok(Self { taken, gaps, hearing, routes, link: Link { web, jobs, gateway }, inbox })
    }
}

impl Link {
    /// Keeps hearing until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let (mut tasks, over_http) = (JoinSet::new(), self.gateway.is_none());
        tasks.spawn(lane::run(self.web, self.jobs, stop.clone()));
        if let Some(gateway) = self.gateway {
            tasks.spawn(gateway.run(stop.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of Discord's link broke off");
            }
        }
        if over_http {
            // Nothing has to run here: answers go out in the responses.
            stop.cancelled().await;
        }
    }
}
