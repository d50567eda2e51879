//! DaemonSets: one pod on every node that fits. Owns which nodes fit and the rolling update by deletion.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deployment::share;
use super::pods::PodFacts;
use super::{Controllers, revisions, scheduler, template};
use crate::sim::api::{User, gvr};
use crate::sim::events::Note;
use crate::sim::objects::{generation, is_deleting, name, namespace, uid};

const COMPONENT: &str = "daemonset-controller";

impl Controllers {
    pub(super) fn sync_daemon_set(&mut self, space: &str, own: &str) {
        let Some(set) = self.find(gvr::DAEMON_SETS, space, own) else { return };
        let (Some(update), old) = self.controller_revisions(COMPONENT, &set) else { return };
        let hash = revisions::hash_of(&update).to_owned();
        let probe = tolerant(template::pod(&set["spec"]["template"], &set));
        let nodes: Vec<String> = self
            .shelf(gvr::NODES)
            .values()
            .filter(|node| scheduler::welcomes(node, &probe))
            .map(|node| name(node).to_owned())
            .collect();
        let pods: Vec<PodFacts> = self.pods.owned_by(uid(&set)).cloned().collect();
        if !is_deleting(&set) {
            self.cover_nodes(&set, &hash, &probe, (&nodes, &pods));
            self.roll_daemons(&set, &hash, (&nodes, &pods));
        }
        self.write_daemon_status(&set, &hash, &nodes);
        self.forget_revisions(COMPONENT, &set, &old);
    }

    fn cover_nodes(
        &mut self,
        set: &Arc<Value>,
        hash: &str,
        probe: &Value,
        (nodes, pods): (&[String], &[PodFacts]),
    ) {
        for node in nodes {
            if !pods.iter().any(|pod| home(pod) == node && !pod.is_over()) {
                self.create_daemon(set, hash, probe, node);
            }
        }
        for pod in pods {
            let unwanted = !nodes.iter().any(|node| node == home(pod));
            if !pod.deleting && (unwanted || pod.is_over()) {
                self.delete_daemon(set, pod);
            }
        }
    }

    fn create_daemon(&mut self, set: &Arc<Value>, hash: &str, probe: &Value, node: &str) {
        let mut pod = probe.clone();
        pod["metadata"]["generateName"] = json!(format!("{}-", name(set)));
        pod["metadata"]["labels"]["controller-revision-hash"] = json!(hash);
        pod["metadata"]["labels"]["pod-template-generation"] = json!(generation(set).to_string());
        pod["spec"]["affinity"]["nodeAffinity"] = json!({"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}],
        }});
        match self.create(&User::system(COMPONENT), gvr::PODS, namespace(set), pod) {
            Ok(made) => {
                let message = format!("Created pod: {}", name(&made));
                self.record(COMPONENT, &Note::new(set, "Normal", "SuccessfulCreate", message));
            }
            Err(refused) => self.failed_to_create(COMPONENT, set, &refused.message),
        }
    }

    fn roll_daemons(&mut self, set: &Arc<Value>, hash: &str, (nodes, pods): (&[String], &[PodFacts])) {
        if set["spec"]["updateStrategy"]["type"] == "OnDelete" {
            return;
        }
        let wanted = i64::try_from(nodes.len()).unwrap_or(i64::MAX);
        let limit = &set["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"];
        let may_miss = if limit.is_null() { 1 } else { share(limit, wanted, true).max(1) };
        let here = |pod: &&PodFacts| nodes.iter().any(|node| node == home(pod));
        let available = pods.iter().filter(here).filter(|pod| pod.ready && !pod.deleting).count();
        let mut spare = may_miss - (wanted - i64::try_from(available).unwrap_or(i64::MAX));
        let stale = pods.iter().filter(here).filter(|pod| pod.revision != hash && !pod.deleting);
        for pod in stale {
            // A pod that is not available costs nothing to replace.
            if pod.ready && spare <= 0 {
                continue;
            }
            spare -= i64::from(pod.ready);
            self.delete_daemon(set, pod);
        }
    }

    fn delete_daemon(&mut self, set: &Arc<Value>, pod: &PodFacts) {
        if self.delete(&User::system(COMPONENT), gvr::PODS, &pod.object).is_ok() {
            let message = format!("Deleted pod: {}", pod.name);
            self.record(COMPONENT, &Note::new(set, "Normal", "SuccessfulDelete", message));
        }
    }

    fn write_daemon_status(&mut self, set: &Arc<Value>, hash: &str, nodes: &[String]) {
        let pods: Vec<&PodFacts> = self
            .pods
            .owned_by(uid(set))
            .filter(|pod| !pod.is_over() && nodes.iter().any(|node| node == home(pod)))
            .collect();
        let number = |test: &dyn Fn(&PodFacts) -> bool| pods.iter().filter(|pod| test(pod)).count();
        let ready = number(&|pod| pod.ready && !pod.deleting);
        let mut status = json!({
            "currentNumberScheduled": number(&|pod| !pod.deleting), "numberMisscheduled": 0,
            "desiredNumberScheduled": nodes.len(), "numberReady": ready, "observedGeneration": generation(set),
        });
        let numbers = [
            ("updatedNumberScheduled", number(&|pod| pod.revision == hash && !pod.deleting)),
            ("numberAvailable", ready),
            ("numberUnavailable", nodes.len().saturating_sub(ready)),
        ];
        for (field, number) in numbers.into_iter().filter(|(_, number)| *number > 0) {
            status[field] = json!(number);
        }
        if set["status"] != status {
            // A set that is gone needs no status.
            let _ = self.modify(&User::system(COMPONENT), gvr::DAEMON_SETS, Some("status"), set, |set| {
                set["status"] = status.clone();
            });
        }
    }
}

/// The node a daemon pod is on, or is meant for.
fn home(pod: &PodFacts) -> &str {
    if !pod.node.is_empty() {
        return &pod.node;
    }
    pod.object
        .pointer("/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0/values/0")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Daemon pods stay where others are driven away.
fn tolerant(mut pod: Value) -> Value {
    let mut tolerations = pod["spec"]["tolerations"].as_array().cloned().unwrap_or_default();
    for key in ["not-ready", "unreachable"] {
        tolerations.push(
            json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": "NoExecute"}),
        );
    }
    for key in ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"] {
        tolerations.push(
            json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": "NoSchedule"}),
        );
    }
    pod["spec"]["tolerations"] = json!(tolerations);
    pod
}
