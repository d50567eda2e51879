//! Where both ways in put what happened: read, held against what was seen, acknowledged, queued. Never waits.
//!
//! Discord gives three seconds, so nothing is done here; what is deferred, and so owed an answer, begins to be
//! written down. What does not fit into the queue is not acknowledged:
//! Discord then tells the person that it failed; it is never taken and dropped.

use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::ack::{self, Acked, Acker, Due, First, Response, Unanswered, due, in_response, over};
use super::inbound::{self, Inbound};
use super::lane::{Crowded, Lane};
use crate::chat::owed::{Kept, Owing, TakesUp};
use crate::chat::seen::Seen;
use crate::engine::Owed;

/// How many can wait to be worked on.
const PLACES: usize = 1_000;
/// How many names are remembered.
const MEMORY: usize = 20_000;

/// The entrance.
pub(super) struct Inbox {
    seen: Seen,
    queue: mpsc::Sender<Taken>,
    owing: Owing,
}

/// Something that happened, when it was taken in, and its acknowledgement.
#[derive(Debug)]
pub struct Taken {
    pub inbound: Inbound,
    pub at: Instant,
    pub ack: Acker,
    /// When it was acknowledged, where it is taken up again: after a restart, or because its answer could not be
    /// shown.
    pub since: Option<Timestamp>,
}

/// What the response to a request says.
pub(super) enum Receipt {
    /// This, when it is on the disk; and where to tell that it was sent.
    Answer(Value, Kept, Option<oneshot::Sender<Result<(), Unanswered>>>),
    /// What whoever works on it answers; or this.
    Wait(Response, First),
    /// Nothing that kubemend answers, or nothing that can be read.
    Unknown,
    /// No room. Not taken.
    Full,
}

impl Inbox {
    pub(super) fn new(owing: Owing) -> (Self, mpsc::Receiver<Taken>) {
        let (queue, rest) = mpsc::channel(PLACES);
        (Self { seen: Seen::new(MEMORY), queue, owing }, rest)
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
        match over(lane, &inbound, due, at, |inbound| keep(&self.owing, inbound)) {
            Ok(ack) => {
                place.send(Taken { inbound, at, ack, since: None });
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
            return Receipt::Answer(again(due).body(), Kept::default(), None);
        }
        let Ok(place) = self.queue.try_reserve() else {
            self.refuse(&key, "http");
            return Receipt::Full;
        };
        let at = Instant::now();
        let (ack, receipt) = match due {
            Due::Defer(how) => {
                let (tell, arrived) = oneshot::channel();
                let ack = Acker::Deferred(Acked::in_response(how, arrived));
                let kept = keep(&self.owing, &inbound);
                (ack, Receipt::Answer(First::Defer(how).body(), kept, Some(tell)))
            }
            Due::Open(otherwise) => {
                let (ack, response) = in_response(otherwise.clone(), at);
                (ack, Receipt::Wait(response, otherwise))
            }
            Due::Nothing => return Receipt::Unknown,
        };
        place.send(Taken { inbound, at, ack, since: None });
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

impl TakesUp for Inbox {
    /// Takes up again what is owed; should Discord deliver it once more, it was seen before.
    async fn take_up(&self, owed: Owed) {
        let Owed { key, since, body, .. } = owed;
        self.seen.add(&key);
        let Some((inbound, how)) = recalled(&body) else {
            return self.owing.answered(&key).await;
        };
        let taken = Taken { inbound, at: Instant::now(), ack: ack::before(how), since: Some(since) };
        // Without anybody who takes it the process is at its end.
        let _ = self.queue.send(taken).await;
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

/// Begins to write down that an answer is owed.
pub(super) fn keep(owing: &Owing, inbound: &Inbound) -> Kept {
    owing.keep(&inbound.key, serde_json::to_string(inbound).expect("plain data always serialises"))
}

/// What was written down, and how it was deferred.
fn recalled(body: &str) -> Option<(Inbound, ack::Deferred)> {
    match serde_json::from_str::<Inbound>(body) {
        Ok(inbound) => ack::deferral(&inbound.what).map(|how| (inbound, how)),
        Err(error) => {
            // What cannot be read may be a token; only where it went wrong is told.
            let (line, column) = (error.line(), error.column());
            tracing::warn!(
                line,
                column,
                "what another kubemend wrote down cannot be read and stays unanswered"
            );
            None
        }
    }
}

/// What is said to something that was taken before.
fn again(due: Due) -> First {
    match due {
        Due::Defer(how) => First::Defer(how),
        Due::Open(otherwise) => otherwise,
        Due::Nothing => First::Defer(ack::Deferred::Quietly),
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
        let (inbox, mut rest) = Inbox::new(Owing::unkept("discord"));
        let (lane, _jobs) = Lane::new();
        for _ in 0..3 {
            inbox.hear(&command(1), &lane);
        }
        assert!(rest.try_recv().is_ok() && rest.try_recv().is_err());
    }

    #[test]
    fn what_comes_twice_over_http_is_answered_twice_and_taken_once() {
        let (inbox, mut rest) = Inbox::new(Owing::unkept("discord"));
        for _ in 0..3 {
            let Receipt::Answer(body, ..) = inbox.offer(&command(1)) else { panic!("an answer") };
            assert_eq!(body["type"], 5);
        }
        assert!(rest.try_recv().is_ok() && rest.try_recv().is_err());
    }

    #[test]
    fn what_finds_no_room_is_not_acknowledged_and_may_come_again() {
        let (inbox, mut rest) = Inbox::new(Owing::unkept("discord"));
        for id in 0..PLACES {
            inbox.offer(&command(id));
        }
        assert!(matches!(inbox.offer(&command(PLACES)), Receipt::Full));
        assert!(rest.try_recv().is_ok());
        assert!(matches!(inbox.offer(&command(PLACES)), Receipt::Answer(..)));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        let (inbox, _rest) = Inbox::new(Owing::unkept("discord"));
        assert!(matches!(inbox.offer("{"), Receipt::Unknown));
        assert!(matches!(inbox.offer(r#"{"id": "1", "type": 77}"#), Receipt::Unknown));
    }
}
