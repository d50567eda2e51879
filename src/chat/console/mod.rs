//! The console: the chat platform that is built in, in the browser.
//!
//! Owns the pages ([`pages`]) and what serves them: who is signed in (`sessions`, `signin`, `oidc`), what
//! keeps others out (`visit`, `form`, `origin`, `limiter`), reading and acting, and the pages' way to
//! keep themselves up to date (`live`, `list`). Refuses to judge: a click goes to the engine's gate like
//! one from any other platform. Refuses clusters and stores: everything is asked of `engine::Handle`.

mod acting;
mod answer;
mod cookie;
mod files;
mod form;
mod gallery;
mod limiter;
mod list;
mod live;
mod oidc;
mod origin;
pub mod pages;
mod reading;
mod records;
mod secret;
mod sessions;
mod settings;
mod signin;
mod visit;

use std::collections::BTreeSet;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use jiff::Timestamp;
use parking_lot::Mutex;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use gallery::{Gallery, Stamp};
pub use oidc::OidcError;
pub use sessions::Pass;
pub use settings::{OidcSettings, SecureCookies, SessionSettings, Settings};

use answer::Failure;
use cookie::Cookies;
use files::Packed;
use limiter::Limiter;
use list::List;
use live::Pulse;
use oidc::Oidc;
use pages::{ChatLink, Locale, Pages, RenderedCard};
use sessions::Sessions;
use signin::Links;

use crate::chat::templates::{Mistake, lines};
use crate::engine::{Handle, Refused};
use crate::incident::Digest;

/// How the console's names for an identity provider's people begin.
pub const PROVIDED: &str = "oidc:";

/// Whom a token lets in.
pub type Door = Box<dyn Fn(&str) -> Option<Pass> + Send + Sync>;
/// How the other chat platforms stand, for the status page.
pub type ChatLinks = Box<dyn Fn() -> Vec<ChatLink> + Send + Sync>;
/// How the other platforms would show a sample card; `None` for a name that no sample has.
pub type CardSamples = Box<dyn Fn(&str, Locale) -> Option<Sampled> + Send + Sync>;

/// A sample, shown as other platforms would.
#[derive(Clone, Debug, Default)]
pub struct Sampled {
    pub names: Vec<String>,
    pub chosen: String,
    pub cards: Vec<RenderedCard>,
    /// Of templates that cannot be used; the cards are of those before.
    pub mistakes: Vec<Mistake>,
}

/// What the console is made of.
pub struct Parts {
    pub engine: Handle,
    pub settings: Settings,
    /// The secret of the identity provider's client, where it has one.
    pub client_secret: Option<String>,
    pub door: Door,
    /// The credentials that are configured now; sessions by others are over. Empty where no token is taken.
    pub credentials: BTreeSet<Digest>,
    pub chat: ChatLinks,
    pub cards: CardSamples,
    pub demo: bool,
    /// Ends the open streams.
    pub stop: CancellationToken,
}

/// The console, ready to serve. Clones are one console.
#[derive(Clone)]
pub struct Console(Arc<Inner>);

struct Inner {
    engine: Handle,
    settings: Settings,
    origin: Option<String>,
    cookies: Cookies,
    pages: Pages,
    packed: Packed,
    sessions: Sessions,
    limiter: Mutex<Limiter>,
    links: Links,
    door: Door,
    takes_tokens: bool,
    oidc: Option<Oidc>,
    list: List,
    pulse: Pulse,
    links_to_chat: ChatLinks,
    cards: CardSamples,
    /// Who reads all records at once.
    heavy: Arc<Semaphore>,
    started: Timestamp,
    demo: bool,
}

