//! Synthetic pods as real clusters have them: about 11 KiB of JSON each, half of it managed fields,
//! environment and annotations. Rendered from a template, so that making them costs less than reading them.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// Pods of one ReplicaSet, and what else there is of how many pods.
pub(crate) const PER_OWNER: usize = 20;
pub(crate) const PER_NODE: usize = 100;
pub(crate) const PER_NAMESPACE: usize = 1_000;
/// One pod in so many cannot pull its image.
pub(crate) const SICK: usize = 20;

/// Renders pods.
pub(crate) struct Template {
    well: Vec<Piece>,
    sick: Vec<Piece>,
}

enum Piece {
    Text(String),
    Name,
    Uid,
    Version,
    Owner,
    OwnerUid,
    Namespace,
    Node,
}

impl Template {
    pub(crate) fn new() -> Self {
        Self { well: pieces(&pod(false).to_string()), sick: pieces(&pod(true).to_string()) }
    }

    /// Writes pod number `n`, as of that version.
    pub(crate) fn write(&self, out: &mut String, n: usize, version: usize) {
        let pieces = if n.is_multiple_of(SICK) { &self.sick } else { &self.well };
        for piece in pieces {
            let written = match piece {
                Piece::Text(text) => out.write_str(text),
                Piece::Name => write!(out, "{}-{:05x}", owner(n / PER_OWNER), n),
                Piece::Uid => write!(out, "{}", uid(1, n)),
                Piece::Version => write!(out, "{version}"),
                Piece::Owner => write!(out, "{}", owner(n / PER_OWNER)),
                Piece::OwnerUid => write!(out, "{}", uid(2, n / PER_OWNER)),
                Piece::Namespace => write!(out, "team-{}", n / PER_NAMESPACE),
                Piece::Node => write!(out, "{}", node(n / PER_NODE)),
            };
            written.expect("writing to a String cannot fail");
        }
    }
}

pub(crate) fn owner(n: usize) -> String {
    format!("service-{n}-{:09x}", n * 7_919 + 0x1000_0000)
}

pub(crate) fn node(n: usize) -> String {
    format!("ip-10-{}-{}-17.eu-central-1.compute.internal", n / 256, n % 256)
}

pub(crate) fn uid(kind: usize, n: usize) -> String {
    format!("{kind:08x}-aaaa-4bbb-8ccc-{n:012x}")
}

fn pieces(text: &str) -> Vec<Piece> {
    text.split('@')
        .enumerate()
        .map(|(at, part)| match (at % 2, part) {
            (0, text) => Piece::Text(text.to_owned()),
            (_, "name") => Piece::Name,
            (_, "uid") => Piece::Uid,
            (_, "version") => Piece::Version,
            (_, "owner") => Piece::Owner,
            (_, "owner-uid") => Piece::OwnerUid,
            (_, "namespace") => Piece::Namespace,
            (_, _) => Piece::Node,
        })
        .collect()
}

/// Stands for digests and checksums.
const SUM: &str = "0f4c5f8a9be1b7a5d8a5a31c4b8f8f9a9b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e";

