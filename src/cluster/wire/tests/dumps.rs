//! Objects as `kubectl` writes them: odd forms, damaged files, and what must not survive the reading.

use serde_json::json;

use crate::cluster::wire::{AnyObject, DecodeError, decode, decode_all};
use crate::incident::objects::{Role, VolumeSource};
use crate::incident::{Defect, Text};

fn one(value: &serde_json::Value) -> AnyObject {
    decode(value.to_string().as_bytes()).unwrap()
}

#[test]
fn null_lists_and_unset_times_are_empty() {
    let AnyObject::Pod(pod) = one(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "a", "ownerReferences": null, "labels": null, "creationTimestamp": null},
        "spec": {"containers": [{"name": "c", "env": null, "volumeMounts": null, "resources": null}],
                 "initContainers": null, "volumes": null, "nodeName": null},
        "status": {"containerStatuses": null, "conditions": null},
    })) else {
        panic!()
    };
    assert_eq!(pod.containers.len(), 1);
    assert!(pod.volumes.is_empty() && pod.meta.created.is_none() && pod.node.is_empty());
}

#[test]
fn no_value_of_the_environment_and_no_foreign_annotation_survives() {
    let object = one(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "a", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "hunter2",
            "meta.helm.sh/release-name": "shop"}, "managedFields": [{"manager": "hunter2"}]},
        "spec": {"containers": [{"name": "c", "env": [
            {"name": "PASSWORD", "value": "hunter2"},
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": true}}}],
            "envFrom": [{"configMapRef": {"name": "m"}}]}]},
    }));
    assert!(!format!("{object:?}").contains("hunter2"));
    let AnyObject::Pod(pod) = object else { panic!() };
    assert_eq!(pod.meta.annotations.len(), 1);
    let named: Vec<_> = pod.containers[0].references.iter().map(|r| (r.name.as_str(), r.optional)).collect();
    assert_eq!(named, [("s", true), ("m", false)]);
}

#[test]
fn init_containers_come_first_and_sidecars_are_told_apart() {
    let AnyObject::Pod(pod) = one(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
        "spec": {"containers": [{"name": "main"}],
                 "initContainers": [{"name": "setup"}, {"name": "proxy", "restartPolicy": "Always"}]},
        "status": {"initContainerStatuses": [{"name": "proxy", "ready": true, "state": {"running": {}}}]},
    })) else {
        panic!()
    };
    let roles: Vec<_> = pod.containers.iter().map(|c| (c.name.as_str(), c.role, c.ready)).collect();
    assert_eq!(
        roles,
        [("setup", Role::Init, false), ("proxy", Role::Sidecar, true), ("main", Role::Main, false)]
    );
}

#[test]
fn volumes_name_what_they_stand_on() {
    let AnyObject::Pod(pod) = one(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
        "spec": {"containers": [], "volumes": [
            {"name": "claim", "persistentVolumeClaim": {"claimName": "data"}},
            {"emptyDir": {}, "name": "scratch"},
            {"name": "all", "projected": {"sources": [
                {"serviceAccountToken": {"path": "t"}},
                {"configMap": {"name": "ca", "items": [{"key": "ca.crt", "path": "ca"}]}},
                {"secret": {"name": "s", "optional": true}}]}},
            {"name": "bare"}]},
    })) else {
        panic!()
    };
    let sources: Vec<_> = pod.volumes.iter().map(|volume| &volume.source).collect();
    assert_eq!(sources[0], &VolumeSource::Claim(Text::new("data")));
    assert_eq!(sources[1], &VolumeSource::Other(Text::new("emptyDir")));
    let VolumeSource::References(references) = sources[2] else { panic!("{sources:?}") };
    assert_eq!(references[0].key.as_deref(), Some("ca.crt"));
    assert!(references[1].optional && references[1].key.is_none());
    assert_eq!(sources[3], &VolumeSource::Unknown);
}

#[test]
fn both_event_apis_read_alike() {
    let core = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "n"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "n", "uid": "u"},
        "type": "Warning", "reason": "BackOff", "message": "again", "count": 7,
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T01:00:00Z",
        "source": {"component": "kubelet", "host": "node-1"}, "eventTime": null});
    let newer = json!({"apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": {"name": "e", "namespace": "n"},
        "regarding": {"kind": "Pod", "name": "p", "namespace": "n", "uid": "u"},
        "type": "Warning", "reason": "BackOff", "note": "again", "deprecatedCount": 7,
        "deprecatedFirstTimestamp": "2026-01-01T00:00:00Z", "deprecatedLastTimestamp": "2026-01-01T01:00:00Z",
        "deprecatedSource": {"component": "kubelet", "host": "node-1"}, "eventTime": null});
    assert_eq!(one(&core), one(&newer));
}

