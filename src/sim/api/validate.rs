//! What a server refuses: bad names, missing fields, changes of what cannot change. Owns the causes, in a
//! real server's words, for the kinds where clients meet them.

use serde_json::{Value, json};

use super::gvr;
use super::meta::{self, list, text};
use super::resource::Resource;
use super::selector::label_selector_matches;
use super::status::{Cause, Status};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' \
    or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
    validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and \
    must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
    validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const POD_FIXED: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
    `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
    tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// Refuses a new object that cannot be.
pub(super) fn new_object(res: &Resource, object: &Value) -> Result<(), Status> {
    let mut causes = Vec::new();
    name(res, object, &mut causes);
    spec(res, object, &mut causes);
    judge(res, object, &causes)
}

/// Refuses a change that cannot be.
pub(super) fn change(res: &Resource, before: &Value, after: &Value) -> Result<(), Status> {
    let mut causes = Vec::new();
    finalizers(before, after, &mut causes);
    spec(res, after, &mut causes);
    fixed(res, before, after, &mut causes);
    judge(res, after, &causes)
}

fn judge(res: &Resource, object: &Value, causes: &[Cause]) -> Result<(), Status> {
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(res.gvr.group, res.kind, meta::name(object), causes))
}

fn name(res: &Resource, object: &Value, causes: &mut Vec<Cause>) {
    let name = meta::name(object);
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
        return;
    }
    let rbac = res.gvr.group == "rbac.authorization.k8s.io";
    if rbac {
        if name.contains('/') || name.contains('%') || name == "." || name == ".." {
            causes.push(Cause::invalid("metadata.name", &json!(name), "may not contain '/'"));
        }
        return;
    }
    let label = res.is(&gvr::NAMESPACES) || res.is(&gvr::SERVICES);
    if label && !is_label(name) {
        causes.push(Cause::invalid("metadata.name", &json!(name), LABEL));
    } else if !is_subdomain(name) {
        causes.push(Cause::invalid("metadata.name", &json!(name), SUBDOMAIN));
    }
}

fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|part| part.len() <= 253 && is_part(part))
}

fn is_part(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn spec(res: &Resource, object: &Value, causes: &mut Vec<Cause>) {
    match res.stored_as.resource {
        "pods" => pod_spec(&object["spec"], "spec", causes),
        "deployments" | "replicasets" | "statefulsets" | "daemonsets" if res.gvr.group == "apps" => {
            workload(object, causes);
        }
        "jobs" => pod_spec(&object["spec"]["template"]["spec"], "spec.template.spec", causes),
        "cronjobs" if text(object, "/spec/schedule").is_empty() => {
            causes.push(Cause::required("spec.schedule", ""));
        }
        "rolebindings" | "clusterrolebindings" if text(object, "/roleRef/name").is_empty() => {
            causes.push(Cause::required("roleRef.name", ""));
        }
        _ => {}
    }
}

fn workload(object: &Value, causes: &mut Vec<Cause>) {
    let selector = &object["spec"]["selector"];
    if selector.as_object().is_none_or(serde_json::Map::is_empty) {
        causes.push(Cause::required("spec.selector", ""));
    } else {
        let labels = &object["spec"]["template"]["metadata"]["labels"];
        if !label_selector_matches(selector, labels) {
            let pairs: Vec<String> = labels
                .as_object()
                .into_iter()
                .flatten()
                .map(|(key, value)| format!("{key:?}:{value}"))
                .collect();
            causes.push(Cause {
                reason: "FieldValueInvalid",
                field: "spec.template.metadata.labels".into(),
                message: format!(
                    "Invalid value: map[string]string{{{}}}: `selector` does not match template `labels`",
                    pairs.join(", ")
                ),
            });
        }
    }
    if let Some(replicas) = object["spec"]["replicas"].as_i64().filter(|count| *count < 0) {
        let why = "must be greater than or equal to 0";
        causes.push(Cause::invalid("spec.replicas", &json!(replicas), why));
    }
    pod_spec(&object["spec"]["template"]["spec"], "spec.template.spec", causes);
}

fn pod_spec(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    if list(spec, "/containers").is_empty() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    let mut seen: Vec<&str> = Vec::new();
    for kind in ["initContainers", "containers"] {
        for (at, one) in spec[kind].as_array().into_iter().flatten().enumerate() {
            let path = format!("{path}.{kind}[{at}]");
            container(one, &path, causes);
            let name = text(one, "/name");
            if seen.contains(&name) {
                causes.push(Cause {
                    reason: "FieldValueDuplicate",
                    field: format!("{path}.name"),
                    message: format!("Duplicate value: {name:?}"),
                });
            }
            seen.push(name);
        }
    }
    let policy = text(spec, "/restartPolicy");
    if !matches!(policy, "" | "Always" | "OnFailure" | "Never") {
        let allowed = ["Always", "OnFailure", "Never"];
        causes.push(Cause::unsupported(format!("{path}.restartPolicy"), &json!(policy), &allowed));
    }
}

fn container(one: &Value, path: &str, causes: &mut Vec<Cause>) {
    let name = text(one, "/name");
    if name.is_empty() {
        causes.push(Cause::required(format!("{path}.name"), ""));
    } else if !is_label(name) {
        causes.push(Cause::invalid(format!("{path}.name"), &json!(name), LABEL));
    }
    if text(one, "/image").is_empty() {
        causes.push(Cause::required(format!("{path}.image"), ""));
    }
    let policy = text(one, "/imagePullPolicy");
    if !matches!(policy, "" | "Always" | "IfNotPresent" | "Never") {
        let allowed = ["Always", "IfNotPresent", "Never"];
        causes.push(Cause::unsupported(format!("{path}.imagePullPolicy"), &json!(policy), &allowed));
    }
}

fn finalizers(before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    if !meta::is_deleting(before) {
        return;
    }
    let old = meta::finalizers(before);
    let new: Vec<&str> = meta::finalizers(after).into_iter().filter(|one| !old.contains(one)).collect();
    if !new.is_empty() {
        let quoted: Vec<String> = new.iter().map(|one| format!("{one:?}")).collect();
        let why = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            quoted.join(", ")
        );
        causes.push(Cause::forbidden("metadata.finalizers", &why));
    }
}

fn fixed(res: &Resource, before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    let mut same = |pointer: &str, field: &str| {
        let (old, new) = (before.pointer(pointer), after.pointer(pointer));
        if old != new {
            let new = new.cloned().unwrap_or(Value::Null);
            causes.push(Cause::invalid(field, &new, "field is immutable"));
        }
    };
    match res.stored_as.resource {
        "deployments" | "replicasets" | "daemonsets" => same("/spec/selector", "spec.selector"),
        "jobs" => {
            same("/spec/selector", "spec.selector");
            same("/spec/template", "spec.template");
            same("/spec/completions", "spec.completions");
        }
        "rolebindings" | "clusterrolebindings" => same("/roleRef", "roleRef"),
        "secrets" => same("/type", "type"),
        "storageclasses" => same("/provisioner", "provisioner"),
        "statefulsets" if stateful_core(before) != stateful_core(after) => {
            causes.push(Cause::forbidden(
                "spec",
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                 'minReadySeconds' are forbidden",
            ));
        }
        "pods" => pod_fixed(before, after, causes),
        _ => {}
    }
}

fn stateful_core(object: &Value) -> Value {
    let mut spec = object["spec"].clone();
    if let Some(fields) = spec.as_object_mut() {
        for field in [
            "replicas",
            "ordinals",
            "template",
            "updateStrategy",
            "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy",
            "minReadySeconds",
        ] {
            fields.remove(field);
        }
    }
    spec
}

fn pod_fixed(before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    let (mut old, new) = (pod_core(before), pod_core(after));
    if text(before, "/spec/nodeName").is_empty() {
        // Being scheduled is the one thing that happens to a spec later.
        old["nodeName"] = new["nodeName"].clone();
        if old["nodeName"].is_null()
            && let Some(fields) = old.as_object_mut()
        {
            fields.remove("nodeName");
        }
    }
    if old != new {
        causes.push(Cause::forbidden("spec", POD_FIXED));
        return;
    }
    let kept = list(before, "/spec/tolerations");
    let now = list(after, "/spec/tolerations");
    if kept.iter().any(|one| !now.contains(one)) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        causes.push(Cause::forbidden("spec.tolerations", why));
    }
}

/// The part of a pod's spec that never changes; the node may be set once.
fn pod_core(pod: &Value) -> Value {
    let mut spec = pod["spec"].clone();
    if let Some(fields) = spec.as_object_mut() {
        for field in ["activeDeadlineSeconds", "tolerations", "ephemeralContainers", "schedulingGates"] {
            fields.remove(field);
        }
        for kind in ["containers", "initContainers"] {
            for one in fields.get_mut(kind).and_then(Value::as_array_mut).into_iter().flatten() {
                one["image"] = Value::Null;
            }
        }
    }
    spec
}
