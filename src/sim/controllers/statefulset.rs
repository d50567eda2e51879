//! StatefulSets: pods with a number, one after the other. Owns the order, and the known trap that a pod that
//! never becomes ready holds up the next revision until somebody deletes it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deployment::replicas;
use super::pods::PodFacts;
use super::{Controllers, template};
use crate::sim::api::{User, gvr};
use crate::sim::events::Note;
use crate::sim::objects::{count, generation, is_deleting, name, namespace, uid};

const COMPONENT: &str = "statefulset-controller";

/// One look at a set.
struct Sync<'a> {
    set: &'a Arc<Value>,
    update: &'a str,
    current: &'a str,
    parallel: bool,
}

impl Controllers {
    pub(super) fn sync_stateful_set(&mut self, space: &str, own: &str) {
        let Some(set) = self.find(gvr::STATEFUL_SETS, space, own) else { return };
        let (Some(update), old) = self.controller_revisions(COMPONENT, &set) else { return };
        let update_name = name(&update).to_owned();
        let current_name = set["status"]["currentRevision"]
            .as_str()
            .filter(|known| old.iter().any(|one| name(one) == *known))
            .unwrap_or(&update_name)
            .to_owned();
        let current_template = old
            .iter()
            .find(|one| name(one) == current_name)
            .map(|one| one["data"]["spec"]["template"].clone());
        let parallel = set["spec"]["podManagementPolicy"] == "Parallel";
        let sync = Sync { set: &set, update: &update_name, current: &current_name, parallel };
        if !is_deleting(&set) {
            self.order_pods(&sync, current_template.as_ref());
        }
        self.write_stateful_status(&sync);
        self.forget_revisions(COMPONENT, &set, &old);
    }

    fn order_pods(&mut self, sync: &Sync<'_>, current: Option<&Value>) {
        let wanted = replicas(sync.set);
        let mut pods: Vec<(i64, PodFacts)> = self
            .pods
            .owned_by(uid(sync.set))
            .filter_map(|pod| Some((ordinal(sync.set, &pod.name)?, pod.clone())))
            .collect();
        pods.sort_by_key(|(number, _)| *number);
        for number in 0..wanted {
            let pod = pods.iter().find(|(known, _)| *known == number).map(|(_, pod)| pod);
            if !self.meet_ordinal(sync, number, pod, current) && !sync.parallel {
                return;
            }
        }
        for (_, pod) in pods.iter().rev().filter(|(number, _)| *number >= wanted) {
            if !pod.deleting {
                self.delete_ordinal(sync.set, pod);
            }
            if !sync.parallel {
                return;
            }
        }
        self.roll_ordinals(sync, &pods, wanted);
    }

    /// Whether this pod is there and healthy, so that the next may be looked at.
    fn meet_ordinal(
        &mut self,
        sync: &Sync<'_>,
        number: i64,
        pod: Option<&PodFacts>,
        current: Option<&Value>,
    ) -> bool {
        match pod {
            None => {
                self.create_ordinal(sync, number, current);
                false
            }
            Some(pod) if pod.is_over() && !pod.deleting => {
                let message = format!(
                    "StatefulSet {}/{} is recreating failed Pod {}",
                    pod.namespace,
                    name(sync.set),
                    pod.name
                );
                self.record(COMPONENT, &Note::new(sync.set, "Warning", "RecreatingFailedPod", message));
                self.delete_ordinal(sync.set, pod);
                false
            }
            Some(pod) => pod.ready && !pod.deleting,
        }
    }

