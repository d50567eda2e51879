//! One link, from opening it to its end.
//!
//! An envelope goes into the inbox, which never waits, and is acknowledged as soon as it is on the disk, or shortly
//! after where the disk is slow; acknowledgements wait side by side, and reading waits for none of them. A link that Slack is about to renew goes on hearing until Slack closes it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;

use super::envelope::{Envelope, acknowledgement};
use super::{Notice, Socket};
use crate::chat::hearing::Clock;
use crate::chat::slack::inbox::{Due, Receipt};
use crate::chat::slack::web::WebError;

/// How long opening may take, hello included.
const OPENING: Duration = Duration::from_secs(15);
/// How long a link that is being renewed may linger.
const LINGER: Duration = Duration::from_secs(30);
/// How long a frame may take to be sent; a peer that takes nothing is dead.
const SENDING: Duration = Duration::from_secs(5);
/// The largest message that is taken; a view of Slack's has at most 250 KB.
const LARGEST: usize = 2 * 1024 * 1024;
/// How long to wait where another try cannot help soon.
const LONG: Duration = Duration::from_secs(30);

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A link that is to be opened.
pub(super) struct Link {
    pub(super) id: u64,
    pub(super) socket: Arc<Socket>,
    pub(super) notices: mpsc::Sender<Notice>,
    pub(super) wait: Duration,
    pub(super) stop: CancellationToken,
}

/// How a link ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// kubemend stops.
    Stopped,
    /// It could not be opened.
    Failed { why: String, wait: Duration },
    /// Slack closed it, or it broke.
    Closed { why: String, heard: Instant },
    /// Nothing came any more.
    Silent { heard: Instant },
    /// Slack says that links are not wanted.
    Unwanted { why: String, heard: Instant },
}

impl Ended {
    /// When something was heard last.
    pub(super) fn heard(&self, clock: &Clock) -> Timestamp {
        let now = clock();
        match self {
            Self::Stopped | Self::Failed { .. } => now,
            Self::Closed { heard, .. } | Self::Silent { heard } | Self::Unwanted { heard, .. } => {
                now.checked_sub(heard.elapsed()).unwrap_or(now)
            }
        }
    }

    /// How long to wait before another try, at the least.
    pub(super) fn wait(&self) -> Duration {
        match self {
            Self::Failed { wait, .. } => *wait,
            Self::Unwanted { .. } => LONG,
            Self::Stopped | Self::Closed { .. } | Self::Silent { .. } => Duration::ZERO,
        }
    }

    pub(super) fn log(&self, link: u64) {
        match self {
            Self::Stopped => tracing::debug!(slack.link = link, "link {link} closed"),
            Self::Closed { .. } => tracing::info!(slack.link = link, "link {link} to Slack ended: {self}"),
            Self::Failed { .. } | Self::Silent { .. } | Self::Unwanted { .. } => {
                tracing::warn!(slack.link = link, "link {link} to Slack ended: {self}");
            }
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("kubemend stops"),
            Self::Failed { why, .. } | Self::Closed { why, .. } | Self::Unwanted { why, .. } => {
                f.write_str(why)
            }
            Self::Silent { .. } => f.write_str("the connection had gone silent"),
        }
    }
}

impl Link {
    /// Waits, opens, hears, ends.
    pub(super) async fn live(self) -> Ended {
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.cancelled() => return Ended::Stopped,
            () = pause(self.wait) => {}
        }
        let opened = tokio::select! {
            () = stop.cancelled() => return Ended::Stopped,
            opened = tokio::time::timeout(OPENING, self.open()) => opened,
        };
        match opened {
            Ok(Ok(stream)) => Hears::new(self, stream).hear().await,
            Ok(Err(ended)) => ended,
            Err(_) => {
                Ended::Failed { why: "opening a connection took too long".into(), wait: Duration::ZERO }
            }
        }
    }

    async fn open(&self) -> Result<Stream, Ended> {
        let url = self.socket.web.open_connection().await.map_err(|error| refused(&error))?;
        let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
        let opened = connect_async_with_config(url, Some(config), true).await;
        // The error may hold the URL, and with it the ticket.
        let (stream, _) =
            opened.map_err(|error| Ended::Failed { why: kind_of(&error), wait: Duration::ZERO })?;
        Ok(stream)
    }
}

