//! Whether kubemend hears Slack, and since when it did not.
//!
//! A gap begins with the last frame that came over the last link, not with the moment its death was noticed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// Shared by the links, readiness and the report of gaps.
#[derive(Clone)]
pub struct Hearing(Arc<Mutex<State>>);

struct State {
    links: usize,
    deaf: Option<Deaf>,
    /// Whether Slack was ever heard; before that there is no gap, only a start.
    begun: bool,
}

/// Since when, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deaf {
    pub since: Timestamp,
    pub why: String,
}

/// A time in which nothing could be heard, now over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    pub from: Timestamp,
    pub to: Timestamp,
    pub why: String,
}

impl Gap {
    /// How long it was.
    pub fn lasted(&self) -> SignedDuration {
        self.to.duration_since(self.from)
    }
}

impl Hearing {
    /// Deaf until the first link is up.
    pub fn new(now: Timestamp) -> Self {
        let deaf = Some(Deaf { since: now, why: "no connection to Slack yet".to_owned() });
        Self(Arc::new(Mutex::new(State { links: 0, deaf, begun: false })))
    }

    /// Since when nothing is heard, if so.
    pub fn deaf(&self) -> Option<Deaf> {
        self.0.lock().deaf.clone()
    }

    /// A link is up; the gap that it ends, if it ends one.
    pub(super) fn link_up(&self, now: Timestamp) -> Option<Gap> {
        let mut state = self.0.lock();
        state.links += 1;
        measure(state.links);
        let begun = std::mem::replace(&mut state.begun, true);
        let ended = state.deaf.take().filter(|_| begun);
        ended.map(|deaf| Gap { from: deaf.since, to: now, why: deaf.why })
    }

    /// A link that was up is down; `heard` is when its last frame came.
    pub(super) fn link_down(&self, heard: Timestamp, why: &str) {
        let mut state = self.0.lock();
        state.links = state.links.saturating_sub(1);
        measure(state.links);
        if state.links == 0 && state.deaf.is_none() {
            state.deaf = Some(Deaf { since: heard, why: why.to_owned() });
        }
    }

    /// Why it goes on: the newest reason that no link can be opened.
    pub(super) fn still_deaf(&self, why: &str) {
        if let Some(deaf) = self.0.lock().deaf.as_mut() {
            why.clone_into(&mut deaf.why);
        }
    }
}

fn measure(links: usize) {
    metrics::gauge!("kubemend_slack_links").set(f64::from(u32::try_from(links).unwrap_or(u32::MAX)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    #[test]
    fn a_gap_runs_from_the_last_frame_to_the_next_link() {
        let hearing = Hearing::new(at(0));
        assert!(hearing.deaf().is_some());
        assert_eq!(hearing.link_up(at(1)), None, "the start is no gap");
        assert_eq!(hearing.link_up(at(2)), None);
        hearing.link_down(at(5), "closed");
        assert_eq!(hearing.deaf(), None, "the other link still hears");
        hearing.link_down(at(7), "silent");
        hearing.still_deaf("no route");
        let gap = hearing.link_up(at(60)).expect("a gap ended");
        assert_eq!((gap.from, gap.to, gap.why.as_str()), (at(7), at(60), "no route"));
        assert_eq!(gap.lasted(), SignedDuration::from_secs(53));
        assert_eq!(hearing.deaf(), None);
    }
}
