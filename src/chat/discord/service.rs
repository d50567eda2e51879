//! Discord as a whole: built from its settings, run until it is stopped.

use std::sync::Arc;

use axum::Router;
use tokio_util::sync::CancellationToken;

use super::ears::Ears;
use super::forms::Forms;
use super::front::Front;
use super::identity::People;
use super::platform::Channels;
use super::register::Registrar;
use super::settings::{Secrets, Settings};
use super::web::{Web, WebError};
use crate::chat::desk::Desk;
use crate::chat::gaps::GapTeller;
use crate::chat::layout::Platform;
use crate::chat::link::Link;
use crate::chat::outbox::{self, Outbox};
use crate::chat::owed::{Keeper, Owing};
use crate::chat::paper::Paper;
use crate::chat::route::Routes;
use crate::chat::tasks::Tasks;

/// A Discord that is ready to run.
pub struct Discord {
    ears: Ears,
    front: Front,
    keeper: Keeper,
    gaps: GapTeller<Channels>,
    outbox: Outbox<Channels>,
    registrar: Registrar,
}

/// What it is built from.
pub struct Parts<'p> {
    pub settings: &'p Settings,
    pub secrets: &'p Secrets,
    pub desk: Desk,
    pub paper: Paper,
    pub routes: Arc<Routes>,
}

impl Discord {
    /// Builds it. Nothing is sent or opened before [`Self::run`].
    pub fn new(parts: Parts<'_>) -> Result<Self, WebError> {
        let Parts { settings, secrets, desk, paper, routes } = parts;
        let web = Arc::new(Web::new(settings, secrets)?);
        let engine = desk.engine().clone();
        let clock = {
            let engine = engine.clone();
            Arc::new(move || engine.now())
        };
        let (owing, keeper) = Owing::new("discord", &engine);
        let ears = Ears::keeping(settings, secrets, Arc::clone(&web), clock, owing.clone())?;
        let outbox = Outbox::new(outbox::Parts {
            platform: Channels::new(Arc::clone(&web)),
            kind: Platform::Discord,
            engine: engine.clone(),
            routes: Arc::clone(&routes),
            words: Arc::clone(&paper.words),
            layouts: Arc::clone(&paper.layouts),
        });
        let channels = routes.channels(Platform::Discord);
        let registrar = Registrar::new(Arc::clone(&web), settings);
        let front = Front {
            web,
            people: People::new(&settings.guilds),
            paper: paper.clone(),
            desk,
            owing,
            channels: channels.iter().cloned().collect(),
            forms: Arc::new(Forms::default()),
        };
        let gaps = GapTeller { engine, words: paper.words, outbox: outbox.clone(), channels };
        Ok(Self { ears, front, keeper, gaps, outbox, registrar })
    }

    /// How the link stands.
    pub fn link(&self) -> Link {
        Link::new(self.ears.hearing.clone(), self.outbox.clone())
    }

    /// The route that Discord calls in mode `http`; none otherwise.
    pub fn routes(&mut self) -> Router {
        std::mem::take(&mut self.ears.routes)
    }

    /// Hears and answers until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let Self { ears, front, keeper, gaps, outbox, registrar } = self;
        let Ears { taken, gaps: ended, hearing: _, routes: _, link, inbox } = ears;
        let owing = front.owing.clone();
        let mut tasks = Tasks::new("Discord", keeper, &stop);
        tasks.add(front.run(taken, stop.clone()));
        // What is owed is known before the same can be delivered once more.
        owing.hand_over(&*inbox, &stop).await;
        tasks.add(owing.hand_over_again(inbox, stop.clone()));
        tasks.add(link.run(stop.clone()));
        tasks.add(gaps.run(ended, stop.clone()));
        tasks.add(outbox.run(stop.clone()));
        tasks.add(registrar.run(stop.clone()));
        tasks.run().await;
    }
}
