//! Bodies in `application/vnd.kubernetes.protobuf`, which kubectl's typed commands send (`auth can-i`,
//! `create`, `drain`, `scale`). Owns the field numbers of the messages those commands need, as data;
//! refuses a body with a field it does not know rather than losing it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

pub(super) const KIND: &str = "application/vnd.kubernetes.protobuf";

/// Message, then `number field type`: `s` text, `i` number, `z` number left out if zero, `b` bool, `y` bytes,
/// `t` time, `S` texts, `{s}` and `{y}` maps, a name for a message, `[name]` for several.
const MESSAGES: &[(&str, &str)] = &[
    (
        "ObjectMeta",
        "1 name s,2 generateName s,3 namespace s,4 selfLink s,5 uid s,6 resourceVersion s,7 generation z,\
         8 creationTimestamp t,9 deletionTimestamp t,10 deletionGracePeriodSeconds i,11 labels {s},\
         12 annotations {s},13 ownerReferences [OwnerReference],14 finalizers S",
    ),
    ("OwnerReference", "1 kind s,3 name s,4 uid s,5 apiVersion s,6 controller b,7 blockOwnerDeletion b"),
    ("SelfSubjectAccessReview", "1 metadata ObjectMeta,2 spec AccessSpec"),
    ("SubjectAccessReview", "1 metadata ObjectMeta,2 spec AccessSpec"),
    ("LocalSubjectAccessReview", "1 metadata ObjectMeta,2 spec AccessSpec"),
    (
        "AccessSpec",
        "1 resourceAttributes ResourceAttributes,2 nonResourceAttributes NonResourceAttributes,3 user s,\
         4 groups S,6 uid s",
    ),
    (
        "ResourceAttributes",
        "1 namespace s,2 verb s,3 group s,4 version s,5 resource s,6 subresource s,7 name s",
    ),
    ("NonResourceAttributes", "1 path s,2 verb s"),
    ("SelfSubjectRulesReview", "1 metadata ObjectMeta,2 spec RulesSpec"),
    ("RulesSpec", "1 namespace s"),
    ("SelfSubjectReview", "1 metadata ObjectMeta"),
    ("TokenRequest", "1 metadata ObjectMeta,2 spec TokenSpec"),
    ("TokenSpec", "1 audiences S,4 expirationSeconds i"),
    ("Eviction", "1 metadata ObjectMeta,2 deleteOptions DeleteOptions"),
    (
        "DeleteOptions",
        "1 gracePeriodSeconds i,2 preconditions Preconditions,3 orphanDependents b,4 propagationPolicy s,5 dryRun S",
    ),
    ("Preconditions", "1 uid s,2 resourceVersion s"),
    ("Namespace", "1 metadata ObjectMeta,2 spec NamespaceSpec"),
    ("NamespaceSpec", "1 finalizers S"),
    ("RoleBinding", "1 metadata ObjectMeta,2 subjects [Subject],3 roleRef RoleRef"),
    ("ClusterRoleBinding", "1 metadata ObjectMeta,2 subjects [Subject],3 roleRef RoleRef"),
    ("Subject", "1 kind s,2 apiGroup s,3 name s,4 namespace s"),
    ("RoleRef", "1 apiGroup s,2 kind s,3 name s"),
    ("Role", "1 metadata ObjectMeta,2 rules [PolicyRule]"),
    ("ClusterRole", "1 metadata ObjectMeta,2 rules [PolicyRule]"),
    ("PolicyRule", "1 verbs S,2 apiGroups S,3 resources S,4 resourceNames S,5 nonResourceURLs S"),
    (
        "ServiceAccount",
        "1 metadata ObjectMeta,2 secrets [ObjectReference],3 imagePullSecrets [Named],\
         4 automountServiceAccountToken b",
    ),
    (
        "ObjectReference",
        "1 kind s,2 namespace s,3 name s,4 uid s,5 apiVersion s,6 resourceVersion s,7 fieldPath s",
    ),
    ("Named", "1 name s"),
    ("ConfigMap", "1 metadata ObjectMeta,2 data {s},3 binaryData {y},4 immutable b"),
    ("Secret", "1 metadata ObjectMeta,2 data {y},3 type s,4 stringData {s},5 immutable b"),
    ("Scale", "1 metadata ObjectMeta,2 spec ScaleSpec,3 status ScaleStatus"),
    ("ScaleSpec", "1 replicas i"),
    ("ScaleStatus", "1 replicas i,2 selector s"),
    ("Deployment", "1 metadata ObjectMeta,2 spec DeploymentSpec"),
    (
        "DeploymentSpec",
        "1 replicas i,2 selector LabelSelector,3 template PodTemplate,5 minReadySeconds z,\
         6 revisionHistoryLimit i,7 paused b,9 progressDeadlineSeconds i",
    ),
    ("LabelSelector", "1 matchLabels {s}"),
    ("PodTemplate", "1 metadata ObjectMeta,2 spec PodSpec"),
    (
        "PodSpec",
        "2 containers [Container],3 restartPolicy s,8 serviceAccountName s,15 imagePullSecrets [Named]",
    ),
    (
        "Container",
        "1 name s,2 image s,3 command S,4 args S,5 workingDir s,6 ports [ContainerPort],14 imagePullPolicy s",
    ),
    ("ContainerPort", "1 name s,2 hostPort z,3 containerPort i,4 protocol s,5 hostIP s"),
];

