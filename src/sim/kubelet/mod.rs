//! The kubelets: one per simulated node, driven by one event loop. Owns the loop between the API and the
//! pure workers (`worker`, `container`), the images on the nodes and the pods' addresses. Refuses to decide:
//! it looks when something changed or a time has come, and carries out what the worker answers.

mod backoff;
mod container;
mod fate;
mod mounts;
mod node;
mod program;
mod references;
mod sight;
mod status;
#[cfg(test)]
mod tests;
mod worker;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::api::{ApiServer, DeleteOptions, User, Watch, WatchType, gvr};
use super::events::{Note, Recorder};
use super::objects::{is_deleting, name, namespace, uid, version};
use super::tempo::Tempo;

pub use node::NodeSpec;
pub(in crate::sim) use node::{beat, patience, post_status, register, renew};
pub use program::{Ending, Exit, OnStop, Program, World};
pub use references::{Mentioned, mentioned};
pub use sight::{Around, Draft, LogLine, Step};
pub use worker::{Look, Worker};

/// Pods looked at before the loop lets others run.
const TURN: usize = 64;

/// What may be done to the kubelets from outside.
#[derive(Debug, Clone)]
pub enum Command {
    /// Ends the main containers of the pods whose name begins so.
    Strike { namespace: String, pod_prefix: String, exit: Exit },
    /// The node's kubelet falls silent.
    Stop { node: String },
    /// The node's kubelet is back.
    Start { node: String },
    /// A node joins.
    Join { spec: NodeSpec },
}

/// All kubelets of the cluster.
pub(in crate::sim) struct Kubelets {
    api: ApiServer,
    who: User,
    world: Arc<RwLock<World>>,
    tempo: Tempo,
    nodes: HashMap<String, Node>,
    pods: HashMap<String, Held>,
    due: BinaryHeap<Reverse<(Timestamp, String)>>,
    dirty: VecDeque<String>,
    recorder: Recorder,
}

struct Node {
    ip: String,
    number: usize,
    addresses: usize,
    images: HashSet<String>,
    silent: bool,
}

struct Held {
    pod: Arc<Value>,
    worker: Worker,
    node: String,
    mentioned: Mentioned,
    wake: Option<Timestamp>,
}

impl Kubelets {
    pub(in crate::sim) fn new(api: &ApiServer, world: Arc<RwLock<World>>, tempo: Tempo) -> Self {
        Self {
            api: api.clone(),
            who: User::system("kubelet"),
            world,
            tempo,
            nodes: HashMap::new(),
            pods: HashMap::new(),
            due: BinaryHeap::new(),
            dirty: VecDeque::new(),
            recorder: Recorder::new(api, "kubelet", tempo),
        }
    }

