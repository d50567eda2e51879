//! Subjects that wait for their turn: each once, and one worker at a time for each, so that order is kept.

use std::collections::{BTreeSet, HashSet, VecDeque};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::incident::Text;

/// No more wait; what finds no room is found again by the next round.
const MOST: usize = 50_000;

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Text>,
    waiting: HashSet<Text>,
    later: BTreeSet<(Instant, Text)>,
    busy: HashSet<Text>,
    /// Asked for again while busy.
    again: HashSet<Text>,
}

impl Queue {
    /// Something may be due for the subject. Says whether there was room.
    pub(super) fn add(&self, subject: Text) -> bool {
        let mut state = self.state.lock();
        if state.busy.contains(&subject) {
            state.again.insert(subject);
            return true;
        }
        if state.waiting.contains(&subject) {
            return true;
        }
        if state.waiting.len() >= MOST {
            return false;
        }
        state.waiting.insert(subject.clone());
        state.ready.push_back(subject);
        drop(state);
        self.news.notify_one();
        true
    }

    /// The same, not before then.
    pub(super) fn add_at(&self, subject: Text, at: Instant) {
        let mut state = self.state.lock();
        if state.later.len() < MOST {
            state.later.insert((at, subject));
        }
        drop(state);
        self.news.notify_one();
    }

    /// The next subject; it is this caller's until [`Self::done`].
    pub(super) async fn next(&self) -> Text {
        loop {
            let due = {
                let mut state = self.state.lock();
                state.wake(Instant::now());
                if let Some(subject) = state.ready.pop_front() {
                    state.waiting.remove(&subject);
                    state.busy.insert(subject.clone());
                    let more = !state.ready.is_empty();
                    drop(state);
                    if more {
                        self.news.notify_one();
                    }
                    return subject;
                }
                state.later.first().map(|(at, _)| *at)
            };
            match due {
                // Either way there is something to look for.
                Some(at) => drop(timeout_at(at, self.news.notified()).await),
                None => self.news.notified().await,
            }
        }
    }

    /// The subject's turn is over.
    pub(super) fn done(&self, subject: &Text) {
        let mut state = self.state.lock();
        state.busy.remove(subject);
        let again = state.again.remove(subject);
        drop(state);
        if again {
            self.add(subject.clone());
        }
    }

    /// How many wait or are being worked on.
    pub(super) fn len(&self) -> usize {
        let state = self.state.lock();
        state.waiting.len() + state.later.len() + state.busy.len()
    }
}

impl State {
    fn wake(&mut self, now: Instant) {
        while let Some((at, _)) = self.later.first() {
            if *at > now {
                return;
            }
            let Some((_, subject)) = self.later.pop_first() else { return };
            if self.busy.contains(&subject) {
                self.again.insert(subject);
            } else if self.waiting.insert(subject.clone()) {
                self.ready.push_back(subject);
            }
        }
    }
}