#[test]
fn a_series_counts_and_dates_an_event() {
    let AnyObject::Event(event) = one(&json!({"apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": {"name": "e"}, "eventTime": "2026-01-01T00:00:00.123456Z",
        "series": {"count": 12, "lastObservedTime": "2026-01-01T00:10:00.000000Z"},
        "reportingController": "kubelet", "reportingInstance": "node-2"}))
    else {
        panic!()
    };
    assert_eq!(event.count, 12);
    assert_eq!(event.last.unwrap().to_string(), "2026-01-01T00:10:00Z");
    assert_eq!((event.component.as_str(), event.host.as_str()), ("kubelet", "node-2"));
}

#[test]
fn each_kind_of_workload_fills_the_same_fields() {
    let AnyObject::Workload(daemons) = one(&json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"app": "d"}}},
        "status": {"desiredNumberScheduled": 3, "numberReady": 2, "currentNumberScheduled": 3}}))
    else {
        panic!()
    };
    assert_eq!((daemons.replicas, daemons.status.ready, daemons.status.replicas), (Some(3), 2, 3));
    let AnyObject::Workload(job) = one(&json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "j"}, "spec": {"parallelism": 2, "suspend": true},
        "status": {"active": 1, "failed": 4}}))
    else {
        panic!()
    };
    assert_eq!((job.replicas, job.status.replicas, job.status.failed), (Some(2), 1, 4));
    assert!(job.paused);
    let AnyObject::Workload(revision) = one(&json!({"apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": {"name": "s-1"}, "revision": 5,
        "data": {"spec": {"template": {"spec": {"containers": [{"name": "db", "image": "db:2",
            "resources": {"limits": {"memory": 1024}}}]}}}}}))
    else {
        panic!()
    };
    assert_eq!(revision.revision(), Some(5));
    assert_eq!(revision.template.containers[0].image, "db:2");
    assert_eq!(revision.template.containers[0].memory_limit, "1024");
}

#[test]
fn an_error_names_the_object_and_quotes_nothing() {
    let bad = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "n"},
        "spec": {"containers": "hunter2"}});
    let error = decode(bad.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.contains("Pod n/a") && !error.contains("hunter2"), "{error}");
    let error = decode(b"{\"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}}").unwrap_err();
    assert_eq!(error, DecodeError::NoKind { object: "Pod a".into(), field: "apiVersion" });
    assert!(matches!(decode(b"hello"), Err(DecodeError::NotJson { .. })));
}

#[test]
fn a_kind_we_do_not_know_keeps_its_metadata() {
    let AnyObject::Other(object) = one(&json!({"apiVersion": "example.com/v1", "kind": "Policy",
        "metadata": {"name": "p", "finalizers": ["example.com/guard"]}}))
    else {
        panic!()
    };
    assert_eq!((object.api.group.as_str(), object.api.plural.as_str()), ("example.com", "policies"));
    assert_eq!(object.meta.finalizers, ["example.com/guard"]);
}

#[test]
fn a_bad_item_does_not_cost_its_neighbours() {
    let dump = json!({"apiVersion": "v1", "kind": "PodList", "items": [
        {"metadata": {"name": "a"}},
        {"metadata": {"name": "b"}, "spec": "none"},
        {"metadata": {"name": "c"}}]});
    let read: Vec<_> = decode_all(dump.to_string().as_bytes());
    let names: Vec<_> = read.iter().map(|o| o.as_ref().ok().map(|o| o.meta().name.as_str())).collect();
    assert_eq!(names, [Some("a"), None, Some("c")]);
    assert!(read[1].as_ref().unwrap_err().to_string().contains("Pod b"));
}

#[test]
fn arrays_several_documents_and_lines_of_a_watch_are_dumps_too() {
    let pod = |name: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}});
    let text = format!(
        "\u{feff}{}\n{}\n{}",
        pod("a"),
        json!([pod("b"), {"apiVersion": "v1", "kind": "List", "items": [pod("c")]}]),
        json!({"type": "ADDED", "object": pod("d")})
    );
    let names: Vec<_> = decode_all(text.as_bytes())
        .into_iter()
        .map(|object| object.unwrap().meta().name.to_string())
        .collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[test]
fn a_dump_that_breaks_off_keeps_what_came_before() {
    let read = decode_all(br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}} {"apiVersion"#);
    assert_eq!(read.len(), 2);
    assert!(read[0].is_ok() && matches!(read[1], Err(DecodeError::NotJson { .. })));
}

#[test]
fn a_secret_of_a_dump_shows_its_shape_alone() {
    // {"auths":{"r.example.com":{"username":"u","password":"hunter2\n"}}}
    let object = one(&json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "pull", "namespace": "n"},
        "data": {".dockerconfigjson":
            "eyJhdXRocyI6eyJyLmV4YW1wbGUuY29tIjp7InVzZXJuYW1lIjoidSIsInBhc3N3b3JkIjoiaHVudGVyMlxuIn19fQ==",
            "other": "aHVudGVyMg=="}}));
    assert!(!format!("{object:?}").contains("hunter2"));
    let AnyObject::Secret(secret) = object else { panic!() };
    assert_eq!(secret.keys, [".dockerconfigjson", "other"]);
    assert_eq!(secret.pull.entries[0].key, "r.example.com");
    assert_eq!(secret.pull.entries[0].defects, [Defect::StrayWhitespace]);
}
