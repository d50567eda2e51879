//! Deployments: revisions as ReplicaSets, and rolling from one to the next. Owns revision numbers and the
//! arithmetic of surge and unavailability; the words of the status are next door in `deployment_status`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Controllers, deployment_status, template};
use crate::sim::api::{Status, User, gvr};
use crate::sim::events::Note;
use crate::sim::objects::{annotation, controller_of, count, is_deleting, items, name, namespace, uid};

pub(super) const COMPONENT: &str = "deployment-controller";
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MOST: &str = "deployment.kubernetes.io/max-replicas";
/// Annotations of a Deployment that its ReplicaSets do not get.
const NOT_COPIED: [&str; 5] =
    ["kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MOST];

/// A Deployment with its ReplicaSets: the one of the current template, and the others.
pub(super) struct Revisions {
    pub new: Option<Arc<Value>>,
    pub old: Vec<Arc<Value>>,
    /// The new one was made just now.
    pub made: bool,
}

impl Controllers {
    pub(super) fn sync_deployment(&mut self, space: &str, own: &str) {
        let Some(deployment) = self.find(gvr::DEPLOYMENTS, space, own) else { return };
        if is_deleting(&deployment) {
            return;
        }
        let paused = deployment["spec"]["paused"] == true;
        let revisions = self.revisions(&deployment, !paused);
        let Some(deployment) = self.find(gvr::DEPLOYMENTS, space, own) else { return };
        if paused {
            self.scale_as_is(&deployment, &revisions);
        } else if deployment["spec"]["strategy"]["type"] == "Recreate" {
            self.recreate(&deployment, &revisions);
        } else {
            self.roll(&deployment, &revisions);
        }
        let revisions = Revisions { made: revisions.made, ..self.revisions(&deployment, false) };
        if !paused {
            self.clean_up(&deployment, &revisions);
        }
        deployment_status::write(self, &deployment, &revisions);
    }

    /// Finds the ReplicaSets, making the new one if asked to.
    fn revisions(&mut self, deployment: &Arc<Value>, make: bool) -> Revisions {
        let wanted = &deployment["spec"]["template"];
        let mut sets: Vec<Arc<Value>> = self
            .shelf(gvr::REPLICA_SETS)
            .range((namespace(deployment).to_owned(), String::new())..)
            .take_while(|((space, _), _)| space == namespace(deployment))
            .map(|(_, set)| Arc::clone(set))
            .filter(|set| controller_of(set).is_some_and(|owner| owner["uid"] == uid(deployment)))
            .collect();
        sets.sort_by_key(|set| revision(set));
        let at = sets.iter().position(|set| template::same(&set["spec"]["template"], wanted));
        let mut new = at.map(|at| sets.remove(at));
        let highest = sets.iter().map(|set| revision(set)).max().unwrap_or_default();
        let mut made = false;
        if make {
            if let Some(set) = &new {
                new = Some(self.raise_revision(deployment, set, highest));
            } else {
                new = self.make_set(deployment, highest + 1).ok();
                made = new.is_some();
            }
            if let Some(set) = &new {
                self.number(deployment, revision(set));
            }
        }
        Revisions { new, old: sets, made }
    }

    /// The ReplicaSet of the current template has the highest revision, also after a rollback to it.
    fn raise_revision(&mut self, deployment: &Arc<Value>, set: &Arc<Value>, highest: i64) -> Arc<Value> {
        let current = revision(set);
        let next = (highest + 1).max(current);
        let marks = copied_annotations(deployment);
        let stale = marks.iter().any(|(key, value)| set["metadata"]["annotations"][key] != *value);
        if next == current && !stale {
            return Arc::clone(set);
        }
        let changed = self.modify(&User::system(COMPONENT), gvr::REPLICA_SETS, None, set, |set| {
            for (key, value) in &marks {
                set["metadata"]["annotations"][key] = value.clone();
            }
            if next != current {
                let past = annotation(set, HISTORY)
                    .map_or_else(|| current.to_string(), |past| format!("{past},{current}"));
                if current > 0 {
                    set["metadata"]["annotations"][HISTORY] = json!(past);
                }
                set["metadata"]["annotations"][REVISION] = json!(next.to_string());
            }
        });
        changed.unwrap_or_else(|_| Arc::clone(set))
    }

    fn make_set(&mut self, deployment: &Arc<Value>, number: i64) -> Result<Arc<Value>, Status> {
        let spec = &deployment["spec"];
        let mut collisions = count(&deployment["status"]["collisionCount"]);
        loop {
            let hash = template::hash(&spec["template"], collisions);
            let mut template = spec["template"].clone();
            template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
            let mut selector = spec["selector"].clone();
            selector["matchLabels"]["pod-template-hash"] = json!(hash);
            let mut annotations: serde_json::Map<String, Value> =
                copied_annotations(deployment).into_iter().collect();
            annotations.insert(REVISION.into(), json!(number.to_string()));
            let mut set_spec = json!({"replicas": 0, "selector": selector, "template": template});
            if let Some(patience) = spec.get("minReadySeconds") {
                set_spec["minReadySeconds"] = patience.clone();
            }
            let set = json!({
                "apiVersion": "apps/v1", "kind": "ReplicaSet",
                "metadata": {
                    "name": format!("{}-{hash}", name(deployment)), "labels": template["metadata"]["labels"],
                    "annotations": annotations, "ownerReferences": [template::controller_reference(deployment)],
                },
                "spec": set_spec,
            });
            match self.create(&User::system(COMPONENT), gvr::REPLICA_SETS, namespace(deployment), set) {
                Err(taken) if taken.reason == "AlreadyExists" && collisions < 8 => collisions += 1,
                answer => return answer,
            }
        }
    }

    fn number(&mut self, deployment: &Arc<Value>, number: i64) {
        if annotation(deployment, REVISION) == Some(number.to_string().as_str()) {
            return;
        }
        // A Deployment that is gone needs no number.
        let _ = self.modify(&User::system(COMPONENT), gvr::DEPLOYMENTS, None, deployment, |deployment| {
            deployment["metadata"]["annotations"][REVISION] = json!(number.to_string());
        });
    }

    /// Rolling update: up within the surge, down within what may be unavailable.
    fn roll(&mut self, deployment: &Arc<Value>, revisions: &Revisions) {
        let Some(new) = &revisions.new else { return };
        let wanted = replicas(deployment);
        let (surge, unavailable) = allowance(deployment, wanted);
        let all: i64 = revisions.old.iter().map(|set| replicas(set)).sum::<i64>() + replicas(new);
        let mut target = replicas(new);
        if target > wanted || revisions.old.iter().all(|set| replicas(set) == 0) {
            target = wanted;
        } else if target < wanted {
            target += (wanted + surge - all).clamp(0, wanted - target);
        }
        let new = self.scale(deployment, new, target, wanted + surge);
        self.shrink_old(deployment, revisions, &new, (wanted, unavailable));
    }

    /// Old sets shrink: unhealthy pods first, then as many as availability allows.
    fn shrink_old(
        &mut self,
        deployment: &Arc<Value>,
        revisions: &Revisions,
        new: &Arc<Value>,
        (wanted, unavailable): (i64, i64),
    ) {
        let (surge, _) = allowance(deployment, wanted);
        let old_total: i64 = revisions.old.iter().map(|set| replicas(set)).sum();
        if old_total == 0 {
            return;
        }
        let least = wanted - unavailable;
        let new_unavailable = replicas(new) - count(&new["status"]["availableReplicas"]);
        let mut may_go = old_total + replicas(new) - least - new_unavailable;
        let mut sets: Vec<Arc<Value>> = revisions.old.clone();
        for set in &mut sets {
            let unhealthy = replicas(set) - count(&set["status"]["availableReplicas"]);
            let down = unhealthy.min(may_go).max(0);
            if down > 0 {
                *set = self.scale(deployment, set, replicas(set) - down, wanted + surge);
                may_go -= down;
            }
        }
        let available: i64 =
            sets.iter().map(|set| count(&set["status"]["availableReplicas"]).min(replicas(set))).sum::<i64>()
                + count(&new["status"]["availableReplicas"]);
        let mut spare = available - least;
        for set in &sets {
            let down = replicas(set).min(spare).max(0);
            if down > 0 {
                self.scale(deployment, set, replicas(set) - down, wanted + surge);
                spare -= down;
            }
        }
    }

    fn recreate(&mut self, deployment: &Arc<Value>, revisions: &Revisions) {
        let wanted = replicas(deployment);
        for set in &revisions.old {
            self.scale(deployment, set, 0, wanted);
        }
        let leftovers =
            revisions.old.iter().any(|set| self.pods.owned_by(uid(set)).any(|pod| !pod.is_over()));
        if let Some(new) = revisions.new.as_ref().filter(|_| !leftovers) {
            self.scale(deployment, new, wanted, wanted);
        }
    }

    /// A paused Deployment follows its replica count but does not roll.
    fn scale_as_is(&mut self, deployment: &Arc<Value>, revisions: &Revisions) {
        let wanted = replicas(deployment);
        let active: Vec<&Arc<Value>> =
            revisions.new.iter().chain(&revisions.old).filter(|set| replicas(set) > 0).collect();
        if let [only] = active.as_slice() {
            self.scale(deployment, only, wanted, wanted);
        }
    }

    fn scale(&mut self, deployment: &Arc<Value>, set: &Arc<Value>, to: i64, most: i64) -> Arc<Value> {
        let from = replicas(set);
        let wanted = replicas(deployment).to_string();
        let most = most.to_string();
        if from == to && annotation(set, DESIRED) == Some(&wanted) && annotation(set, MOST) == Some(&most) {
            return Arc::clone(set);
        }
        let scaled = self.modify(&User::system(COMPONENT), gvr::REPLICA_SETS, None, set, |set| {
            set["spec"]["replicas"] = json!(to);
            set["metadata"]["annotations"][DESIRED] = json!(wanted);
            set["metadata"]["annotations"][MOST] = json!(most);
        });
        if from != to && scaled.is_ok() {
            let direction = if to > from { "up" } else { "down" };
            let message = format!("Scaled {direction} replica set {} to {to}", name(set));
            self.record(COMPONENT, &Note::new(deployment, "Normal", "ScalingReplicaSet", message));
        }
        scaled.unwrap_or_else(|_| Arc::clone(set))
    }

    /// Drops the oldest empty sets beyond the history limit.
    fn clean_up(&mut self, deployment: &Arc<Value>, revisions: &Revisions) {
        let limit = deployment["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(10);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let empty: Vec<&Arc<Value>> = revisions
            .old
            .iter()
            .filter(|set| replicas(set) == 0 && count(&set["status"]["replicas"]) == 0 && !is_deleting(set))
            .collect();
        for set in empty.iter().take(empty.len().saturating_sub(limit)) {
            // Somebody else was faster: just as well.
            let _ = self.delete(&User::system(COMPONENT), gvr::REPLICA_SETS, set);
        }
    }
}

pub(super) fn replicas(workload: &Value) -> i64 {
    workload["spec"]["replicas"].as_i64().unwrap_or(1)
}

pub(super) fn revision(set: &Value) -> i64 {
    annotation(set, REVISION).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// How many pods may be there beyond the wanted number, and how many may be missing.
pub(super) fn allowance(deployment: &Value, wanted: i64) -> (i64, i64) {
    let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
    let surge = share(&rolling["maxSurge"], wanted, true);
    let unavailable = share(&rolling["maxUnavailable"], wanted, false);
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable.min(wanted)) }
}

/// A number, or a percentage of `whole`; 25% if nothing is said.
pub(super) fn share(value: &Value, whole: i64, round_up: bool) -> i64 {
    if let Some(number) = value.as_i64() {
        return number;
    }
    let percent: i64 = value.as_str().and_then(|text| text.trim_end_matches('%').parse().ok()).unwrap_or(25);
    let hundredfold = whole * percent;
    if round_up { (hundredfold + 99) / 100 } else { hundredfold / 100 }
}

fn copied_annotations(deployment: &Value) -> Vec<(String, Value)> {
    deployment["metadata"]["annotations"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| !NOT_COPIED.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The conditions of `before` with `fresh` put in the place of those of its type.
pub(super) fn with_conditions(before: &Value, fresh: Vec<Value>) -> Vec<Value> {
    let mut out: Vec<Value> = items(before)
        .iter()
        .filter(|old| !fresh.iter().any(|new| new["type"] == old["type"]))
        .cloned()
        .collect();
    out.extend(fresh);
    out
}
