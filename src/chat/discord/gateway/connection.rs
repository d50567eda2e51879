//! One connection, from opening it to its end.
//!
//! An interaction goes into the inbox where it is read, which never waits. A heartbeat that is not
//! acknowledged in time means that nobody is there, whatever TCP says.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use serenity::constants::Opcode;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use tokio_util::sync::CancellationToken;

use super::closing::{Next, after, meaning};
use super::frame::{Frame, heartbeat, identify, resume};
use super::{Gateway, Kept, Session, part_of, since};

/// How long opening may take, and how long Discord may say nothing before it is heard.
const OPENING: Duration = Duration::from_secs(15);
/// How long a payload may take to be sent; a peer that takes nothing is dead.
const SENDING: Duration = Duration::from_secs(5);
/// The largest payload that is taken.
const LARGEST: usize = 4 * 1024 * 1024;
/// Payloads in a minute, a little below Discord's 120.
const A_MINUTE: usize = 110;
/// Heartbeats are never sent faster or slower than this, whatever Discord says.
const FASTEST: Duration = Duration::from_millis(20);
const SLOWEST: Duration = Duration::from_mins(5);
/// Closed by us, to be resumed: any code but 1000 and 1001, which end a session.
const TO_RESUME: u16 = 4000;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How a connection ended.
pub(super) struct Ended {
    pub(super) why: String,
    /// When something was heard last.
    pub(super) heard: Instant,
    pub(super) up_since: Option<Instant>,
    /// What comes next; nothing, if kubemend stops.
    pub(super) next: Option<Next>,
    /// How long to wait before that, at the least.
    pub(super) wait: Duration,
}

impl Ended {
    pub(super) fn stopped() -> Self {
        Self { next: None, ..failed("kubemend stops".to_owned()) }
    }

    pub(super) fn was_up(&self) -> bool {
        self.up_since.is_some()
    }

    /// How long it was heard.
    pub(super) fn lived(&self) -> Duration {
        since(self.up_since)
    }
}

/// It could not be opened.
pub(super) fn failed(why: String) -> Ended {
    Ended { why, heard: Instant::now(), up_since: None, next: Some(Next::Resume), wait: Duration::ZERO }
}

/// An open connection.
pub(super) struct Connection<'g> {
    gateway: &'g Gateway,
    stream: Stream,
    heard: Instant,
    up_since: Option<Instant>,
    /// Between two heartbeats; not known before Discord's hello.
    interval: Option<Duration>,
    next_beat: Instant,
    /// A heartbeat that was not acknowledged yet.
    unanswered: Option<Instant>,
    sent: VecDeque<Instant>,
}

impl<'g> Connection<'g> {
    pub(super) async fn open(
        gateway: &'g Gateway,
        url: &str,
        stop: &CancellationToken,
    ) -> Result<Self, Ended> {
        let (api, tls) = gateway.web.trust();
        let Some(uri) = api.gateway(url) else {
            let why = "Discord named a gateway that is not one of its own, or without TLS".to_owned();
            return Err(Ended { next: Some(Next::Anew), wait: Duration::from_secs(30), ..failed(why) });
        };
        let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
        let connector = Connector::Rustls(Arc::new(tls.clone()));
        let opening = connect_async_tls_with_config(uri, Some(config), true, Some(connector));
        let opened = tokio::select! {
            () = stop.cancelled() => return Err(Ended::stopped()),
            opened = tokio::time::timeout(OPENING, opening) => opened,
        };
        let now = Instant::now();
        match opened {
            Ok(Ok((stream, _))) => Ok(Self {
                gateway,
                stream,
                heard: now,
                up_since: None,
                interval: None,
                next_beat: now + OPENING,
                unanswered: None,
                sent: VecDeque::new(),
            }),
            Ok(Err(error)) => Err(failed(kind_of(&error))),
            Err(_) => Err(failed("opening a connection took too long".to_owned())),
        }
    }

    pub(super) async fn live(mut self, kept: &mut Kept, stop: &CancellationToken) -> Ended {
        loop {
            let due = tokio::time::Instant::from_std(self.due());
            let step = tokio::select! {
                () = stop.cancelled() => Err(Ended::stopped()),
                frame = self.stream.next() => self.take(frame, kept).await,
                () = tokio::time::sleep_until(due) => self.beat(kept).await,
            };
            if let Err(ended) = step {
                let code = if ended.next.is_none() { CloseCode::Normal } else { CloseCode::from(TO_RESUME) };
                let frame = CloseFrame { code, reason: "".into() };
                // Whether it is still taken does not matter.
                let _ = tokio::time::timeout(Duration::from_secs(1), self.stream.close(Some(frame))).await;
                return Ended { heard: self.heard, up_since: self.up_since, ..ended };
            }
        }
    }

    /// When there is something to do, even if nothing comes.
    fn due(&self) -> Instant {
        let overdue = self.unanswered.map(|sent| sent + self.gateway.settings.silent());
        let deaf = (!self.is_up()).then(|| self.heard + OPENING);
        [overdue, deaf].into_iter().flatten().fold(self.next_beat, Instant::min)
    }

    fn is_up(&self) -> bool {
        self.up_since.is_some()
    }

