//! Where both ways in put what happened: read, held against what was seen, acknowledged, queued. Never waits.
//!
//! Discord gives three seconds, so nothing is done here. What does not fit into the queue is not acknowledged:
//! Discord then tells the person that it failed; it is never taken and dropped.

use std::time::Instant;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::ack::{Acked, Acker, Crowded, Due, First, Lane, Response, Unanswered, due, in_response};
use super::inbound::{self, Inbound};
use crate::chat::seen::Seen;

/// How many can wait to be worked on.
const PLACES: usize = 1_000;
/// How many names are remembered.
const MEMORY: usize = 20_000;

/// The entrance.
pub(super) struct Inbox {
    seen: Seen,
    queue: mpsc::Sender<Taken>,
}

/// Something that happened, when it was taken in, and its acknowledgement.
#[derive(Debug)]
pub struct Taken {
    pub inbound: Inbound,
    pub at: Instant,
    pub ack: Acker,
}

/// What the response to a request says.
pub(super) enum Receipt {
    /// This; and where to tell that it was sent.
    Answer(Value, Option<oneshot::Sender<Result<(), Unanswered>>>),
    /// What whoever works on it answers; or this.
    Wait(Response, First),
    /// Nothing that kubemend answers, or nothing that can be read.
    Unknown,
    /// No room. Not taken.
    Full,
}

impl Inbox {
    pub(super) fn new() -> (Self, mpsc::Receiver<Taken>) {
        let (queue, rest) = mpsc::channel(PLACES);
        (Self { seen: Seen::new(MEMORY), queue }, rest)
    }

    /// Takes in an interaction of the gateway; its acknowledgement goes out over the lane.
    pub(super) fn hear(&self, payload: &str, lane: &Lane) {
        let Some((inbound, due)) = read("gateway", payload) else { return };
        let key = inbound.key.clone();
        if !self.seen.add(&key) {
            return count("gateway", "seen_before");
        }
        let Ok(place) = self.queue.try_reserve() else {
            return self.refuse(&key, "gateway");
        };
        let at = Instant::now();
        match lane.acknowledge(&inbound, due, at) {
            Ok(ack) => {
                place.send(Taken { inbound, at, ack });
                count("gateway", "taken");
            }
            Err(Crowded) => self.refuse(&key, "gateway"),
        }
    }

    /// Takes in an interaction of a request; its acknowledgement is the response.
    pub(super) fn offer(&self, payload: &str) -> Receipt {
        let Some((inbound, due)) = read("http", payload) else { return Receipt::Unknown };
        let key = inbound.key.clone();
        if !self.seen.add(&key) {
            count("http", "seen_before");
            return Receipt::Answer(again(due).body(), None);
        }
        let Ok(place) = self.queue.try_reserve() else {
            self.refuse(&key, "http");
            return Receipt::Full;
        };
        let at = Instant::now();
        let (ack, receipt) = match due {
            Due::Defer(how) => {
                let (tell, arrived) = oneshot::channel();
                let ack = Acker::Deferred(Acked::new(how, arrived));
                (ack, Receipt::Answer(First::Defer(how).body(), Some(tell)))
            }
            Due::Open(otherwise) => {
                let (ack, response) = in_response(otherwise.clone(), at);
                (ack, Receipt::Wait(response, otherwise))
            }
            Due::Nothing => return Receipt::Unknown,
        };
        place.send(Taken { inbound, at, ack });
        count("http", "taken");
        receipt
    }

    /// Whether this very request came before.
    pub(super) fn is_replay(&self, signature: &str) -> bool {
        !self.seen.add(signature)
    }

    fn refuse(&self, key: &str, way: &'static str) {
        self.seen.forget(key);
        count(way, "no_room");
        tracing::error!("{PLACES} clicks and commands of Discord wait already; another one was not taken");
    }
}

/// What an interaction says, and how it is acknowledged; nothing where there is nothing to do.
fn read(way: &'static str, payload: &str) -> Option<(Inbound, Due)> {
    match inbound::read(payload) {
        Ok(inbound) => {
            let due = due(&inbound.what);
            if due == Due::Nothing {
                count(way, "nothing");
                return None;
            }
            Some((inbound, due))
        }
        Err(unreadable) => {
            count(way, "unreadable");
            tracing::warn!(error = &unreadable as &dyn std::error::Error, "Discord sent what cannot be read");
            None
        }
    }
}

/// What is said to something that was taken before.
fn again(due: Due) -> First {
    match due {
        Due::Defer(how) => First::Defer(how),
        Due::Open(otherwise) => otherwise,
        Due::Nothing => First::Defer(super::ack::Deferred::Quietly),
    }
}

fn count(way: &'static str, outcome: &'static str) {
    metrics::counter!("kubemend_discord_received_total", "way" => way, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn command(id: usize) -> String {
        json!({"id": id.to_string(), "type": 2, "token": "t", "application_id": "1",
            "data": {"name": "mend", "options": [{"name": "status", "type": 1}]}})
        .to_string()
    }

    #[test]
    fn what_comes_twice_is_acknowledged_once_over_the_gateway_and_taken_once() {
        let (inbox, mut rest) = Inbox::new();
        let (lane, _jobs) = Lane::new();
        for _ in 0..3 {
            inbox.hear(&command(1), &lane);
        }
        assert!(rest.try_recv().is_ok() && rest.try_recv().is_err());
    }

    #[test]
    fn what_comes_twice_over_http_is_answered_twice_and_taken_once() {
        let (inbox, mut rest) = Inbox::new();
        for _ in 0..3 {
            let Receipt::Answer(body, _) = inbox.offer(&command(1)) else { panic!("an answer") };
            assert_eq!(body["type"], 5);
        }
        assert!(rest.try_recv().is_ok() && rest.try_recv().is_err());
    }

    #[test]
    fn what_finds_no_room_is_not_acknowledged_and_may_come_again() {
        let (inbox, mut rest) = Inbox::new();
        for id in 0..PLACES {
            inbox.offer(&command(id));
        }
        assert!(matches!(inbox.offer(&command(PLACES)), Receipt::Full));
        assert!(rest.try_recv().is_ok());
        assert!(matches!(inbox.offer(&command(PLACES)), Receipt::Answer(..)));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        let (inbox, _rest) = Inbox::new();
        assert!(matches!(inbox.offer("{"), Receipt::Unknown));
        assert!(matches!(inbox.offer(r#"{"id": "1", "type": 77}"#), Receipt::Unknown));
    }
}
