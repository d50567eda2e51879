//! One cluster, as the engine sits before it: reading, the writer, and how far what is seen can be trusted.
//!
//! Nothing is concluded from the absence of findings while the view is not fresh: not connected, not synced,
//! or not yet looked through once since it was.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::checks::Seen;
use super::share::Share;
use crate::cluster::apply::{Impersonation, Writer};
use crate::cluster::preview::preview;
use crate::cluster::rights::Rights;
use crate::cluster::{Cluster, Tell};
use crate::diagnosis;
use crate::incident::{
    ApiKind, Gathered, ObjectRef, Plan, Preview, RegistryTrouble, Rule, Target, Text, Wants,
};

/// How many subjects can be looked at side by side without waiting for each other.
const TURNS: usize = 64;
/// How long what was computed over all unhealthy pods serves.
const TROUBLE_SERVES: SignedDuration = SignedDuration::from_secs(2);

/// A cluster, and how changes are made there.
pub struct Post {
    pub cluster: Cluster,
    /// What `kubectl` calls the cluster; `""` for its current context.
    pub context: String,
    /// Whether each change is sent in the name of an approver.
    pub impersonation: Option<Impersonation>,
}

/// A cluster and what the engine knows about its view of it.
pub(super) struct Seat {
    pub cluster: Cluster,
    context: String,
    impersonation: Option<Impersonation>,
    rights: Rights,
    pub share: Mutex<Share>,
    round: Notify,
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
    pub(super) fn new(post: Post) -> Self {
        let Post { cluster, context, impersonation } = post;
        Self {
            rights: Rights::new(cluster.sending_once()),
            cluster,
            context,
            impersonation,
            round: Notify::new(),
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
        view.see(self.is_fresh(), now);
        *view
    }

    /// Whether what the cluster shows is up to date.
    pub(super) fn is_fresh(&self) -> bool {
        self.cluster.is_fresh()
    }

    /// The writer, with the credentials of this moment.
    pub(super) fn writer(&self) -> Writer {
        let writer = Writer::new(self.cluster.name().clone(), self.cluster.sending_once());
        match &self.impersonation {
            Some(impersonation) => writer.impersonating(impersonation.clone()),
            None => writer,
        }
    }

    /// Everything was looked at, beginning at `began`.
    pub(super) fn looked_through(&self, began: Timestamp) {
        self.view.lock().looked_through(began);
    }

    /// What is known about a subject, with what fails around it.
    pub(super) async fn gather(&self, subject: &ObjectRef, wants: Wants, now: Timestamp) -> Gathered {
        self.gather_telling(subject, wants, now, &|_| {}).await
    }

    /// The same, telling what is there as it comes.
    pub(super) async fn gather_telling(
        &self,
        subject: &ObjectRef,
        wants: Wants,
        now: Timestamp,
        tell: Tell<'_>,
    ) -> Gathered {
        let mut gathered = self.cluster.gather_telling(subject, wants, now, tell).await;
        gathered.neighbours.registries = self.trouble(now).as_ref().clone();
        gathered
    }

    /// The object of that name, as it is now.
    pub(super) async fn read(&self, target: &Target) -> Seen {
        match self.cluster.read(target).await {
            Ok(Some(json)) => Seen::Object(json),
            Ok(None) => Seen::NotThere,
            Err(why) => Seen::Unreadable(why),
        }
    }

    /// The rules that kubemend has no right to.
    pub(super) async fn missing(&self, rules: &[Rule]) -> Vec<Rule> {
        self.rights.missing(rules).await.into_iter().map(|missing| missing.rule).collect()
    }

    pub(super) async fn preview(&self, plan: &Plan) -> Preview {
        preview(&self.cluster.sending_once(), &self.context, plan).await
    }

    /// Something was missed: everything is looked at again soon.
    pub(super) fn ask_for_round(&self) {
        self.round.notify_one();
    }

    /// Returns when the next round is due, or sooner when one is asked for.
    pub(super) async fn next_round(&self, every: std::time::Duration) {
        // Either way a round is due.
        let _ = tokio::time::timeout(every, self.round.notified()).await;
    }

    /// What fails at the registries, computed over all unhealthy pods at most every few seconds.
    fn trouble(&self, now: Timestamp) -> Arc<BTreeMap<Text, RegistryTrouble>> {
        let mut trouble = self.trouble.lock();
        if trouble.at.is_none_or(|at| now.duration_since(at) >= TROUBLE_SERVES) {
            let pods = self.cluster.unhealthy_pods();
            let api = ApiKind::known("Pod").expect("Pod is a known kind");
            let name = self.cluster.name();
            let events: Vec<_> = pods
                .iter()
                .flat_map(|pod| self.cluster.cache().events(&pod.meta.reference(name, &api)))
                .collect();
            let hosts = diagnosis::registry_trouble(pods.iter().map(AsRef::as_ref), &events, now);
            let spread = hosts.keys().ne(trouble.hosts.keys());
            *trouble = Trouble { at: Some(now), hosts: Arc::new(hosts) };
            if spread {
                self.ask_for_round();
            }
        }
        Arc::clone(&trouble.hosts)
    }
}

/// Subjects are looked at by name: what has that name now is what matters.
pub(super) fn by_name(subject: ObjectRef) -> ObjectRef {
    ObjectRef { uid: Text::default(), ..subject }
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
