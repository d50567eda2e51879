//! Evidence as playbooks see it: [`Facts`] about a subject, with one of its containers in focus.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::facts::{
    ClusterFacts, ContainerFacts, Facts, ImageView, LONGEST_LIST, MissingFacts, NodeFacts, PodFacts, Refs,
    RegistryFacts, RolloutView, SecretView, SiblingFacts, SubjectFacts,
};
use crate::incident::objects::{
    Container, ContainerState, Event, Meta, Pod, Terminated, VolumeSource, Workload,
};
use crate::incident::{
    ApiKind, Defect, Evidence, Gathered, ImageFacts, ObjectRef, RolloutFacts, SecretFacts, Text,
};

/// Finalizers that guard something in use or belong to the garbage collector: they go by themselves.
const GUARDS: &[&str] = &[
    "kubernetes.io/pvc-protection",
    "kubernetes.io/pv-protection",
    "foregroundDeletion",
    "orphan",
    "kubernetes",
];

/// The facts, with the named container in focus.
pub fn facts(evidence: &Evidence, container: Option<&str>) -> Facts {
    let seen = &evidence.seen;
    let focus = container.and_then(|name| seen.pod.as_ref()?.containers.iter().find(|c| c.name == name));
    let image = container.and_then(|name| evidence.images.iter().find(|image| image.container == name));
    Facts {
        cluster_name: seen.subject.cluster.to_string(),
        subject: subject(seen),
        pod: seen.pod.as_ref().map(|pod| pod_facts(seen, pod)).unwrap_or_default(),
        container: focus.map(|container| container_facts(seen, container)).unwrap_or_default(),
        image: image.map(|image| image_view(seen, image)).unwrap_or_default(),
        node: node(seen),
        registry: image.map(|image| registry(seen, image)).unwrap_or_default(),
        cluster: ClusterFacts {
            nodes: seen.neighbours.nodes.into(),
            nodes_ready: seen.neighbours.nodes_ready.into(),
        },
        missing: evidence.references.iter().take(LONGEST_LIST).map(missing).collect(),
        references_known: references_known(seen),
        rollout: rollout(&evidence.rollout),
        siblings: SiblingFacts { ready: seen.siblings.ready.into(), total: seen.siblings.total.into() },
        captures: BTreeMap::new(),
        refs: refs(seen),
    }
}

fn refs(seen: &Gathered) -> Refs {
    let cluster = &seen.subject.cluster;
    let known = |kind: &str| ApiKind::known(kind).unwrap_or_default();
    let workload = workload(seen).map(|top| top.meta.reference(cluster, &known(&top.kind)));
    let service_account = match (&seen.service_account, &seen.pod) {
        (Some(account), _) => account.meta.reference(cluster, &known("ServiceAccount")),
        (None, Some(pod)) => ObjectRef {
            cluster: cluster.clone(),
            api: known("ServiceAccount"),
            namespace: pod.meta.namespace.clone(),
            name: pod.service_account.clone(),
            uid: Text::default(),
        },
        (None, None) => ObjectRef::default(),
    };
    Refs {
        subject: seen.subject.clone(),
        workload: workload.unwrap_or_else(|| seen.subject.clone()),
        service_account,
    }
}

/// The metadata of the subject, whatever its kind.
pub(crate) fn meta(seen: &Gathered) -> Option<&Meta> {
    match (&seen.pod, &seen.object, &seen.node) {
        (Some(pod), _, _) => Some(&pod.meta),
        (None, Some(object), _) => Some(&object.meta),
        (None, None, Some(node)) if seen.subject.api.kind == "Node" => Some(&node.meta),
        (None, None, _) if seen.subject.api.kind == "Namespace" => {
            seen.namespace.as_ref().map(|space| &space.meta)
        }
        (None, None, _) => {
            seen.owners.iter().find(|owner| owner.meta.name == seen.subject.name).map(|owner| &owner.meta)
        }
    }
}

/// The container that an event is about.
pub(crate) fn container_of(event: &Event) -> Option<&str> {
    let (before, rest) = event.regarding.field_path.split_once('{')?;
    before.ends_with("ontainers").then(|| rest.strip_suffix('}')).flatten()
}

fn subject(seen: &Gathered) -> SubjectFacts {
    let mut facts = SubjectFacts {
        kind: seen.subject.api.kind.to_string(),
        namespace: seen.subject.namespace.to_string(),
        name: seen.subject.name.to_string(),
        plural: seen.subject.api.plural.to_string(),
        ..SubjectFacts::default()
    };
    let Some(meta) = meta(seen) else { return facts };
    if let Some(due) = meta.deleting {
        facts.deleting = true;
        facts.overdue_seconds = seconds_since(due, seen.at);
    }
    facts.finalizers = texts(&meta.finalizers);
    (facts.guards, facts.owned_finalizers) =
        facts.finalizers.iter().cloned().partition(|finalizer| GUARDS.contains(&finalizer.as_str()));
    facts
}

