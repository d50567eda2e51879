//! Strategic merge patches: lists merge by the keys the schema names, and directives (`$patch`,
//! `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`) steer.

use serde_json::{Map, Value};

use super::super::schema::{Rules, Shape};

const ORDER: &str = "$setElementOrder/";
const PRIMITIVE: &str = "$deleteFromPrimitiveList/";

pub(super) fn apply(shape: Shape, current: &mut Value, patch: &Value) -> Result<(), String> {
    let Some(patch) = patch.as_object() else {
        *current = patch.clone();
        return Ok(());
    };
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => *current = Value::Object(Map::new()),
        Some("delete") => {
            *current = Value::Object(Map::new());
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(format!("Unknown patch type found: {other}")),
    }
    if !current.is_object() {
        *current = Value::Object(Map::new());
    }
    let Some(fields) = current.as_object_mut() else {
        return Ok(());
    };
    retain(fields, patch);
    for (key, list) in patch.iter().filter_map(|(k, v)| Some((k.strip_prefix(PRIMITIVE)?, v))) {
        remove_values(fields, key, list);
    }
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        merge_field(shape, fields, key, value)?;
    }
    for (key, order) in patch.iter().filter_map(|(k, v)| Some((k.strip_prefix(ORDER)?, v))) {
        let rules = shape.field(key).and_then(|(_, rules)| rules);
        set_order(fields, key, order, rules);
    }
    Ok(())
}

fn merge_field(
    shape: Shape,
    fields: &mut Map<String, Value>,
    key: &str,
    value: &Value,
) -> Result<(), String> {
    let (inner, rules) = shape.field(key).unwrap_or((Shape::Open, None));
    match value {
        Value::Null => {
            fields.remove(key);
        }
        Value::Object(patch) if patch.get("$patch").and_then(Value::as_str) == Some("delete") => {
            fields.remove(key);
        }
        Value::Object(_) => {
            apply(inner, fields.entry(key).or_insert(Value::Null), value)?;
        }
        Value::Array(items) if rules.is_some_and(Rules::merges) => {
            let slot = fields.entry(key).or_insert(Value::Null);
            let mut current = slot.take().as_array().cloned().unwrap_or_default();
            merge_list(inner.item(), rules.and_then(|r| r.merge_key.as_deref()), &mut current, items)?;
            *slot = Value::Array(current);
        }
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            fields.insert(key.to_owned(), value.clone());
        }
    }
    Ok(())
}

fn merge_list(
    shape: Shape,
    key: Option<&str>,
    current: &mut Vec<Value>,
    patch: &[Value],
) -> Result<(), String> {
    let Some(key) = key else {
        for item in patch {
            if !current.contains(item) {
                current.push(item.clone());
            }
        }
        return Ok(());
    };
    if patch.iter().any(|item| directive(item) == Some("replace") && item.get(key).is_none()) {
        current.clear();
    }
    for item in patch {
        let Some(id) = item.get(key) else {
            if directive(item).is_some() {
                continue;
            }
            return Err(format!("map: {item} does not contain declared merge key: {key}"));
        };
        let at = current.iter().position(|one| one.get(key) == Some(id));
        match (directive(item), at) {
            (Some("delete"), _) => current.retain(|one| one.get(key) != Some(id)),
            (_, Some(at)) => apply(shape, &mut current[at], item)?,
            (_, None) => {
                let mut fresh = Value::Null;
                apply(shape, &mut fresh, item)?;
                current.push(fresh);
            }
        }
    }
    Ok(())
}

fn directive(item: &Value) -> Option<&str> {
    item.get("$patch").and_then(Value::as_str)
}

fn retain(fields: &mut Map<String, Value>, patch: &Map<String, Value>) {
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        fields.retain(|key, _| kept.iter().any(|one| one.as_str() == Some(key)));
    }
}

fn remove_values(fields: &mut Map<String, Value>, key: &str, gone: &Value) {
    let gone = gone.as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(list) = fields.get_mut(key).and_then(Value::as_array_mut) {
        list.retain(|item| !gone.contains(item));
    }
}

