//! Socket Mode: several overlapping WebSockets, on each of which everything is acknowledged at once.
//!
//! # Why not slack-morphism's listener
//!
//! The crate gives the Web API that opens the link (`apps.connections.open`). Its listener was left out,
//! because it acknowledges only after the callback returned and one callback at a time (a slow one lost the
//! acknowledgements of those behind it), hands over no envelope ids, closes a link that is to be renewed
//! before its successor is up, waits a fixed 30 seconds without jitter whatever Slack says, and takes
//! 75 seconds to notice a dead link. The socket itself is the one the crate uses: tokio-tungstenite on
//! rustls with ring and the operating system's roots. `tests/whole/slack_link.rs` shows each of these the other way.
//!
//! The keeper here is level-triggered: it looks how many links there are and opens what is missing.

mod connection;
mod envelope;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::inbox::Inbox;
use super::settings::SocketSettings;
use super::web::Web;
use crate::chat::hearing::{Clock, Gap, Hearing};
use crate::chat::pause::Pause;
use connection::{Ended, Link};

/// A link that lived so long was no failure.
const STEADY: Duration = Duration::from_secs(10);
/// How many notices of links can wait.
const NOTICES: usize = 64;

/// The way in over Socket Mode.
pub(super) struct Socket {
    pub(super) web: Arc<Web>,
    pub(super) settings: SocketSettings,
    pub(super) inbox: Arc<Inbox>,
    pub(super) hearing: Hearing,
    pub(super) clock: Clock,
    /// Where ended gaps are told.
    pub(super) gaps: mpsc::Sender<Gap>,
}

/// What a link says of itself.
enum Notice {
    /// Slack said hello.
    Up(u64),
    /// Slack will close it soon; it still hears.
    Retiring(u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Opening,
    Up { since: Instant },
    Retiring { was_up: bool },
}

/// How a link ended.
struct Over {
    id: u64,
    how: Ended,
}

struct Keeper {
    socket: Arc<Socket>,
    links: BTreeMap<u64, State>,
    tasks: JoinSet<Over>,
    notices: mpsc::Sender<Notice>,
    pause: Pause,
    next: u64,
    stop: CancellationToken,
}

impl Socket {
    /// Keeps the links until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let (notices, mut told) = mpsc::channel(NOTICES);
        let pause = Pause::new(self.settings.longest_pause());
        let socket = Arc::new(self);
        let (links, tasks) = (BTreeMap::new(), JoinSet::new());
        let mut keeper = Keeper { socket, links, tasks, notices, pause, next: 0, stop: stop.clone() };
        loop {
            keeper.open_what_is_missing();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(notice) = told.recv() => keeper.note(&notice).await,
                Some(over) = keeper.tasks.join_next() => keeper.ended(over),
            }
        }
        while keeper.tasks.join_next().await.is_some() {}
    }
}

impl Keeper {
    fn open_what_is_missing(&mut self) {
        let retiring = |state: &&State| matches!(state, State::Retiring { .. });
        let going = self.links.values().filter(|state| !retiring(state)).count();
        for _ in going..self.socket.settings.connections {
            let id = self.next;
            self.next += 1;
            self.links.insert(id, State::Opening);
            let link = Link {
                id,
                socket: Arc::clone(&self.socket),
                notices: self.notices.clone(),
                wait: self.pause.before_next(),
                stop: self.stop.clone(),
            };
            self.tasks.spawn(async move { Over { id, how: link.live().await } });
        }
    }

    async fn note(&mut self, notice: &Notice) {
        match notice {
            Notice::Up(id) => {
                self.links.insert(*id, State::Up { since: Instant::now() });
                let gap = self.socket.hearing.link_up((self.socket.clock)());
                tracing::info!(slack.link = id, "hears Slack over link {id}");
                self.report(gap).await;
            }
            Notice::Retiring(id) => {
                if let Some(state) = self.links.get_mut(id) {
                    *state = State::Retiring { was_up: matches!(state, State::Up { .. }) };
                }
            }
        }
    }

    async fn report(&self, gap: Option<Gap>) {
        if let Some(gap) = gap {
            tracing::warn!("could not hear Slack for {:#}: {}", gap.lasted(), gap.why);
            // Told before anything else is taken in; whoever reads it may be slow, so it is not waited for long.
            let _ = tokio::time::timeout(Duration::from_secs(1), self.socket.gaps.send(gap)).await;
        }
    }

    fn ended(&mut self, over: Result<Over, tokio::task::JoinError>) {
        let Ok(Over { id, how }) = over else {
            tracing::error!("a link to Slack broke off; all of them are counted anew");
            return self.count_anew();
        };
        let state = self.links.remove(&id);
        let lived = match state {
            Some(State::Up { since }) => since.elapsed() >= STEADY,
            Some(State::Retiring { was_up }) => was_up,
            Some(State::Opening) | None => false,
        };
        let was_up = matches!(state, Some(State::Up { .. } | State::Retiring { was_up: true }));
        if was_up {
            self.socket.hearing.link_down(how.heard(&self.socket.clock), &how.to_string());
        } else {
            self.socket.hearing.still_deaf(&how.to_string());
        }
        how.log(id);
        self.pause.after(how.wait(), lived);
    }

    /// A task that panicked took its number with it: close all, so that the count is right again.
    fn count_anew(&mut self) {
        let now = (self.socket.clock)();
        self.tasks.abort_all();
        for (_, state) in std::mem::take(&mut self.links) {
            if matches!(state, State::Up { .. } | State::Retiring { was_up: true }) {
                self.socket.hearing.link_down(now, "a link broke off");
            }
        }
    }
}
