//! What the cache answers. Each answer is taken under one short read lock.

use std::sync::Arc;

use super::Cache;
use super::ids::Uid;
use super::pods::Found;
use super::table::Table;
use super::tables::{Tables, Workloads};
use crate::cluster::kind::Watched;
use crate::incident::objects::{
    Claim, Event, Meta, Namespace, Node, Object, Owner, Pod, ServiceAccount, Workload,
};
use crate::incident::{Neighbours, ObjectRef, Siblings, Text};

/// What is held of a pod.
#[derive(Clone, Debug)]
pub enum PodFound {
    Full(Arc<Pod>),
    /// Healthy when last heard of; its detail must be read.
    Digest(ObjectRef),
}

impl Cache {
    /// Everything that looks unhealthy right now.
    pub fn suspects(&self) -> Vec<ObjectRef> {
        let tables = self.tables.read();
        let mut found = Vec::new();
        let mut add = |kind: Watched, meta: &Meta| found.push(meta.reference(&self.cluster, kind.api()));
        tables.pods.suspects().for_each(|pod| add(Watched::Pod, &pod.meta));
        tables.nodes.suspects().for_each(|node| add(Watched::Node, &node.meta));
        tables.claims.suspects().for_each(|claim| add(Watched::Claim, &claim.meta));
        tables.accounts.suspects().for_each(|account| add(Watched::ServiceAccount, &account.meta));
        tables.namespaces.suspects().for_each(|namespace| add(Watched::Namespace, &namespace.meta));
        for kind in Workloads::KINDS {
            let suspects = tables.workloads.of(kind).into_iter().flat_map(Table::suspects);
            suspects.for_each(|workload| add(kind, &workload.meta));
        }
        found
    }

    /// The pods that look unhealthy right now.
    pub fn unhealthy_pods(&self) -> Vec<Arc<Pod>> {
        self.tables.read().pods.suspects().cloned().collect()
    }

    /// The pod, by uid where the subject has one, else by name.
    pub fn pod(&self, subject: &ObjectRef) -> Option<PodFound> {
        let tables = self.tables.read();
        let found = if subject.uid.is_empty() {
            tables.pods.named(&subject.namespace, &subject.name)
        } else {
            tables.pods.get(Uid::of(&subject.uid))
        };
        Some(match found? {
            Found::Full(pod) => PodFound::Full(pod),
            Found::Digest { namespace, name, uid } => PodFound::Digest(ObjectRef {
                cluster: self.cluster.clone(),
                api: Watched::Pod.api().clone(),
                namespace,
                name,
                uid,
            }),
        })
    }

    pub fn node(&self, name: &str) -> Option<Arc<Node>> {
        self.tables.read().nodes.get("", name)
    }

    pub fn namespace(&self, name: &str) -> Option<Arc<Namespace>> {
        self.tables.read().namespaces.get("", name)
    }

    pub fn account(&self, namespace: &str, name: &str) -> Option<Arc<ServiceAccount>> {
        self.tables.read().accounts.get(namespace, name)
    }

    pub fn claim(&self, namespace: &str, name: &str) -> Option<Arc<Claim>> {
        self.tables.read().claims.get(namespace, name)
    }

    pub fn workload(&self, kind: &str, namespace: &str, name: &str) -> Option<Arc<Workload>> {
        self.tables.read().workload(kind, namespace, name)
    }

    /// The controllers above an object, nearest first.
    pub fn owners(&self, meta: &Meta) -> Vec<Workload> {
        let tables = self.tables.read();
        let mut chain: Vec<Workload> = Vec::new();
        let mut next = tables.owner(&meta.namespace, meta.controller());
        while let Some(owner) = next.filter(|_| chain.len() < HIGHEST_CHAIN) {
            next = tables.owner(&meta.namespace, owner.meta.controller());
            chain.push(Workload::clone(&owner));
        }
        chain
    }

    /// The ReplicaSets of a Deployment, newest first.
    pub fn replica_sets(&self, deployment: &Workload) -> Vec<Workload> {
        let tables = self.tables.read();
        let mut sets: Vec<Workload> =
            tables.replica_sets(&deployment.meta).map(|set| Workload::clone(set)).collect();
        sets.sort_by_key(|set| std::cmp::Reverse(set.revision()));
        sets.truncate(MOST_REVISIONS);
        sets
    }

    /// The pods of a workload, its ReplicaSets' too.
    pub fn siblings(&self, workload: &Workload) -> Siblings {
        let tables = self.tables.read();
        let mut sum = tables.pods.of_owner(&workload.meta.uid);
        if workload.kind == "Deployment" {
            for set in tables.replica_sets(&workload.meta) {
                let Siblings { ready, total } = tables.pods.of_owner(&set.meta.uid);
                sum.ready += ready;
                sum.total += total;
            }
        }
        sum
    }