/// Listed items take the order given; the places of the others stay as they are.
fn set_order(fields: &mut Map<String, Value>, key: &str, order: &Value, rules: Option<&Rules>) {
    let merge_key = rules.and_then(|rules| rules.merge_key.as_deref());
    let id = |item: &Value| match merge_key {
        Some(key) => item.get(key).cloned().unwrap_or(Value::Null),
        None => item.clone(),
    };
    let wanted: Vec<Value> = order.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(id).collect();
    let Some(list) = fields.get_mut(key).and_then(Value::as_array_mut) else {
        return;
    };
    let rank = |item: &Value| wanted.iter().position(|one| *one == id(item));
    let mut listed: Vec<Value> = list.iter().filter(|item| rank(item).is_some()).cloned().collect();
    listed.sort_by_key(&rank);
    let mut listed = listed.into_iter();
    for slot in list.iter_mut().filter(|item| rank(item).is_some()) {
        if let Some(item) = listed.next() {
            *slot = item;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(kind: (&str, &str), mut before: Value, patch: &Value, after: &Value) {
        apply(Shape::of(kind.0, kind.1), &mut before, patch).unwrap();
        assert_eq!(before, *after);
    }

    const DEPLOYMENT: (&str, &str) = ("apps/v1", "Deployment");

    #[expect(clippy::needless_pass_by_value, reason = "`json!` makes values to be given away")]
    fn with_containers(list: Value) -> Value {
        json!({"spec": {"template": {"spec": {"containers": list}}}})
    }

    #[test]
    fn containers_merge_by_name_and_keep_the_rest() {
        check(
            DEPLOYMENT,
            with_containers(json!([{"name": "a", "image": "x:1", "env": [{"name": "E", "value": "1"}]},
                {"name": "b", "image": "y"}])),
            &with_containers(json!([{"name": "a", "image": "x:2", "env": [{"name": "F", "value": "2"}]}])),
            &with_containers(json!([{"name": "a", "image": "x:2",
                "env": [{"name": "E", "value": "1"}, {"name": "F", "value": "2"}]},
                {"name": "b", "image": "y"}])),
        );
    }

    #[test]
    fn an_item_is_deleted_by_its_key() {
        check(
            DEPLOYMENT,
            with_containers(json!([{"name": "a"}, {"name": "b"}])),
            &with_containers(json!([{"name": "a", "$patch": "delete"}])),
            &with_containers(json!([{"name": "b"}])),
        );
    }

    #[test]
    fn a_list_is_replaced_when_told() {
        check(
            DEPLOYMENT,
            with_containers(json!([{"name": "a", "image": "x"}])),
            &with_containers(json!([{"$patch": "replace"}, {"name": "c", "image": "z"}])),
            &with_containers(json!([{"name": "c", "image": "z"}])),
        );
    }

    #[test]
    fn lists_without_a_merge_key_are_replaced() {
        check(
            ("v1", "Pod"),
            json!({"spec": {"tolerations": [{"key": "a"}]}}),
            &json!({"spec": {"tolerations": [{"key": "b"}]}}),
            &json!({"spec": {"tolerations": [{"key": "b"}]}}),
        );
    }

    #[test]
    fn finalizers_are_a_set_and_values_can_be_taken_out() {
        check(
            ("v1", "Pod"),
            json!({"metadata": {"finalizers": ["a", "b"]}}),
            &json!({"metadata": {"finalizers": ["c", "a"], "$deleteFromPrimitiveList/finalizers": ["b"]}}),
            &json!({"metadata": {"finalizers": ["a", "c"]}}),
        );
    }

    #[test]
    fn pull_secrets_of_a_service_account_merge_by_name() {
        // ServiceAccount.imagePullSecrets has no merge key: it is replaced, unlike secrets.
        check(
            ("v1", "ServiceAccount"),
            json!({"imagePullSecrets": [{"name": "a"}], "secrets": [{"name": "s"}]}),
            &json!({"imagePullSecrets": [{"name": "b"}], "secrets": [{"name": "t"}]}),
            &json!({"imagePullSecrets": [{"name": "b"}], "secrets": [{"name": "s"}, {"name": "t"}]}),
        );
    }

    #[test]
    fn retain_keys_clears_the_others_and_order_is_set() {
        check(
            DEPLOYMENT,
            json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}),
            &json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
            &json!({"spec": {"strategy": {"type": "Recreate"}}}),
        );
        check(
            ("v1", "Pod"),
            json!({"spec": {"containers": [{"name": "a"}, {"name": "x"}, {"name": "b"}]}}),
            &json!({"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}),
            &json!({"spec": {"containers": [{"name": "b"}, {"name": "x"}, {"name": "a"}]}}),
        );
    }

    #[test]
    fn null_removes_and_an_unknown_directive_is_refused() {
        check(
            ("v1", "Pod"),
            json!({"metadata": {"labels": {"a": "1", "b": "2"}}}),
            &json!({"metadata": {"labels": {"a": null}}}),
            &json!({"metadata": {"labels": {"b": "2"}}}),
        );
        let told = apply(Shape::Open, &mut json!({}), &json!({"$patch": "explode"})).unwrap_err();
        assert_eq!(told, "Unknown patch type found: explode");
    }
}
