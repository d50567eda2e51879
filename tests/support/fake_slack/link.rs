//! Socket Mode: tickets, hello, envelopes, acknowledgements, disconnects, silence.

use std::sync::Weak;
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use rand::seq::IteratorRandom as _;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::state::{Envelope, LinkHandle};
use super::web::ACK_WITHIN;
use super::{FakeSlack, Inner, calls};

/// How often something that was not acknowledged is sent again.
const TRIES: u32 = 4;

/// What a link is told to do.
#[derive(Clone, Debug)]
pub enum Order {
    Send(Value),
    /// Neither reads nor writes any more, and does not close either.
    FallSilent,
    /// Ends the TCP connection without a word.
    Drop,
    /// Closes as it should be.
    Close,
}

pub async fn serve(listener: TcpListener, slack: Weak<Inner>) {
    let mut links = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        links.spawn(link(stream, slack.clone()));
    }
}

async fn link(stream: TcpStream, slack: Weak<Inner>) {
    let admits = {
        let slack = slack.clone();
        // The handshake's own error type is large.
        #[allow(clippy::result_large_err)]
        move |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            let ticket =
                request.uri().query().and_then(|query| query.strip_prefix("ticket=")).unwrap_or_default();
            let known = slack.upgrade().is_some_and(|inner| inner.state.lock().tickets.remove(ticket));
            if known { Ok(response) } else { Err(ErrorResponse::new(Some("no such ticket".to_owned()))) }
        }
    };
    let Ok(mut socket) = accept_hdr_async(stream, admits).await else { return };
    let (orders, mut told) = mpsc::unbounded_channel();
    let Some(id) = register(&slack, orders) else { return };
    let hello = json!({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"},
        "debug_info": {"host": "fake", "approximate_connection_time": 18060}});
    let _ = socket.send(Message::text(hello.to_string())).await;
    loop {
        tokio::select! {
            order = told.recv() => match order {
                Some(Order::Send(frame)) => {
                    if socket.send(Message::text(frame.to_string())).await.is_err() { break }
                }
                Some(Order::FallSilent) => std::future::pending::<()>().await,
                Some(Order::Drop) => break,
                Some(Order::Close) | None => {
                    let _ = socket.close(None).await;
                    drain(&mut socket).await;
                    break;
                }
            },
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => acknowledged(&slack, &text),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    if let Some(inner) = slack.upgrade() {
        inner.state.lock().links.remove(&id);
    }
}

async fn drain(socket: &mut WebSocketStream<TcpStream>) {
    let rest = async { while let Some(Ok(_)) = socket.next().await {} };
    let _ = tokio::time::timeout(Duration::from_secs(2), rest).await;
}

fn register(slack: &Weak<Inner>, frames: mpsc::UnboundedSender<Order>) -> Option<u64> {
    let inner = slack.upgrade()?;
    let mut state = inner.state.lock();
    let id = state.number();
    state.links.insert(id, LinkHandle { frames });
    Some(id)
}

fn acknowledged(slack: &Weak<Inner>, text: &str) {
    let Some(inner) = slack.upgrade() else { return };
    let frame: Value = serde_json::from_str(text).expect("an acknowledgement is JSON");
    let id = frame["envelope_id"].as_str().expect("an acknowledgement names its envelope").to_owned();
    let unknown =
        frame.as_object().is_some_and(|map| map.keys().any(|key| key != "envelope_id" && key != "payload"));
    assert!(!unknown, "an acknowledgement holds more than it may: {text}");
    let mut state = inner.state.lock();
    let Some(envelope) = state.envelopes.get_mut(&id) else { panic!("{id} was never sent") };
    envelope.acks += 1;
    if envelope.acked.is_none() {
        envelope.acked = Some(envelope.sent.elapsed());
        let reply = frame.get("payload").cloned();
        assert!(
            reply.is_none() || envelope.frame["accepts_response_payload"] == true,
            "no payload is taken here"
        );
        envelope.reply.clone_from(&reply);
        if let Some(view) = envelope.view.clone() {
            calls::conclude_view(&mut state, &view, reply.as_ref());
        }
    }
}

/// Sends again, to one random link, what was not acknowledged in time.
pub async fn deliver_again(slack: Weak<Inner>) {
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let Some(inner) = slack.upgrade() else { return };
        let slack = FakeSlack { inner };
        let late: Vec<String> = slack.with(|state| {
            let late = |envelope: &Envelope| {
                envelope.acked.is_none() && envelope.tries < TRIES && envelope.sent.elapsed() > ACK_WITHIN
            };
            state.envelopes.iter().filter(|(_, envelope)| late(envelope)).map(|(id, _)| id.clone()).collect()
        });
        for id in late {
            slack.send(&id);
        }
    }
}

impl FakeSlack {
    /// Sends an envelope to one random link; without any it waits for the next try.
    pub fn send(&self, id: &str) {
        self.with(|state| {
            let Some(envelope) = state.envelopes.get_mut(id) else { return };
            let retries = envelope.tries;
            envelope.tries += 1;
            envelope.sent = Instant::now();
            let mut frame = envelope.frame.clone();
            if retries > 0 && frame["type"] == "events_api" {
                frame["retry_attempt"] = json!(retries);
                frame["retry_reason"] = json!("timeout");
            }
            if let Some(link) = state.links.values().choose(&mut rand::rng()) {
                let _ = link.frames.send(Order::Send(frame));
            }
        });
    }

    /// Sends the same envelope once more, though it was acknowledged.
    pub fn send_again(&self, id: &str) {
        self.with(|state| {
            let frame = state.envelopes[id].frame.clone();
            for link in state.links.values() {
                let _ = link.frames.send(Order::Send(frame.clone()));
            }
        });
    }

    /// Tells all links something.
    pub fn to_all_links(&self, order: &Order) {
        self.with(|state| {
            for link in state.links.values() {
                let _ = link.frames.send(order.clone());
            }
        });
    }

    /// Tells the oldest link something; what it is.
    pub fn to_oldest_link(&self, order: Order) -> u64 {
        self.with(|state| {
            let (id, link) = state.links.first_key_value().expect("a link is open");
            let _ = link.frames.send(order);
            *id
        })
    }

    pub fn links(&self) -> Vec<u64> {
        self.with(|state| state.links.keys().copied().collect())
    }
}

/// The frame with which Slack announces that it will close a link.
pub fn disconnect(reason: &str) -> Order {
    Order::Send(json!({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}}))
}
