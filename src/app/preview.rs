//! The console's page of cards alone, for `kubemend templates preview`: no cluster, no store on disk, nothing but
//! samples.
//!
//! Looks a few times a second whether a template was saved, and tells the open pages. Nobody signs in: there is
//! nothing to protect but samples, so whoever starts it gives it an address that only their machine reaches.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{HEADERS_WITHIN, LAST_REQUESTS, StartError, finish, listen, serve};
use crate::chat::console::{self, Console, Gallery};
use crate::chat::templates::Mistake;
use crate::engine::{Engine, Options, Parts};
use crate::gate::{GateConfig, Policy};
use crate::playbook::Book;
use crate::store::Store;

/// How long after it was saved a template shows at the latest.
const LOOK: Duration = Duration::from_millis(300);
/// A few browsers with a few pages each.
const CONNECTIONS: usize = 128;

/// A preview that is ready to run.
pub struct Preview {
    console: Console,
    gallery: Arc<Gallery>,
    listener: TcpListener,
    address: SocketAddr,
    streams: CancellationToken,
    /// What the console asks; nothing ever runs in it.
    engine: Engine,
}

impl Preview {
    /// Reads the templates. Mistakes in them are shown on the page.
    pub async fn open(
        address: SocketAddr,
        folder: Option<PathBuf>,
        locales: &[String],
    ) -> Result<Self, StartError> {
        let listener = listen(address).await?;
        let address = listener.local_addr().map_err(|source| StartError::Listen { address, source })?;
        let policy = Policy::new(GateConfig::default()).expect("nobody may do anything: nothing to be wrong");
        let store = Store::memory().await.map_err(StartError::Store)?;
        let parts =
            Parts { options: Options::default(), store, book: Book::default(), policy, posts: Vec::new() };
        let engine = Engine::new(parts).await.map_err(StartError::Store)?;
        let (gallery, streams) = (Arc::new(Gallery::new(folder, locales)), CancellationToken::new());
        let parts = console::Parts {
            engine: engine.handle(),
            settings: console::Settings::default(),
            client_secret: None,
            door: Box::new(|_| None),
            credentials: BTreeSet::new(),
            chat: Box::new(Vec::new),
            cards: gallery.samples(),
            demo: false,
            stop: streams.clone(),
        };
        let console = Console::open(parts).await.map_err(StartError::Console)?;
        Ok(Self { console, gallery, listener, address, streams, engine })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is wrong with the templates right now.
    pub fn mistakes(&self) -> Vec<Mistake> {
        self.gallery.mistakes()
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let Self { console, gallery, listener, address: _, streams, engine } = self;
        let bounds = serve::Bounds { connections: CONNECTIONS, headers_within: HEADERS_WITHIN };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve::serve(listener, console.cards_alone(), bounds, streams.clone()));
        tasks.spawn(console.clone().run(stop.clone()));
        tasks.spawn(follow(gallery, console, stop.clone()));
        stop.cancelled().await;
        streams.cancel();
        finish("requests", &mut tasks, LAST_REQUESTS).await;
        drop(engine);
    }
}

/// Reads the templates again when one of them was saved, until `stop`.
async fn follow(gallery: Arc<Gallery>, console: Console, stop: CancellationToken) {
    let mut clock = interval(LOOK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = gallery.stamp();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = clock.tick() => {}
        }
        let stamp = gallery.stamp();
        if stamp != seen {
            seen = stamp;
            gallery.reload();
            console.cards_changed();
        }
    }
}
