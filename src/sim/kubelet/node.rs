//! The nodes of the simulated cluster: their registration and their heartbeats. Owns what a kubelet writes
//! about its own node; refuses to judge nodes, which is the node controller's business.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sim::api::clock::{micro_stamp, stamp};
use crate::sim::api::{ApiServer, User, gvr};
use crate::sim::tempo::Tempo;

/// A node to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSpec {
    pub name: String,
    pub ip: String,
    pub cpu: u32,
    pub memory_gib: u32,
    pub pods: u32,
    pub control_plane: bool,
    /// A pool of nodes for workloads that ask for it: a label `pool` and a taint `dedicated`.
    pub pool: Option<String>,
}

impl NodeSpec {
    /// A worker node of ordinary size.
    pub fn worker(name: &str, ip: &str) -> Self {
        Self {
            name: name.to_owned(),
            ip: ip.to_owned(),
            cpu: 4,
            memory_gib: 16,
            pods: 110,
            control_plane: false,
            pool: None,
        }
    }

    /// A control-plane node, tainted so that workloads stay away.
    pub fn control_plane(name: &str, ip: &str) -> Self {
        Self { control_plane: true, ..Self::worker(name, ip) }
    }
}

/// How often kubelets renew their lease: ten seconds of real life, but not oftener than twice a second.
pub(in crate::sim) fn beat(tempo: Tempo) -> Duration {
    tempo.of(Duration::from_secs(10)).max(Duration::from_millis(500))
}

/// How long the node controller waits for a renewal: four beats, which is forty seconds of real life.
pub(in crate::sim) fn patience(tempo: Tempo) -> Duration {
    beat(tempo) * 4
}

/// Registers the node as its kubelet would when it starts.
pub(in crate::sim) fn register(api: &ApiServer, spec: &NodeSpec) {
    let now = api.clock().now();
    let who = User::system("kubelet");
    // Registering a node that is there is what a restarted kubelet does, too.
    if api.create(&who, &gvr::NODES, None, object(spec)).is_ok() {
        post_status(api, spec, now);
    }
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": spec.name, "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": spec.name, "leaseDurationSeconds": 40, "renewTime": micro_stamp(now)},
    });
    let _ = api.create(&who, &gvr::LEASES, Some("kube-node-lease"), lease);
}

/// Renews the lease; the node stays Ready in the eyes of the node controller.
pub(in crate::sim) fn renew(api: &ApiServer, node: &str) {
    let now = micro_stamp(api.clock().now());
    let who = User::system("kubelet");
    let renewed = api.modify(&who, &gvr::LEASES, None, Some("kube-node-lease"), node, |lease| {
        lease["spec"]["renewTime"] = json!(now);
    });
    // A deleted lease is a deleted node: the kubelet of a real one would register anew.
    drop(renewed);
}

/// Posts the whole status: at the start, and when the kubelet is back after an absence.
pub(in crate::sim) fn post_status(api: &ApiServer, spec: &NodeSpec, now: Timestamp) {
    let who = User::system("kubelet");
    let posted = api.modify(&who, &gvr::NODES, Some("status"), None, &spec.name, |node| {
        let before = node["status"].take();
        node["status"] = status(spec, &before, now);
    });
    drop(posted);
}

fn object(spec: &NodeSpec) -> Value {
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": spec.name, "kubernetes.io/os": "linux",
    });
    let mut body = json!({});
    if spec.control_plane {
        labels["node-role.kubernetes.io/control-plane"] = json!("");
        body["taints"] = json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]);
    }
    if let Some(pool) = &spec.pool {
        labels["pool"] = json!(pool);
        body["taints"] = json!([{"key": "dedicated", "value": pool, "effect": "NoSchedule"}]);
    }
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": spec.name, "labels": labels, "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": body,
    })
}

fn status(spec: &NodeSpec, before: &Value, now: Timestamp) -> Value {
    let room = json!({
        "cpu": spec.cpu.to_string(), "memory": format!("{}Gi", spec.memory_gib), "pods": spec.pods.to_string(),
        "ephemeral-storage": "100Gi",
    });
    let one = |kind: &str, good: &str, reason: &str, message: &str| {
        let wrapped = json!({"status": before});
        let since = crate::sim::objects::condition(&wrapped, kind)
            .filter(|known| known["status"] == good)
            .map_or_else(|| json!(stamp(now)), |known| known["lastTransitionTime"].clone());
        json!({
            "type": kind, "status": good, "lastHeartbeatTime": stamp(now), "lastTransitionTime": since,
            "reason": reason, "message": message,
        })
    };
    json!({
        "capacity": room, "allocatable": room,
        "conditions": [
            one("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            one("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            one("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            one("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ],
        "addresses": [{"type": "InternalIP", "address": spec.ip}, {"type": "Hostname", "address": spec.name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "6.1.0",
            "osImage": "Debian GNU/Linux 12 (bookworm)", "containerRuntimeVersion": "containerd://1.6.20",
            "kubeletVersion": "v1.20.2", "kubeProxyVersion": "v1.20.2", "operatingSystem": "linux",
            "architecture": "amd64",
        },
    })
}
