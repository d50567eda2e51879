//! Pod templates: telling them apart, naming their revisions, making pods of them. Owns the hash and the
//! rule when two templates are the same; refuses to write.

use serde_json::{Map, Value, json};

use crate::sim::objects::{name, uid};

/// The letters a real API server uses where a name must not spell words.
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The hash of a template, as it stands in `pod-template-hash` and in revision names.
pub(super) fn hash(template: &Value, collisions: i64) -> String {
    let mut text = normal(template).to_string();
    if collisions > 0 {
        text.push_str(&collisions.to_string());
    }
    let hash =
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_string().bytes().map(|digit| char::from(SAFE[usize::from(digit) % SAFE.len()])).collect()
}

/// Whether two templates make the same pods; the hash label and empty fields do not count.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    normal(one) == normal(other)
}

/// The template without what only bookkeeping put there.
fn normal(template: &Value) -> Value {
    let mut out = pruned(template);
    if let Some(labels) = out.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    out
}

fn pruned(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept: Map<String, Value> = fields
                .iter()
                .map(|(key, value)| (key.clone(), pruned(value)))
                .filter(|(_, value)| !is_empty(value))
                .collect();
            Value::Object(kept)
        }
        Value::Array(entries) => Value::Array(entries.iter().map(pruned).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A pod of `template` controlled by `owner`, without a name yet.
pub(super) fn pod(template: &Value, owner: &Value) -> Value {
    let mut metadata = json!({
        "labels": template["metadata"]["labels"],
        "ownerReferences": [controller_reference(owner)],
    });
    for field in ["annotations", "finalizers"] {
        if !is_empty(&template["metadata"][field]) {
            metadata[field] = template["metadata"][field].clone();
        }
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

/// The owner reference by which `owner` controls something.
pub(super) fn controller_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_label_and_empty_fields_do_not_tell_templates_apart() {
        let plain = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx:1"}]}});
        let stored = json!({
            "metadata": {"creationTimestamp": null, "labels": {"app": "web", "pod-template-hash": "abc"}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1", "resources": {}}], "securityContext": {}},
        });
        assert!(same(&plain, &stored));
        assert_eq!(hash(&plain, 0), hash(&stored, 0));
        assert_ne!(hash(&plain, 0), hash(&plain, 1));
        let other = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx:2"}]}});
        assert!(!same(&plain, &other));
        assert!(hash(&other, 0).bytes().all(|byte| SAFE.contains(&byte)));
    }
}
