//! Whether kubemend hears a platform, and since when it did not.
//!
//! A gap begins with the last frame that came over the last link, not with the moment its death was noticed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// Shared by the links, readiness and the report of gaps.
#[derive(Clone)]
pub struct Hearing {
    platform: &'static str,
    state: Arc<Mutex<State>>,
}

/// Who says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

struct State {
    links: usize,
    deaf: Option<Deaf>,
    /// Since when the newest unbroken time of hearing lasts.
    heard: Option<Timestamp>,
    /// Whether the platform was ever heard; before that there is no gap, only a start.
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
    pub fn new(platform: &'static str, now: Timestamp) -> Self {
        let deaf = Some(Deaf { since: now, why: "no connection yet".to_owned() });
        let state = Arc::new(Mutex::new(State { links: 0, deaf, heard: None, begun: false }));
        Self { platform, state }
    }

    /// The platform's name.
    pub fn platform(&self) -> &'static str {
        self.platform
    }

    /// Since when nothing is heard, if so.
    pub fn deaf(&self) -> Option<Deaf> {
        self.state.lock().deaf.clone()
    }

    /// Whether it was ever heard.
    pub fn was_heard(&self) -> bool {
        self.state.lock().begun
    }

    /// Since when it is heard without a break, if it is.
    pub fn heard(&self) -> Option<Timestamp> {
        let state = self.state.lock();
        state.heard.filter(|_| state.deaf.is_none())
    }

    /// A link is up; the gap that it ends, if it ends one.
    pub(in crate::chat) fn link_up(&self, now: Timestamp) -> Option<Gap> {
        let mut state = self.state.lock();
        state.links += 1;
        self.measure(state.links);
        let begun = std::mem::replace(&mut state.begun, true);
        if state.deaf.is_some() {
            state.heard = Some(now);
        }
        let ended = state.deaf.take().filter(|_| begun);
        ended.map(|deaf| Gap { from: deaf.since, to: now, why: deaf.why })
    }

    /// A link that was up is down; `heard` is when its last frame came.
    pub(in crate::chat) fn link_down(&self, heard: Timestamp, why: &str) {
        let mut state = self.state.lock();
        state.links = state.links.saturating_sub(1);
        self.measure(state.links);
        if state.links == 0 && state.deaf.is_none() {
            state.deaf = Some(Deaf { since: heard, why: why.to_owned() });
        }
    }

    /// Why it goes on: the newest reason that no link can be opened.
    pub(in crate::chat) fn still_deaf(&self, why: &str) {
        if let Some(deaf) = self.state.lock().deaf.as_mut() {
            why.clone_into(&mut deaf.why);
        }
    }

    fn measure(&self, links: usize) {
        let links = f64::from(u32::try_from(links).unwrap_or(u32::MAX));
        metrics::gauge!("kubemend_chat_links", "platform" => self.platform).set(links);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    #[test]
    fn a_gap_runs_from_the_last_frame_to_the_next_link() {
        let hearing = Hearing::new("slack", at(0));
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
        assert_eq!((hearing.deaf(), hearing.heard()), (None, Some(at(60))));
    }
}
