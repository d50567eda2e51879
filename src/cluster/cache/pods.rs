//! Pods: of a healthy one a digest of some 50 bytes and its name; of any other its full slim detail. Counts
//! by owner and by node are kept as pods come and go, so that nobody has to go through all of them.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::health::{Health, NodeState, Reason, health};
use super::ids::{Id, Ids, Uid};
use crate::incident::objects::Pod;
use crate::incident::{Siblings, Text};

#[derive(Default)]
pub(super) struct Pods {
    slots: HashMap<Uid, Slot>,
    /// By hash of namespace and name; what is found is compared.
    by_name: HashMap<u64, Uid>,
    namespaces: Ids<()>,
    accounts: Ids<()>,
    nodes: Ids<Tally>,
    /// By uid of the controller.
    owners: Ids<Tally>,
    /// Uids that are gone, lately: an update that comes in after the delete does not bring a pod back.
    buried: Buried,
}

/// How many pods there are of an owner or on a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tally {
    pub(super) total: u32,
    pub(super) ready: u32,
    pub(super) unhealthy: u32,
}

struct Slot {
    digest: Digest,
    full: Option<Box<Full>>,
}

struct Digest {
    name: Box<str>,
    /// The resource version where it is a number, else 0. Only to notice deliveries out of order.
    version: u64,
    namespace: Id,
    node: Id,
    owner: Id,
    account: Id,
    epoch: u32,
    flags: Flags,
}

struct Full {
    pod: Arc<Pod>,
    reasons: Vec<Reason>,
    due: Option<Timestamp>,
}

/// What the tallies count.
#[derive(Clone, Copy, Default)]
struct Flags {
    /// Neither succeeded nor failed.
    lives: bool,
    ready: bool,
    unhealthy: bool,
}

/// What an application did.
#[expect(clippy::struct_excessive_bools, reason = "four independent facts, each asked for by name")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Applied {
    pub(super) same: bool,
    pub(super) was_suspect: bool,
    pub(super) is_suspect: bool,
    pub(super) due: Option<Timestamp>,
    /// An older version came after a newer one.
    pub(super) out_of_order: bool,
}

/// What is held of a pod.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Full(Arc<Pod>),
    /// Healthy: only its name is known.
    Digest {
        namespace: Text,
        name: Text,
        uid: Text,
    },
}

impl Pods {
    pub(super) fn apply(&mut self, pod: Pod, node: NodeState, epoch: u32, now: Timestamp) -> Applied {
        let uid = Uid::of(&pod.meta.uid);
        if self.buried.holds(uid) {
            return Applied { same: true, ..Applied::default() };
        }
        let version = pod.meta.resource_version.parse().unwrap_or_default();
        let Some(slot) = self.slots.get_mut(&uid) else {
            return self.put(uid, pod, version, node, epoch, now);
        };
        if slot.full.as_ref().is_some_and(|full| *full.pod == pod) {
            slot.digest.epoch = epoch;
            let suspect = slot.is_suspect();
            return Applied { same: true, was_suspect: suspect, is_suspect: suspect, ..Applied::default() };
        }
        if version < slot.digest.version {
            slot.digest.epoch = epoch;
            let suspect = slot.is_suspect();
            return Applied {
                same: true,
                was_suspect: suspect,
                is_suspect: suspect,
                due: None,
                out_of_order: true,
            };
        }
        self.put(uid, pod, version, node, epoch, now)
    }

    /// In a listing the server says what is true now, whatever was heard before.
    pub(super) fn list(&mut self, pod: Pod, node: NodeState, epoch: u32, now: Timestamp) -> Applied {
        let uid = Uid::of(&pod.meta.uid);
        self.buried.take_out(uid);
        if let Some(slot) = self.slots.get_mut(&uid) {
            slot.digest.version = 0;
        }
        self.apply(pod, node, epoch, now)
    }