fn refused(error: &WebError) -> Ended {
    let wait = match error {
        WebError::RateLimited { after, .. } => *after,
        WebError::Api { .. } => LONG,
        WebError::NotSent { .. } | WebError::Unknown { .. } => Duration::ZERO,
    };
    let way_out = match error.code() {
        Some("invalid_auth" | "not_authed" | "token_revoked" | "not_allowed_token_type") => {
            "; the app-level token is not valid: `kubemend doctor` says what to click"
        }
        Some("forbidden_team" | "account_inactive") => "; the app is not installed any more",
        _ => "",
    };
    Ended::Failed { why: format!("{error}{way_out}"), wait }
}

/// An open link.
struct Hears {
    link: Link,
    stream: Stream,
    /// Acknowledgements that wait for the disk.
    due: JoinSet<(Message, Due)>,
    heard: Instant,
    /// A ping that was not answered yet.
    asked: Option<Instant>,
    /// Slack will close it; at the latest then it is closed here.
    leave_by: Option<Instant>,
    greeted: bool,
    opened: Instant,
}

impl Hears {
    fn new(link: Link, stream: Stream) -> Self {
        let now = Instant::now();
        let due = JoinSet::new();
        Self { link, stream, due, heard: now, asked: None, leave_by: None, greeted: false, opened: now }
    }

