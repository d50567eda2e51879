//! ReplicaSets: as many pods as wanted. Owns which pods go first when there are too many.

use std::sync::Arc;

use serde_json::{Value, json};

use super::pods::{Phase, PodFacts};
use super::{Controllers, Key, template};
use crate::sim::api::{User, gvr};
use crate::sim::events::Note;
use crate::sim::objects::{count, generation, is_deleting, name, namespace, uid};
use crate::sim::tempo::{Tempo, later};

const COMPONENT: &str = "replicaset-controller";
/// Pods made in one look, so that a large set does not hold up the others.
const BURST: usize = 500;

impl Controllers {
    pub(super) fn sync_replica_set(&mut self, space: &str, set_name: &str) {
        let Some(set) = self.find(gvr::REPLICA_SETS, space, set_name) else { return };
        if !is_deleting(&set) {
            self.meet_replicas(&set);
        }
        self.write_replica_set_status(&set);
    }

    fn meet_replicas(&mut self, set: &Arc<Value>) {
        let wanted = usize::try_from(count(&set["spec"]["replicas"])).unwrap_or_default();
        let mut active: Vec<PodFacts> =
            self.pods.owned_by(uid(set)).filter(|pod| pod.is_active()).cloned().collect();
        if active.len() < wanted {
            self.make_pods(set, (wanted - active.len()).min(BURST));
        } else if active.len() > wanted {
            active.sort_by_key(expendability);
            active.truncate(active.len() - wanted);
            for pod in &active {
                self.unmake_pod(set, pod);
            }
        }
    }

    fn make_pods(&mut self, set: &Arc<Value>, missing: usize) {
        let who = User::system(COMPONENT);
        let mut pod = template::pod(&set["spec"]["template"], set);
        pod["metadata"]["generateName"] = json!(format!("{}-", name(set)));
        for _ in 0..missing {
            match self.create(&who, gvr::PODS, namespace(set), pod.clone()) {
                Ok(made) => {
                    let message = format!("Created pod: {}", name(&made));
                    self.record(COMPONENT, &Note::new(set, "Normal", "SuccessfulCreate", message));
                }
                Err(refused) => {
                    self.failed_to_create(COMPONENT, set, &refused.message);
                    break;
                }
            }
        }
    }

    /// Says so, and tries again later: a quota or a missing account may change.
    pub(super) fn failed_to_create(&mut self, component: &'static str, owner: &Value, why: &str) {
        self.record(
            component,
            &Note::new(owner, "Warning", "FailedCreate", format!("Error creating: {why}")),
        );
        let (space, own) = (namespace(owner).to_owned(), name(owner).to_owned());
        let key = match owner["kind"].as_str() {
            Some("StatefulSet") => Key::StatefulSet(space, own),
            Some("DaemonSet") => Key::DaemonSet(space, own),
            Some("Job") => Key::Job(space, own),
            _ => Key::ReplicaSet(space, own),
        };
        let again = self.tempo.after_secs(self.now(), 15);
        self.enqueue_at(again, key);
    }

    fn unmake_pod(&mut self, set: &Arc<Value>, pod: &PodFacts) {
        if self.delete(&User::system(COMPONENT), gvr::PODS, &pod.object).is_ok() {
            let message = format!("Deleted pod: {}", pod.name);
            self.record(COMPONENT, &Note::new(set, "Normal", "SuccessfulDelete", message));
        }
    }

    fn write_replica_set_status(&mut self, set: &Arc<Value>) {
        let now = self.now();
        let patience =
            std::time::Duration::from_secs(set["spec"]["minReadySeconds"].as_u64().unwrap_or_default());
        let (mut replicas, mut ready, mut available) = (0, 0, 0);
        let mut soonest = None;
        for pod in self.pods.owned_by(uid(set)).filter(|pod| pod.is_active()) {
            replicas += 1;
            if !pod.ready {
                continue;
            }
            ready += 1;
            let from = available_from(pod, patience, self.tempo);
            if from <= now {
                available += 1;
            } else {
                soonest = Some(soonest.map_or(from, |known: jiff::Timestamp| known.min(from)));
            }
        }
        if let Some(at) = soonest {
            self.enqueue_at(at, Key::ReplicaSet(namespace(set).to_owned(), name(set).to_owned()));
        }
        let mut status = json!({"replicas": replicas, "observedGeneration": generation(set)});
        for (field, number) in
            [("fullyLabeledReplicas", replicas), ("readyReplicas", ready), ("availableReplicas", available)]
        {
            if number > 0 {
                status[field] = json!(number);
            }
        }
        if set["status"] != status {
            let who = User::system(COMPONENT);
            // A set that is gone needs no status.
            let _ = self
                .modify(&who, gvr::REPLICA_SETS, Some("status"), set, |set| set["status"] = status.clone());
        }
    }
}

/// When a ready pod counts as available.
pub(super) fn available_from(pod: &PodFacts, patience: std::time::Duration, tempo: Tempo) -> jiff::Timestamp {
    later(pod.ready_since.unwrap_or(jiff::Timestamp::UNIX_EPOCH), tempo.of(patience))
}

/// Small goes first: without a node, pending, unready, young.
fn expendability(pod: &PodFacts) -> (bool, bool, bool, std::cmp::Reverse<jiff::Timestamp>, String) {
    (
        !pod.node.is_empty(),
        pod.phase == Phase::Running,
        pod.ready,
        std::cmp::Reverse(pod.born),
        pod.name.clone(),
    )
}
