//! The controllers of the simulated cluster, in one event loop. Owns the loop, the cache it reads from and
//! the queue of what to look at; each controller is a file that compares what is with what should be.
//! Refuses timers of its own invention: whatever waits says until when.

mod daemonset;
mod deployment;
mod deployment_status;
mod endpoints;
mod job;
mod nodes;
mod pods;
mod replicaset;
mod revisions;
mod scheduler;
mod statefulset;
mod taints;
mod template;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use futures::FutureExt as _;
use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::api::{ApiServer, Deleted, Gvr, Status, User, Watch, WatchType, gvr};
use super::events::{Note, Recorder};
use super::objects::{controller_of, name, namespace, selects, uid, version};
use super::tempo::Tempo;
use pods::Pods;

pub(in crate::sim) use nodes::{Roster, watch_over_nodes};

/// Changes taken in before the queue is worked on.
const GULP: usize = 512;
/// Things looked at before the loop lets others run.
const TURN: usize = 64;

/// What can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Deployment(String, String),
    ReplicaSet(String, String),
    StatefulSet(String, String),
    DaemonSet(String, String),
    Job(String, String),
    Endpoints(String, String),
    /// A pod without a node, by uid.
    Schedule(String),
    /// A pod on a tainted node, by uid.
    Taint(String),
}

/// The resources the controllers follow, beside pods.
const FOLLOWED: [Gvr; 7] = [
    gvr::NODES,
    gvr::DEPLOYMENTS,
    gvr::REPLICA_SETS,
    gvr::STATEFUL_SETS,
    gvr::DAEMON_SETS,
    gvr::JOBS,
    gvr::SERVICES,
];

/// All controllers.
pub(in crate::sim) struct Controllers {
    api: ApiServer,
    tempo: Tempo,
    pods: Pods,
    shelves: HashMap<Gvr, BTreeMap<(String, String), Arc<Value>>>,
    queue: VecDeque<Key>,
    queued: BTreeSet<Key>,
    due: BinaryHeap<Reverse<(Timestamp, Key)>>,
    recorders: HashMap<&'static str, Recorder>,
    scheduling: scheduler::Waiting,
    taints: taints::Pending,
    progress: HashMap<String, deployment_status::Progress>,
}

impl Controllers {
    pub(in crate::sim) fn new(api: &ApiServer, tempo: Tempo) -> Self {
        Self {
            api: api.clone(),
            tempo,
            pods: Pods::default(),
            shelves: HashMap::new(),
            queue: VecDeque::new(),
            queued: BTreeSet::new(),
            due: BinaryHeap::new(),
            recorders: HashMap::new(),
            scheduling: scheduler::Waiting::default(),
            taints: taints::Pending::default(),
            progress: HashMap::new(),
        }
    }

