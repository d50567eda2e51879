//! Builds each room from its configuration, starts the tasks, and owns the order of stopping.
//!
//! What starts last stops first: the HTTP API takes no more requests and ends its streams, the engine
//! finishes the steps that are under way and lets go of the clusters, the store closes its file.
//! Nothing runs on after [`App::run`] returns. Refuses to decide anything about incidents.

mod chat;
mod clusters;
mod error;
mod pages;
mod preview;
mod serve;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use error::StartError;
pub use preview::Preview;

use self::chat::Platforms;
use crate::api;
use crate::chat::console::Console;
use crate::chat::link::Link;
use crate::config::{Config, Loaded};
use crate::engine::{Engine, Handle, Options, Parts};
use crate::incident::ConditionId;
use crate::ops::{self, Metrics, NotReady, Readiness};
use crate::playbook::Book;
use crate::store::Store;

/// How long requests under way may take to end when kubemend stops.
const LAST_REQUESTS: Duration = Duration::from_secs(5);
/// How long the engine may take to finish the steps under way.
const LAST_STEPS: Duration = Duration::from_secs(20);

/// How long a client may take to send a request's headers, and to send another request.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// Connections beyond those whose requests are being answered.
const IDLE_CONNECTIONS: usize = 64;

/// A kubemend that is ready to run.
pub struct App {
    engine: Engine,
    handle: Handle,
    router: axum::Router,
    console: Option<Console>,
    listener: TcpListener,
    bounds: serve::Bounds,
    address: SocketAddr,
    metrics: Metrics,
    store: Store,
    platforms: Platforms,
    stops: Stops,
}

/// What kubemend is started for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Occasion {
    Work,
    Demo,
}

/// One signal for each thing that stops, in the order of stopping.
#[derive(Clone, Default)]
struct Stops {
    api: CancellationToken,
    engine: CancellationToken,
    rest: CancellationToken,
}

impl App {
    /// Builds everything. Nothing watches, executes or answers before [`Self::run`].
    pub async fn build(loaded: Loaded, options: Options) -> Result<Self, StartError> {
        Self::build_for(Occasion::Work, loaded, options).await
    }

    /// The same for `kubemend demo`: the console says what it is.
    pub async fn build_demo(loaded: Loaded, options: Options) -> Result<Self, StartError> {
        Self::build_for(Occasion::Demo, loaded, options).await
    }

    async fn build_for(occasion: Occasion, loaded: Loaded, options: Options) -> Result<Self, StartError> {
        let Loaded { config, policy, tokens, secrets } = loaded;
        let stops = Stops::default();
        let (metrics, book) = (Metrics::install(), book(&config)?);
        let listener = listen(config.api.listen).await?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::Listen { address: config.api.listen, source })?;
        let store = Store::open(&config.store.path).await.map_err(StartError::Store)?;
        let posts = clusters::connect(&config.clusters).await?;
        let parts = Parts { options, store: store.clone(), book, policy, posts };
        let engine = Engine::new(parts).await.map_err(StartError::Store)?;
        let handle = engine.handle();
        let mut platforms = Platforms::build(&config.chat, &secrets, &handle)?;
        let (outside, links) = (platforms.routes(), platforms.links());
        let probes = ops::router(metrics.clone(), readiness(handle.clone(), store.clone(), links.clone()));
        warn_of_exposure(&config, tokens.is_empty());
        let outside = probes.merge(outside);
        let console = pages::console(
            occasion,
            (&config.console, &config.chat),
            &handle,
            &tokens,
            secrets.oidc,
            links,
            &stops.api,
        )
        .await?;
        let outside = match &console {
            Some(console) => outside.merge(console.router()),
            None => outside.fallback(api::nowhere),
        };
        let bounds = bounds(&config.api.limits, &config.console);
        let router = api::router(handle.clone(), tokens, config.api.limits, outside, stops.api.clone());
        Ok(Self {
            engine,
            handle,
            router,
            console,
            listener,
            bounds,
            address,
            metrics,
            store,
            platforms,
            stops,
        })
    }

    /// What other ways in (the demo's terminal) talk to.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The web pages, where they are served.
    pub fn console(&self) -> Option<&Console> {
        self.console.as_ref()
    }

    /// Where the API listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until `stop`, or until a part ends that must not; then stops everything in order.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StartError> {
        let Self {
            engine,
            handle: _,
            router,
            console,
            listener,
            bounds,
            address,
            metrics,
            store,
            platforms,
            stops,
        } = self;
        info!(net.address = %address, "listening on http://{address}");
        let mut api = JoinSet::new();
        api.spawn(serve::serve(listener, router, bounds, stops.api.clone()));
        // Who may have decided what is known before anything is carried out.
        platforms.meet().await;
        platforms.spawn(&mut api, &stops.api);
        let mut rest = JoinSet::new();
        rest.spawn(metrics.keep_up(stops.rest.clone()));
        if let Some(console) = console {
            rest.spawn(console.run(stops.rest.clone()));
        }
        let mut mind = JoinSet::new();
        mind.spawn(engine.run(stops.engine.clone()));
        let broken = tokio::select! {
            () = stop.cancelled() => None,
            _ = api.join_next() => Some("the HTTP API or chat"),
            _ = mind.join_next() => Some("the engine"),
        };
        wind_down(&stops, api, mind, rest).await;
        store.close().await;
        broken.map_or(Ok(()), |part| Err(StartError::Broken { part }))
    }
}