    async fn hear(mut self) -> Ended {
        let ping = self.link.socket.settings.ping();
        let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + ping / 2, ping / 2);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let stop = self.link.stop.clone();
        loop {
            let step = tokio::select! {
                () = stop.cancelled() => Err(Ended::Stopped),
                Some(Ok(due)) = self.due.join_next() => self.acknowledge(due).await,
                frame = self.stream.next() => self.frame(frame).await,
                _ = beat.tick() => self.beat(ping).await,
            };
            if let Err(ended) = step {
                self.acknowledge_the_rest().await;
                let _ = tokio::time::timeout(Duration::from_secs(1), self.stream.close(None)).await;
                return ended;
            }
        }
    }

    async fn frame(&mut self, frame: Option<Result<Message, Error>>) -> Result<(), Ended> {
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Err(self.closed(&kind_of(&error))),
            None => return Err(self.closed("Slack closed the connection")),
        };
        self.heard = Instant::now();
        match frame {
            Message::Text(text) => self.text(&text).await,
            Message::Pong(_) => {
                self.asked = None;
                Ok(())
            }
            Message::Close(_) => Err(self.closed("Slack closed the connection")),
            // tungstenite answers pings by itself; they are sent out with the next read or write.
            Message::Ping(_) | Message::Binary(_) | Message::Frame(_) => Ok(()),
        }
    }

    async fn text(&mut self, text: &str) -> Result<(), Ended> {
        let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
            tracing::warn!("Slack sent a frame that is no envelope");
            return Ok(());
        };
        match envelope.kind.as_str() {
            "hello" => self.greet().await,
            "disconnect" => self.leave(envelope.reason.as_deref().unwrap_or("unknown")).await,
            _ => {
                self.take(&envelope);
                Ok(())
            }
        }
    }

    async fn greet(&mut self) -> Result<(), Ended> {
        if !std::mem::replace(&mut self.greeted, true) {
            self.tell(Notice::Up(self.link.id)).await?;
        }
        Ok(())
    }

    /// Slack wants to renew the link, or wants none. It is heard until it is closed.
    async fn leave(&mut self, reason: &str) -> Result<(), Ended> {
        tracing::info!(slack.link = self.link.id, "Slack will close link {}: {reason}", self.link.id);
        let heard = self.heard;
        match reason {
            "link_disabled" => {
                let why = "Socket Mode is switched off; switch it on at api.slack.com/apps → your app → Socket Mode";
                Err(Ended::Unwanted { why: why.to_owned(), heard })
            }
            "too_many_websockets" => {
                let why =
                    "Slack has too many connections of this app; are other kubemends running with its token?";
                Err(Ended::Unwanted { why: why.to_owned(), heard })
            }
            _ if self.leave_by.is_some() => Ok(()),
            _ => {
                self.leave_by = Some(Instant::now() + LINGER);
                self.tell(Notice::Retiring(self.link.id)).await
            }
        }
    }

    fn take(&mut self, envelope: &Envelope<'_>) {
        let receipt = match (envelope.channel(), envelope.payload) {
            (Some(channel), Some(payload)) => self.link.socket.inbox.offer(channel, payload.get()),
            // Kinds that are not asked for are acknowledged, or Slack would send them again.
            (_, _) => Receipt::Acknowledge(None, Due::default()),
        };
        let Receipt::Acknowledge(payload, mut due) = receipt else { return };
        if let Some(text) = acknowledgement(envelope, payload) {
            self.due.spawn(async move {
                due.in_time().await;
                (Message::text(text), due)
            });
        }
    }

    /// What was taken is handed over once it is acknowledged.
    async fn acknowledge(&mut self, (message, due): (Message, Due)) -> Result<(), Ended> {
        let sent = self.send(message).await;
        drop(due);
        sent
    }

    /// What was taken on this link is acknowledged on it, if it still can be.
    async fn acknowledge_the_rest(&mut self) {
        while let Some(Ok(due)) = self.due.join_next().await {
            if self.acknowledge(due).await.is_err() {
                return;
            }
        }
    }

    /// Asks whether the other side is there, and does not wait for ever.
    async fn beat(&mut self, ping: Duration) -> Result<(), Ended> {
        let silent = self.link.socket.settings.silent();
        let overdue = self.asked.is_some_and(|asked| asked.elapsed() >= silent);
        if overdue || self.heard.elapsed() >= silent * 2 {
            return Err(Ended::Silent { heard: self.heard });
        }
        if !self.greeted && self.opened.elapsed() >= OPENING {
            return Err(Ended::Failed { why: "Slack did not say hello".into(), wait: Duration::ZERO });
        }
        if self.leave_by.is_some_and(|by| Instant::now() >= by) {
            return Err(self.closed("it was renewed"));
        }
        if self.asked.is_none() && self.heard.elapsed() >= ping / 2 {
            self.asked = Some(Instant::now());
            return self.send(Message::Ping(Bytes::new())).await;
        }
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), Ended> {
        match tokio::time::timeout(SENDING, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.closed(&kind_of(&error))),
            Err(_) => Err(Ended::Silent { heard: self.heard }),
        }
    }

    async fn tell(&self, notice: Notice) -> Result<(), Ended> {
        self.link.notices.send(notice).await.map_err(|_| Ended::Stopped)
    }

    fn closed(&self, why: &str) -> Ended {
        Ended::Closed { why: why.to_owned(), heard: self.heard }
    }
}

/// What went wrong, without the URL.
fn kind_of(error: &Error) -> String {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => "the connection was closed".to_owned(),
        Error::Io(error) => format!("the connection broke: {}", error.kind()),
        Error::Tls(error) => format!("TLS: {error}"),
        Error::Capacity(_) | Error::WriteBufferFull(_) => "a message was too large".to_owned(),
        Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => {
            "the other side is no WebSocket".to_owned()
        }
        Error::Url(_) | Error::HttpFormat(_) => "Slack gave an address that cannot be used".to_owned(),
        Error::Http(answer) => format!("Slack answered {} instead of opening it", answer.status().as_u16()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause between two tries; whoever waits can stop it")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
