//! A connected cluster: its watches run for as long as somebody holds it.

use std::sync::Arc;

use jiff::Timestamp;
use kube::Client;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::cache::{Cache, Changes};
use super::config::{Clock, ClusterConfig};
use super::gather::Gatherer;
use super::gather::found::Tell;
use super::kind::Watched;
use super::link::{ConnectError, Link};
use super::watch::{KindStatus, Shared, follow};
use crate::incident::objects::{Event, Pod};
use crate::incident::{Gathered, ObjectRef, Target, Text, Wants};

/// One configured cluster. Clones are the same cluster; the watches end with the last one.
#[derive(Clone)]
pub struct Cluster {
    pub(in crate::cluster) name: Text,
    pub(in crate::cluster) cache: Arc<Cache>,
    pub(in crate::cluster) clock: Clock,
    shared: Arc<Shared>,
    gatherer: Arc<Gatherer>,
    /// Aborts its tasks when dropped.
    _tasks: Arc<JoinSet<()>>,
}

/// How a cluster is doing.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    pub name: Text,
    /// Every watch that is allowed to has listed, and none is in trouble.
    pub connected: bool,
    pub kinds: Vec<KindStatus>,
    pub pods: usize,
    /// Pods held with their detail.
    pub detailed_pods: usize,
    pub suspects: usize,
    /// Subjects that wait to be looked at.
    pub waiting: usize,
    /// Seconds since the quietest watch last heard from the server.
    pub lag_seconds: i64,
}

impl Cluster {
    /// Makes the clients and starts watching. Fails only if there can be no client; a server that is away is
    /// waited for.
    pub async fn connect(config: ClusterConfig) -> Result<Self, ConnectError> {
        let ClusterConfig { name, access, namespaces, timing, events, clock } = config;
        let link = Link::open(access).await?;
        let cache = Arc::new(Cache::with_room_for(&name, events));
        let shared = Arc::new(Shared::new(link, Arc::clone(&cache), clock.clone(), timing, &namespaces));
        let mut tasks = JoinSet::new();
        for progress in &shared.progress {
            tasks.spawn(follow(Arc::clone(&shared), Arc::clone(progress)));
        }
        tasks.spawn(open_when_settled(Arc::clone(&shared)));
        tasks.spawn(keep_time(Arc::clone(&cache), clock.clone()));
        let link = Arc::clone(&shared);
        let clients = Box::new(move || link.link.retrying());
        let gatherer = Arc::new(Gatherer::new(&name, clients, Arc::clone(&cache)));
        Ok(Self { name, cache, clock, shared, gatherer, _tasks: Arc::new(tasks) })
    }

    pub fn name(&self) -> &Text {
        &self.name
    }

    /// Subjects worth a diagnosis, as they come up. For one reader.
    pub fn changes(&self) -> &Changes {
        self.cache.changes()
    }

    /// Everything that looks unhealthy right now.
    pub fn suspects(&self) -> Vec<ObjectRef> {
        self.cache.suspects()
    }

    /// The pods that look unhealthy right now.
    pub fn unhealthy_pods(&self) -> Vec<Arc<Pod>> {
        self.cache.unhealthy_pods()
    }

    /// The events about an object, oldest first, repetitions put together.
    pub fn events(&self, subject: &ObjectRef) -> Vec<Event> {
        self.cache.events(subject)
    }

    /// Whether the cache can be taken for the level: every kind that may be read has been listed and its
    /// watch is in order.
    pub fn is_fresh(&self) -> bool {
        let kinds: Vec<KindStatus> = self.shared.progress.iter().map(|progress| progress.report()).collect();
        is_connected(&kinds)
    }

    /// Everything that is known about the subject; with no wants, only what the cache holds.
    pub async fn gather(&self, subject: &ObjectRef, wants: Wants, now: Timestamp) -> Gathered {
        self.gatherer.gather(subject, wants, now).await
    }

    /// The same, telling what is there as it comes.
    pub async fn gather_telling(
        &self,
        subject: &ObjectRef,
        wants: Wants,
        now: Timestamp,
        tell: Tell<'_>,
    ) -> Gathered {
        self.gatherer.gather_telling(subject, wants, now, tell).await
    }

    /// The live object as JSON, a Secret without its values; `None` if it is not there.
    pub async fn read(&self, target: &Target) -> Result<Option<Value>, Text> {
        self.gatherer.read(target).await
    }

    /// What is held of the cluster.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The client for changes: it sends once and never repeats.
    pub fn sending_once(&self) -> Client {
        self.shared.link.plain()
    }

    /// The client for reading: it repeats what the server was too busy for.
    pub fn reading(&self) -> Client {
        self.shared.link.retrying()
    }

    /// Returns once the first listings are complete, or the time for them is up.
    pub async fn settled(&self) {
        self.shared.settle(None).await;
    }

    /// How the cluster is doing.
    pub fn status(&self) -> ClusterStatus {
        let now = self.clock.now();
        let kinds: Vec<KindStatus> = self.shared.progress.iter().map(|p| p.report()).collect();
        ClusterStatus {
            name: self.name.clone(),
            connected: is_connected(&kinds),
            pods: self.cache.count(Watched::Pod),
            detailed_pods: self.cache.detailed_pods(),
            suspects: self.suspects().len(),
            waiting: self.changes().len(),
            lag_seconds: lag(&kinds, now),
            kinds,
        }
    }
}

fn is_connected(kinds: &[KindStatus]) -> bool {
    let well = |kind: &KindStatus| kind.forbidden || kind.synced && kind.trouble.is_none();
    kinds.iter().all(well) && kinds.iter().any(|kind| kind.synced)
}

fn lag(kinds: &[KindStatus], now: Timestamp) -> i64 {
    let quiet = |kind: &KindStatus| kind.contact.map(|at| now.duration_since(at).as_secs());
    kinds.iter().filter(|kind| !kind.forbidden).filter_map(quiet).max().unwrap_or_default()
}

async fn open_when_settled(shared: Arc<Shared>) {
    shared.settle(None).await;
    shared.cache.changes().open();
}

/// Brings up what time alone makes a suspect.
#[expect(clippy::disallowed_methods, reason = "waits for a known moment, or for a sooner one")]
async fn keep_time(cache: Arc<Cache>, clock: Clock) {
    loop {
        let Some(next) = cache.tick(clock.now()) else {
            cache.sooner().await;
            continue;
        };
        let wait = next.duration_since(clock.now()).try_into().unwrap_or_default();
        tokio::select! {
            () = sleep(wait) => {}
            () = cache.sooner() => {}
        }
    }
}
