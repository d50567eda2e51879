//! Defaults a server fills in, for the kinds whose readers count on them. Owns values only; refusals are
//! `validate`'s.

use serde_json::{Map, Value, json};

use super::gvr::{self, Gvr};
use super::meta::{self, default_to, map_at};
use super::resource::Resource;

/// Fills in what the writer left out.
pub(super) fn fill(res: &Resource, object: &mut Value) {
    let Gvr { resource, .. } = res.stored_as;
    match resource {
        "pods" => pod_spec(map_at(object, "spec")),
        "deployments" | "replicasets" | "statefulsets" | "daemonsets" | "replicationcontrollers" => {
            workload(resource, object);
        }
        "jobs" => job(map_at(object, "spec")),
        "cronjobs" => cron_job(map_at(object, "spec")),
        "services" => service(map_at(object, "spec")),
        "namespaces" => {
            let name = meta::name(object).to_owned();
            map_at(&mut object["metadata"], "labels")
                .insert("kubernetes.io/metadata.name".into(), json!(name));
            default_to(map_at(object, "spec"), "finalizers", json!(["kubernetes"]));
        }
        "secrets" => secret(object),
        "persistentvolumes" => default_to(map_at(object, "spec"), "persistentVolumeReclaimPolicy", "Retain"),
        "persistentvolumeclaims" => default_to(map_at(object, "spec"), "volumeMode", "Filesystem"),
        "customresourcedefinitions" => crd(object),
        _ => {}
    }
}

/// `status` of a new object.
pub(super) fn status(res: &Resource, object: &mut Value) {
    if res.is(&gvr::PODS) {
        let class = quality(object);
        object["status"] = json!({"phase": "Pending", "qosClass": class});
    } else if res.is(&gvr::NAMESPACES) {
        object["status"] = json!({"phase": "Active"});
    } else if res.is(&gvr::PERSISTENT_VOLUME_CLAIMS) || res.is(&gvr::PERSISTENT_VOLUMES) {
        object["status"] = json!({"phase": "Pending"});
    } else if res.has_status() && !res.custom {
        object["status"] = json!({});
    }
}

/// The QoS class of a pod.
fn quality(pod: &Value) -> &'static str {
    let containers = meta::list(pod, "/spec/containers");
    let of = |one: &Value, kind: &str| one["resources"][kind].as_object().cloned().unwrap_or_default();
    let any = |kind: &str| containers.iter().any(|one| !of(one, kind).is_empty());
    let guaranteed = containers.iter().all(|one| {
        let (limits, requests) = (of(one, "limits"), of(one, "requests"));
        ["cpu", "memory"].iter().all(|key| limits.contains_key(*key))
            && requests.iter().all(|(key, value)| limits.get(key) == Some(value))
    });
    match (any("limits") || any("requests"), guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

fn workload(resource: &str, object: &mut Value) {
    let spec = map_at(object, "spec");
    if resource != "daemonsets" {
        default_to(spec, "replicas", 1);
    }
    if !matches!(resource, "replicasets" | "replicationcontrollers") {
        default_to(spec, "revisionHistoryLimit", 10);
    }
    match resource {
        "deployments" => {
            default_to(spec, "progressDeadlineSeconds", 600);
            rolling(spec, "strategy", &json!({"maxSurge": "25%", "maxUnavailable": "25%"}));
        }
        "daemonsets" => rolling(spec, "updateStrategy", &json!({"maxSurge": 0, "maxUnavailable": 1})),
        "statefulsets" => {
            default_to(spec, "podManagementPolicy", "OrderedReady");
            rolling(spec, "updateStrategy", &json!({"partition": 0}));
        }
        _ => {}
    }
    template(spec);
}

fn rolling(spec: &mut Map<String, Value>, key: &str, rolling: &Value) {
    let strategy = map_in(spec, key);
    default_to(strategy, "type", "RollingUpdate");
    if strategy["type"] == "RollingUpdate" {
        let own = map_in(strategy, "rollingUpdate");
        for (key, value) in rolling.as_object().into_iter().flatten() {
            default_to(own, key, value.clone());
        }
    }
}

fn map_in<'a>(map: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let slot = map.entry(key).or_insert_with(|| json!({}));
    if !slot.is_object() {
        *slot = json!({});
    }
    slot.as_object_mut().expect("made a map just above")
}

fn template(spec: &mut Map<String, Value>) {
    let template = map_in(spec, "template");
    map_in(template, "metadata").entry("creationTimestamp").or_insert(Value::Null);
    pod_spec(map_in(template, "spec"));
}