    async fn take(&mut self, message: Option<Result<Message, Error>>, kept: &mut Kept) -> Result<(), Ended> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(failed(kind_of(&error))),
            None => return Err(failed("Discord closed the connection".to_owned())),
        };
        self.heard = Instant::now();
        match message {
            Message::Text(text) => self.frame(&text, kept).await,
            Message::Close(frame) => {
                let close = frame.map(|frame| u16::from(frame.code));
                let why = close.map_or("without a reason", meaning);
                let code = close.map(|code| format!(" ({code})")).unwrap_or_default();
                let why = format!("Discord closed the connection: {why}{code}");
                Err(Ended { next: Some(after(close)), ..failed(why) })
            }
            // Nothing is asked to be sent so.
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    async fn frame(&mut self, text: &str, kept: &mut Kept) -> Result<(), Ended> {
        let Ok(frame) = serde_json::from_str::<Frame<'_>>(text) else {
            tracing::warn!("Discord's gateway sent what cannot be read");
            return Ok(());
        };
        match frame.op() {
            Opcode::Hello => self.greet(&frame, kept).await,
            Opcode::Dispatch => self.event(&frame, kept).await,
            Opcode::Heartbeat => self.send(heartbeat(kept.seen)).await.map(drop),
            Opcode::HeartbeatAck => {
                self.unanswered = None;
                Ok(())
            }
            Opcode::Reconnect => Err(failed("Discord asked to connect anew".to_owned())),
            Opcode::InvalidSession => {
                let next = if frame.is_resumable() { Next::Resume } else { Next::Anew };
                let wait = Duration::from_secs(1) + part_of(Duration::from_secs(4));
                let why = "Discord says that the session is invalid".to_owned();
                Err(Ended { next: Some(next), wait, ..failed(why) })
            }
            _ => Ok(()),
        }
    }

    /// Learns how often to send heartbeats, and says who we are.
    async fn greet(&mut self, frame: &Frame<'_>, kept: &mut Kept) -> Result<(), Ended> {
        let Some(interval) = frame.interval().map(Duration::from_millis) else {
            return Err(failed("Discord's hello cannot be read".to_owned()));
        };
        let interval = interval.clamp(FASTEST, SLOWEST);
        self.interval = Some(interval);
        self.next_beat = Instant::now() + part_of(interval);
        let token = self.gateway.token.expose();
        let first = if let (Some(session), Some(seen)) = (&kept.session, kept.seen) {
            resume(token, &session.id, seen)
        } else {
            kept.starts.begun(Instant::now());
            identify(token)
        };
        self.send(first).await.map(drop)
    }

    async fn event(&mut self, frame: &Frame<'_>, kept: &mut Kept) -> Result<(), Ended> {
        match (frame.event.as_deref(), frame.data) {
            (Some("INTERACTION_CREATE"), Some(data)) => {
                self.gateway.inbox.hear(data.get(), &self.gateway.lane);
            }
            (Some("READY"), _) => {
                let Some(ready) = frame.ready() else {
                    return Err(failed("Discord's greeting cannot be read".to_owned()));
                };
                kept.session = Some(Session { id: ready.session_id, url: ready.resume_gateway_url });
                self.is_heard().await;
            }
            (Some("RESUMED"), _) => self.is_heard().await,
            _ => {}
        }
        // Only what was dealt with is not asked for again.
        kept.seen = frame.number.or(kept.seen);
        Ok(())
    }

    async fn is_heard(&mut self) {
        if !self.is_up() {
            self.up_since = Some(Instant::now());
            self.gateway.up().await;
        }
    }

    /// Something is due: a heartbeat, or the end of patience.
    async fn beat(&mut self, kept: &Kept) -> Result<(), Ended> {
        let silent = self.gateway.settings.silent();
        if !self.is_up() && self.heard.elapsed() >= OPENING {
            return Err(failed("Discord's gateway does not greet".to_owned()));
        }
        if self.unanswered.is_some_and(|sent| sent.elapsed() >= silent) {
            return Err(failed("the connection had gone silent".to_owned()));
        }
        let Some(interval) = self.interval.filter(|_| self.next_beat <= Instant::now()) else {
            return Ok(());
        };
        if self.unanswered.is_some() {
            return Err(failed("a heartbeat was not acknowledged".to_owned()));
        }
        self.next_beat = Instant::now() + interval;
        if self.send(heartbeat(kept.seen)).await? {
            self.unanswered = Some(Instant::now());
        }
        Ok(())
    }

    /// Sends a payload, unless so many were sent that Discord would close the connection.
    async fn send(&mut self, text: String) -> Result<bool, Ended> {
        let now = Instant::now();
        while self.sent.front().is_some_and(|oldest| now - *oldest >= Duration::from_mins(1)) {
            self.sent.pop_front();
        }
        if self.sent.len() >= A_MINUTE {
            return Ok(false);
        }
        self.sent.push_back(now);
        match tokio::time::timeout(SENDING, self.stream.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(error)) => Err(failed(kind_of(&error))),
            Err(_) => Err(failed("the connection takes nothing more".to_owned())),
        }
    }
}

/// What went wrong.
fn kind_of(error: &Error) -> String {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => "the connection was closed".to_owned(),
        Error::Io(error) => format!("the connection broke: {error}"),
        Error::Tls(error) => format!("TLS: {error}"),
        Error::Capacity(_) | Error::WriteBufferFull(_) => "a payload was too large".to_owned(),
        Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => {
            "the other side is no WebSocket".to_owned()
        }
        Error::Url(_) | Error::HttpFormat(_) => "Discord gave an address that cannot be used".to_owned(),
        Error::Http(answer) => format!("Discord answered {} instead of opening it", answer.status().as_u16()),
    }
}
