//! One cluster, as the engine sits before it: reading, the writer, and how far what is seen can be trusted.
//!
//! Nothing is concluded from the absence of findings while the view is not fresh: not connected, not synced,
//! or not yet looked through once since it was.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::share::Share;
use crate::cluster::Cluster;
use crate::cluster::apply::Writer;
use crate::diagnosis;
use crate::incident::{Gathered, ObjectRef, RegistryTrouble, Text, Wants};

/// How many subjects can be looked at side by side without waiting for each other.
const TURNS: usize = 64;
/// How long what was computed over all unhealthy pods serves.
const TROUBLE_SERVES: SignedDuration = SignedDuration::from_secs(2);

/// A cluster and what the engine knows about its view of it.
pub(super) struct Seat {
    pub cluster: Cluster,
    pub writer: Writer,
    pub share: Mutex<Share>,
    view: Mutex<View>,
    trouble: Mutex<Trouble>,
    turns: Vec<tokio::sync::Mutex<()>>,
}

/// Since when everything is seen, and since when it was looked through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct View {
    fresh: Option<Timestamp>,
    looked_through: bool,
}

impl View {
    /// What is so at `now`.
    pub(super) fn see(&mut self, is_fresh: bool, now: Timestamp) {
        match (is_fresh, self.fresh) {
            (true, Some(_)) => {}
            (true, None) => *self = Self { fresh: Some(now), looked_through: false },
            (false, _) => *self = Self::default(),
        }
    }

    /// Everything was looked at, beginning at `began`.
    pub(super) fn looked_through(&mut self, began: Timestamp) {
        self.looked_through |= self.fresh.is_some_and(|fresh| fresh <= began);
    }

    /// Whether something that has not shown for `settle` may be taken for gone.
    pub(super) fn shows_absence(&self, settle: SignedDuration, now: Timestamp) -> bool {
        self.looked_through && self.fresh.is_some_and(|fresh| now.duration_since(fresh) >= settle)
    }
}

#[derive(Default)]
struct Trouble {
    at: Option<Timestamp>,
    hosts: Arc<BTreeMap<Text, RegistryTrouble>>,
}

impl Seat {
    pub(super) fn new(cluster: Cluster, writer: Writer) -> Self {
        Self {
            cluster,
            writer,
            share: Mutex::default(),
            view: Mutex::default(),
            trouble: Mutex::default(),
            turns: (0..TURNS).map(|_| tokio::sync::Mutex::default()).collect(),
        }
    }

    /// Two looks at one subject come one after the other, so that the older never overwrites the newer.
    pub(super) async fn turn(&self, subject: &ObjectRef) -> tokio::sync::MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        (&subject.api.kind, &subject.namespace, &subject.name).hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % TURNS as u64).expect("less than TURNS");
        self.turns[place].lock().await
    }

    /// What the view is worth now.
    pub(super) fn view(&self, now: Timestamp) -> View {
        let mut view = self.view.lock();
        view.see(self.cluster.is_fresh(), now);
        *view
    }

    /// Everything was looked at, beginning at `began`.
    pub(super) fn looked_through(&self, began: Timestamp) {
        self.view.lock().looked_through(began);
    }

    /// What is known about a subject, with what fails around it.
    pub(super) async fn gather(&self, subject: &ObjectRef, wants: Wants, now: Timestamp) -> Gathered {
        let mut gathered = self.cluster.gather(subject, wants, now).await;
        gathered.neighbours.registries = self.trouble(now).as_ref().clone();
        gathered
    }

    fn trouble(&self, now: Timestamp) -> Arc<BTreeMap<Text, RegistryTrouble>> {
        let mut trouble = self.trouble.lock();
        if trouble.at.is_none_or(|at| now.duration_since(at) >= TROUBLE_SERVES) {
            let (pods, events) = self.cluster.unhealthy_pods_with_events();
            let hosts = diagnosis::registry_trouble(pods.iter().map(AsRef::as_ref), events.iter(), now);
            *trouble = Trouble { at: Some(now), hosts: Arc::new(hosts) };
        }
        Arc::clone(&trouble.hosts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    const SETTLE: SignedDuration = SignedDuration::from_secs(30);

    #[test]
    fn absence_shows_only_in_a_fresh_view_that_was_looked_through() {
        let mut view = View::default();
        view.see(true, at(10));
        assert!(!view.shows_absence(SETTLE, at(100)), "nothing was looked at yet");
        view.looked_through(at(5));
        assert!(!view.shows_absence(SETTLE, at(100)), "that was before it was fresh");
        view.looked_through(at(20));
        assert!(!view.shows_absence(SETTLE, at(39)), "not for long enough");
        assert!(view.shows_absence(SETTLE, at(40)));
    }

    #[test]
    fn a_lost_connection_begins_everything_anew() {
        let mut view = View::default();
        view.see(true, at(10));
        view.looked_through(at(20));
        view.see(false, at(50));
        view.see(true, at(60));
        assert!(!view.shows_absence(SETTLE, at(1000)));
    }
}
