//! The tables of a cluster and how each kind of object goes into them. Always behind the cache's lock.

use std::collections::HashSet;

use jiff::Timestamp;

use super::due::{Due, Whom};
use super::health::NodeState;
use super::ids::Uid;
use super::pods::{Found, Pods};
use super::said::Said;
use super::table::{Applied, Judged, Table};
use super::{Delivery, EVENTS_LAST, Order, Out};
use crate::cluster::kind::Watched;
use crate::cluster::wire::AnyObject;
use crate::incident::Text;
use crate::incident::objects::{Claim, Meta, Namespace, Node, Pod, ServiceAccount, Workload};

#[derive(Default)]
pub(super) struct Tables {
    pub(super) pods: Pods,
    pub(super) events: Said,
    pub(super) nodes: Table<Node>,
    pub(super) workloads: Workloads,
    pub(super) claims: Table<Claim>,
    pub(super) accounts: Table<ServiceAccount>,
    pub(super) namespaces: Table<Namespace>,
    /// Names of nodes that are not ready: asked for with every pod.
    lost: HashSet<Text>,
    due: Due,
}

/// One table for each kind of workload.
#[derive(Default)]
pub(super) struct Workloads([Table<Workload>; 5]);

impl Workloads {
    pub(super) fn of(&self, kind: Watched) -> Option<&Table<Workload>> {
        Self::at(kind).map(|at| &self.0[at])
    }

    fn of_mut(&mut self, kind: Watched) -> Option<&mut Table<Workload>> {
        Self::at(kind).map(|at| &mut self.0[at])
    }

    fn at(kind: Watched) -> Option<usize> {
        Self::KINDS.iter().position(|held| *held == kind)
    }

    pub(super) const KINDS: [Watched; 5] =
        [Watched::Deployment, Watched::ReplicaSet, Watched::StatefulSet, Watched::DaemonSet, Watched::Job];
}

impl Tables {
    pub(super) fn with_room_for(events: usize) -> Self {
        Self { events: Said::with_room_for(events), ..Self::default() }
    }

    pub(super) fn apply(
        &mut self,
        kind: Watched,
        object: AnyObject,
        epoch: u32,
        how: Delivery,
        now: Timestamp,
        out: &mut Out<'_>,
    ) -> Order {
        match object {
            AnyObject::Pod(pod) => return self.apply_pod(pod, epoch, how, now, out),
            AnyObject::Event(event) => self.apply_event(event, how, now, out),
            AnyObject::Node(node) => self.apply_node(node, epoch, now, out),
            AnyObject::ServiceAccount(account) => self.apply_account(account, epoch, now, out),
            AnyObject::Workload(workload) => {
                if let Some(table) = self.workloads.of_mut(kind) {
                    put(table, &mut self.due, kind, workload, epoch, now, out);
                }
            }
            AnyObject::Claim(claim) => {
                put(&mut self.claims, &mut self.due, kind, claim, epoch, now, out);
            }
            AnyObject::Namespace(namespace) => {
                put(&mut self.namespaces, &mut self.due, kind, namespace, epoch, now, out);
            }
            AnyObject::Secret(_) | AnyObject::ConfigMap(_) | AnyObject::Other(_) => {}
        }
        Order::Kept
    }

    fn apply_pod(&mut self, pod: Pod, epoch: u32, how: Delivery, now: Timestamp, out: &mut Out<'_>) -> Order {
        let node = self.node_state(&pod.node);
        let uid = Uid::of(&pod.meta.uid);
        // Only a suspect's name is needed after the pod has moved into the table.
        let subject = pod.meta.clone_names();
        let done = match how {
            Delivery::Listed => self.pods.list(pod, node, epoch, now),
            Delivery::Watched => self.pods.apply(pod, node, epoch, now),
        };
        if let Some(at) = done.due {
            self.plan(at, Whom::Pod(uid), out);
        }
        if !done.same && (done.was_suspect || done.is_suspect) {
            out.changed(Watched::Pod, &subject);
        }
        if done.out_of_order { Order::Broken } else { Order::Kept }
    }

    /// Counted by those that are not: every look at a pod asks, and a cluster may have thousands.
    pub(super) fn ready_nodes(&self) -> usize {
        self.nodes.len().saturating_sub(self.lost.len())
    }

    fn apply_node(&mut self, node: Node, epoch: u32, now: Timestamp, out: &mut Out<'_>) {
        let name = node.meta.name.clone();
        let ready = node.is_ready();
        put(&mut self.nodes, &mut self.due, Watched::Node, node, epoch, now, out);
        let turned = if ready { self.lost.remove(&name) } else { self.lost.insert(name.clone()) };
        if turned {
            self.judge_on(&name, now, out);
        }
    }

