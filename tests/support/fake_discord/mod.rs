//! A Discord that is as strict as the real one: REST v10, the gateway, interactions over both ways, rate limits.
//!
//! It knows nothing of kubemend. It keeps a server with people, roles, channels, threads, forum posts and
//! messages, refuses what Discord refuses, with Discord's codes and shapes, and does what people do: click,
//! choose, type, complete, fill in. What it takes and answers is its own; where `KUBEMEND_DISCORD_RECORD` names
//! a file, every request and answer is written there, and tests/discord_openapi.rs holds them against Discord's
//! own document.

#![allow(unused_imports, reason = "each test binary uses its own part of this")]

pub mod callbacks;
pub mod channels;
pub mod client;
pub mod commands;
pub mod components;
pub mod content;
pub mod endpoint;
pub mod faults;
pub mod form;
pub mod gateway;
pub mod guild;
pub mod limits;
pub mod messages;
pub mod people;
pub mod permissions;
pub mod pings;
pub mod record;
pub mod routes;
pub mod show;
pub mod state;
pub mod threads;
pub mod typing;
pub mod web;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use faults::{Fault, Scope};
pub use gateway::Order;
use state::State;

pub const BOT_TOKEN: &str = "MTEwMDAwMDAwMDAwMDAwMDAx.GTests.a-bot-token-that-only-the-tests-know0";
/// An app's id is its bot's id.
pub const APPLICATION: &str = "110000000000000001";
pub const BOT_USER: &str = APPLICATION;
pub const GUILD: &str = "220000000000000001";
/// A server that the app is in as well, and that nobody configured.
pub const ELSEWHERE: &str = "220000000000000002";
/// The role that the bot has.
pub const BOT_ROLE: &str = "330000000000000009";

/// The fake, running on loopback. Clones are one Discord.
#[derive(Clone)]
pub struct FakeDiscord {
    pub(crate) inner: Arc<Inner>,
}

pub struct Inner {
    pub state: Mutex<State>,
    pub web: SocketAddr,
    pub sockets: SocketAddr,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }
}

impl FakeDiscord {
    /// A server with the bot, the given text channels (id and name), and nobody else.
    pub async fn start(channels: &[(&str, &str)]) -> Self {
        let web = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let sockets = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let inner = Arc::new(Inner {
            state: Mutex::new(State::new(channels)),
            web: web.local_addr().expect("it is bound"),
            sockets: sockets.local_addr().expect("it is bound"),
            tasks: Mutex::default(),
        });
        let weak = Arc::downgrade(&inner);
        let serving = tokio::spawn(web::serve(web, weak.clone()));
        let linking = tokio::spawn(gateway::serve(sockets, weak));
        inner.tasks.lock().extend([serving, linking]);
        Self { inner }
    }

    /// Where its REST API is.
    pub fn api_url(&self) -> String {
        format!("http://{}/api/v10", self.inner.web)
    }

    /// Reads or changes what it holds.
    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.inner.state.lock())
    }

    /// Lets time pass for tokens, nonces and buckets, at once.
    pub fn advance(&self, by: Duration) {
        self.with(|state| state.shift += by);
    }
}