    fn create_ordinal(&mut self, sync: &Sync<'_>, number: i64, current: Option<&Value>) {
        let partition = count(&sync.set["spec"]["updateStrategy"]["rollingUpdate"]["partition"]);
        // A pod lost during a rollout comes back in the revision its number had reached.
        let settled = partition.max(count(&sync.set["status"]["currentReplicas"]));
        let old = current.filter(|_| sync.current != sync.update && number < settled);
        let (made_of, revision) = match old {
            Some(template) => (template.clone(), sync.current),
            None => (sync.set["spec"]["template"].clone(), sync.update),
        };
        let mut pod = template::pod(&made_of, sync.set);
        let pod_name = format!("{}-{number}", name(sync.set));
        pod["metadata"]["name"] = json!(pod_name);
        pod["metadata"]["labels"]["controller-revision-hash"] = json!(revision);
        pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] = json!(pod_name);
        pod["spec"]["hostname"] = json!(pod_name);
        pod["spec"]["subdomain"] = sync.set["spec"]["serviceName"].clone();
        match self.create(&User::system(COMPONENT), gvr::PODS, namespace(sync.set), pod) {
            Ok(_) => {
                let message = format!("create Pod {pod_name} in StatefulSet {} successful", name(sync.set));
                self.record(COMPONENT, &Note::new(sync.set, "Normal", "SuccessfulCreate", message));
            }
            Err(refused) => self.failed_to_create(COMPONENT, sync.set, &refused.message),
        }
    }

    /// From the highest number down: one at a time, and only while all above are healthy.
    fn roll_ordinals(&mut self, sync: &Sync<'_>, pods: &[(i64, PodFacts)], wanted: i64) {
        if sync.set["spec"]["updateStrategy"]["type"] == "OnDelete" {
            return;
        }
        let partition = count(&sync.set["spec"]["updateStrategy"]["rollingUpdate"]["partition"]);
        for (_, pod) in pods.iter().rev().filter(|(number, _)| *number < wanted && *number >= partition) {
            if pod.revision != sync.update && !pod.deleting {
                self.delete_ordinal(sync.set, pod);
                return;
            }
            if !pod.ready || pod.deleting {
                return;
            }
        }
    }

    fn delete_ordinal(&mut self, set: &Arc<Value>, pod: &PodFacts) {
        if self.delete(&User::system(COMPONENT), gvr::PODS, &pod.object).is_ok() {
            let message = format!("delete Pod {} in StatefulSet {} successful", pod.name, name(set));
            self.record(COMPONENT, &Note::new(set, "Normal", "SuccessfulDelete", message));
        }
    }

    fn write_stateful_status(&mut self, sync: &Sync<'_>) {
        let pods: Vec<&PodFacts> = self.pods.owned_by(uid(sync.set)).filter(|pod| !pod.is_over()).collect();
        let number = |test: &dyn Fn(&PodFacts) -> bool| {
            i64::try_from(pods.iter().filter(|pod| test(pod)).count()).unwrap_or(i64::MAX)
        };
        let all = number(&|pod| !pod.deleting);
        let ready = number(&|pod| pod.ready);
        let updated = number(&|pod| pod.revision == sync.update && !pod.deleting);
        let on_current = number(&|pod| pod.revision == sync.current && !pod.deleting);
        let done = updated == replicas(sync.set) && ready == replicas(sync.set);
        let (current, on_current) = if done { (sync.update, updated) } else { (sync.current, on_current) };
        let mut status = json!({
            "observedGeneration": generation(sync.set), "replicas": all,
            "currentRevision": current, "updateRevision": sync.update, "collisionCount": 0,
        });
        let numbers = [
            ("readyReplicas", ready),
            ("availableReplicas", ready),
            ("updatedReplicas", updated),
            ("currentReplicas", on_current),
        ];
        for (field, number) in numbers.into_iter().filter(|(_, number)| *number > 0) {
            status[field] = json!(number);
        }
        if sync.set["status"] != status {
            // A set that is gone needs no status.
            let _ =
                self.modify(&User::system(COMPONENT), gvr::STATEFUL_SETS, Some("status"), sync.set, |set| {
                    set["status"] = status.clone();
                });
        }
    }
}

fn ordinal(set: &Value, pod: &str) -> Option<i64> {
    pod.strip_prefix(name(set))?.strip_prefix('-')?.parse().ok()
}
