//! Both ways in, up to where what happened is handed over: what is heard, and since when nothing was.

use std::sync::Arc;

use axum::Router;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::inbox::{Inbox, Taken};
use super::settings::{Secrets, Settings, WayIn};
use super::socket::Socket;
use super::web::Web;
use crate::chat::hearing::{Clock, Gap, Hearing};
use crate::chat::owed::Owing;

/// How many ended gaps can wait to be told.
const GAPS: usize = 16;

/// Hears Slack.
pub struct Ears {
    /// What happened, each once.
    pub taken: mpsc::Receiver<Taken>,
    /// Times in which nothing could be heard, as they end.
    pub gaps: mpsc::Receiver<Gap>,
    pub hearing: Hearing,
    /// The routes that Slack calls, in the mode that has some.
    pub routes: Router,
    pub link: Link,
    pub(super) inbox: Arc<Inbox>,
}

/// What must run for something to be heard.
pub struct Link(Option<Socket>);

impl Ears {
    /// The way in that the settings name. Nothing is opened before [`Link::run`]; what is owed an answer is
    /// forgotten with the process.
    pub fn new(settings: &Settings, secrets: &Secrets, web: Arc<Web>, clock: Clock) -> Self {
        Self::keeping(settings, secrets, web, clock, Owing::unkept("slack"))
    }

    /// The same, writing down what is owed.
    pub(super) fn keeping(
        settings: &Settings,
        secrets: &Secrets,
        web: Arc<Web>,
        clock: Clock,
        owing: Owing,
    ) -> Self {
        let (inbox, taken) = Inbox::new(owing);
        let (inbox, hearing) = (Arc::new(inbox), Hearing::new("slack", clock()));
        let (tell, gaps) = mpsc::channel(GAPS);
        let (routes, link) = match &secrets.way_in {
            WayIn::Socket(_) => {
                let socket = Socket {
                    web,
                    settings: settings.socket.clone(),
                    inbox: Arc::clone(&inbox),
                    hearing: hearing.clone(),
                    clock,
                    gaps: tell,
                };
                (Router::new(), Link(Some(socket)))
            }
            WayIn::Http(secret) => {
                // Whether Slack can reach the routes is not known here; that they are there is all there is.
                hearing.link_up(clock());
                (super::http::router(secret, Arc::clone(&inbox)), Link(None))
            }
        };
        Self { taken, gaps, hearing, routes, link, inbox }
    }
}

impl Link {
    /// Keeps hearing until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        match self.0 {
            Some(socket) => socket.run(stop).await,
            None => stop.cancelled().await,
        }
    }
}