fn pod(sick: bool) -> Value {
    let since = "2026-01-01T00:00:00Z";
    let state = |name: &str| {
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff",
            "message": format!("Back-off pulling image \"registry.example.com/team/{name}:1.14.2\": rpc error: \
                code = Unknown desc = failed to pull and unpack image: failed to resolve reference: \
                unexpected status from HEAD request: 401 Unauthorized")}});
        if sick { waiting } else { json!({"running": {"startedAt": since}}) }
    };
    let condition = |kind: &str, good: bool| {
        json!({"type": kind, "status": if good { "True" } else { "False" }, "lastProbeTime": null,
            "lastTransitionTime": since})
    };
    let statuses = ["service", "proxy"].map(|name| {
        let image = format!("registry.example.com/team/{name}:1.14.2");
        json!({"name": name, "state": state(name), "lastState": {}, "ready": !sick, "restartCount": 0,
            "image": image, "imageID": if sick { String::new() } else { format!("{image}-{SUM}") },
            "containerID": format!("containerd://{SUM}"), "started": !sick})
    });
    let fields = |manager: &str| {
        json!({"manager": manager, "operation": "Update", "apiVersion": "v1", "time": since,
            "fieldsType": "FieldsV1", "fieldsV1": managed()})
    };
    json!({
        "metadata": {
            "name": "@name@", "generateName": "@owner@-", "namespace": "@namespace@", "uid": "@uid@",
            "resourceVersion": "@version@", "creationTimestamp": since,
            "labels": {"app.kubernetes.io/name": "@owner@", "app.kubernetes.io/instance": "@owner@",
                "app.kubernetes.io/version": "1.14.2", "app.kubernetes.io/part-of": "shop",
                "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "service-3.2.1", "team": "payments",
                "tier": "backend", "pod-template-hash": "6978f974b"},
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9090",
                "checksum/config": SUM,
                "kubectl.kubernetes.io/restartedAt": since},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "@owner@",
                "uid": "@owner-uid@", "controller": true, "blockOwnerDeletion": true}],
            "managedFields": [fields("kube-controller-manager"), fields("kubelet")],
        },
        "spec": {
            "volumes": [{"name": "config", "configMap": {"name": "service-config", "defaultMode": 420}},
                {"name": "tmp", "emptyDir": {}},
                {"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [
                    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                    {"downwardAPI": {"items": [{"path": "namespace",
                        "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]}}],
            "containers": [container("service", 14), container("proxy", 6)],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default", "serviceAccount": "default", "nodeName": "@node@",
            "securityContext": {"runAsNonRoot": true, "fsGroup": 1000}, "schedulerName": "default-scheduler",
            "imagePullSecrets": [{"name": "registry-pull"}],
            "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 100, "podAffinityTerm": {"labelSelector": {"matchLabels":
                    {"app.kubernetes.io/name": "@owner@"}}, "topologyKey": "kubernetes.io/hostname"}}]}},
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists",
                "effect": "NoExecute", "tolerationSeconds": 300}, {"key": "node.kubernetes.io/unreachable",
                "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
            "priority": 0, "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority",
        },
        "status": {
            "phase": if sick { "Pending" } else { "Running" },
            "conditions": [condition("PodReadyToStartContainers", true), condition("Initialized", true),
                condition("Ready", !sick), condition("ContainersReady", !sick), condition("PodScheduled", true)],
            "hostIP": "10.0.12.17", "hostIPs": [{"ip": "10.0.12.17"}], "podIP": "10.244.3.21",
            "podIPs": [{"ip": "10.244.3.21"}], "startTime": since, "qosClass": "Burstable",
            "containerStatuses": statuses,
        },
    })
}

fn container(name: &str, variables: usize) -> Value {
    let probe = |path: &str| {
        json!({"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}, "initialDelaySeconds": 10,
            "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3})
    };
    let env: Vec<Value> = (0..variables)
        .map(|n| match n % 5 {
            4 => json!({"name": format!("SETTING_{n}"), "valueFrom": {"secretKeyRef":
                {"name": "service-secrets", "key": format!("setting-{n}")}}}),
            _ => json!({"name": format!("SETTING_{n}"),
                "value": format!("https://backend-{n}.internal.example.com:8443/api/v{n}")}),
        })
        .collect();
    json!({"name": name, "image": format!("registry.example.com/team/{name}:1.14.2"),
        "args": ["--log-format=json", "--listen=:8080", "--config=/etc/service/config.yaml"],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9090, "protocol": "TCP"}],
        "env": env, "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": [{"name": "config", "readOnly": true, "mountPath": "/etc/service"},
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "kube-api-access", "readOnly": true,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
        "livenessProbe": probe("/healthz"), "readinessProbe": probe("/readyz"),
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent", "securityContext": {"allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}})
}

fn managed() -> Value {
    let names = ["service", "proxy"];
    let containers: serde_json::Map<String, Value> = names
        .iter()
        .map(|name| {
            let fields = [
                "image",
                "imagePullPolicy",
                "name",
                "resources",
                "env",
                "ports",
                "securityContext",
                "terminationMessagePath",
                "volumeMounts",
                "livenessProbe",
                "readinessProbe",
            ];
            let inner: serde_json::Map<String, Value> =
                fields.iter().map(|field| (format!("f:{field}"), json!({"f:limits": {}, ".": {}}))).collect();
            (format!("k:{{\"name\":\"{name}\"}}"), Value::Object(inner))
        })
        .collect();
    let labels = ["name", "instance", "version", "part-of", "managed-by"]
        .map(|label| format!("f:app.kubernetes.io/{label}"));
    let labels: serde_json::Map<String, Value> = labels.into_iter().map(|label| (label, json!({}))).collect();
    json!({"f:metadata": {"f:generateName": {}, "f:labels": labels}, "f:spec": {"f:containers": containers,
        "f:affinity": {}, "f:dnsPolicy": {}, "f:volumes": {}, "f:tolerations": {}}})
}
