//! Sets of fields, as `managedFields` records them: which leaves an object has, by path, and their coding
//! as FieldsV1. Owns paths; who owns which is `apply`'s.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::schema::{Rules, Shape};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// `f:name`
    Field(String),
    /// `k:{"name":"x"}`: an item of a keyed list.
    Key(String),
    /// `v:"x"`: an item of a set.
    Item(String),
}

pub(crate) type Path = Vec<Step>;
pub(crate) type Set = BTreeSet<Path>;

/// Parts of an object nobody owns.
const NOT_OWNED: &[&str] = &[
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
    "generateName",
];

/// The leaves of an object; items of keyed lists count as leaves of their own.
pub(crate) fn of(shape: Shape, object: &Value) -> Set {
    let mut set = Set::new();
    let Some(fields) = object.as_object() else {
        return set;
    };
    for (key, value) in fields.iter().filter(|(key, _)| *key != "apiVersion" && *key != "kind") {
        let (inner, rules) = shape.field(key).unwrap_or((Shape::Open, None));
        let mut path = vec![Step::Field(key.clone())];
        if key == "metadata" {
            let mut owned = value.clone();
            if let Some(map) = owned.as_object_mut() {
                map.retain(|key, _| !NOT_OWNED.contains(&key.as_str()));
                if map.is_empty() {
                    continue;
                }
            }
            walk(inner, rules, &owned, &mut path, &mut set);
        } else {
            walk(inner, rules, value, &mut path, &mut set);
        }
    }
    set
}

fn walk(shape: Shape, rules: Option<&Rules>, value: &Value, path: &mut Path, set: &mut Set) {
    let atomic = rules.is_some_and(Rules::is_atomic);
    match value {
        Value::Object(fields) if !fields.is_empty() && !atomic => {
            for (key, inner) in fields {
                let (shape, rules) = shape.field(key).unwrap_or((Shape::Open, None));
                path.push(Step::Field(key.clone()));
                walk(shape, rules, inner, path, set);
                path.pop();
            }
        }
        Value::Array(items) if !items.is_empty() && rules.is_some_and(Rules::is_set) => {
            for item in items {
                path.push(Step::Item(item.to_string()));
                set.insert(path.clone());
                path.pop();
            }
        }
        Value::Array(items) if !items.is_empty() && keys(rules).is_some() => {
            for item in items {
                path.push(Step::Key(key_of(keys(rules).unwrap_or_default(), item)));
                set.insert(path.clone());
                walk(shape.item(), None, item, path, set);
                path.pop();
            }
        }
        _ => {
            set.insert(path.clone());
        }
    }
}

/// The keys of a list that merges, if it does.
pub(crate) fn keys(rules: Option<&Rules>) -> Option<&[String]> {
    rules.map(|rules| rules.list_keys.as_slice()).filter(|keys| !keys.is_empty())
}

/// `{"containerPort":80,"protocol":"TCP"}`
pub(crate) fn key_of(keys: &[String], item: &Value) -> String {
    let mut key = Map::new();
    for name in keys {
        match item.get(name) {
            Some(value) => key.insert(name.clone(), value.clone()),
            None if name == "protocol" => key.insert(name.clone(), json!("TCP")),
            None => None,
        };
    }
    Value::Object(key).to_string()
}

/// The value at a path; items of keyed lists are found by their key.
pub(crate) fn value_at<'a>(object: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(object, |at, step| match step {
        Step::Field(name) => at.get(name),
        Step::Key(key) => at.as_array()?.iter().find(|item| matches_key(key, item)),
        Step::Item(text) => at.as_array()?.iter().find(|item| is_text(item, text)),
    })
}

/// Takes out what a path names, and maps and lists that are empty after that.
pub(crate) fn remove_at(object: &mut Value, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else {
        return;
    };
    match (step, object) {
        (Step::Field(name), Value::Object(fields)) => {
            if rest.is_empty() {
                fields.remove(name);
            } else if let Some(inner) = fields.get_mut(name) {
                remove_at(inner, rest);
                if is_empty(inner) {
                    fields.remove(name);
                }
            }
        }
        (Step::Key(key), Value::Array(items)) => {
            if rest.is_empty() {
                items.retain(|item| !matches_key(key, item));
            } else if let Some(inner) = items.iter_mut().find(|item| matches_key(key, item)) {
                remove_at(inner, rest);
            }
        }
        (Step::Item(text), Value::Array(items)) => items.retain(|item| !is_text(item, text)),
        _ => {}
    }
}

fn is_text(item: &Value, text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value == *item)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

pub(crate) fn matches_key(key: &str, item: &Value) -> bool {
    let Ok(Value::Object(wanted)) = serde_json::from_str(key) else {
        return false;
    };
    wanted.iter().all(|(name, value)| match item.get(name) {
        Some(own) => own == value,
        None => name == "protocol" && value == "TCP",
    })
}

/// As `fieldsV1`.
pub(crate) fn encode(set: &Set) -> Value {
    let mut root = Map::new();
    for path in set {
        let mut at = &mut root;
        for step in path {
            let slot = at.entry(label(step)).or_insert_with(|| json!({}));
            at = slot.as_object_mut().expect("only maps are inserted here");
        }
        if matches!(path.last(), Some(Step::Key(_))) {
            at.insert(".".into(), json!({}));
        }
    }
    Value::Object(root)
}

fn label(step: &Step) -> String {
    match step {
        Step::Field(name) => format!("f:{name}"),
        Step::Key(key) => format!("k:{key}"),
        Step::Item(text) => format!("v:{text}"),
    }
}

/// From `fieldsV1`.
pub(crate) fn decode(fields: &Value) -> Set {
    let mut set = Set::new();
    read(fields, &mut Vec::new(), &mut set);
    set
}

fn read(fields: &Value, path: &mut Path, set: &mut Set) {
    let Some(map) = fields.as_object() else {
        return;
    };
    if map.is_empty() && !path.is_empty() {
        set.insert(path.clone());
    }
    for (key, inner) in map {
        let step = match key.split_once(':') {
            Some(("f", name)) => Step::Field(name.to_owned()),
            Some(("k", name)) => Step::Key(name.to_owned()),
            Some(("v", name)) => Step::Item(name.to_owned()),
            _ => {
                set.insert(path.clone());
                continue;
            }
        };
        path.push(step);
        read(inner, path, set);
        path.pop();
    }
}

/// `.spec.template.spec.containers[name="c"].image`
pub(crate) fn show(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Field(name) => {
                text.push('.');
                text.push_str(name);
            }
            Step::Key(key) => {
                let pairs: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
                let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
                text.push('[');
                text += &pairs.join(",");
                text.push(']');
            }
            Step::Item(item) => {
                text += "[=";
                text += item;
                text.push(']');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_sets_survive_their_coding() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "p", "labels": {"a": "b"}, "finalizers": ["x/y"]},
            "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}],
                "tolerations": [{"key": "t"}]}});
        let set = of(Shape::of("v1", "Pod"), &pod);
        let shown: Vec<String> = set.iter().map(|path| show(path)).collect();
        assert_eq!(decode(&encode(&set)), set);
        assert!(shown.contains(&".spec.containers[name=\"c\"].image".to_owned()), "{shown:?}");
        assert!(shown.contains(&".metadata.finalizers[=\"x/y\"]".to_owned()), "{shown:?}");
        assert!(shown.contains(&".spec.tolerations".to_owned()), "{shown:?}");
        assert!(!shown.iter().any(|path| path.contains("metadata.name")), "{shown:?}");
    }
}
