//! What is to be looked after: each thing once, now or later, and never twice at the same time.
//!
//! Owns coalescing and bounds: a subject that changes a thousand times while it waits is looked at once; one
//! that changes while it is looked at is looked at once more. Refuses to know what the things are.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::clock;

/// The plain data: what waits, what is in work, what is due later.
#[derive(Debug)]
struct Pages<K> {
    waiting: VecDeque<K>,
    queued: HashSet<K>,
    in_work: HashSet<K>,
    /// Came up again while in work.
    again: HashSet<K>,
    later: BTreeSet<(Timestamp, K)>,
    due: HashMap<K, Timestamp>,
    limit: usize,
    left_out: u64,
}

impl<K: Clone + Ord + Hash> Pages<K> {
    fn new(limit: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            queued: HashSet::new(),
            in_work: HashSet::new(),
            again: HashSet::new(),
            later: BTreeSet::new(),
            due: HashMap::new(),
            limit,
            left_out: 0,
        }
    }

    /// Puts it on the list; false if there was no room.
    fn add(&mut self, key: K) -> bool {
        if self.in_work.contains(&key) {
            self.again.insert(key);
            return true;
        }
        if self.queued.contains(&key) {
            return true;
        }
        if self.waiting.len() >= self.limit {
            self.left_out += 1;
            return false;
        }
        self.queued.insert(key.clone());
        self.waiting.push_back(key);
        true
    }

    /// Puts it on the list at that time. The earliest time asked for counts.
    fn add_at(&mut self, key: K, at: Timestamp) {
        match self.due.get(&key) {
            Some(known) if *known <= at => return,
            Some(known) => drop(self.later.remove(&(*known, key.clone()))),
            None if self.due.len() >= self.limit => {
                self.left_out += 1;
                return;
            }
            None => {}
        }
        self.due.insert(key.clone(), at);
        self.later.insert((at, key));
    }

    fn take(&mut self, now: Timestamp) -> Option<K> {
        while let Some((at, _)) = self.later.first()
            && *at <= now
            && let Some((_, key)) = self.later.pop_first()
        {
            self.due.remove(&key);
            self.add(key);
        }
        let key = self.waiting.pop_front()?;
        self.queued.remove(&key);
        self.in_work.insert(key.clone());
        Some(key)
    }

    fn done(&mut self, key: &K) {
        self.in_work.remove(key);
        if self.again.remove(key) {
            self.add(key.clone());
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.later.first().map(|(at, _)| *at)
    }
}

/// The list, shared by those who add and those who work it off.
#[derive(Debug)]
pub(super) struct Agenda<K> {
    pages: Mutex<Pages<K>>,
    news: Notify,
}

impl<K: Clone + Ord + Hash> Agenda<K> {
    pub(super) fn new(limit: usize) -> Self {
        Self { pages: Mutex::new(Pages::new(limit)), news: Notify::new() }
    }

    /// It is due now. False if there was no room for it.
    pub(super) fn add(&self, key: K) -> bool {
        let added = self.pages.lock().add(key);
        self.news.notify_one();
        added
    }

    /// It is due at that time.
    pub(super) fn add_at(&self, key: K, at: Timestamp) {
        self.pages.lock().add_at(key, at);
        self.news.notify_one();
    }

    /// Waits for the next thing. Whoever takes it says when it is [`Self::done`]; until then nobody else gets it.
    pub(super) async fn next(&self) -> K {
        loop {
            let news = self.news.notified();
            let due = {
                let mut pages = self.pages.lock();
                if let Some(key) = pages.take(clock::now()) {
                    if !pages.waiting.is_empty() {
                        self.news.notify_one();
                    }
                    return key;
                }
                pages.next_due()
            };
            match due {
                // Either way the loop looks again.
                Some(at) => drop(tokio::time::timeout(clock::until(at), news).await),
                None => news.await,
            }
        }
    }

    pub(super) fn done(&self, key: &K) {
        self.pages.lock().done(key);
        self.news.notify_one();
    }

    /// How many wait, and how many found no room so far.
    pub(super) fn load(&self) -> (usize, u64) {
        let pages = self.pages.lock();
        (pages.waiting.len(), pages.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: i64) -> Timestamp {
        Timestamp::from_second(n).expect("a small number of seconds")
    }

    #[test]
    fn a_thing_that_waits_is_taken_once_however_often_it_came() {
        let mut pages = Pages::new(10);
        for _ in 0..1000 {
            pages.add("pod");
        }
        assert_eq!(pages.take(second(0)), Some("pod"));
        assert_eq!(pages.take(second(0)), None);
    }

    #[test]
    fn a_thing_in_work_is_taken_again_only_after_it_is_done() {
        let mut pages = Pages::new(10);
        pages.add("pod");
        pages.take(second(0));
        pages.add("pod");
        assert_eq!(pages.take(second(0)), None);
        pages.done(&"pod");
        assert_eq!(pages.take(second(0)), Some("pod"));
        pages.done(&"pod");
        assert_eq!(pages.take(second(0)), None);
    }

    #[test]
    fn a_thing_for_later_is_taken_at_the_earliest_time_asked_for() {
        let mut pages = Pages::new(10);
        pages.add_at("incident", second(50));
        pages.add_at("incident", second(20));
        pages.add_at("incident", second(90));
        assert_eq!(pages.take(second(19)), None);
        assert_eq!(pages.next_due(), Some(second(20)));
        assert_eq!(pages.take(second(20)), Some("incident"));
        pages.done(&"incident");
        assert_eq!(pages.next_due(), None);
    }

    #[test]
    fn beyond_the_limit_things_are_left_out_and_counted() {
        let mut pages = Pages::new(2);
        assert!(pages.add(1) && pages.add(2));
        assert!(!pages.add(3));
        assert_eq!(pages.left_out, 1);
        assert_eq!(pages.waiting.len(), 2);
    }
}