    /// The node of these pods was lost or came back.
    fn judge_on(&mut self, node: &Text, now: Timestamp, out: &mut Out<'_>) {
        let state = self.node_state(node);
        for uid in self.pods.detailed_on(node) {
            self.judge_pod(uid, state, now, out);
        }
    }

    fn judge_pod(&mut self, uid: Uid, node: NodeState, now: Timestamp, out: &mut Out<'_>) {
        let Some(Found::Full(pod)) = self.pods.get(uid) else { return };
        let subject = pod.meta.clone_names();
        drop(pod);
        let Some(done) = self.pods.look_again(uid, node, now) else { return };
        // Looking again is always planned anew: the heap holds no other entry for this time.
        if let Some(at) = self.pods.due(uid).map(|(at, _)| at) {
            self.plan(at, Whom::Pod(uid), out);
        }
        if done.was_suspect || done.is_suspect {
            out.changed(Watched::Pod, &subject);
        }
    }

    /// What pods of an account pull with has changed: its suspects are worth another look.
    fn apply_account(&mut self, account: ServiceAccount, epoch: u32, now: Timestamp, out: &mut Out<'_>) {
        let (meta, secrets) = (account.meta.clone_names(), account.pull_secrets.clone());
        let before =
            put(&mut self.accounts, &mut self.due, Watched::ServiceAccount, account, epoch, now, out);
        if before.is_some_and(|before| before.pull_secrets != secrets) {
            for pod in self.pods.suspects_under(&meta.namespace, &meta.name) {
                out.changed(Watched::Pod, &pod.meta);
            }
        }
    }

    pub(super) fn delete(&mut self, kind: Watched, object: &AnyObject, now: Timestamp, out: &mut Out<'_>) {
        let meta = object.meta();
        match object {
            AnyObject::Pod(_) => {
                let uid = Uid::of(&meta.uid);
                if let Some((found, suspect)) = self.pods.remove(uid) {
                    self.pod_gone(uid, &found, suspect, out);
                }
            }
            AnyObject::Event(event) => self.events.remove(event),
            AnyObject::Node(_) => {
                take(&mut self.nodes, kind, meta, out);
                if self.lost.remove(&meta.name) {
                    self.judge_on(&meta.name, now, out);
                }
            }
            AnyObject::Workload(_) => {
                if let Some(table) = self.workloads.of_mut(kind) {
                    take(table, kind, meta, out);
                }
            }
            AnyObject::Claim(_) => take(&mut self.claims, kind, meta, out),
            AnyObject::ServiceAccount(_) => take(&mut self.accounts, kind, meta, out),
            AnyObject::Namespace(_) => take(&mut self.namespaces, kind, meta, out),
            AnyObject::Secret(_) | AnyObject::ConfigMap(_) | AnyObject::Other(_) => {}
        }
    }

    fn pod_gone(&mut self, uid: Uid, found: &Found, suspect: bool, out: &Out<'_>) {
        self.events.forget(uid);
        if let (Found::Full(pod), true) = (found, suspect) {
            out.gone(Watched::Pod, &pod.meta);
        }
    }