fn pod_facts(seen: &Gathered, pod: &Pod) -> PodFacts {
    let top = seen.owners.last();
    let controller = pod.meta.controller();
    let mut reasons = Vec::new();
    for event in &seen.events {
        if reasons.len() < LONGEST_LIST && !reasons.iter().any(|known| known == event.reason.as_str()) {
            reasons.push(event.reason.to_string());
        }
    }
    PodFacts {
        known: true,
        phase: pod.phase.to_string(),
        reason: pod.reason.to_string(),
        message: pod.message.to_string(),
        node: pod.node.to_string(),
        service_account: pod.service_account.to_string(),
        restart_policy: pod.restart_policy.to_string(),
        pull_secrets: texts(&pod.pull_secrets),
        own_pull_secrets: own_pull_secrets(seen, pod),
        containers_gone: !pod.containers.iter().any(|c| matches!(c.state, ContainerState::Running { .. })),
        controller: controller.map(|owner| owner.kind.to_string()).unwrap_or_default(),
        workload_kind: top
            .map(|w| w.kind.clone())
            .or(controller.map(|o| o.kind.clone()))
            .unwrap_or_default()
            .to_string(),
        workload: top
            .map(|w| w.meta.name.clone())
            .or(controller.map(|o| o.name.clone()))
            .unwrap_or_default()
            .to_string(),
        reasons,
    }
}

/// The ServiceAccount's secrets are copied into a pod only if it names none itself.
fn own_pull_secrets(seen: &Gathered, pod: &Pod) -> bool {
    if pod.pull_secrets.is_empty() {
        return false;
    }
    match (seen.owners.first(), &seen.service_account) {
        (Some(owner), _) => !owner.template.pull_secrets.is_empty(),
        (None, Some(account)) => !pod.pull_secrets.iter().all(|name| account.pull_secrets.contains(name)),
        (None, None) => true,
    }
}

fn container_facts(seen: &Gathered, container: &Container) -> ContainerFacts {
    let ended = match &container.state {
        ContainerState::Terminated(ended) => Some(ended),
        ContainerState::Unknown | ContainerState::Waiting { .. } | ContainerState::Running { .. } => {
            container.last.as_ref()
        }
    };
    let code = ended.map_or(-1, |ended| i64::from(ended.exit_code));
    ContainerFacts {
        known: true,
        name: container.name.to_string(),
        role: word(&container.role),
        image: container.image.to_string(),
        waiting: container.waiting_reason().to_owned(),
        running: matches!(container.state, ContainerState::Running { .. }),
        ready: container.ready,
        restarts: container.restarts.into(),
        memory_limit: container.memory_limit.to_string(),
        has_liveness: container.has_liveness,
        has_startup: container.has_startup,
        exit_code: code,
        exit_meaning: exit_meaning(code),
        end_reason: ended.map(|ended| ended.reason.to_string()).unwrap_or_default(),
        ended_seconds_ago: ended.and_then(|ended| ended.finished).map_or(-1, |at| seconds_since(at, seen.at)),
        probe_killed: probe_killed(seen, container, ended),
        hook_failed: about(seen, container).any(|event| event.reason == "FailedPostStartHook"),
        log: log(seen, &container.name),
    }
}

fn about<'a>(seen: &'a Gathered, container: &'a Container) -> impl Iterator<Item = &'a Event> {
    seen.events.iter().filter(|event| container_of(event).is_none_or(|name| container.name == name))
}

/// The kubelet says so when it kills for a probe; where that event is gone, a failed probe and an end by
/// SIGTERM or SIGKILL say the same.
fn probe_killed(seen: &Gathered, container: &Container, ended: Option<&Terminated>) -> bool {
    let by_signal =
        ended.is_some_and(|ended| matches!(ended.exit_code, 137 | 143) && ended.reason != "OOMKilled");
    about(seen, container).any(|event| match event.reason.as_str() {
        "Killing" => event.message.contains("liveness probe") || event.message.contains("startup probe"),
        "Unhealthy" => {
            by_signal
                && (event.message.starts_with("Liveness probe") || event.message.starts_with("Startup probe"))
        }
        _ => false,
    })
}

/// The run before is what crashed, where the log of it was read.
fn log(seen: &Gathered, container: &Text) -> Vec<String> {
    let of = |previous: bool| {
        seen.logs
            .iter()
            .find(|tail| tail.container == *container && tail.previous == previous && !tail.lines.is_empty())
    };
    let lines = of(true).or_else(|| of(false)).map(|tail| tail.lines.as_slice()).unwrap_or_default();
    texts(&lines[lines.len().saturating_sub(LONGEST_LIST)..])
}

/// An exit code in words; `""` where it is not known.
pub(crate) fn exit_meaning(code: i64) -> String {
    match code {
        -1 => "",
        0 => "it ended without an error",
        126 => "the command cannot be executed",
        127 => "the command was not found",
        130 => "interrupted (SIGINT)",
        131 => "quit (SIGQUIT)",
        132 => "illegal instruction (SIGILL), often a binary built for another processor",
        134 => "aborted by itself (SIGABRT)",
        135 => "bus error (SIGBUS)",
        136 => "arithmetic error (SIGFPE)",
        137 => "killed (SIGKILL)",
        139 => "invalid memory access (SIGSEGV)",
        143 => "asked to end (SIGTERM)",
        129..=192 => return format!("ended by signal {}", code - 128),
        _ => "the program reported an error",
    }
    .to_owned()
}