    /// Runs until told to stop.
    pub(in crate::sim) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        stop: CancellationToken,
    ) {
        let mut pods = self.api.watch(&gvr::PODS, None, None);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(command) = commands.recv() => self.obey(command),
                event = pods.next() => {
                    // A node joins before a pod can be bound to it, so what was asked for before the pod came
                    // is done before the pod is looked at.
                    while let Ok(command) = commands.try_recv() {
                        self.obey(command);
                    }
                    self.take(event, &mut pods);
                }
                () = self.sleep() => {}
            }
            self.work();
            tokio::task::yield_now().await;
        }
    }

    async fn sleep(&self) {
        if !self.dirty.is_empty() {
            return;
        }
        match self.due.peek() {
            Some(Reverse((at, _))) => self.api.clock().sleep_until(*at).await,
            None => std::future::pending().await,
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Join { spec } => {
                let number = self.nodes.len();
                let node =
                    Node { ip: spec.ip.clone(), number, addresses: 1, images: HashSet::new(), silent: false };
                self.nodes.entry(spec.name).or_insert(node);
            }
            Command::Stop { node } => {
                if let Some(node) = self.nodes.get_mut(&node) {
                    node.silent = true;
                }
            }
            Command::Start { node } => self.wake_node(&node),
            Command::Strike { namespace: space, pod_prefix, exit } => {
                let now = self.api.clock().now();
                for (uid, held) in &mut self.pods {
                    if namespace(&held.pod) == space && name(&held.pod).starts_with(&pod_prefix) {
                        held.worker.strike(None, &exit, now);
                        self.dirty.push_back(uid.clone());
                    }
                }
            }
        }
    }

    fn wake_node(&mut self, node: &str) {
        if let Some(known) = self.nodes.get_mut(node) {
            known.silent = false;
        }
        for (uid, held) in &mut self.pods {
            if held.node == node {
                held.worker.doubt_written();
                self.dirty.push_back(uid.clone());
            }
        }
    }

    fn take(&mut self, event: (WatchType, Arc<Value>), more: &mut Watch) {
        let mut next = Some(event);
        let mut room = 256;
        while let Some((kind, pod)) = next {
            match kind {
                WatchType::Added | WatchType::Modified => self.notice(pod),
                WatchType::Deleted => self.forget(&pod),
                WatchType::Error => self.relist(),
                WatchType::Bookmark => {}
            }
            room -= 1;
            next = if room > 0 { futures::FutureExt::now_or_never(more.next()) } else { None };
        }
    }

    /// The watch lost its place: what is no longer there is forgotten; the rest comes again.
    fn relist(&mut self) {
        let there: HashSet<String> =
            self.api.list(&gvr::PODS, None).iter().map(|pod| uid(pod).to_owned()).collect();
        self.pods.retain(|uid, _| there.contains(uid));
    }

    fn notice(&mut self, pod: Arc<Value>) {
        let key = uid(&pod).to_owned();
        if let Some(held) = self.pods.get_mut(&key) {
            if version(&pod) > version(&held.pod) {
                held.pod = pod;
                self.dirty.push_back(key);
            }
            return;
        }
        let Some(node_name) = pod["spec"]["nodeName"].as_str() else { return };
        let Some(node) = self.nodes.get_mut(node_name) else { return };
        node.addresses += 1;
        let address = format!("10.244.{}.{}", node.number * 4 + node.addresses / 256, node.addresses % 256);
        let held = Held {
            worker: Worker::new(&pod, address),
            node: node_name.to_owned(),
            mentioned: mentioned(&pod),
            wake: None,
            pod,
        };
        self.pods.insert(key.clone(), held);
        self.dirty.push_back(key);
    }

    fn forget(&mut self, pod: &Value) {
        if self.pods.remove(uid(pod)).is_some() {
            self.api.logs().forget(namespace(pod), name(pod));
        }
    }

    fn work(&mut self) {
        let now = self.api.clock().now();
        while let Some(Reverse((at, _))) = self.due.peek()
            && *at <= now
        {
            if let Some(Reverse((at, uid))) = self.due.pop()
                && self.pods.get(&uid).is_some_and(|held| held.wake == Some(at))
            {
                self.dirty.push_back(uid);
            }
        }
        for _ in 0..TURN {
            let Some(uid) = self.dirty.pop_front() else { break };
            self.look_at(&uid);
        }
    }

    fn look_at(&mut self, uid: &str) {
        let now = self.api.clock().now();
        let Some(held) = self.pods.get_mut(uid) else { return };
        let Some(node) = self.nodes.get(&held.node) else { return };
        if node.silent {
            return;
        }
        let around = around(&self.api, namespace(&held.pod), &held.mentioned);
        let world = self.world.read();
        let step = held.worker.step(&Look {
            pod: &held.pod,
            world: &world,
            around: &around,
            node_images: &node.images,
            node_ip: &node.ip,
            tempo: self.tempo,
            now,
        });
        drop(world);
        held.wake = step.wake;
        if let Some(wake) = step.wake {
            self.due.push(Reverse((wake, uid.to_owned())));
        }
        self.carry_out(uid, step, now);
    }

    fn carry_out(&mut self, uid: &str, step: Step, now: Timestamp) {
        let Some(held) = self.pods.get_mut(uid) else { return };
        let (space, pod_name) = (namespace(&held.pod).to_owned(), name(&held.pod).to_owned());
        if let Some(node) = self.nodes.get_mut(&held.node) {
            node.images.extend(step.pulled);
        }
        for line in &step.logs {
            let instance = u32::try_from(line.instance).unwrap_or_default();
            self.api.logs().append(now, &space, &pod_name, &line.container, instance, &line.line);
        }
        for draft in step.events {
            self.recorder.record(&Note {
                about: &held.pod,
                kind: draft.kind,
                reason: draft.reason,
                message: draft.message,
                field_path: &draft.field_path,
                host: &held.node,
            });
        }
        if let Some(status) = step.status {
            write_status(&self.api, &self.who, held, uid, &status);
        }
        if step.gone {
            let options =
                DeleteOptions { grace: Some(0), uid: Some(uid.to_owned()), ..DeleteOptions::default() };
            // Gone already, or somebody else of that name: either way this pod is over.
            let _ = self.api.delete(&self.who, &gvr::PODS, Some(&space), &pod_name, options);
        }
    }
}

fn write_status(api: &ApiServer, who: &User, held: &mut Held, uid: &str, status: &Value) {
    let (space, pod_name) = (namespace(&held.pod).to_owned(), name(&held.pod).to_owned());
    let written = api.modify(who, &gvr::PODS, Some("status"), Some(&space), &pod_name, |pod| {
        if super::objects::uid(pod) == uid {
            pod["status"] = status.clone();
        }
    });
    if let Ok(pod) = written
        && super::objects::uid(&pod) == uid
        && is_deleting(&pod) == is_deleting(&held.pod)
    {
        held.pod = pod;
    }
}

fn around(api: &ApiServer, space: &str, mentioned: &Mentioned) -> Around {
    let find = |resource, names: &[String]| -> BTreeMap<String, Arc<Value>> {
        names.iter().filter_map(|one| Some((one.clone(), api.get(resource, Some(space), one)?))).collect()
    };
    Around {
        config_maps: find(&gvr::CONFIG_MAPS, &mentioned.config_maps),
        secrets: find(&gvr::SECRETS, &mentioned.secrets),
    }
}