/// Why the console cannot be served.
#[derive(Debug, Error)]
pub enum ConsoleError {
    #[error("the console's templates cannot be used:\n{}", lines(.0))]
    Pages(Vec<Mistake>),
    #[error("the console's sessions or incidents cannot be read")]
    Engine(#[source] Refused),
    #[error("console.oidc cannot be used")]
    Oidc(#[source] OidcError),
}

impl Console {
    /// Reads templates, sessions and incidents. Nothing is served before [`Self::router`] is.
    pub async fn open(parts: Parts) -> Result<Self, ConsoleError> {
        let Parts { engine, settings, client_secret, door, mut credentials, chat, cards, demo, stop } = parts;
        let pages = Pages::load(settings.templates.as_deref()).map_err(ConsoleError::Pages)?;
        let takes_tokens = !credentials.is_empty();
        let oidc = match settings.oidc.clone() {
            Some(provider) => {
                let oidc = Oidc::new(provider, client_secret, settings.public_url.as_deref());
                Some(oidc.map_err(ConsoleError::Oidc)?)
            }
            None => None,
        };
        credentials.extend(oidc.as_ref().map(Oidc::credential));
        let sessions = Sessions::open(engine.clone(), settings.sessions.clone(), &credentials).await;
        let (started, list) = (engine.now(), List::default());
        list.reread(&engine).await.map_err(ConsoleError::Engine)?;
        Ok(Self(Arc::new(Inner {
            origin: settings.origin(),
            cookies: Cookies { secure: settings.secure() },
            sessions: sessions.map_err(ConsoleError::Engine)?,
            limiter: Mutex::new(Limiter::new(started)),
            pulse: Pulse::new(settings.live_streams, stop),
            heavy: Arc::new(Semaphore::new(1)),
            packed: Packed::default(),
            links: Links::default(),
            links_to_chat: chat,
            engine,
            settings,
            pages,
            door,
            takes_tokens,
            oidc,
            list,
            cards,
            started,
            demo,
        })))
    }

    /// The console's routes, everything that is nowhere else included.
    pub fn router(&self) -> Router {
        let layer = middleware::from_fn_with_state(self.clone(), visit::attend);
        ways_in()
            .merge(reads())
            .merge(acts())
            .method_not_allowed_fallback(not_so)
            .fallback(elsewhere)
            .layer(layer)
            .with_state(self.clone())
    }
}

impl Console {
    /// The page of cards alone, open to whoever can reach it: for `kubemend templates preview`, where there is
    /// nothing but samples.
    pub fn cards_alone(&self) -> Router {
        let layer = middleware::from_fn_with_state(self.clone(), visit::attend_anybody);
        Router::new()
            .route("/", get(to_cards))
            .route("/incidents", get(to_cards))
            .route("/cards", get(reading::cards))
            .route("/live", get(live::live))
            .route("/settings", post(signin::looks))
            .route("/assets/{name}", get(files::file))
            .method_not_allowed_fallback(not_so)
            .fallback(elsewhere)
            .layer(layer)
            .with_state(self.clone())
    }
}

async fn to_cards() -> axum::response::Response {
    answer::see("/cards")
}

fn ways_in() -> Router<Console> {
    Router::new()
        .route("/login", get(signin::page).post(signin::by_token))
        .route("/login/oidc", get(oidc::start))
        .route(oidc::CALLBACK, get(oidc::callback))
        .route("/logout", post(signin::out))
        .route("/settings", post(signin::looks))
        .route("/assets/{name}", get(files::file))
}

fn reads() -> Router<Console> {
    Router::new()
        .route("/", get(front))
        .route("/incidents", get(reading::incidents))
        .route("/incidents/{id}", get(reading::incident))
        .route("/proposals/{id}", get(reading::proposal))
        .route("/playbooks", get(reading::playbooks))
        .route("/playbooks/{id}", get(reading::playbook))
        .route("/audit", get(records::page))
        .route("/audit/export", get(records::export))
        .route("/status", get(reading::status))
        .route("/cards", get(reading::cards))
        .route("/live", get(live::live))
}

fn acts() -> Router<Console> {
    Router::new()
        .route("/proposals/{id}/decide", post(acting::decide))
        .route("/incidents/{id}/silence", post(acting::silence))
        .route("/incidents/{id}/unsilence", post(acting::unsilence))
        .route("/executions/{id}/undo", post(acting::undo))
        .route("/executions/{id}/settle", post(acting::settle))
        .route("/pause", post(acting::pause))
        .route("/resume", post(acting::resume))
}

async fn front() -> axum::response::Response {
    answer::see("/incidents")
}

async fn elsewhere() -> Failure {
    Failure::not_found()
}

async fn not_so() -> Failure {
    Failure::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, "")
}
