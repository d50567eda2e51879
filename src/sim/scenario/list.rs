//! The scenarios. Owns what each consists of; a new one is an entry here and its manifests beside it.

use std::time::Duration;

use super::states::{
    all_pods_wait, container_gone, deployment_fixed, deployment_ready, image_restored, lost_pod,
    node_of_lost_pod_back, overdue, pod_count, pod_gone, pod_running, pods_wait, stateful_fixed,
};
use super::{Act, Scenario};
use crate::sim::kubelet::Exit;
use crate::sim::objects::count;

/// Everything that can be played.
pub static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "pull-secret",
        title: "a private image, and a ServiceAccount that does not name the pull secret",
        namespace: "payments",
        condition: "image.auth-missing",
        also: &[],
        remedy: "add harbor-pull to the ServiceAccount default, then delete the waiting pods",
        acts: &[Act::Apply(include_str!("pull-secret.yaml"))],
        broken: |api| all_pods_wait(api, "payments", "checkout-api", 3, "ImagePullBackOff"),
        fixed: |api| deployment_fixed(api, "payments", "checkout-api"),
        aftermath: &[],
    },
    Scenario {
        name: "wrong-secret",
        title: "the ServiceAccount names a pull secret for another registry",
        namespace: "billing",
        condition: "image.auth-secret-invalid",
        also: &[],
        remedy: "add harbor-pull to the ServiceAccount default, then delete the waiting pods",
        acts: &[Act::Apply(include_str!("wrong-secret.yaml"))],
        broken: |api| all_pods_wait(api, "billing", "invoice-api", 2, "ImagePullBackOff"),
        fixed: |api| deployment_fixed(api, "billing", "invoice-api"),
        aftermath: &[],
    },
    Scenario {
        name: "finalizer",
        title: "a pod that a vanished controller's finalizer keeps from going",
        namespace: "reports",
        condition: "terminate.finalizers",
        also: &[],
        remedy: "strip the finalizer example.com/cleanup from the pod",
        acts: &[
            Act::Apply(include_str!("finalizer.yaml")),
            Act::Until(|api| pod_running(api, "reports", "export-worker")),
            Act::DeletePod { namespace: "reports", name: "export-worker" },
        ],
        broken: |api| container_gone(api, "reports", "export-worker"),
        fixed: |api| pod_gone(api, "reports", "export-worker"),
        aftermath: &[],
    },
    Scenario {
        name: "bad-rollout",
        title: "a release whose image does not exist, while the old revision still serves",
        namespace: "storefront",
        condition: "image.not-found",
        also: &["rollout.stalled"],
        remedy: "roll the Deployment web back to the revision before",
        acts: &[
            Act::Apply(include_str!("bad-rollout.yaml")),
            Act::Until(|api| deployment_ready(api, "storefront", "web")),
            Act::Apply(include_str!("bad-rollout.release.yaml")),
        ],
        broken: |api| pods_wait(api, "storefront", "web", "ImagePullBackOff"),
        fixed: |api| image_restored(api, "storefront", "web", ":4.2.0"),
        aftermath: &[],
    },
    Scenario {
        name: "bad-release",
        title: "a release that crashes at start, while the old revision still serves",
        namespace: "orders",
        condition: "crash.app-exit",
        also: &["rollout.stalled"],
        remedy: "roll the Deployment orders-api back to the revision before",
        acts: &[
            Act::Apply(include_str!("bad-release.yaml")),
            Act::Until(|api| deployment_ready(api, "orders", "orders-api")),
            Act::Apply(include_str!("bad-release.release.yaml")),
        ],
        broken: |api| pods_wait(api, "orders", "orders-api", "CrashLoopBackOff"),
        fixed: |api| image_restored(api, "orders", "orders-api", ":2.3.0"),
        aftermath: &[],
    },
    Scenario {
        name: "oom",
        title: "a new memory limit that is too low",
        namespace: "search",
        condition: "crash.oom-killed",
        also: &["rollout.stalled"],
        remedy: "roll the Deployment indexer back to the revision before",
        acts: &[
            Act::Apply(include_str!("oom.yaml")),
            Act::Until(|api| deployment_ready(api, "search", "indexer")),
            Act::Apply(include_str!("oom.release.yaml")),
        ],
        broken: |api| pods_wait(api, "search", "indexer", "CrashLoopBackOff"),
        fixed: |api| deployment_fixed(api, "search", "indexer"),
        aftermath: &[],
    },
    Scenario {
        name: "node-lost",
        title: "a node dies under a StatefulSet, whose pod stays Terminating and is not replaced",
        namespace: "ledger",
        condition: "terminate.node-lost",
        also: &["node.not-ready"],
        remedy: "force delete the pod on the lost node",
        acts: &[
            Act::Join { pool: "ledger", nodes: 3 },
            Act::Apply(include_str!("node-lost.yaml")),
            Act::Until(|api| stateful_fixed(api, "ledger", "ledger")),
            Act::LoseNodeOf { namespace: "ledger", pod: "ledger-2" },
        ],
        broken: |api| lost_pod(api, "ledger", "ledger-2"),
        fixed: |api| stateful_fixed(api, "ledger", "ledger"),
        aftermath: &[
            Act::Until(|api| stateful_fixed(api, "ledger", "ledger")),
            Act::Rest(Duration::from_mins(2)),
            Act::Return { pool: "ledger" },
            Act::Until(node_of_lost_pod_back),
        ],
    },
    Scenario {
        name: "stale-subpath",
        title: "a ConfigMap edited under a subPath mount, and a container that restarted in place",
        namespace: "metrics",
        condition: "crash.stale-subpath",
        also: &[],
        remedy: "delete the pod of collector",
        acts: &[
            Act::Apply(include_str!("stale-subpath.yaml")),
            Act::Until(|api| deployment_ready(api, "metrics", "collector")),
            Act::Apply(include_str!("stale-subpath.edit.yaml")),
            Act::Strike { namespace: "metrics", pod_prefix: "collector-", exit: watchdog },
        ],
        broken: |api| pods_wait(api, "metrics", "collector", "CrashLoopBackOff"),
        fixed: |api| deployment_fixed(api, "metrics", "collector"),
        aftermath: &[],
    },
    Scenario {
        name: "missing-config",
        title: "a new revision that reads a ConfigMap nobody made",
        namespace: "catalog",
        condition: "config.missing-reference",
        also: &["rollout.stalled"],
        remedy: "roll the Deployment catalog-api back, or create the ConfigMap catalog-flags",
        acts: &[
            Act::Apply(include_str!("missing-config.yaml")),
            Act::Until(|api| deployment_ready(api, "catalog", "catalog-api")),
            Act::Apply(include_str!("missing-config.release.yaml")),
        ],
        broken: |api| pods_wait(api, "catalog", "catalog-api", "CreateContainerConfigError"),
        fixed: |api| deployment_fixed(api, "catalog", "catalog-api"),
        aftermath: &[],
    },
    Scenario {
        name: "stuck-terminating",
        title: "a process that not even SIGKILL ends, so that its pod never goes",
        namespace: "media",
        condition: "terminate.stuck",
        also: &[],
        remedy: "force delete the pod transcoder-0",
        acts: &[
            Act::Apply(include_str!("stuck-terminating.yaml")),
            Act::Until(|api| stateful_fixed(api, "media", "transcoder")),
            Act::DeletePod { namespace: "media", name: "transcoder-0" },
        ],
        broken: |api| overdue(api, "media", "transcoder-0"),
        fixed: |api| stateful_fixed(api, "media", "transcoder"),
        aftermath: &[],
    },
    Scenario {
        name: "rate-limited",
        title: "Docker Hub limits anonymous pulls, and a Docker Hub secret lies unused",
        namespace: "website",
        condition: "image.rate-limited",
        also: &[],
        remedy: "add dockerhub-pull to the ServiceAccount default, then delete the waiting pods",
        acts: &[Act::LimitAnonymous { host: "docker.io" }, Act::Apply(include_str!("rate-limited.yaml"))],
        broken: |api| all_pods_wait(api, "website", "frontend", 2, "ImagePullBackOff"),
        fixed: |api| deployment_fixed(api, "website", "frontend"),
        aftermath: &[],
    },
    Scenario {
        name: "registry-outage",
        title: "twenty workloads fail at once because their registry is down; it comes back by itself",
        namespace: "platform",
        condition: "image.registry-outage",
        also: &[],
        remedy: "none: wait until the registry is back",
        acts: &[
            Act::Outage { host: "registry.example.net", lasts: Duration::from_secs(400) },
            Act::Apply(include_str!("registry-outage.yaml")),
            Act::ApplyMany(include_str!("registry-outage.workload.yaml"), 20),
        ],
        broken: |api| pod_count(api, "platform", "ImagePullBackOff") >= 15,
        fixed: |api| {
            let sets = api.list(&crate::sim::api::gvr::DEPLOYMENTS, Some("platform"));
            sets.len() == 20 && sets.iter().all(|set| count(&set["status"]["availableReplicas"]) == 1)
        },
        aftermath: &[],
    },
    Scenario {
        name: "restart",
        title: "pods crash on configuration rendered at their start; the source is repaired already",
        namespace: "fulfilment",
        condition: "crash.app-exit",
        also: &["rollout.stalled"],
        remedy: "restart the Deployment picker",
        acts: &[
            Act::Apply(include_str!("restart.yaml")),
            Act::Until(|api| pods_wait(api, "fulfilment", "picker", "CrashLoopBackOff")),
            Act::Apply(include_str!("restart.repair.yaml")),
        ],
        broken: |api| pods_wait(api, "fulfilment", "picker", "CrashLoopBackOff"),
        fixed: |api| deployment_fixed(api, "fulfilment", "picker"),
        aftermath: &[],
    },
];

fn watchdog() -> Exit {
    Exit {
        after: Duration::ZERO,
        code: 2,
        says: vec!["fatal: watchdog: no sample written for 60s, giving up".to_owned()],
    }
}
