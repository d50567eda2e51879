//! The scheduler: the emptiest node that fits. Owns the filters and the sentence that says why no node does;
//! refuses preemption and scores beyond "fewest pods".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::pods::Asks;
use super::{Controllers, Key};
use crate::sim::api::{User, gvr};
use crate::sim::events::Note;
use crate::sim::objects::{holds, is_deleting, items, name, quantity};

const COMPONENT: &str = "default-scheduler";

/// Pods that no node wanted so far.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    unschedulable: BTreeSet<String>,
}

impl Waiting {
    pub(super) fn forget(&mut self, uid: &str) {
        self.unschedulable.remove(uid);
    }
}

impl Controllers {
    /// Something changed that may make room.
    pub(super) fn retry_unschedulable(&mut self) {
        for uid in std::mem::take(&mut self.scheduling.unschedulable) {
            self.enqueue(Key::Schedule(uid));
        }
    }

    pub(super) fn schedule(&mut self, uid: &str) {
        let Some(facts) = self.pods.get(uid) else { return };
        if !facts.node.is_empty() || facts.deleting || facts.is_over() {
            return;
        }
        let pod = facts.object.clone();
        let asks = facts.asks;
        if pod["spec"]["schedulerName"].as_str().is_some_and(|wanted| wanted != COMPONENT) {
            return;
        }
        match self.choose(&pod, asks) {
            Ok(node) => self.bind(&pod, &node),
            Err(why) => self.cannot_schedule(uid, &pod, &why),
        }
    }

    /// The node with the fewest pods among those that fit, or the sentence why there is none.
    fn choose(&self, pod: &Value, asks: Asks) -> Result<String, String> {
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let mut best: Option<(f64, &str)> = None;
        let nodes = self.shelf(gvr::NODES);
        for node in nodes.values() {
            let used = self.pods.usage(name(node));
            let refusals = refusals(node, pod, asks, used);
            if refusals.is_empty() {
                if best.is_none_or(|(pods, _)| used.pods < pods) {
                    best = Some((used.pods, name(node)));
                }
            } else {
                for refusal in refusals {
                    *reasons.entry(refusal).or_default() += 1;
                }
            }
        }
        if let Some((_, node)) = best {
            return Ok(node.to_owned());
        }
        let mut words: Vec<String> =
            reasons.into_iter().map(|(reason, nodes)| format!("{nodes} {reason}")).collect();
        words.sort();
        Err(if words.is_empty() {
            "no nodes available to schedule pods".to_owned()
        } else {
            format!("0/{} nodes are available: {}.", nodes.len(), words.join(", "))
        })
    }

    fn bind(&mut self, pod: &Value, node: &str) {
        let bound = self.modify(&User::system("kube-scheduler"), gvr::PODS, None, pod, |pod| {
            pod["spec"]["nodeName"] = json!(node);
        });
        if bound.is_ok() {
            let space = crate::sim::objects::namespace(pod);
            let message = format!("Successfully assigned {space}/{} to {node}", name(pod));
            self.record(COMPONENT, &Note::new(pod, "Normal", "Scheduled", message));
        }
    }

    fn cannot_schedule(&mut self, uid: &str, pod: &Value, why: &str) {
        self.scheduling.unschedulable.insert(uid.to_owned());
        let said = items(&pod["status"]["conditions"])
            .iter()
            .any(|one| one["type"] == "PodScheduled" && one["message"] == why);
        if said || is_deleting(pod) {
            return;
        }
        self.record(COMPONENT, &Note::new(pod, "Warning", "FailedScheduling", why.to_owned()));
        let now = crate::sim::api::clock::stamp(self.now());
        // A pod that is gone needs no condition.
        let _ = self.modify(&User::system("kube-scheduler"), gvr::PODS, Some("status"), pod, |pod| {
            if !pod["status"]["phase"].is_string() {
                pod["status"]["phase"] = json!("Pending");
            }
            pod["status"]["conditions"] = json!([{
                "type": "PodScheduled", "status": "False", "lastProbeTime": null, "lastTransitionTime": now,
                "reason": "Unschedulable", "message": why,
            }]);
        });
    }
}

/// Whether a daemon pod may run there: everything but the room on the node.
pub(super) fn welcomes(node: &Value, pod: &Value) -> bool {
    node_affinity(node, pod) && untolerated(node, pod, &["NoSchedule", "NoExecute"]).is_none()
}

fn refusals(node: &Value, pod: &Value, asks: Asks, used: Asks) -> Vec<String> {
    if node["spec"]["unschedulable"] == true && !tolerates_cordon(pod) {
        return vec!["node(s) were unschedulable".to_owned()];
    }
    if let Some(taint) = untolerated(node, pod, &["NoSchedule", "NoExecute"]) {
        let (key, value) =
            (taint["key"].as_str().unwrap_or_default(), taint["value"].as_str().unwrap_or_default());
        return vec![format!("node(s) had taint {{{key}: {value}}}, that the pod didn't tolerate")];
    }
    if !node_affinity(node, pod) {
        return vec!["node(s) didn't match Pod's node affinity".to_owned()];
    }
    let room = &node["status"]["allocatable"];
    let mut out = Vec::new();
    if used.pods + asks.pods > quantity(&room["pods"]) {
        out.push("Too many pods".to_owned());
    }
    if asks.cpu > 0.0 && used.cpu + asks.cpu > quantity(&room["cpu"]) {
        out.push("Insufficient cpu".to_owned());
    }
    if asks.memory > 0.0 && used.memory + asks.memory > quantity(&room["memory"]) {
        out.push("Insufficient memory".to_owned());
    }
    out
}

/// The first taint of these effects that the pod does not tolerate.
pub(super) fn untolerated<'a>(node: &'a Value, pod: &Value, effects: &[&str]) -> Option<&'a Value> {
    items(&node["spec"]["taints"])
        .iter()
        .filter(|taint| taint["effect"].as_str().is_some_and(|effect| effects.contains(&effect)))
        .find(|taint| toleration(taint, pod).is_none())
}

/// The toleration of the pod that covers the taint.
pub(super) fn toleration<'a>(taint: &Value, pod: &'a Value) -> Option<&'a Value> {
    items(&pod["spec"]["tolerations"]).iter().find(|toleration| {
        let key_fits = toleration["key"].as_str().is_none_or(|key| key.is_empty() || taint["key"] == key);
        let effect_fits =
            toleration["effect"].as_str().is_none_or(|effect| effect.is_empty() || taint["effect"] == effect);
        let value_fits = toleration["operator"] == "Exists"
            || toleration["value"].as_str().unwrap_or_default()
                == taint["value"].as_str().unwrap_or_default();
        key_fits && effect_fits && value_fits
    })
}

fn tolerates_cordon(pod: &Value) -> bool {
    toleration(&json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}), pod).is_some()
}

fn node_affinity(node: &Value, pod: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let selector_fits = crate::sim::objects::matches_labels(&pod["spec"]["nodeSelector"], labels);
    let terms = pod.pointer(
        "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms",
    );
    let terms = terms.map_or(&[] as &[Value], items);
    let fields = json!({"metadata.name": name(node)});
    selector_fits
        && (terms.is_empty()
            || terms.iter().any(|term| {
                items(&term["matchExpressions"]).iter().all(|rule| holds(rule, labels))
                    && items(&term["matchFields"]).iter().all(|rule| holds(rule, &fields))
            }))
}