    /// Runs until told to stop.
    pub(in crate::sim) async fn run(mut self, stop: CancellationToken) {
        let mut pods = self.api.watch(&gvr::PODS, None, None);
        let mut others: Vec<(Gvr, Watch)> =
            FOLLOWED.iter().map(|gvr| (*gvr, self.api.watch(gvr, None, None))).collect();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                (gvr, event) = next_of(&mut others) => self.take(gvr, event),
                event = pods.next() => self.take(gvr::PODS, event),
                () = self.sleep() => {}
            }
            self.gulp(&mut pods, &mut others);
            self.work();
            tokio::task::yield_now().await;
        }
    }

    async fn sleep(&self) {
        if !self.queue.is_empty() {
            return;
        }
        match self.due.peek() {
            Some(Reverse((at, _))) => self.api.clock().sleep_until(*at).await,
            None => std::future::pending().await,
        }
    }

    /// Takes in what is there already, so that many changes are answered by one look.
    fn gulp(&mut self, pods: &mut Watch, others: &mut [(Gvr, Watch)]) {
        for (gvr, watch) in others {
            while let Some(event) = watch.next().now_or_never() {
                self.take(*gvr, event);
            }
        }
        for _ in 0..GULP {
            match pods.next().now_or_never() {
                Some(event) => self.take(gvr::PODS, event),
                None => break,
            }
        }
    }

    fn work(&mut self) {
        let now = self.now();
        while let Some(Reverse((at, _))) = self.due.peek()
            && *at <= now
        {
            if let Some(Reverse((_, key))) = self.due.pop() {
                self.enqueue(key);
            }
        }
        for _ in 0..TURN {
            let Some(key) = self.queue.pop_front() else { break };
            self.queued.remove(&key);
            self.look_at(&key);
        }
    }

    fn look_at(&mut self, key: &Key) {
        match key {
            Key::Deployment(space, name) => self.sync_deployment(space, name),
            Key::ReplicaSet(space, name) => self.sync_replica_set(space, name),
            Key::StatefulSet(space, name) => self.sync_stateful_set(space, name),
            Key::DaemonSet(space, name) => self.sync_daemon_set(space, name),
            Key::Job(space, name) => self.sync_job(space, name),
            Key::Endpoints(space, name) => self.sync_endpoints(space, name),
            Key::Schedule(uid) => self.schedule(uid),
            Key::Taint(uid) => self.sync_taint(uid),
        }
    }

    fn take(&mut self, gvr: Gvr, (kind, object): (WatchType, Arc<Value>)) {
        match kind {
            WatchType::Added | WatchType::Modified => self.observe(gvr, &object),
            WatchType::Deleted => self.observe_gone(gvr, &object),
            WatchType::Error => self.relist(gvr),
            WatchType::Bookmark => {}
        }
    }

    /// A watch lost its place: what is no longer there is gone; the rest comes again.
    fn relist(&mut self, gvr: Gvr) {
        let there: BTreeSet<String> =
            self.api.list(&gvr, None).iter().map(|one| uid(one).to_owned()).collect();
        let known: Vec<Arc<Value>> = if gvr == gvr::PODS {
            self.pods.all().map(|facts| Arc::clone(&facts.object)).collect()
        } else {
            self.shelf(gvr).values().cloned().collect()
        };
        for gone in known.iter().filter(|one| !there.contains(uid(one))) {
            self.observe_gone(gvr, gone);
        }
    }

    /// Takes in a version of an object, from a watch or from one of our own writes.
    fn observe(&mut self, gvr: Gvr, object: &Arc<Value>) {
        if gvr == gvr::PODS {
            if self.pods.put(Arc::clone(object)) {
                self.pod_changed(object);
            }
            return;
        }
        let key = (namespace(object).to_owned(), name(object).to_owned());
        let shelf = self.shelves.entry(gvr).or_default();
        if shelf.get(&key).is_some_and(|known| version(known) >= version(object)) {
            return;
        }
        shelf.insert(key, Arc::clone(object));
        self.object_changed(gvr, object);
    }

    fn observe_gone(&mut self, gvr: Gvr, object: &Value) {
        if gvr == gvr::PODS {
            if let Some(facts) = self.pods.remove(uid(object)) {
                self.scheduling.forget(&facts.uid);
                self.taints.forget(&facts.uid);
                self.pod_changed(object);
                self.retry_unschedulable();
            }
            return;
        }
        let key = (namespace(object).to_owned(), name(object).to_owned());
        let shelf = self.shelves.entry(gvr).or_default();
        if shelf.get(&key).is_some_and(|known| uid(known) == uid(object)) {
            shelf.remove(&key);
            self.progress.remove(uid(object));
        }
        self.object_changed(gvr, object);
    }

    fn pod_changed(&mut self, pod: &Value) {
        if let Some(owner) = controller_of(pod) {
            let (space, owner_name) =
                (namespace(pod).to_owned(), owner["name"].as_str().unwrap_or_default().to_owned());
            match owner["kind"].as_str() {
                Some("ReplicaSet") => self.enqueue(Key::ReplicaSet(space, owner_name)),
                Some("StatefulSet") => self.enqueue(Key::StatefulSet(space, owner_name)),
                Some("DaemonSet") => self.enqueue(Key::DaemonSet(space, owner_name)),
                Some("Job") => self.enqueue(Key::Job(space, owner_name)),
                _ => {}
            }
        }
        if pod["spec"]["nodeName"].is_string() {
            self.taint_pod(uid(pod));
        } else {
            self.enqueue(Key::Schedule(uid(pod).to_owned()));
        }
        for service in self.services_of(pod) {
            self.enqueue(service);
        }
    }

    fn object_changed(&mut self, gvr: Gvr, object: &Value) {
        let (space, own) = (namespace(object).to_owned(), name(object).to_owned());
        if gvr == gvr::DEPLOYMENTS {
            self.enqueue(Key::Deployment(space, own));
        } else if gvr == gvr::REPLICA_SETS {
            if let Some(owner) = controller_of(object) {
                let owner = owner["name"].as_str().unwrap_or_default().to_owned();
                self.enqueue(Key::Deployment(space.clone(), owner));
            }
            self.enqueue(Key::ReplicaSet(space, own));
        } else if gvr == gvr::STATEFUL_SETS {
            self.enqueue(Key::StatefulSet(space, own));
        } else if gvr == gvr::DAEMON_SETS {
            self.enqueue(Key::DaemonSet(space, own));
        } else if gvr == gvr::JOBS {
            self.enqueue(Key::Job(space, own));
        } else if gvr == gvr::SERVICES {
            self.enqueue(Key::Endpoints(space, own));
        } else if gvr == gvr::NODES {
            self.node_changed(&own);
        }
    }

    fn node_changed(&mut self, node: &str) {
        let sets: Vec<Key> = self
            .shelf(gvr::DAEMON_SETS)
            .keys()
            .map(|(space, name)| Key::DaemonSet(space.clone(), name.clone()))
            .collect();
        for set in sets {
            self.enqueue(set);
        }
        self.retry_unschedulable();
        let here: Vec<String> = self.pods.on_node(node).map(|facts| facts.uid.clone()).collect();
        for uid in here {
            self.taint_pod(&uid);
        }
    }

    fn services_of(&self, pod: &Value) -> Vec<Key> {
        let labels = &pod["metadata"]["labels"];
        self.shelf(gvr::SERVICES)
            .range((namespace(pod).to_owned(), String::new())..)
            .take_while(|((space, _), _)| space == namespace(pod))
            .filter(|(_, service)| {
                let selector = &service["spec"]["selector"];
                selector.is_object() && selects(&serde_json::json!({"matchLabels": selector}), labels)
            })
            .map(|((space, name), _)| Key::Endpoints(space.clone(), name.clone()))
            .collect()
    }

    // What the controllers share.

    fn now(&self) -> Timestamp {
        self.api.clock().now()
    }

    fn enqueue(&mut self, key: Key) {
        if self.queued.insert(key.clone()) {
            self.queue.push_back(key);
        }
    }

    fn enqueue_at(&mut self, at: Timestamp, key: Key) {
        self.due.push(Reverse((at, key)));
    }

    fn shelf(&self, gvr: Gvr) -> &BTreeMap<(String, String), Arc<Value>> {
        static EMPTY: BTreeMap<(String, String), Arc<Value>> = BTreeMap::new();
        self.shelves.get(&gvr).unwrap_or(&EMPTY)
    }

    fn find(&self, gvr: Gvr, space: &str, name: &str) -> Option<Arc<Value>> {
        self.shelf(gvr).get(&(space.to_owned(), name.to_owned())).cloned()
    }

    fn record(&mut self, component: &'static str, note: &Note<'_>) {
        let (api, tempo) = (&self.api, self.tempo);
        self.recorders.entry(component).or_insert_with(|| Recorder::new(api, component, tempo)).record(note);
    }

    fn create(&mut self, who: &User, gvr: Gvr, space: &str, object: Value) -> Result<Arc<Value>, Status> {
        let created = self.api.create(who, &gvr, Some(space), object)?;
        self.observe(gvr, &created);
        Ok(created)
    }

    fn modify(
        &mut self,
        who: &User,
        gvr: Gvr,
        sub: Option<&str>,
        about: &Value,
        mut change: impl FnMut(&mut Value),
    ) -> Result<Arc<Value>, Status> {
        let wanted = uid(about).to_owned();
        let changed = self.api.modify(who, &gvr, sub, Some(namespace(about)), name(about), |object| {
            if uid(object) == wanted {
                change(object);
            }
        })?;
        self.observe(gvr, &changed);
        Ok(changed)
    }

    fn delete(&mut self, who: &User, gvr: Gvr, about: &Value) -> Result<(), Status> {
        let options = super::api::DeleteOptions {
            uid: Some(uid(about).to_owned()),
            ..super::api::DeleteOptions::default()
        };
        match self.api.delete(who, &gvr, Some(namespace(about)), name(about), options)? {
            Deleted::Gone(object) => self.observe_gone(gvr, &object),
            Deleted::Marked(object) => self.observe(gvr, &object),
        }
        Ok(())
    }
}

async fn next_of(watches: &mut [(Gvr, Watch)]) -> (Gvr, (WatchType, Arc<Value>)) {
    let futures = watches.iter_mut().map(|(gvr, watch)| {
        let gvr = *gvr;
        Box::pin(async move { (gvr, watch.next().await) })
    });
    futures::future::select_all(futures).await.0
}