    fn put(
        &mut self,
        uid: Uid,
        pod: Pod,
        version: u64,
        node: NodeState,
        epoch: u32,
        now: Timestamp,
    ) -> Applied {
        let verdict = health(&pod, node, now);
        let old = self.slots.remove(&uid);
        let (was_suspect, planned, name) = match old {
            Some(old) => {
                let before = (old.is_suspect(), old.full.as_ref().and_then(|full| full.due));
                let name = self.let_go(old.digest);
                (before.0, before.1, Some(name))
            }
            None => (false, None, None),
        };
        let flags = flags(&pod, &verdict, node);
        let digest = Digest {
            name: name
                .filter(|name| **name == *pod.meta.name)
                .unwrap_or_else(|| pod.meta.name.as_str().into()),
            version,
            namespace: self.namespaces.take(&pod.meta.namespace),
            node: self.nodes.take(&pod.node),
            owner: self.owners.take(&pod.meta.controller().map(|o| o.uid.clone()).unwrap_or_default()),
            account: self.accounts.take(&pod.service_account),
            epoch,
            flags,
        };
        self.count(&digest, 1);
        self.by_name.insert(place(digest.namespace, &digest.name), uid);
        let (is_suspect, due) = (verdict.is_suspect(), verdict.look_again());
        self.slots.insert(uid, Slot { digest, full: keep(pod, verdict) });
        let sooner = due.filter(|at| planned.is_none_or(|planned| *at < planned));
        Applied { same: false, was_suspect, is_suspect, due: sooner, out_of_order: false }
    }

    /// Gives back what the digest held; its name may be used again.
    fn let_go(&mut self, digest: Digest) -> Box<str> {
        self.count(&digest, -1);
        self.namespaces.give_back(digest.namespace);
        self.nodes.give_back(digest.node);
        self.owners.give_back(digest.owner);
        self.accounts.give_back(digest.account);
        digest.name
    }

    fn count(&mut self, digest: &Digest, by: i32) {
        let Flags { lives, ready, unhealthy } = digest.flags;
        for tally in [self.nodes.value_mut(digest.node), self.owners.value_mut(digest.owner)] {
            let Some(tally) = tally else { continue };
            let add =
                |count: &mut u32, if_so: bool| *count = count.saturating_add_signed(by * i32::from(if_so));
            add(&mut tally.total, lives);
            add(&mut tally.ready, ready);
            add(&mut tally.unhealthy, unhealthy);
        }
    }

    /// Judges a pod again, because its time has come or its node has changed.
    pub(super) fn look_again(&mut self, uid: Uid, node: NodeState, now: Timestamp) -> Option<Applied> {
        let slot = self.slots.get(&uid)?;
        let pod = Pod::clone(&slot.full.as_ref()?.pod);
        let (version, epoch) = (slot.digest.version, slot.digest.epoch);
        Some(self.put(uid, pod, version, node, epoch, now))
    }

    /// When the pod was to be looked at again, and its node.
    pub(super) fn due(&self, uid: Uid) -> Option<(Timestamp, Text)> {
        let full = self.slots.get(&uid)?.full.as_ref()?;
        Some((full.due?, full.pod.node.clone()))
    }

    /// Takes the pod out; what was held, and whether it was a suspect.
    pub(super) fn remove(&mut self, uid: Uid) -> Option<(Found, bool)> {
        self.buried.add(uid);
        let slot = self.slots.remove(&uid)?;
        let found = (self.found(uid, &slot), slot.is_suspect());
        let place = place(slot.digest.namespace, &slot.digest.name);
        if self.by_name.get(&place) == Some(&uid) {
            self.by_name.remove(&place);
        }
        self.let_go(slot.digest);
        Some(found)
    }