async fn wind_down(stops: &Stops, mut api: JoinSet<()>, mut mind: JoinSet<()>, mut rest: JoinSet<()>) {
    stops.api.cancel();
    finish("requests", &mut api, LAST_REQUESTS).await;
    stops.engine.cancel();
    finish("steps", &mut mind, LAST_STEPS).await;
    stops.rest.cancel();
    finish("housekeeping", &mut rest, LAST_REQUESTS).await;
}

/// Waits for tasks to end; those that do not are ended. What they left half done is taken up at the next start.
async fn finish(what: &str, tasks: &mut JoinSet<()>, limit: Duration) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(limit, all).await.is_err() {
        warn!("{what} did not end within {} s and were broken off", limit.as_secs());
        tasks.shutdown().await;
    }
}

/// Room for every request and stream that the API takes, and for some clients between two requests.
fn bounds(limits: &api::Limits, console: &crate::chat::console::Settings) -> serve::Bounds {
    let streams = limits.event_streams + if console.enabled { console.live_streams } else { 0 };
    let connections = limits.requests_at_once + streams + IDLE_CONNECTIONS;
    serve::Bounds { connections, headers_within: HEADERS_WITHIN }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

fn book(config: &Config) -> Result<Book, StartError> {
    let off: Vec<ConditionId> = config.playbooks.disabled.iter().cloned().map(ConditionId).collect();
    Book::load(&config.playbooks.directories, &off).map_err(StartError::Playbooks)
}

fn warn_of_exposure(config: &Config, nobody: bool) {
    if !config.api.listen.ip().is_loopback() {
        warn!(
            net.address = %config.api.listen,
            "the API listens beyond this machine and speaks plain HTTP: put TLS and a network policy before it"
        );
    }
    if nobody {
        warn!("no tokens are configured: nobody can use the API");
    }
}

/// Ready: every cluster is connected and every kind that may be watched is listed; the chat platforms
/// that there are can be heard; the store can be written.
fn readiness(engine: Handle, store: Store, links: Vec<Link>) -> Readiness {
    Readiness::new(move || {
        let (engine, store, links) = (engine.clone(), store.clone(), links.clone());
        Box::pin(async move {
            let mut waiting = clusters::waiting(&engine.status());
            waiting.extend(chat::waiting(&links));
            if let Err(error) = store.can_write().await {
                warn!(error = &error as &dyn std::error::Error, "the store cannot be written");
                waiting
                    .push(NotReady { what: "store".into(), why: "it cannot be written; see the log".into() });
            }
            waiting
        })
    })
}
