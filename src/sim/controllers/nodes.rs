//! Nodes: who has stopped renewing its lease, and what is said and done about it. Owns the verdict Unknown,
//! the taints that follow, and the return to Ready. Heartbeats and verdicts are taken in one loop, so that a
//! slow machine delays both alike and never loses a node by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::pods::time;
use crate::sim::api::clock::stamp;
use crate::sim::api::{ApiServer, User, gvr};
use crate::sim::events::{Note, Recorder};
use crate::sim::kubelet::{NodeSpec, beat, patience, post_status, renew};
use crate::sim::objects::{condition, is_true, items, name};
use crate::sim::tempo::{Tempo, later};

const COMPONENT: &str = "node-controller";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// The nodes that have a kubelet, and which of these are silent.
#[derive(Debug, Default)]
pub(in crate::sim) struct Roster {
    pub nodes: BTreeMap<String, NodeSpec>,
    pub silent: BTreeSet<String>,
}

/// Beats for the living and judges all, until told to stop.
pub(in crate::sim) async fn watch_over_nodes(
    api: ApiServer,
    roster: Arc<Mutex<Roster>>,
    tempo: Tempo,
    stop: CancellationToken,
) {
    let mut recorder = Recorder::new(&api, COMPONENT, tempo);
    loop {
        let next = later(api.clock().now(), beat(tempo));
        tokio::select! {
            () = stop.cancelled() => return,
            () = api.clock().sleep_until(next) => {}
        }
        let (living, now) = (living(&roster), api.clock().now());
        for spec in &living {
            renew(&api, &spec.name);
        }
        for node in api.list(&gvr::NODES, None) {
            judge(&api, &mut recorder, &node, &living, tempo, now);
        }
    }
}

fn living(roster: &Mutex<Roster>) -> Vec<NodeSpec> {
    let roster = roster.lock();
    roster.nodes.values().filter(|spec| !roster.silent.contains(&spec.name)).cloned().collect()
}

fn judge(
    api: &ApiServer,
    recorder: &mut Recorder,
    node: &Value,
    living: &[NodeSpec],
    tempo: Tempo,
    now: Timestamp,
) {
    let lease = api.get(&gvr::LEASES, Some("kube-node-lease"), name(node));
    let renewed = lease.as_ref().and_then(|lease| time(&lease["spec"]["renewTime"]));
    let lost = renewed.is_none_or(|renewed| later(renewed, patience(tempo)) <= now);
    let unknown = condition(node, "Ready").is_some_and(|ready| ready["status"] == "Unknown");
    if lost && !unknown {
        declare_lost(api, recorder, node, now);
    } else if lost {
        taint(api, node, &["NoSchedule", "NoExecute"], now);
    } else if let Some(spec) = living.iter().find(|spec| spec.name == name(node)).filter(|_| unknown) {
        welcome_back(api, recorder, node, spec, now);
    }
}

fn declare_lost(api: &ApiServer, recorder: &mut Recorder, node: &Value, now: Timestamp) {
    let who = User::system(COMPONENT);
    // A node deleted meanwhile needs no verdict.
    let _ = api.modify(&who, &gvr::NODES, Some("status"), None, name(node), |node| {
        let Some(conditions) = node["status"]["conditions"].as_array_mut() else { return };
        for one in conditions {
            one["status"] = json!("Unknown");
            one["lastTransitionTime"] = json!(stamp(now));
            one["reason"] = json!("NodeStatusUnknown");
            one["message"] = json!("Kubelet stopped posting node status.");
        }
    });
    let message = format!("Node {} status is now: NodeNotReady", name(node));
    recorder.record(&Note::new(node, "Normal", "NodeNotReady", message));
    taint(api, node, &["NoSchedule"], now);
    let here = api.list(&gvr::PODS, None).into_iter().filter(|pod| pod["spec"]["nodeName"] == name(node));
    for pod in here.filter(|pod| is_true(pod, "Ready")) {
        let space = crate::sim::objects::namespace(&pod).to_owned();
        let _ = api.modify(&who, &gvr::PODS, Some("status"), Some(&space), name(&pod), |pod| {
            let Some(conditions) = pod["status"]["conditions"].as_array_mut() else { return };
            for one in conditions.iter_mut().filter(|one| one["type"] == "Ready") {
                one["status"] = json!("False");
                one["lastTransitionTime"] = json!(stamp(now));
            }
        });
        recorder.record(&Note::new(&pod, "Warning", "NodeNotReady", "Node is not ready".to_owned()));
    }
}

fn taint(api: &ApiServer, node: &Value, effects: &[&str], now: Timestamp) {
    let missing: Vec<&&str> = effects
        .iter()
        .filter(|effect| {
            !items(&node["spec"]["taints"])
                .iter()
                .any(|taint| taint["key"] == UNREACHABLE && taint["effect"] == ***effect)
        })
        .collect();
    if missing.is_empty() {
        return;
    }
    // A node deleted meanwhile needs no taint.
    let _ = api.modify(&User::system(COMPONENT), &gvr::NODES, None, None, name(node), |node| {
        let mut taints = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
        taints.extend(
            missing
                .iter()
                .map(|effect| json!({"key": UNREACHABLE, "effect": effect, "timeAdded": stamp(now)})),
        );
        node["spec"]["taints"] = json!(taints);
    });
}

fn welcome_back(api: &ApiServer, recorder: &mut Recorder, node: &Value, spec: &NodeSpec, now: Timestamp) {
    post_status(api, spec, now);
    // A node deleted meanwhile has no taints.
    let _ = api.modify(&User::system(COMPONENT), &gvr::NODES, None, None, name(node), |node| {
        let kept: Vec<Value> = items(&node["spec"]["taints"])
            .iter()
            .filter(|taint| taint["key"] != UNREACHABLE)
            .cloned()
            .collect();
        if kept.is_empty() {
            if let Some(spec) = node["spec"].as_object_mut() {
                spec.remove("taints");
            }
        } else {
            node["spec"]["taints"] = json!(kept);
        }
    });
    recorder.record(&Note::new(
        node,
        "Normal",
        "NodeReady",
        format!("Node {} status is now: NodeReady", name(node)),
    ));
}
