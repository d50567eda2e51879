//! A Slack that is as strict as the real one: Web API, Socket Mode, response URLs, signed requests.
//!
//! It knows nothing of kubemend. It keeps users, channels, messages, threads and modals, refuses what Slack
//! refuses, with Slack's names for it, and does what people do: click, type, fill in. What it knows of methods
//! (arguments, content types, errors) is its own; where `KUBEMEND_SLACK_METHODS` names Slack's reference, its
//! own is held against that when it starts.

pub mod blocks;
pub mod calls;
pub mod faults;
pub mod files;
pub mod link;
pub mod methods;
pub mod people;
pub mod show;
pub mod state;
pub mod web;

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use faults::Fault;
use state::State;

pub const BOT_TOKEN: &str = "xoxb-the-bot-token-of-the-tests";
pub const APP_TOKEN: &str = "xapp-the-app-token-of-the-tests";
pub const SIGNING_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const BOT_USER: &str = "UBOT";
pub const TEAM: &str = "T1";

/// The scopes that a bot token has in tests unless they are taken away.
pub const SCOPES: &[&str] = &[
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "usergroups:read",
    "users:read",
];

/// The fake, running on loopback. Clones are one Slack.
#[derive(Clone)]
pub struct FakeSlack {
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

impl FakeSlack {
    /// A workspace with the bot, the given channels (id and name, the bot is in them), and nobody else.
    pub async fn start(channels: &[(&str, &str)]) -> Self {
        methods::hold_against_the_reference();
        let web = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let sockets = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let inner = Arc::new(Inner {
            state: Mutex::new(State::new(channels)),
            web: web.local_addr().expect("it is bound"),
            sockets: sockets.local_addr().expect("it is bound"),
            tasks: Mutex::default(),
        });
        inner.state.lock().own_url = format!("http://{}", inner.web);
        let weak = Arc::downgrade(&inner);
        let serving = tokio::spawn(web::serve(web, weak.clone()));
        let linking = tokio::spawn(link::serve(sockets, weak.clone()));
        let again = tokio::spawn(link::deliver_again(weak));
        inner.tasks.lock().extend([serving, linking, again]);
        Self { inner }
    }

    /// What goes into `chat.slack.apiUrl`.
    pub fn api_url(&self) -> String {
        format!("http://{}/api", self.inner.web)
    }

    /// Reads or changes what it holds.
    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.inner.state.lock())
    }
}