    /// Takes out what the listing of that epoch did not name.
    pub(super) fn sweep(&mut self, namespace: Option<&str>, epoch: u32) -> Vec<(Uid, Found, bool)> {
        let scope = namespace.map(|name| self.namespaces.find(name));
        let old: Vec<Uid> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.digest.epoch != epoch)
            .filter(|(_, slot)| scope.is_none_or(|only| only == Some(slot.digest.namespace)))
            .map(|(uid, _)| *uid)
            .collect();
        old.into_iter()
            .filter_map(|uid| self.remove(uid).map(|(found, suspect)| (uid, found, suspect)))
            .collect()
    }

    pub(super) fn get(&self, uid: Uid) -> Option<Found> {
        self.slots.get(&uid).map(|slot| self.found(uid, slot))
    }

    pub(super) fn is_suspect(&self, uid: Uid) -> bool {
        self.slots.get(&uid).is_some_and(Slot::is_suspect)
    }

    /// By name; of several with one name in turn, the latest.
    pub(super) fn named(&self, namespace: &str, name: &str) -> Option<Found> {
        let namespace = self.namespaces.find(namespace)?;
        let is_it = |slot: &Slot| slot.digest.namespace == namespace && *slot.digest.name == *name;
        let likely = self.by_name.get(&place(namespace, name)).and_then(|uid| self.slots.get_key_value(uid));
        let found = likely.filter(|(_, slot)| is_it(slot));
        // Two names of one hash: rare enough to go through all.
        let (uid, slot) =
            found.or_else(|| likely.and_then(|_| self.slots.iter().find(|(_, slot)| is_it(slot))))?;
        Some(self.found(*uid, slot))
    }

    fn found(&self, uid: Uid, slot: &Slot) -> Found {
        match &slot.full {
            Some(full) => Found::Full(Arc::clone(&full.pod)),
            None => Found::Digest {
                namespace: self.namespaces.name(slot.digest.namespace),
                name: Text::unpooled(&slot.digest.name),
                uid: uid.text(),
            },
        }
    }

    pub(super) fn suspects(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.slots.values().filter(|slot| slot.is_suspect()).filter_map(|slot| Some(&slot.full.as_ref()?.pod))
    }

    /// Suspects that run, or are to run, under a ServiceAccount.
    pub(super) fn suspects_under(&self, namespace: &str, account: &str) -> Vec<Arc<Pod>> {
        let (Some(namespace), Some(account)) = (self.namespaces.find(namespace), self.accounts.find(account))
        else {
            return Vec::new();
        };
        let under = |slot: &&Slot| slot.digest.namespace == namespace && slot.digest.account == account;
        let suspects = self.slots.values().filter(under).filter(|slot| slot.is_suspect());
        suspects.filter_map(|slot| Some(Arc::clone(&slot.full.as_ref()?.pod))).collect()
    }

    /// Pods on a node of which the detail is held.
    pub(super) fn detailed_on(&self, node: &str) -> Vec<Uid> {
        let Some(node) = self.nodes.find(node) else { return Vec::new() };
        let on = |slot: &Slot| slot.digest.node == node && slot.full.is_some();
        self.slots.iter().filter(|(_, slot)| on(slot)).map(|(uid, _)| *uid).collect()
    }

    pub(super) fn on_node(&self, node: &str) -> Tally {
        self.nodes.find(node).and_then(|id| self.nodes.value(id)).copied().unwrap_or_default()
    }

    pub(super) fn of_owner(&self, uid: &str) -> Siblings {
        let tally = self.owners.find(uid).and_then(|id| self.owners.value(id)).copied().unwrap_or_default();
        Siblings { ready: tally.ready, total: tally.total }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn detailed(&self) -> usize {
        self.slots.values().filter(|slot| slot.full.is_some()).count()
    }

    pub(super) fn shrink(&mut self) {
        self.slots.shrink_to_fit();
    }
}

impl Slot {
    fn is_suspect(&self) -> bool {
        self.full.as_ref().is_some_and(|full| !full.reasons.is_empty())
    }
}

fn place(namespace: Id, name: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (namespace, name).hash(&mut hasher);
    hasher.finish()
}

/// The detail, unless the pod is healthy, stays so by itself, and can be named from its digest.
fn keep(pod: Pod, verdict: Health) -> Option<Box<Full>> {
    let (reasons, due) = match verdict {
        Health::Healthy { look_again: None } if Uid::exact(&pod.meta.uid).is_some() => return None,
        Health::Healthy { look_again } => (Vec::new(), look_again),
        Health::Suspect { reasons, look_again } => (reasons, look_again),
    };
    Some(Box::new(Full { pod: Arc::new(pod), reasons, due }))
}

fn flags(pod: &Pod, verdict: &Health, node: NodeState) -> Flags {
    let lives = pod.phase != "Succeeded" && pod.phase != "Failed";
    let ready = lives && pod.condition("Ready").is_some_and(|condition| condition.status == "True");
    Flags { lives, ready, unhealthy: verdict.is_suspect() || lives && node == NodeState::Lost }
}

/// The last so many uids that were deleted.
#[derive(Default)]
struct Buried {
    order: std::collections::VecDeque<Uid>,
    uids: std::collections::HashSet<Uid>,
}

impl Buried {
    const MOST: usize = 4_096;

    fn add(&mut self, uid: Uid) {
        if self.uids.insert(uid) {
            self.order.push_back(uid);
        }
        if self.order.len() > Self::MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.uids.remove(&oldest);
        }
    }

    fn holds(&self, uid: Uid) -> bool {
        self.uids.contains(&uid)
    }

    fn take_out(&mut self, uid: Uid) {
        if self.uids.remove(&uid) {
            self.order.retain(|buried| *buried != uid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_healthy_pod_costs_at_most_64_bytes_and_its_name() {
        assert!(size_of::<Slot>() <= 64, "{}", size_of::<Slot>());
    }
}