    /// What stands around a node; `registries` is left for whoever knows about registries.
    pub fn neighbours(&self, node: &str) -> Neighbours {
        let tables = self.tables.read();
        let tally = tables.pods.on_node(node);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Neighbours {
            node_pods: tally.total,
            node_unhealthy: tally.unhealthy,
            nodes: count(tables.nodes.len()),
            nodes_ready: count(tables.ready_nodes()),
            ..Neighbours::default()
        }
    }

    /// The events about an object, oldest first.
    pub fn events(&self, subject: &ObjectRef) -> Vec<Event> {
        self.tables.read().events.of(&subject.api.kind).about(subject)
    }

    /// Whether events about the object were dropped for lack of room.
    pub fn is_short_of_events(&self, subject: &ObjectRef) -> bool {
        self.tables.read().events.of(&subject.api.kind).is_short_of(subject)
    }

    /// The metadata of an object of a watched kind that has nothing more to say.
    pub fn object(&self, subject: &ObjectRef) -> Option<Object> {
        let ObjectRef { api, namespace, name, .. } = subject;
        let tables = self.tables.read();
        let meta = match Watched::of(&api.kind)? {
            Watched::Claim => tables.claims.get(namespace, name)?.meta.clone(),
            Watched::ServiceAccount => tables.accounts.get(namespace, name)?.meta.clone(),
            Watched::Namespace => tables.namespaces.get("", name)?.meta.clone(),
            Watched::Pod
            | Watched::Event
            | Watched::Node
            | Watched::Deployment
            | Watched::ReplicaSet
            | Watched::StatefulSet
            | Watched::DaemonSet
            | Watched::Job => return None,
        };
        Some(Object { api: api.clone(), meta })
    }

    /// How many objects of the kind are held.
    pub fn count(&self, kind: Watched) -> usize {
        let tables = self.tables.read();
        match kind {
            Watched::Pod => tables.pods.len(),
            Watched::Event => tables.events.len(),
            Watched::Node => tables.nodes.len(),
            Watched::Claim => tables.claims.len(),
            Watched::ServiceAccount => tables.accounts.len(),
            Watched::Namespace => tables.namespaces.len(),
            Watched::Deployment
            | Watched::ReplicaSet
            | Watched::StatefulSet
            | Watched::DaemonSet
            | Watched::Job => tables.workloads.of(kind).map_or(0, Table::len),
        }
    }

    /// How many pods are held with their detail.
    pub fn detailed_pods(&self) -> usize {
        self.tables.read().pods.detailed()
    }
}

/// Pod, ReplicaSet, Deployment, and whatever owns that; nobody builds higher, and a ring must end.
const HIGHEST_CHAIN: usize = 4;
const MOST_REVISIONS: usize = 20;

impl Tables {
    pub(super) fn workload(&self, kind: &str, namespace: &str, name: &str) -> Option<Arc<Workload>> {
        self.workloads.of(Watched::of(kind)?)?.get(namespace, name)
    }

    fn owner(&self, namespace: &str, owner: Option<&Owner>) -> Option<Arc<Workload>> {
        let owner = owner?;
        self.workload(&owner.kind, namespace, &owner.name).filter(|found| found.meta.uid == owner.uid)
    }

    fn replica_sets<'a>(&'a self, deployment: &Meta) -> impl Iterator<Item = &'a Arc<Workload>> + use<'a> {
        let uid = deployment.uid.clone();
        let sets = self.workloads.of(Watched::ReplicaSet).into_iter();
        let namespace = deployment.namespace.clone();
        sets.flat_map(move |table| table.in_namespace(&namespace))
            .filter(move |set| set.meta.controller().is_some_and(|owner| owner.uid == uid))
    }

    pub(super) fn is_suspect(&self, kind: Watched, namespace: &str, name: &str, uid: &str) -> bool {
        match kind {
            Watched::Pod => self.pods.is_suspect(Uid::of(uid)),
            Watched::Node => self.nodes.is_suspect("", name),
            Watched::Claim => self.claims.is_suspect(namespace, name),
            Watched::ServiceAccount => self.accounts.is_suspect(namespace, name),
            Watched::Namespace => self.namespaces.is_suspect("", name),
            Watched::Deployment
            | Watched::ReplicaSet
            | Watched::StatefulSet
            | Watched::DaemonSet
            | Watched::Job => self.workloads.of(kind).is_some_and(|table| table.is_suspect(namespace, name)),
            Watched::Event => false,
        }
    }

    /// The real uid of what an event is about: the kubelet writes a node's name in its place.
    pub(super) fn uid_of(&self, kind: Watched, name: &str, uid: &Text) -> Text {
        match kind {
            Watched::Node => self.nodes.get("", name).map(|node| node.meta.uid.clone()),
            Watched::Namespace => self.namespaces.get("", name).map(|found| found.meta.uid.clone()),
            Watched::Pod
            | Watched::Event
            | Watched::Claim
            | Watched::ServiceAccount
            | Watched::Deployment
            | Watched::ReplicaSet
            | Watched::StatefulSet
            | Watched::DaemonSet
            | Watched::Job => None,
        }
        .unwrap_or_else(|| uid.clone())
    }
}
