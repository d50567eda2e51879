//! What a playbook can see: the names that conditions and templates use, and their meaning.
//!
//! Every field is always there, so that a condition never fails on a missing key; what is not known is
//! `""`, `-1`, `0` or false as said beside it. Lists are bounded by [`LONGEST_LIST`].

use std::collections::BTreeMap;

use cel::Value;
use serde::Serialize;

use crate::incident::ObjectRef;

/// No list among the facts is longer, so that a condition that walks one ends soon.
pub(super) const LONGEST_LIST: usize = 50;

/// The facts about one subject, with one of its containers in focus.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    pub cluster_name: String,
    pub subject: SubjectFacts,
    pub pod: PodFacts,
    pub container: ContainerFacts,
    pub image: ImageView,
    pub node: NodeFacts,
    pub registry: RegistryFacts,
    pub cluster: ClusterFacts,
    /// What the pod names and is not there.
    pub missing: Vec<MissingFacts>,
    /// Whether what the pod names was looked up.
    pub references_known: bool,
    pub rollout: RolloutView,
    pub siblings: SiblingFacts,
    /// What the patterns captured; every named group of the playbook is there, `""` if it did not take part.
    pub captures: BTreeMap<String, String>,
    /// Objects as the arguments of actions name them; for templates only.
    pub refs: Refs,
}

/// Objects in full, for the arguments of actions (`{from: refs.subject}`).
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refs {
    pub subject: ObjectRef,
    /// The topmost controller; the subject where it has none.
    pub workload: ObjectRef,
    pub service_account: ObjectRef,
}

/// The object itself.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectFacts {
    pub kind: String,
    pub namespace: String,
    pub name: String,
    /// The plural in URLs and commands, such as `pods`.
    pub plural: String,
    pub deleting: bool,
    /// Seconds since the object was due to be gone (after its grace period); negative before.
    pub overdue_seconds: i64,
    pub finalizers: Vec<String>,
    /// The finalizers that guard something in use or belong to the garbage collector, and so are not stuck
    /// by themselves.
    pub guards: Vec<String>,
    /// The other finalizers: somebody should have removed them.
    pub owned_finalizers: Vec<String>,
}

/// The subject, if it is a pod.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodFacts {
    pub known: bool,
    pub phase: String,
    pub reason: String,
    pub message: String,
    /// `""` while it is not scheduled.
    pub node: String,
    pub service_account: String,
    pub restart_policy: String,
    pub pull_secrets: Vec<String>,
    /// Whether its pull secrets are its own, so that those of the ServiceAccount are not added to them.
    pub own_pull_secrets: bool,
    /// No container is running.
    pub containers_gone: bool,
    /// The kind of what controls it, `""` if nothing does.
    pub controller: String,
    /// The kind and the name of the topmost controller.
    pub workload_kind: String,
    pub workload: String,
    /// The reasons of the events about it, each once.
    pub reasons: Vec<String>,
}

/// The container in focus.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, named for those who write conditions")]
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerFacts {
    pub known: bool,
    pub name: String,
    /// `init`, `sidecar` or `main`.
    pub role: String,
    pub image: String,
    /// The reason it waits, `""` if it does not.
    pub waiting: String,
    pub running: bool,
    pub ready: bool,
    pub restarts: i64,
    pub memory_limit: String,
    pub has_liveness: bool,
    pub has_startup: bool,
    /// How its last run ended; -1 if that is not known.
    pub exit_code: i64,
    /// The exit code in words.
    pub exit_meaning: String,
    pub end_reason: String,
    /// Seconds since its last run ended; -1 if that is not known.
    pub ended_seconds_ago: i64,
    /// An event says that the kubelet killed it for a failed liveness or startup probe.
    pub probe_killed: bool,
    /// An event says that its postStart hook failed.
    pub hook_failed: bool,
    /// The end of its log, one line each.
    pub log: Vec<String>,
}

impl Default for ContainerFacts {
    fn default() -> Self {
        Self {
            known: false,
            name: String::new(),
            role: String::new(),
            image: String::new(),
            waiting: String::new(),
            running: false,
            ready: false,
            restarts: 0,
            memory_limit: String::new(),
            has_liveness: false,
            has_startup: false,
            exit_code: -1,
            exit_meaning: String::new(),
            end_reason: String::new(),
            ended_seconds_ago: -1,
            probe_killed: false,
            hook_failed: false,
            log: Vec::new(),
        }
    }
}

/// The image of the container in focus.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, named for those who write conditions")]
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageView {
    pub known: bool,
    /// As the pod names it.
    pub name: String,
    pub registry: String,
    pub repository: String,
    pub tag: String,
    pub docker_hub: bool,
    /// One of Docker Hub's official images (`library/…`), which anybody may pull.
    pub official: bool,
    /// `unknown`, `none`, `missing`, `invalid` or `covered`: how the pod's pull secrets stand to the registry.
    pub coverage: String,
    /// Whether the pod names any pull secret.
    pub secret_named: bool,
    /// The ServiceAccount names a covering secret that this pod, created before, does not have.
    pub account_covers: bool,
    /// Well-formed secrets of the namespace that cover the registry and that the pod does not name.
    pub candidates: Vec<String>,
    pub secrets: Vec<SecretView>,
}

