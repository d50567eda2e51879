//! Registries that fail many workloads at once.
//!
//! Counts pulls that fail for reasons on the registry's side or on the way to it: server errors, time-outs,
//! refused connections. What one image or one credential explains (not found, not authorised, rate limits)
//! does not count: three misspelt names are no outage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use regex::{RegexSet, RegexSetBuilder};

use super::image::ImageName;
use crate::incident::objects::{ContainerState, Event, Pod};
use crate::incident::{RegistryTrouble, Text};

/// Failures further apart do not belong together.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

static REGISTRY_SIDE: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSetBuilder::new([
        r"(?:status|status code|HTTP status)[^\n]{0,200}?\b50[0-9]\b",
        r"\b50[0234] (?:Internal Server Error|Bad Gateway|Service Unavailable|Service Temporarily Unavailable|Gateway Time-?out)",
        r"(?i)i/o timeout|TLS handshake timeout|Client\.Timeout exceeded|request canceled while waiting for connection",
        r"connect: connection refused|connection reset by peer|no route to host|network is unreachable",
        r"unexpected EOF|: EOF\b",
    ])
    .dfa_size_limit(16 << 20)
    .build()
    .expect("literal patterns")
});

/// Whether a pull failed for a reason that lies with the registry or the way to it.
pub(super) fn is_registry_side(text: &str) -> bool {
    REGISTRY_SIDE.is_match(text)
}

/// By registry: how many workloads and pods cannot pull from it, as far as it is the registry's doing. Old
/// kubelets tell the cause in events only, newer ones in the state as well, so both are read.
pub fn registry_trouble<'a>(
    pods: impl IntoIterator<Item = &'a Pod>,
    events: impl IntoIterator<Item = &'a Event>,
    now: Timestamp,
) -> BTreeMap<Text, RegistryTrouble> {
    let mut told: BTreeMap<&Text, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let recent = event.last.or(event.first).is_none_or(|at| now.duration_since(at) <= WINDOW);
        if event.reason == "Failed" && recent && is_registry_side(&event.message) {
            told.entry(&event.regarding.uid).or_default().push(event);
        }
    }
    let mut workloads: BTreeMap<Text, BTreeSet<Text>> = BTreeMap::new();
    let mut troubles: BTreeMap<Text, RegistryTrouble> = BTreeMap::new();
    for pod in pods {
        let events = told.get(&pod.meta.uid).map(Vec::as_slice).unwrap_or_default();
        for registry in failing(pod, events) {
            let trouble = troubles.entry(registry.clone()).or_default();
            trouble.pods += 1;
            let first = events.iter().filter_map(|event| event.first).min().or(pod.meta.created);
            trouble.since = [trouble.since, first].into_iter().flatten().min();
            workloads.entry(registry).or_default().insert(workload(pod));
        }
    }
    for (registry, trouble) in &mut troubles {
        trouble.workloads =
            u32::try_from(workloads.get(registry).map_or(0, BTreeSet::len)).unwrap_or(u32::MAX);
    }
    troubles
}

/// The registries that this pod cannot pull from.
fn failing(pod: &Pod, events: &[&Event]) -> BTreeSet<Text> {
    let waiting = pod.containers.iter().filter_map(|container| match &container.state {
        ContainerState::Waiting { reason, message } if reason.contains("ImagePull") => {
            Some((container, message))
        }
        ContainerState::Waiting { .. }
        | ContainerState::Unknown
        | ContainerState::Running { .. }
        | ContainerState::Terminated(_) => None,
    });
    waiting
        .filter(|(container, message)| {
            let quoted = format!("\"{}\"", container.image);
            is_registry_side(message) || events.iter().any(|event| event.message.contains(&quoted))
        })
        .map(|(container, _)| Text::from(ImageName::parse(&container.image).registry))
        .collect()
}

/// Pods of one template are one workload: a Deployment's pods share its ReplicaSet but for the hash.
fn workload(pod: &Pod) -> Text {
    let Some(owner) = pod.meta.controller() else {
        return Text::from(format!("Pod {}/{}", pod.meta.namespace, pod.meta.name));
    };
    let hash = pod.meta.labels.get("pod-template-hash").map(|hash| format!("-{hash}")).unwrap_or_default();
    let name = owner.name.strip_suffix(hash.as_str()).unwrap_or(&owner.name);
    Text::from(format!("{} {}/{name}", owner.kind, pod.meta.namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_image_explains_is_no_trouble_of_the_registry() {
        assert!(is_registry_side("received unexpected HTTP status: 504 Gateway Time-out"));
        assert!(is_registry_side("failed with status code [manifests 1.1]: 503 Service Unavailable"));
        assert!(is_registry_side("dial tcp 10.0.0.1:443: i/o timeout"));
        assert!(!is_registry_side("failed with status code [manifests 1.1]: 401 Unauthorized"));
        assert!(!is_registry_side("docker.io/library/nginx:500: not found"));
        assert!(!is_registry_side("toomanyrequests: You have reached your pull rate limit"));
    }

    fn pod(workload: &str, replica: u32) -> Pod {
        let gathered = serde_json::json!({
            "meta": {"name": format!("{workload}-abc-{replica}"), "namespace": "shop", "uid": format!("{workload}{replica}"),
                "labels": {"pod-template-hash": "abc"},
                "owners": [{"kind": "ReplicaSet", "name": format!("{workload}-abc"), "controller": true}]},
            "containers": [{"name": "c", "image": format!("registry.example.com/{workload}:1"),
                "state": {"is": "waiting", "reason": "ErrImagePull", "message": "dial tcp 10.0.0.1:443: i/o timeout"}}],
        });
        serde_json::from_value(gathered).unwrap()
    }

    #[test]
    fn pods_of_one_workload_count_as_one_workload() {
        let pods = [pod("a", 1), pod("a", 2), pod("b", 1)];
        let troubles = registry_trouble(&pods, [], Timestamp::UNIX_EPOCH);
        let trouble = &troubles["registry.example.com"];
        assert_eq!((trouble.workloads, trouble.pods), (2, 3));
    }
}
