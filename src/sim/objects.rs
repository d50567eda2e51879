//! Reading Kubernetes objects as the JSON they are: the few fields every part of the simulation looks at.
//! Owns no rule about what they mean; refuses to write.

use serde_json::Value;

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// `metadata.namespace`, empty for what has none.
pub fn namespace(object: &Value) -> &str {
    object["metadata"]["namespace"].as_str().unwrap_or_default()
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

/// `metadata.resourceVersion` as a number.
pub fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// `metadata.generation`.
pub fn generation(object: &Value) -> i64 {
    object["metadata"]["generation"].as_i64().unwrap_or_default()
}

/// Whether somebody asked for it to go.
pub fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// The owner reference marked `controller`.
pub fn controller_of(object: &Value) -> Option<&Value> {
    object["metadata"]["ownerReferences"]
        .as_array()?
        .iter()
        .find(|owner| owner["controller"].as_bool() == Some(true))
}

/// One annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"][key].as_str()
}

/// An array, or nothing.
pub fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A whole number that Kubernetes leaves out when it is zero.
pub fn count(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

/// The condition of that type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(&object["status"]["conditions"]).iter().find(|condition| condition["type"] == kind)
}

/// Whether the condition of that type is `True`.
pub fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}

/// Whether `labels` satisfy a LabelSelector (`matchLabels` and `matchExpressions`); an empty one matches all.
pub fn selects(selector: &Value, labels: &Value) -> bool {
    matches_labels(&selector["matchLabels"], labels)
        && items(&selector["matchExpressions"]).iter().all(|rule| holds(rule, labels))
}

/// Whether every wanted label is there with that value; nothing wanted matches all.
pub fn matches_labels(wanted: &Value, labels: &Value) -> bool {
    wanted.as_object().is_none_or(|wanted| wanted.iter().all(|(key, value)| labels[key] == *value))
}

/// One `matchExpressions` entry.
pub fn holds(rule: &Value, labels: &Value) -> bool {
    let value = &labels[rule["key"].as_str().unwrap_or_default()];
    let listed = items(&rule["values"]).contains(value);
    match rule["operator"].as_str() {
        Some("In") => listed,
        Some("NotIn") => !listed,
        Some("Exists") => value.is_string(),
        Some("DoesNotExist") => !value.is_string(),
        _ => false,
    }
}

/// A resource quantity in its base unit (bytes, or cores), rounded up; 0 when it cannot be read.
pub fn quantity(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap_or_default(),
        Value::String(text) => parse_quantity(text),
        _ => 0.0,
    }
}

fn parse_quantity(text: &str) -> f64 {
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => 1.0,
    };
    number.parse::<f64>().unwrap_or_default() * factor
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_read_in_their_base_unit() {
        assert!((quantity(&json!("250m")) - 0.25).abs() < 1e-9);
        assert!((quantity(&json!("128Mi")) - 134_217_728.0).abs() < 1e-3);
        assert!((quantity(&json!(2)) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn selectors_read_labels_and_expressions() {
        let labels = json!({"app": "web", "tier": "front"});
        assert!(selects(&json!({"matchLabels": {"app": "web"}}), &labels));
        assert!(!selects(&json!({"matchLabels": {"app": "api"}}), &labels));
        let rule = |operator: &str| json!({"matchExpressions": [{"key": "tier", "operator": operator, "values": ["front"]}]});
        assert!(selects(&rule("In"), &labels) && !selects(&rule("NotIn"), &labels));
        assert!(selects(&rule("Exists"), &labels) && !selects(&rule("DoesNotExist"), &labels));
    }
}