fn job(spec: &mut Map<String, Value>) {
    default_to(spec, "backoffLimit", 6);
    if spec.get("parallelism").is_none() && spec.get("completions").is_none() {
        default_to(spec, "completions", 1);
    }
    default_to(spec, "parallelism", 1);
    default_to(spec, "completionMode", "NonIndexed");
    default_to(spec, "suspend", false);
    default_to(spec, "podReplacementPolicy", "TerminatingOrFailed");
    template(spec);
}

fn cron_job(spec: &mut Map<String, Value>) {
    default_to(spec, "concurrencyPolicy", "Allow");
    default_to(spec, "suspend", false);
    default_to(spec, "successfulJobsHistoryLimit", 3);
    default_to(spec, "failedJobsHistoryLimit", 1);
    let inner = map_in(map_in(spec, "jobTemplate"), "spec");
    template(inner);
}

fn service(spec: &mut Map<String, Value>) {
    default_to(spec, "type", "ClusterIP");
    default_to(spec, "sessionAffinity", "None");
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            default_to(port, "protocol", "TCP");
            let number = port.get("port").cloned().unwrap_or(Value::Null);
            default_to(port, "targetPort", number);
        }
    }
}

/// `stringData` is written into `data`.
fn secret(object: &mut Value) {
    use base64::Engine;
    let plain = object["stringData"].take();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("stringData");
        default_to(fields, "type", "Opaque");
    }
    for (key, value) in plain.as_object().into_iter().flatten() {
        let coded = base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap_or_default());
        map_at(object, "data").insert(key.clone(), json!(coded));
    }
}

fn crd(object: &mut Value) {
    let spec = &mut object["spec"];
    let kind = meta::text(spec, "/names/kind").to_owned();
    let names = map_at(spec, "names");
    default_to(names, "singular", kind.to_lowercase());
    default_to(names, "listKind", format!("{kind}List"));
    default_to(map_at(object, "spec"), "conversion", json!({"strategy": "None"}));
}

/// What a pod spec gets, alone or in a template.
fn pod_spec(spec: &mut Map<String, Value>) {
    default_to(spec, "restartPolicy", "Always");
    default_to(spec, "terminationGracePeriodSeconds", 30);
    default_to(spec, "dnsPolicy", "ClusterFirst");
    default_to(spec, "schedulerName", "default-scheduler");
    default_to(spec, "securityContext", json!({}));
    if let Some(account) = spec.get("serviceAccountName").filter(|name| !name.is_null()).cloned() {
        default_to(spec, "serviceAccount", account);
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for one in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(one) = one.as_object_mut() {
                container(one);
            }
        }
    }
    for volume in spec.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
        for kind in ["secret", "configMap", "downwardAPI", "projected"] {
            if let Some(source) = volume.get_mut(kind).and_then(Value::as_object_mut) {
                default_to(source, "defaultMode", 420);
            }
        }
    }
}

fn container(one: &mut Map<String, Value>) {
    let image = one.get("image").and_then(Value::as_str).unwrap_or_default();
    let policy = if is_latest(image) { "Always" } else { "IfNotPresent" };
    default_to(one, "imagePullPolicy", policy);
    default_to(one, "terminationMessagePath", "/dev/termination-log");
    default_to(one, "terminationMessagePolicy", "File");
    let resources = map_in(one, "resources");
    if let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() {
        let requests = map_in(resources, "requests");
        for (key, value) in limits {
            default_to(requests, &key, value);
        }
    }
    for port in one.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            default_to(port, "protocol", "TCP");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = one.get_mut(probe).and_then(Value::as_object_mut) {
            for (key, value) in [
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ] {
                default_to(probe, key, value);
            }
            if let Some(get) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
                default_to(get, "scheme", "HTTP");
            }
        }
    }
}

/// No tag or `latest`, and no digest.
fn is_latest(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_untagged_and_latest_images_are_always_pulled() {
        for image in ["nginx", "nginx:latest", "reg.io:5000/a/b"] {
            assert!(is_latest(image), "{image}");
        }
        for image in ["nginx:1.2", "reg.io:5000/a/b:v1", "nginx@sha256:abc"] {
            assert!(!is_latest(image), "{image}");
        }
    }

    #[test]
    fn quality_of_service_follows_requests_and_limits() {
        let pod = |resources: Value| json!({"spec": {"containers": [{"resources": resources}]}});
        assert_eq!(quality(&pod(json!({}))), "BestEffort");
        assert_eq!(quality(&pod(json!({"requests": {"cpu": "1"}}))), "Burstable");
        let same = json!({"cpu": "1", "memory": "1Gi"});
        assert_eq!(quality(&pod(json!({"limits": same, "requests": same}))), "Guaranteed");
    }
}
