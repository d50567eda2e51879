//! Slack as a whole: built from its settings, run until it is stopped.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio_util::sync::CancellationToken;

use super::ears::Ears;
use super::front::Front;
use super::groups;
use super::homes::Homes;
use super::identity::People;
use super::missed::Missed;
use super::platform::Channels;
use super::settings::{Secrets, Settings};
use super::web::{Web, WebError};
use crate::chat::desk::Desk;
use crate::chat::gaps::GapTeller;
use crate::chat::heard;
use crate::chat::layout::Platform;
use crate::chat::link::Link;
use crate::chat::outbox::{self, Outbox};
use crate::chat::owed::{Keeper, Owing};
use crate::chat::paper::Paper;
use crate::chat::route::Routes;
use crate::chat::tasks::Tasks;
use crate::engine::Handle;

/// How long the start may wait for Slack to say who is in which groups.
const MEETING: Duration = Duration::from_secs(5);

/// A Slack that is ready to run.
pub struct Slack {
    ears: Ears,
    front: Front,
    keeper: Keeper,
    missed: Missed,
    engine: Handle,
    lives: Duration,
    outbox: Outbox<Channels>,
}

/// What it is built from.
pub struct Parts<'p> {
    pub settings: &'p Settings,
    pub secrets: &'p Secrets,
    pub desk: Desk,
    pub paper: Paper,
    pub routes: Arc<Routes>,
}

impl Slack {
    /// Builds it. Nothing is sent or opened before [`Self::run`].
    pub fn new(parts: Parts<'_>) -> Result<Self, WebError> {
        let Parts { settings, secrets, desk, paper, routes } = parts;
        let web = Arc::new(Web::new(&settings.api_url, secrets)?);
        let engine = desk.engine().clone();
        let clock = {
            let engine = engine.clone();
            Arc::new(move || engine.now())
        };
        let (owing, keeper) = Owing::new("slack", &engine);
        let ears = Ears::keeping(settings, secrets, Arc::clone(&web), clock, owing.clone());
        let lives = Duration::from_secs(60 * u64::from(settings.identity_minutes));
        let people = Arc::new(People::new(Arc::clone(&web), lives));
        let outbox = Outbox::new(outbox::Parts {
            platform: Channels::new(Arc::clone(&web)),
            kind: Platform::Slack,
            engine: engine.clone(),
            routes: Arc::clone(&routes),
            words: Arc::clone(&paper.words),
            layouts: Arc::clone(&paper.layouts),
        });
        let channels = routes.channels(Platform::Slack);
        let words = Arc::clone(&paper.words);
        let teller = GapTeller { engine: engine.clone(), words, outbox: outbox.clone(), channels };
        let missed = Missed {
            web: Arc::clone(&web),
            inbox: Arc::clone(&ears.inbox),
            hearing: ears.hearing.clone(),
            teller,
            tell_over: settings.socket.report_gaps_over(),
        };
        let front =
            Front { web, people, paper, desk, owing, outbox: outbox.clone(), homes: Homes::default() };
        Ok(Self { ears, front, keeper, missed, engine, lives, outbox })
    }

    /// How the link stands.
    pub fn link(&self) -> Link {
        Link::new(self.ears.hearing.clone(), self.outbox.clone())
    }

    /// The routes that Slack calls in mode `http`; none otherwise.
    pub fn routes(&mut self) -> Router {
        std::mem::take(&mut self.ears.routes)
    }

    /// Asks Slack who is in which groups right now, for everybody whose decisions may rest on that; not for long.
    /// To be done before anything is carried out.
    pub async fn meet(&self) {
        let met = groups::renew(&self.front.people, &self.engine);
        if tokio::time::timeout(MEETING, met).await.is_err() {
            tracing::warn!("Slack did not say in time who is in which groups; what it said lately counts");
        }
    }

    /// Hears and answers until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let Self { ears, front, keeper, missed, engine, lives, outbox } = self;
        let Ears { taken, gaps: ended, hearing, routes: _, link, inbox } = ears;
        let last = engine.heard(hearing.platform()).await.unwrap_or_default();
        let people = Arc::clone(&front.people);
        let owing = front.owing.clone();
        let (mut tasks, stopped) = (Tasks::new("Slack", keeper, &stop), stop.clone());
        tasks.add(front.run(taken, stop.clone()));
        // What is owed is known before the same can be delivered once more.
        owing.hand_over(&*inbox, &stop).await;
        tasks.add(owing.hand_over_again(inbox, stop.clone()));
        tasks.add(link.run(stop.clone()));
        tasks.add(heard::keep(hearing, engine.clone(), stop.clone()));
        tasks.add(missed.run(last, ended, stop.clone()));
        tasks.add(async move { groups::keep(&people, &engine, lives, &stopped).await });
        tasks.add(outbox.run(stop.clone()));
        tasks.run().await;
    }
}
