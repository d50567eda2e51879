//! The controllers' view of pods: the object and the few facts that decisions need, indexed by owner and by
//! node. Owns these indexes and the sum of what the pods of a node ask for; refuses to write.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::sim::objects::{
    condition, controller_of, is_deleting, is_true, items, name, namespace, quantity, uid, version,
};

/// One pod as the controllers know it.
#[derive(Debug, Clone)]
pub(in crate::sim) struct PodFacts {
    pub object: Arc<Value>,
    pub uid: String,
    pub namespace: String,
    pub name: String,
    /// Kind and uid of the controlling owner.
    pub owner: Option<(String, String)>,
    pub node: String,
    pub phase: Phase,
    pub ready: bool,
    pub ready_since: Option<Timestamp>,
    pub deleting: bool,
    pub born: Timestamp,
    /// `pod-template-hash` or `controller-revision-hash`.
    pub revision: String,
    pub asks: Asks,
}

/// `status.phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

/// What a pod asks of a node, or what a node's pods ask together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::sim) struct Asks {
    pub pods: f64,
    pub cpu: f64,
    pub memory: f64,
}

impl PodFacts {
    pub(in crate::sim) fn of(object: Arc<Value>) -> Self {
        let labels = &object["metadata"]["labels"];
        let revision = labels["controller-revision-hash"].as_str().or(labels["pod-template-hash"].as_str());
        let owner = controller_of(&object).map(|owner| {
            (
                owner["kind"].as_str().unwrap_or_default().to_owned(),
                owner["uid"].as_str().unwrap_or_default().to_owned(),
            )
        });
        Self {
            uid: uid(&object).to_owned(),
            namespace: namespace(&object).to_owned(),
            name: name(&object).to_owned(),
            owner,
            node: object["spec"]["nodeName"].as_str().unwrap_or_default().to_owned(),
            phase: phase(&object),
            ready: is_true(&object, "Ready"),
            ready_since: condition(&object, "Ready").and_then(|ready| time(&ready["lastTransitionTime"])),
            deleting: is_deleting(&object),
            born: time(&object["metadata"]["creationTimestamp"]).unwrap_or(Timestamp::UNIX_EPOCH),
            revision: revision.unwrap_or_default().to_owned(),
            asks: asks(&object),
            object,
        }
    }

    /// Neither over nor on its way out.
    pub(in crate::sim) fn is_active(&self) -> bool {
        !self.deleting && !self.is_over()
    }

    pub(in crate::sim) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }

    /// Whether anything a controller decides by has changed.
    fn differs(&self, other: &Self) -> bool {
        self.node != other.node
            || self.phase != other.phase
            || self.ready != other.ready
            || self.deleting != other.deleting
            || self.revision != other.revision
            || self.owner != other.owner
    }
}

/// All pods of the cluster.
#[derive(Debug, Default)]
pub(in crate::sim) struct Pods {
    by_uid: HashMap<String, PodFacts>,
    by_owner: HashMap<String, BTreeSet<String>>,
    by_node: HashMap<String, BTreeSet<String>>,
    usage: HashMap<String, Asks>,
}

impl Pods {
    /// Takes a newer version in; true if a controller might care.
    pub(in crate::sim) fn put(&mut self, object: Arc<Value>) -> bool {
        let known = self.by_uid.get(uid(&object));
        if known.is_some_and(|known| version(&known.object) >= version(&object)) {
            return false;
        }
        let facts = PodFacts::of(object);
        let matters = known.is_none_or(|known| known.differs(&facts));
        if matters {
            self.unlink(&facts.uid.clone());
            self.link(&facts);
        }
        self.by_uid.insert(facts.uid.clone(), facts);
        matters
    }

    pub(in crate::sim) fn remove(&mut self, uid: &str) -> Option<PodFacts> {
        self.unlink(uid);
        self.by_uid.remove(uid)
    }

    pub(in crate::sim) fn get(&self, uid: &str) -> Option<&PodFacts> {
        self.by_uid.get(uid)
    }

    pub(in crate::sim) fn all(&self) -> impl Iterator<Item = &PodFacts> {
        self.by_uid.values()
    }

    pub(in crate::sim) fn owned_by(&self, owner: &str) -> impl Iterator<Item = &PodFacts> {
        self.by_owner.get(owner).into_iter().flatten().filter_map(|uid| self.by_uid.get(uid))
    }

    pub(in crate::sim) fn on_node(&self, node: &str) -> impl Iterator<Item = &PodFacts> {
        self.by_node.get(node).into_iter().flatten().filter_map(|uid| self.by_uid.get(uid))
    }

    pub(in crate::sim) fn usage(&self, node: &str) -> Asks {
        self.usage.get(node).copied().unwrap_or_default()
    }

    fn link(&mut self, facts: &PodFacts) {
        if let Some((_, owner)) = &facts.owner {
            self.by_owner.entry(owner.clone()).or_default().insert(facts.uid.clone());
        }
        if !facts.node.is_empty() {
            self.by_node.entry(facts.node.clone()).or_default().insert(facts.uid.clone());
            if !facts.is_over() {
                let sum = self.usage.entry(facts.node.clone()).or_default();
                sum.pods += facts.asks.pods;
                sum.cpu += facts.asks.cpu;
                sum.memory += facts.asks.memory;
            }
        }
    }

    fn unlink(&mut self, uid: &str) {
        let Some(facts) = self.by_uid.get(uid) else { return };
        if let Some((_, owner)) = &facts.owner
            && let Some(owned) = self.by_owner.get_mut(owner)
        {
            owned.remove(uid);
            if owned.is_empty() {
                self.by_owner.remove(owner);
            }
        }
        if let Some(here) = self.by_node.get_mut(&facts.node) {
            here.remove(uid);
            if !facts.is_over()
                && let Some(sum) = self.usage.get_mut(&facts.node)
            {
                sum.pods -= facts.asks.pods;
                sum.cpu -= facts.asks.cpu;
                sum.memory -= facts.asks.memory;
            }
        }
    }
}

/// A `metav1.Time`.
pub(in crate::sim) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn phase(pod: &Value) -> Phase {
    match pod["status"]["phase"].as_str() {
        Some("Running") => Phase::Running,
        Some("Succeeded") => Phase::Succeeded,
        Some("Failed") => Phase::Failed,
        _ => Phase::Pending,
    }
}

fn asks(pod: &Value) -> Asks {
    let containers = items(&pod["spec"]["containers"]);
    let sum = |kind: &str| {
        containers
            .iter()
            .map(|one| {
                let requested = &one["resources"]["requests"][kind];
                quantity(if requested.is_null() { &one["resources"]["limits"][kind] } else { requested })
            })
            .sum()
    };
    Asks { pods: 1.0, cpu: sum("cpu"), memory: sum("memory") }
}
