//! Where both ways in put what happened: read, held against what was seen, queued. Never waits.
//!
//! Slack gives three seconds, so nothing is done here. What does not fit into the queue is not acknowledged:
//! Slack then tells the person, or delivers it again; it is never taken and dropped.

use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::inbound::{self, Channel, Inbound, What};
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

/// Something that happened, and when it was taken in.
#[derive(Debug)]
pub struct Taken {
    pub inbound: Inbound,
    pub at: Instant,
}

/// What is to be told to Slack.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Receipt {
    /// Taken, now or before; with what stands in the acknowledgement.
    Acknowledge(Option<Value>),
    /// No room. Not taken.
    Full,
}

impl Inbox {
    pub(super) fn new() -> (Self, mpsc::Receiver<Taken>) {
        let (queue, rest) = mpsc::channel(PLACES);
        (Self { seen: Seen::new(MEMORY), queue }, rest)
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
                return Receipt::Acknowledge(None);
            }
        };
        let reply = reply_to(&inbound.what);
        if inbound.what == What::Nothing {
            count(channel, "nothing");
            return Receipt::Acknowledge(reply);
        }
        self.queue_up(channel, inbound, reply)
    }

    fn queue_up(&self, channel: Channel, inbound: Inbound, reply: Option<Value>) -> Receipt {
        let key = inbound.key.clone();
        if !self.seen.add(&key) {
            count(channel, "seen_before");
            return Receipt::Acknowledge(reply);
        }
        if self.queue.try_send(Taken { inbound, at: Instant::now() }).is_err() {
            self.seen.forget(&key);
            count(channel, "no_room");
            tracing::error!("{PLACES} clicks and commands wait already; another one was not taken");
            return Receipt::Full;
        }
        count(channel, "taken");
        Receipt::Acknowledge(reply)
    }

    /// Whether this very request came before.
    pub(super) fn is_replay(&self, signature: &str) -> bool {
        !self.seen.add(signature)
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

    #[test]
    fn what_comes_twice_is_acknowledged_twice_and_taken_once() {
        let (inbox, mut rest) = Inbox::new();
        for _ in 0..3 {
            assert_eq!(inbox.offer(Channel::Commands, &command(1)), Receipt::Acknowledge(None));
        }
        assert!(rest.try_recv().is_ok() && rest.try_recv().is_err());
    }

    #[test]
    fn what_finds_no_room_is_not_acknowledged_and_may_come_again() {
        let (inbox, mut rest) = Inbox::new();
        for trigger in 0..PLACES {
            inbox.offer(Channel::Commands, &command(trigger));
        }
        assert_eq!(inbox.offer(Channel::Commands, &command(PLACES)), Receipt::Full);
        assert!(rest.try_recv().is_ok());
        assert_eq!(inbox.offer(Channel::Commands, &command(PLACES)), Receipt::Acknowledge(None));
    }
}