fn image_view(seen: &Gathered, image: &ImageFacts) -> ImageView {
    let docker_hub = image.registry == "docker.io";
    ImageView {
        known: true,
        name: image.image.to_string(),
        registry: image.registry.to_string(),
        repository: image.repository.to_string(),
        tag: image.tag.to_string(),
        docker_hub,
        official: docker_hub && image.repository.starts_with("library/"),
        coverage: word(&image.coverage),
        secret_named: seen.pod.as_ref().is_some_and(|pod| !pod.pull_secrets.is_empty()),
        account_covers: image.account_covers,
        candidates: texts(&image.candidates),
        secrets: image.secrets.iter().take(LONGEST_LIST).map(secret_view).collect(),
    }
}

fn secret_view(secret: &SecretFacts) -> SecretView {
    SecretView {
        name: secret.name.to_string(),
        coverage: word(&secret.coverage),
        defects: secret.defects.iter().map(|defect| in_words(defect).to_owned()).collect(),
        registries: texts(&secret.registries),
    }
}

/// A defect, told without the credential.
fn in_words(defect: &Defect) -> &'static str {
    match defect {
        Defect::WrongType => "its type is not one that the kubelet reads (kubernetes.io/dockerconfigjson)",
        Defect::MissingKey => "the data key .dockerconfigjson is missing",
        Defect::Unparsable => "its document is not JSON of the right form",
        Defect::NoEntries => "it has no entry under auths",
        Defect::AuthNotBase64 => "its auth is not base64",
        Defect::AuthNotUserPassword => "its auth does not decode to user:password",
        Defect::EmptyCredential => "its user or password is empty",
        Defect::StrayWhitespace => "its user or password has white space or a line break at its end",
        Defect::Contradiction => "its auth and its username and password differ",
    }
}

fn node(seen: &Gathered) -> NodeFacts {
    let name = seen.pod.as_ref().map(|pod| pod.node.to_string()).unwrap_or_default();
    let Some(node) = &seen.node else { return NodeFacts { name, ..NodeFacts::default() } };
    let ready = node.ready();
    NodeFacts {
        known: true,
        name: node.meta.name.to_string(),
        ready: ready.map(|c| c.status.to_string()).unwrap_or_default(),
        reason: ready.map(|c| c.reason.to_string()).unwrap_or_default(),
        message: ready.map(|c| c.message.to_string()).unwrap_or_default(),
        unschedulable: node.unschedulable,
        runtime: node.runtime.to_string(),
        pods: seen.neighbours.node_pods.into(),
        unhealthy: seen.neighbours.node_unhealthy.into(),
    }
}

fn registry(seen: &Gathered, image: &ImageFacts) -> RegistryFacts {
    seen.neighbours.registries.get(&image.registry).map_or_else(RegistryFacts::default, |trouble| {
        RegistryFacts {
            failing_workloads: trouble.workloads.into(),
            failing_pods: trouble.pods.into(),
            seconds: trouble.since.map_or(0, |since| seconds_since(since, seen.at)),
        }
    })
}

fn missing(reference: &crate::incident::ReferenceFacts) -> MissingFacts {
    MissingFacts {
        kind: format!("{:?}", reference.kind),
        name: reference.name.to_string(),
        key: reference.key.as_ref().map(ToString::to_string).unwrap_or_default(),
        nearest: reference.nearest.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

/// Whether everything that the pod names was looked up, so that an empty list of missing things means that
/// nothing is missing.
fn references_known(seen: &Gathered) -> bool {
    let Some(pod) = &seen.pod else { return false };
    let named_volumes = pod.volumes.iter().any(|volume| match &volume.source {
        VolumeSource::References(references) => !references.is_empty(),
        VolumeSource::Claim(_) => true,
        VolumeSource::Other(_) | VolumeSource::Unknown => false,
    });
    let named = named_volumes || pod.containers.iter().any(|container| !container.references.is_empty());
    named && !seen.references.is_empty() && seen.references.iter().all(|reference| reference.exists.is_some())
}

fn rollout(facts: &RolloutFacts) -> RolloutView {
    let number = |revision: Option<u64>| revision.and_then(|r| i64::try_from(r).ok()).unwrap_or_default();
    RolloutView {
        current: number(facts.current),
        good: number(facts.good),
        good_name: facts.good_name.to_string(),
        good_is_serving: facts.good_is_serving,
        subject_is_current: facts.subject_is_current,
        changes: texts(&facts.changes),
    }
}

/// The topmost workload of what was gathered.
pub(crate) fn workload(seen: &Gathered) -> Option<&Workload> {
    seen.owners.last()
}

fn seconds_since(then: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(then).as_secs()
}

fn texts(list: &[Text]) -> Vec<String> {
    list.iter().take(LONGEST_LIST).map(ToString::to_string).collect()
}

/// A unit variant by its name in documents.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}
