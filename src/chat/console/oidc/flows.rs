//! Who was sent to the provider and has not come back: bounded, each good once, for ten minutes, and for the
//! browser that asked alone.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use openidconnect::{Nonce, PkceCodeVerifier};
use parking_lot::Mutex;

use crate::incident::Digest;

const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// On their way at a time; the longest gone make room.
const MOST: usize = 1000;

/// One way to the provider.
pub(super) struct Flow {
    /// The browser's visit.
    visit: Digest,
    pub next: String,
    pub nonce: Nonce,
    pub verifier: PkceCodeVerifier,
    ends: Timestamp,
}

impl Flow {
    pub(super) fn new(
        visit: Digest,
        next: String,
        nonce: Nonce,
        verifier: PkceCodeVerifier,
        now: Timestamp,
    ) -> Self {
        Self { visit, next, nonce, verifier, ends: now.checked_add(LASTS).unwrap_or(now) }
    }
}

/// All of them, by the digest of their `state`, in the order in which they began.
#[derive(Default)]
pub(super) struct Flows(Mutex<VecDeque<(Digest, Flow)>>);

impl Flows {
    pub(super) fn keep(&self, state: &str, flow: Flow, now: Timestamp) {
        let mut flows = self.0.lock();
        while flows.front().is_some_and(|(_, first)| first.ends <= now) || flows.len() >= MOST {
            flows.pop_front();
        }
        flows.push_back((Digest::of_bytes(state.as_bytes()), flow));
    }

    /// The way that was begun with that state by that browser. It is over, whatever comes of it.
    pub(super) fn take(&self, state: &str, visit: &Digest, now: Timestamp) -> Option<Flow> {
        let state = Digest::of_bytes(state.as_bytes());
        let mut flows = self.0.lock();
        let at = flows.iter().position(|(kept, _)| *kept == state)?;
        let (_, flow) = flows.remove(at)?;
        (flow.visit == *visit && now < flow.ends).then_some(flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    fn flow(browser: &[u8]) -> Flow {
        let verifier = PkceCodeVerifier::new("v".repeat(43));
        Flow::new(Digest::of_bytes(browser), "/".into(), Nonce::new("n".into()), verifier, at(0))
    }

    #[test]
    fn a_way_is_good_once_in_time_and_for_the_browser_that_asked() {
        let flows = Flows::default();
        let (mine, other) = (Digest::of_bytes(b"mine"), Digest::of_bytes(b"other"));
        for state in ["a", "b", "c"] {
            flows.keep(state, flow(b"mine"), at(0));
        }
        assert!(flows.take("a", &mine, at(1)).is_some());
        assert!(flows.take("a", &mine, at(1)).is_none(), "once");
        assert!(flows.take("b", &other, at(1)).is_none(), "another browser");
        assert!(flows.take("b", &mine, at(1)).is_none(), "and it is spent");
        assert!(flows.take("c", &mine, at(600)).is_none(), "too late");
        assert!(flows.take("", &mine, at(1)).is_none());
    }

    #[test]
    fn ways_are_bounded() {
        let flows = Flows::default();
        for n in 0..MOST + 5 {
            flows.keep(&n.to_string(), flow(b"x"), at(0));
        }
        assert_eq!(flows.0.lock().len(), MOST);
    }
}