/// One pull secret against the registry of the image.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretView {
    pub name: String,
    pub coverage: String,
    /// What is wrong with it, in words.
    pub defects: Vec<String>,
    /// The registries it is for.
    pub registries: Vec<String>,
}

/// The subject's node; the subject itself, if it is a node.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeFacts {
    pub known: bool,
    pub name: String,
    /// `True`, `False`, `Unknown`, or `""`.
    pub ready: String,
    pub reason: String,
    pub message: String,
    pub unschedulable: bool,
    /// Such as `containerd://2.0.4`.
    pub runtime: String,
    /// Pods on it, and how many are not healthy.
    pub pods: i64,
    pub unhealthy: i64,
}

/// What fails at the image's registry.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryFacts {
    pub failing_workloads: i64,
    pub failing_pods: i64,
    /// Seconds from the first failure to now.
    pub seconds: i64,
}

/// The cluster's nodes.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterFacts {
    pub nodes: i64,
    pub nodes_ready: i64,
}

/// Something that the pod names and that does not resolve.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingFacts {
    pub kind: String,
    pub name: String,
    /// `""`: the whole object is missing.
    pub key: String,
    /// The nearest name (or key) that exists, `""` if none is near.
    pub nearest: String,
}

/// A way back to a revision that worked.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutView {
    /// 0 where it is not known.
    pub current: i64,
    /// 0 where there is none.
    pub good: i64,
    pub good_name: String,
    pub good_is_serving: bool,
    pub subject_is_current: bool,
    pub changes: Vec<String>,
}

/// The pods of the same workload.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SiblingFacts {
    pub ready: i64,
    pub total: i64,
}

/// The names that a condition may use.
pub(super) const NAMES: &[&str] = &[
    "clusterName",
    "subject",
    "pod",
    "container",
    "image",
    "node",
    "registry",
    "cluster",
    "missing",
    "referencesKnown",
    "rollout",
    "siblings",
    CAPTURES,
];

/// What the patterns of the playbook at hand captured.
pub(super) const CAPTURES: &str = "captures";

/// The names that a template may use besides parameters.
pub(super) const TEMPLATE_NAMES: &[&str] = &[
    "clusterName",
    "subject",
    "pod",
    "container",
    "image",
    "node",
    "registry",
    "cluster",
    "missing",
    "referencesKnown",
    "rollout",
    "siblings",
    CAPTURES,
    "refs",
];

impl Facts {
    /// The named facts, for a template.
    pub(super) fn groups(&self, names: &[&'static str]) -> serde_json::Value {
        let group = |name: &&'static str| Some(((*name).to_owned(), self.group(name)?));
        serde_json::Value::Object(names.iter().filter_map(group).collect())
    }

    fn group(&self, name: &str) -> Option<serde_json::Value> {
        match name {
            "clusterName" => serde_json::to_value(&self.cluster_name),
            "subject" => serde_json::to_value(&self.subject),
            "pod" => serde_json::to_value(&self.pod),
            "container" => serde_json::to_value(&self.container),
            "image" => serde_json::to_value(&self.image),
            "node" => serde_json::to_value(&self.node),
            "registry" => serde_json::to_value(&self.registry),
            "cluster" => serde_json::to_value(&self.cluster),
            "missing" => serde_json::to_value(&self.missing),
            "referencesKnown" => serde_json::to_value(self.references_known),
            "rollout" => serde_json::to_value(&self.rollout),
            "siblings" => serde_json::to_value(&self.siblings),
            CAPTURES => serde_json::to_value(&self.captures),
            "refs" => serde_json::to_value(&self.refs),
            _ => return None,
        }
        .ok()
    }

    /// The whole of a fact, for a condition.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        match name {
            "clusterName" => cel::to_value(&self.cluster_name),
            "subject" => cel::to_value(&self.subject),
            "pod" => cel::to_value(&self.pod),
            "container" => cel::to_value(&self.container),
            "image" => cel::to_value(&self.image),
            "node" => cel::to_value(&self.node),
            "registry" => cel::to_value(&self.registry),
            "cluster" => cel::to_value(&self.cluster),
            "missing" => cel::to_value(&self.missing),
            "referencesKnown" => cel::to_value(self.references_known),
            "rollout" => cel::to_value(&self.rollout),
            "siblings" => cel::to_value(&self.siblings),
            _ => return None,
        }
        .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_may_use_every_fact() {
        let facts = Facts::default();
        let whole = serde_json::to_value(&facts).unwrap();
        assert_eq!(facts.groups(TEMPLATE_NAMES), whole);
    }
}
