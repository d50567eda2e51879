//! What happened that is worth a diagnosis: subjects, each at most once, however often it changed before
//! somebody came to look. Bounded: when too many wait, they become one "look at everything".

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::incident::ObjectRef;

/// More subjects than this are not listed one by one.
const MOST: usize = 16_384;

/// A subject to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClusterChange {
    /// It looks unhealthy, or did until now; or what it stands on changed.
    Changed(ObjectRef),
    /// It was unhealthy and is no more.
    Gone(ObjectRef),
    /// Look at all suspects, and at everything that is open: changes may have been missed.
    Everything,
}

/// The queue of changes of one cluster.
#[derive(Default)]
pub struct Changes {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    open: bool,
    everything: bool,
    order: VecDeque<ObjectRef>,
    /// `true`: gone.
    what: HashMap<ObjectRef, bool>,
}

impl Changes {
    /// The next change. Nothing comes before the first listing is complete. Meant for one reader.
    pub async fn next(&self) -> ClusterChange {
        loop {
            let news = self.news.notified();
            if let Some(change) = self.waiting.lock().next() {
                return change;
            }
            news.await;
        }
    }

    /// How many changes wait.
    pub fn len(&self) -> usize {
        let waiting = self.waiting.lock();
        waiting.order.len() + usize::from(waiting.everything)
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(in crate::cluster) fn changed(&self, subject: ObjectRef) {
        self.add(subject, false);
    }

    pub(in crate::cluster) fn gone(&self, subject: ObjectRef) {
        self.add(subject, true);
    }

    /// Everything may have changed: after a new listing.
    pub(in crate::cluster) fn everything(&self) {
        self.waiting.lock().overflow();
        self.news.notify_one();
    }

    /// The first listing is complete: from now on a diagnosis finds what it needs.
    pub(in crate::cluster) fn open(&self) {
        self.waiting.lock().open = true;
        self.news.notify_one();
    }

    fn add(&self, subject: ObjectRef, gone: bool) {
        self.waiting.lock().add(subject, gone);
        self.news.notify_one();
    }
}

impl Waiting {
    fn next(&mut self) -> Option<ClusterChange> {
        if !self.open {
            return None;
        }
        if std::mem::take(&mut self.everything) {
            return Some(ClusterChange::Everything);
        }
        let subject = self.order.pop_front()?;
        let gone = self.what.remove(&subject).unwrap_or_default();
        Some(if gone { ClusterChange::Gone(subject) } else { ClusterChange::Changed(subject) })
    }

    fn add(&mut self, subject: ObjectRef, gone: bool) {
        if self.order.len() >= MOST {
            return self.overflow();
        }
        if self.what.insert(subject.clone(), gone).is_none() {
            self.order.push_back(subject);
        }
    }

    fn overflow(&mut self) {
        self.everything = true;
        self.order.clear();
        self.what.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> ObjectRef {
        ObjectRef { name: name.into(), ..ObjectRef::default() }
    }

    #[tokio::test]
    async fn a_subject_waits_once_and_its_last_word_counts() {
        let changes = Changes::default();
        changes.changed(subject("a"));
        changes.changed(subject("b"));
        changes.gone(subject("a"));
        changes.open();
        assert_eq!(changes.next().await, ClusterChange::Gone(subject("a")));
        assert_eq!(changes.next().await, ClusterChange::Changed(subject("b")));
        assert!(changes.is_empty());
    }

    #[tokio::test]
    async fn too_many_subjects_become_a_look_at_everything() {
        let changes = Changes::default();
        changes.open();
        for n in 0..=MOST {
            changes.changed(subject(&n.to_string()));
        }
        assert_eq!(changes.next().await, ClusterChange::Everything);
        assert!(changes.is_empty());
        changes.changed(subject("later"));
        assert_eq!(changes.next().await, ClusterChange::Changed(subject("later")));
    }

    #[test]
    fn nothing_comes_before_the_first_listing_is_complete() {
        let changes = Changes::default();
        changes.changed(subject("a"));
        assert_eq!(changes.waiting.lock().next(), None);
        changes.open();
        assert!(changes.waiting.lock().next().is_some());
    }
}
