//! The gateway: one WebSocket over which Discord says what people do.
//!
//! # Why not serenity's client
//!
//! It stands on an old rustls with open advisories (docs/security.md), resumes on the first URL instead of the
//! one Discord names for it, falls back to a fixed URL when it cannot ask for one, and begins sessions without
//! looking how many are left. What is used of it are its models and constants. The socket here is the one that
//! Slack's link uses, and trusts what the REST client trusts.
//!
//! The keeper is level-triggered: as long as there is no connection it makes one, resuming the session where
//! that is possible. It asks for no events: interactions come without any.

mod closing;
mod connection;
mod frame;
mod starts;
#[cfg(test)]
mod tests;

pub use frame::INTENTS;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::inbox::Inbox;
use super::lane::Lane;
use super::settings::{GatewaySettings, Secret};
use super::web::{Web, WebError};
use crate::chat::hearing::{Clock, Gap, Hearing};
use crate::chat::pause::Pause;
use closing::Next;
use connection::{Connection, Ended, failed};
use starts::Starts;

/// A connection that lived so long was no failure.
const STEADY: Duration = Duration::from_secs(10);
/// After so many failures to resume a session is given up.
const RESUMES: u32 = 3;

/// The way in over the gateway.
pub(super) struct Gateway {
    pub(super) web: Arc<Web>,
    pub(super) settings: GatewaySettings,
    pub(super) token: Secret,
    pub(super) inbox: Arc<Inbox>,
    /// Where acknowledgements go out.
    pub(super) lane: Lane,
    pub(super) hearing: Hearing,
    pub(super) clock: Clock,
    /// Where ended gaps are told.
    pub(super) gaps: mpsc::Sender<Gap>,
}

/// A session that can be taken up again.
struct Session {
    id: String,
    /// Where it is to be taken up.
    url: String,
}

/// What outlives a connection.
#[derive(Default)]
struct Kept {
    session: Option<Session>,
    /// The number of the newest event.
    seen: Option<u64>,
    starts: Starts,
}

impl Gateway {
    /// Keeps a connection until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let (mut kept, mut pause) = (Kept::default(), Pause::new(self.settings.longest_pause()));
        let mut failed_resumes = 0;
        loop {
            if rest(pause.before_next(), &stop).await.is_err() {
                return;
            }
            let resuming = kept.session.is_some();
            let ended = self.connect(&mut kept, &stop).await;
            self.note(&ended);
            failed_resumes = if resuming && !ended.was_up() { failed_resumes + 1 } else { 0 };
            match &ended.next {
                None => return,
                Some(Next::Never(_)) => return stop.cancelled().await,
                Some(Next::Resume) if failed_resumes < RESUMES => {}
                Some(Next::Resume | Next::Anew) => (kept.session, kept.seen) = (None, None),
            }
            pause.after(ended.wait, ended.lived() >= STEADY);
        }
    }

    /// One connection, from asking where to its end.
    async fn connect(&self, kept: &mut Kept, stop: &CancellationToken) -> Ended {
        let url = match &kept.session {
            Some(session) => session.url.clone(),
            None => match self.ask(&mut kept.starts).await {
                Ok(url) => url,
                Err(ended) => return ended,
            },
        };
        if kept.session.is_none() {
            let wait = kept.starts.wait(Instant::now());
            if kept.starts.is_spent(Instant::now()) {
                let why = format!(
                    "Discord lets this bot begin no more sessions for {wait:.0?}; is another kubemend running with its token?"
                );
                tracing::error!("{why}");
                self.hearing.still_deaf(&why);
            }
            if rest(wait, stop).await.is_err() {
                return Ended::stopped();
            }
        }
        match Connection::open(self, &url, stop).await {
            Ok(connection) => connection.live(kept, stop).await,
            Err(ended) => ended,
        }
    }

    /// Where a new session can be begun.
    async fn ask(&self, starts: &mut Starts) -> Result<String, Ended> {
        match self.web.gateway().await {
            Ok(told) => {
                starts.learn(&told.session_start_limit, Instant::now());
                Ok(told.url)
            }
            Err(error) if error.status() == Some(401) => {
                let next = closing::after(Some(4004));
                Err(Ended { next: Some(next), ..failed(error.to_string()) })
            }
            Err(error) => {
                let wait = match &error {
                    WebError::RateLimited { after, .. } => *after,
                    WebError::Api { .. } => Duration::from_secs(30),
                    WebError::NotSent { .. } | WebError::Unknown { .. } => Duration::ZERO,
                };
                Err(Ended { wait, ..failed(error.to_string()) })
            }
        }
    }

    /// Something is heard again.
    async fn up(&self) {
        let gap = self.hearing.link_up((self.clock)());
        tracing::info!("hears Discord over the gateway");
        let long = |gap: &Gap| gap.lasted().unsigned_abs() >= self.settings.report_gaps_over();
        if let Some(gap) = gap.filter(long) {
            tracing::warn!("could not hear Discord for {:#}: {}", gap.lasted(), gap.why);
            // Whoever reads it may be slow, so it is not waited for long.
            let _ = tokio::time::timeout(Duration::from_secs(1), self.gaps.send(gap)).await;
        }
    }

    /// What a connection's end means for hearing, and for whoever reads the log.
    fn note(&self, ended: &Ended) {
        let told = match &ended.next {
            Some(Next::Never(why)) => (*why).to_owned(),
            Some(Next::Resume | Next::Anew) | None => ended.why.clone(),
        };
        if ended.was_up() {
            let now = (self.clock)();
            let heard = now.checked_sub(ended.heard.elapsed()).unwrap_or(now);
            self.hearing.link_down(heard, &told);
        } else {
            self.hearing.still_deaf(&told);
        }
        match &ended.next {
            None => tracing::debug!("the connection to Discord's gateway is closed"),
            Some(Next::Never(_)) => tracing::error!("Discord is not heard any more: {told}"),
            Some(_) if ended.was_up() => tracing::info!("the connection to Discord's gateway ended: {told}"),
            Some(_) => tracing::warn!("Discord's gateway cannot be heard: {told}"),
        }
    }
}

/// Stopped while waiting.
struct Stopped;

#[expect(clippy::disallowed_methods, reason = "a pause between two tries; whoever waits can stop it")]
async fn rest(time: Duration, stop: &CancellationToken) -> Result<(), Stopped> {
    tokio::select! {
        () = stop.cancelled() => Err(Stopped),
        () = tokio::time::sleep(time) => Ok(()),
    }
}

/// A part of a time, so that not everybody comes at once.
fn part_of(time: Duration) -> Duration {
    time.mul_f64(rand::rng().random_range(0.0..1.0))
}

/// Since when, in the past.
fn since(start: Option<Instant>) -> Duration {
    start.map(|start| start.elapsed()).unwrap_or_default()
}