    pub(super) fn sweep(
        &mut self,
        kind: Watched,
        namespace: Option<&str>,
        epoch: u32,
        now: Timestamp,
        out: &mut Out<'_>,
    ) {
        match kind {
            Watched::Pod => {
                for (uid, found, suspect) in self.pods.sweep(namespace, epoch) {
                    self.pod_gone(uid, &found, suspect, out);
                }
                self.pods.shrink();
            }
            Watched::Event => self.events.expire(now.checked_sub(EVENTS_LAST).unwrap_or(Timestamp::MIN)),
            Watched::Node => {
                for node in sweep(&mut self.nodes, kind, namespace, epoch, out) {
                    if self.lost.remove(&node.meta.name) {
                        self.judge_on(&node.meta.name, now, out);
                    }
                }
            }
            Watched::Claim => drop(sweep(&mut self.claims, kind, namespace, epoch, out)),
            Watched::ServiceAccount => drop(sweep(&mut self.accounts, kind, namespace, epoch, out)),
            Watched::Namespace => drop(sweep(&mut self.namespaces, kind, namespace, epoch, out)),
            Watched::Deployment
            | Watched::ReplicaSet
            | Watched::StatefulSet
            | Watched::DaemonSet
            | Watched::Job => {
                if let Some(table) = self.workloads.of_mut(kind) {
                    drop(sweep(table, kind, namespace, epoch, out));
                }
            }
        }
    }

    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Out<'_>) -> Option<Timestamp> {
        while let Some((at, whom)) = self.due.pop(now) {
            match whom {
                Whom::Pod(uid) => {
                    if let Some((due, node)) = self.pods.due(uid)
                        && due == at
                    {
                        self.judge_pod(uid, self.node_state(&node), now, out);
                    }
                }
                Whom::Object(kind, namespace, name) => self.judge_object(kind, namespace, name, at, now, out),
            }
        }
        out.sooner = false;
        self.due.next()
    }

    fn judge_object(
        &mut self,
        kind: Watched,
        namespace: Text,
        name: Text,
        at: Timestamp,
        now: Timestamp,
        out: &mut Out<'_>,
    ) {
        let due = match kind {
            Watched::Node => again(&mut self.nodes, kind, &namespace, &name, at, now, out),
            Watched::Claim => again(&mut self.claims, kind, &namespace, &name, at, now, out),
            Watched::ServiceAccount => again(&mut self.accounts, kind, &namespace, &name, at, now, out),
            Watched::Namespace => again(&mut self.namespaces, kind, &namespace, &name, at, now, out),
            Watched::Deployment
            | Watched::ReplicaSet
            | Watched::StatefulSet
            | Watched::DaemonSet
            | Watched::Job => self
                .workloads
                .of_mut(kind)
                .and_then(|table| again(table, kind, &namespace, &name, at, now, out)),
            Watched::Pod | Watched::Event => None,
        };
        if let Some(due) = due {
            self.plan(due, Whom::Object(kind, namespace, name), out);
        }
    }

    fn plan(&mut self, at: Timestamp, whom: Whom, out: &mut Out<'_>) {
        plan(&mut self.due, at, whom, out);
    }

    fn node_state(&self, node: &str) -> NodeState {
        if self.lost.contains(node) { NodeState::Lost } else { NodeState::Fine }
    }
}

fn plan(due: &mut Due, at: Timestamp, whom: Whom, out: &mut Out<'_>) {
    out.sooner |= due.next().is_none_or(|next| at < next);
    due.add(at, whom);
}

/// Puts an object into its table; what it replaces.
fn put<T: Judged>(
    table: &mut Table<T>,
    due: &mut Due,
    kind: Watched,
    object: T,
    epoch: u32,
    now: Timestamp,
    out: &mut Out<'_>,
) -> Option<std::sync::Arc<T>> {
    let meta = object.meta().clone_names();
    let Applied { before, same, was_suspect, is_suspect, due: again } = table.apply(object, epoch, now);
    if let Some(at) = again {
        plan(due, at, Whom::Object(kind, meta.namespace.clone(), meta.name.clone()), out);
    }
    if let Some(other) = before.as_ref().filter(|before| was_suspect && before.meta().uid != meta.uid) {
        out.gone(kind, other.meta());
    }
    if !same && (was_suspect || is_suspect) {
        out.changed(kind, &meta);
    }
    before
}

fn take<T: Judged>(table: &mut Table<T>, kind: Watched, meta: &Meta, out: &Out<'_>) {
    if let Some((object, true)) = table.remove(meta) {
        out.gone(kind, object.meta());
    }
}

fn sweep<T: Judged>(
    table: &mut Table<T>,
    kind: Watched,
    namespace: Option<&str>,
    epoch: u32,
    out: &Out<'_>,
) -> Vec<std::sync::Arc<T>> {
    let swept = table.sweep(namespace, epoch);
    for (object, _) in swept.iter().filter(|(_, suspect)| *suspect) {
        out.gone(kind, object.meta());
    }
    swept.into_iter().map(|(object, _)| object).collect()
}

/// Judges an object whose time has come; when to look again.
fn again<T: Judged>(
    table: &mut Table<T>,
    kind: Watched,
    namespace: &Text,
    name: &Text,
    at: Timestamp,
    now: Timestamp,
    out: &Out<'_>,
) -> Option<Timestamp> {
    let done = table.look_again(namespace, name, at, now)?;
    if (done.was_suspect || done.is_suspect)
        && let Some(object) = table.get(namespace, name)
    {
        out.changed(kind, object.meta());
    }
    done.due
}

impl Out<'_> {
    fn changed(&self, kind: Watched, meta: &Meta) {
        self.changes.changed(meta.reference(self.cluster, kind.api()));
    }

    fn gone(&self, kind: Watched, meta: &Meta) {
        self.changes.gone(meta.reference(self.cluster, kind.api()));
    }
}

trait Names {
    /// Name, namespace and uid alone.
    fn clone_names(&self) -> Meta;
}

impl Names for Meta {
    fn clone_names(&self) -> Meta {
        Meta {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            uid: self.uid.clone(),
            ..Meta::default()
        }
    }
}
