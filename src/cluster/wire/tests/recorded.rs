//! Objects recorded from a real cluster keep what diagnosis reads of them.

use crate::cluster::wire::{AnyObject, decode_all};
use crate::incident::objects::{ContainerState, Event, Pod, ReferenceKind, Role, VolumeSource};

macro_rules! recorded {
    ($case:literal, $file:literal) => {
        include_bytes!(concat!("../../../../tests/fixtures/", $case, "/", $file)).as_slice()
    };
}

fn pods(dump: &[u8]) -> Vec<Pod> {
    let pod = |object| if let AnyObject::Pod(pod) = object { Some(pod) } else { None };
    decode_all(dump).into_iter().filter_map(|object| pod(object.unwrap())).collect()
}

fn events(dump: &[u8]) -> Vec<Event> {
    let event = |object| if let AnyObject::Event(event) = object { Some(event) } else { None };
    decode_all(dump).into_iter().filter_map(|object| event(object.unwrap())).collect()
}

#[test]
fn a_pod_without_pull_secret_keeps_its_image_its_owner_and_why_it_waits() {
    let pods = pods(recorded!("img-401-no-secret", "objects.json"));
    let [pod] = pods.as_slice() else { panic!("one pod, not {}", pods.len()) };
    assert_eq!(pod.meta.namespace, "fx-img-401-no-secret");
    assert_eq!(pod.meta.controller().unwrap().kind, "ReplicaSet");
    assert_eq!(pod.node, "node-1");
    assert_eq!(pod.service_account, "default");
    assert!(pod.pull_secrets.is_empty());
    let [api] = pod.containers.as_slice() else { panic!("one container") };
    assert_eq!(api.image, "harbor.example.com/payments/api:1.4.11");
    assert_eq!(api.role, Role::Main);
    assert!(matches!(api.waiting_reason(), "ErrImagePull" | "ImagePullBackOff"), "{:?}", api.state);
}

#[test]
fn a_restarted_container_keeps_how_its_last_run_ended() {
    let pods = pods(recorded!("crash-oomkilled", "objects.json"));
    let container = &pods[0].containers[0];
    let last = container.last.as_ref().or(match &container.state {
        ContainerState::Terminated(ended) => Some(ended),
        ContainerState::Unknown | ContainerState::Waiting { .. } | ContainerState::Running { .. } => None,
    });
    assert_eq!(last.unwrap().reason, "OOMKilled");
    assert!(!container.memory_limit.is_empty());
}

#[test]
fn references_to_configuration_survive_and_values_do_not() {
    let dump = recorded!("config-missing-configmap-key", "objects.json");
    let pod = pods(dump).remove(0);
    let reference = &pod.containers[0].references[0];
    assert_eq!(reference.kind, ReferenceKind::ConfigMap);
    assert!(reference.key.is_some());
    let map = decode_all(dump).into_iter().find_map(|o| match o.unwrap() {
        AnyObject::ConfigMap(map) => Some(map),
        _ => None,
    });
    assert!(!map.unwrap().keys.contains(reference.key.as_ref().unwrap()), "the key is the missing one");
}

#[test]
fn the_token_volume_of_a_pod_is_a_reference_to_its_secret() {
    let pod = pods(recorded!("img-401-no-secret", "objects.json")).remove(0);
    let VolumeSource::References(references) = &pod.volumes[0].source else { panic!("{:?}", pod.volumes) };
    assert_eq!(references[0].kind, ReferenceKind::Secret);
    assert_eq!(references[0].key, None);
}

#[test]
fn events_keep_their_subject_and_their_count() {
    let events = events(recorded!("img-401-no-secret", "events.json"));
    let pulling = events.iter().find(|event| event.reason == "Pulling").unwrap();
    assert_eq!(pulling.kind, "Normal");
    assert!(pulling.count >= 2);
    assert!(pulling.last > pulling.first);
    assert_eq!(pulling.regarding.field_path, "spec.containers{api}");
    assert_eq!((pulling.component.as_str(), pulling.host.as_str()), ("kubelet", "node-1"));
}

#[test]
fn a_stuck_pod_keeps_its_finalizers_and_when_it_was_due() {
    let pods = pods(recorded!("term-pod-finalizer", "objects.json"));
    let stuck = pods.iter().find(|pod| pod.meta.deleting.is_some()).unwrap();
    assert!(!stuck.meta.finalizers.is_empty());
}