/// Flags that are false unless said: fields Go writes even when they are empty.
const SILENT_BOOLS: &[&str] = &["paused"];

/// The object in an enveloped body; an error says what could not be read.
pub(super) fn decode(body: &[u8]) -> Result<Value, String> {
    let body = body.strip_prefix(b"k8s\0").ok_or("the magic number is missing")?;
    let (mut version, mut kind, mut raw) = (String::new(), String::new(), &body[..0]);
    for (number, value) in fields(body)? {
        match (number, value) {
            (1, Wire::Bytes(meta)) => {
                for (number, value) in fields(meta)? {
                    match (number, value) {
                        (1, Wire::Bytes(text)) => version = utf8(text)?,
                        (2, Wire::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(inner)) => raw = inner,
            _ => {}
        }
    }
    let mut object = message(&kind, raw)?;
    object["apiVersion"] = json!(version);
    object["kind"] = json!(kind);
    Ok(object)
}

enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn fields(mut from: &[u8]) -> Result<Vec<(u64, Wire<'_>)>, String> {
    let mut out = Vec::new();
    while !from.is_empty() {
        let tag = varint(&mut from)?;
        let value = match tag & 7 {
            0 => Wire::Number(varint(&mut from)?),
            2 => {
                let length = usize::try_from(varint(&mut from)?).map_err(|why| why.to_string())?;
                let (value, rest) = from.split_at_checked(length).ok_or("a field is cut off")?;
                from = rest;
                Wire::Bytes(value)
            }
            other => return Err(format!("wire type {other} is not used by Kubernetes")),
        };
        out.push((tag >> 3, value));
    }
    Ok(out)
}

fn varint(from: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first().ok_or("a number is cut off")?;
        *from = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number is too long".into())
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|why| why.to_string())
}

fn message(name: &str, raw: &[u8]) -> Result<Value, String> {
    let (_, layout) =
        MESSAGES.iter().find(|(one, _)| *one == name).ok_or_else(|| format!("{name} is not known"))?;
    let mut out = Map::new();
    for (number, value) in fields(raw)? {
        let field = layout.split(',').map(str::trim).find_map(|entry| {
            let mut words = entry.split(' ');
            (words.next()?.parse() == Ok(number)).then(|| Some((words.next()?, words.next()?)))?
        });
        match (field, value) {
            (Some((field, kind)), value) => put(&mut out, field, kind, &value)?,
            (None, Wire::Bytes(inner)) if is_hollow(inner) => {}
            (None, Wire::Number(0)) => {}
            (None, _) => return Err(format!("field {number} of {name} is not known")),
        }
    }
    Ok(Value::Object(out))
}

/// Nothing but empty and zero fields, as Go writes for structs nobody filled.
fn is_hollow(bytes: &[u8]) -> bool {
    fields(bytes).is_ok_and(|all| {
        all.iter().all(|(_, value)| match value {
            Wire::Number(number) => *number == 0,
            Wire::Bytes(inner) => is_hollow(inner),
        })
    })
}

fn put(out: &mut Map<String, Value>, field: &str, kind: &str, value: &Wire<'_>) -> Result<(), String> {
    match (kind, value) {
        ("s", Wire::Bytes([])) | ("z", Wire::Number(0)) => {}
        ("s", Wire::Bytes(text)) => {
            out.insert(field.into(), json!(utf8(text)?));
        }
        ("i" | "z", Wire::Number(number)) => {
            out.insert(field.into(), json!(number.cast_signed()));
        }
        ("b", Wire::Number(0)) if SILENT_BOOLS.contains(&field) => {}
        ("b", Wire::Number(number)) => {
            out.insert(field.into(), json!(*number != 0));
        }
        ("S", Wire::Bytes(text)) => push(out, field, json!(utf8(text)?)),
        ("t", Wire::Bytes(time)) => {
            if let Some((1, Wire::Number(seconds))) = fields(time)?.into_iter().next()
                && let Ok(at) = jiff::Timestamp::from_second(seconds.cast_signed())
            {
                out.insert(field.into(), json!(super::super::clock::stamp(at)));
            }
        }
        ("{s}" | "{y}", Wire::Bytes(pair)) => put_pair(out, field, kind, pair)?,
        (many, Wire::Bytes(inner)) if many.starts_with('[') => {
            push(out, field, message(many.trim_matches(['[', ']']), inner)?);
        }
        (name, Wire::Bytes(inner)) => {
            let inner = message(name, inner)?;
            if inner.as_object().is_some_and(|fields| !fields.is_empty()) || field == "selector" {
                out.insert(field.into(), inner);
            }
        }
        (_, Wire::Number(_)) => return Err(format!("{field} has the wrong wire type")),
    }
    Ok(())
}

fn push(out: &mut Map<String, Value>, field: &str, item: Value) {
    if let Some(list) = out.entry(field).or_insert_with(|| json!([])).as_array_mut() {
        list.push(item);
    }
}

fn put_pair(out: &mut Map<String, Value>, field: &str, kind: &str, pair: &[u8]) -> Result<(), String> {
    let (mut key, mut value) = (String::new(), &pair[..0]);
    for (number, part) in fields(pair)? {
        match (number, part) {
            (1, Wire::Bytes(text)) => key = utf8(text)?,
            (2, Wire::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    let value = if kind == "{y}" { json!(STANDARD.encode(value)) } else { json!(utf8(value)?) };
    if let Some(map) = out.entry(field).or_insert_with(|| json!({})).as_object_mut() {
        map.insert(key, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubectl_auth_can_i_sends_is_read() {
        let body = b"k8s\x00\n2\n\x17authorization.k8s.io/v1\x12\x17SelfSubjectAccessReview\x12?\n\x10\n\x00\x12\x00\x1a\x00\"\x00*\x002\x008\x00B\x00\x12!\n\x1f\n\x07default\x12\x06delete\x1a\x00\"\x00*\x04pods2\x00:\x00\x1a\x08\x08\x00\x12\x00\x1a\x00 \x00\x1a\x00\"\x00";
        assert_eq!(
            decode(body).unwrap(),
            json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {"namespace": "default", "verb": "delete", "resource": "pods"}}})
        );
    }

    #[test]
    fn what_is_not_known_is_refused_and_never_lost() {
        assert_eq!(message("Named", b"\x0a\x01a\x12\x01b").unwrap_err(), "field 2 of Named is not known");
        assert_eq!(message("Pod", b"").unwrap_err(), "Pod is not known");
        assert!(decode(b"{}").is_err());
        assert_eq!(message("Named", b"\x0a\x05a").unwrap_err(), "a field is cut off");
    }
}
