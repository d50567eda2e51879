//! Where both ways in put what happened: read, held against what was seen, queued. Never waits.
//!
//! Slack gives three seconds, so nothing is done here; what is owed an answer begins to be written down. What does
//! not fit into the queue is not acknowledged: Slack then tells the person, or delivers it again; it is never
//! taken and dropped.

use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::inbound::{self, Channel, Inbound, What};
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

/// Something that happened, and when it was taken in.
#[derive(Debug)]
pub struct Taken {
    pub inbound: Inbound,
    pub at: Instant,
    /// When it was acknowledged, where it is taken up again: after a restart, or because its answer could not be
    /// shown.
    pub since: Option<Timestamp>,
}

/// What is to be told to Slack.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "made and taken apart at once; a box would cost every envelope"
)]
pub(super) enum Receipt {
    /// Taken, now or before; with what stands in the acknowledgement.
    Acknowledge(Option<Value>, Due),
    /// No room. Not taken.
    Full,
}

/// What is handed over when this is dropped, which is to be after the acknowledgement was sent: an answer must not
/// be there before it, or what stands in the acknowledgement would take its place.
#[derive(Debug, Default)]
pub(super) struct Due {
    kept: Option<Kept>,
    handed: Option<(mpsc::OwnedPermit<Taken>, Taken)>,
}

impl Due {
    /// Waits for the disk, but not for long.
    pub(super) async fn in_time(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.in_time().await;
        }
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        if let Some((place, taken)) = self.handed.take() {
            place.send(taken);
        }
    }
}

impl Inbox {
    pub(super) fn new(owing: Owing) -> (Self, mpsc::Receiver<Taken>) {
        let (queue, rest) = mpsc::channel(PLACES);
        (Self { seen: Seen::new(MEMORY), queue, owing }, rest)
    }

    /// Takes in a payload.
    pub(super) fn offer(&self, channel: Channel, payload: &str) -> Receipt {
        let inbound = match inbound::read(channel, payload) {
            Ok(inbound) => inbound,
            Err(unreadable) => {
                // Delivering it again would not make it readable.
                count(channel, "unreadable");
                tracing::warn!(
                    error = &unreadable as &dyn std::error::Error,
                    "Slack sent what cannot be read"
                );
                return Receipt::Acknowledge(None, Due::default());
            }
        };
        let reply = reply_to(&inbound.what);
        if inbound.what == What::Nothing {
            count(channel, "nothing");
            return Receipt::Acknowledge(reply, Due::default());
        }
        self.queue_up(channel, inbound, reply, None)
    }

    fn queue_up(
        &self,
        channel: Channel,
        inbound: Inbound,
        reply: Option<Value>,
        since: Option<Timestamp>,
    ) -> Receipt {
        let key = inbound.key.clone();
        if !self.seen.add(&key) {
            count(channel, "seen_before");
            return Receipt::Acknowledge(reply, Due::default());
        }
        let Ok(place) = self.queue.clone().try_reserve_owned() else {
            self.seen.forget(&key);
            count(channel, "no_room");
            tracing::error!("{PLACES} clicks and commands wait already; another one was not taken");
            return Receipt::Full;
        };
        let kept = self.keep(&inbound);
        count(channel, "taken");
        let handed = Some((place, Taken { inbound, at: Instant::now(), since }));
        Receipt::Acknowledge(reply, Due { kept, handed })
    }

    /// Whoever looks at the home sees it again the next time; everything else is owed an answer.
    fn keep(&self, inbound: &Inbound) -> Option<Kept> {
        match inbound.what {
            What::HomeOpened | What::Nothing => None,
            What::Pressed { .. }
            | What::Filled { .. }
            | What::Commanded { .. }
            | What::Mentioned { .. }
            | What::Shortcut { .. } => {
                let body = serde_json::to_string(inbound).expect("plain data always serialises");
                Some(self.owing.keep(&inbound.key, body))
            }
        }
    }

    /// Takes in something that was found where nobody told of it, if it is new.
    pub(super) fn find(&self, inbound: Inbound, since: Timestamp) {
        if !self.knows(&inbound.key) {
            // What finds no room was not heard; it stands in its channel.
            let _ = self.queue_up(Channel::Events, inbound, None, Some(since));
        }
    }

    /// Whether it was taken in before.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.seen.knows(key)
    }

    /// Whether this very request came before.
    pub(super) fn is_replay(&self, signature: &str) -> bool {
        !self.seen.add(signature)
    }
}

impl TakesUp for Inbox {
    /// Takes up again what is owed; should Slack deliver it once more, it was seen before.
    async fn take_up(&self, owed: Owed) {
        let Owed { key, since, body, .. } = owed;
        self.seen.add(&key);
        match serde_json::from_str(&body) {
            Ok(inbound) => {
                // Without anybody who takes it the process is at its end.
                let _ = self.queue.send(Taken { inbound, at: Instant::now(), since: Some(since) }).await;
            }
            Err(error) => {
                tracing::warn!(%error, "what another kubemend wrote down cannot be read and stays unanswered");
                self.owing.answered(&key).await;
            }
        }
    }
}

/// What stands in the acknowledgement: a filled-in modal stays open and says that it is being worked on,
/// until its answer takes its place. Everything else is answered later, another way.
fn reply_to(what: &What) -> Option<Value> {
    match what {
        What::Filled { .. } => Some(json!({"response_action": "update", "view": super::views::working()})),
        What::Pressed { .. }
        | What::Commanded { .. }
        | What::Mentioned { .. }
        | What::Shortcut { .. }
        | What::HomeOpened
        | What::Nothing => None,
    }
}

fn count(channel: Channel, outcome: &'static str) {
    let channel = match channel {
        Channel::Commands => "commands",
        Channel::Interactions => "interactions",
        Channel::Events => "events",
    };
    metrics::counter!("kubemend_slack_received_total", "channel" => channel, "outcome" => outcome)
        .increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(trigger: usize) -> String {
        json!({"user_id": "U1", "channel_id": "C1", "response_url": "https://hooks.slack.com/x",
            "trigger_id": trigger.to_string()})
        .to_string()
    }

    fn is_taken(receipt: &Receipt) -> bool {
        matches!(receipt, Receipt::Acknowledge(None, _))
    }

    #[test]
    fn what_comes_twice_is_acknowledged_twice_and_taken_once() {
        let (inbox, mut rest) = Inbox::new(Owing::unkept("slack"));
        for _ in 0..3 {
            assert!(is_taken(&inbox.offer(Channel::Commands, &command(1))));
        }
        assert!(rest.try_recv().is_ok() && rest.try_recv().is_err());
    }

    #[test]
    fn what_finds_no_room_is_not_acknowledged_and_may_come_again() {
        let (inbox, mut rest) = Inbox::new(Owing::unkept("slack"));
        for trigger in 0..PLACES {
            inbox.offer(Channel::Commands, &command(trigger));
        }
        assert!(!is_taken(&inbox.offer(Channel::Commands, &command(PLACES))));
        assert!(rest.try_recv().is_ok());
        assert!(is_taken(&inbox.offer(Channel::Commands, &command(PLACES))));
    }
}
