//! Label and field selectors. Owns parsing and matching, purely.

use serde_json::{Map, Value};

use super::meta;
use super::resource::Resource;

/// One requirement on a label or a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Need {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

/// What a list or watch asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Need>,
    fields: Vec<(String, String, bool)>,
}

/// Field labels beside `metadata.name` and `metadata.namespace`, by stored resource.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "pods",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
    ),
    (
        "events",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
    ("nodes", &["spec.unschedulable"]),
    ("secrets", &["type"]),
    ("namespaces", &["status.phase"]),
    ("jobs", &["status.successful"]),
    ("replicasets", &["status.replicas"]),
];

impl Selector {
    /// Parses both texts; an error is the message of a 400.
    pub(super) fn parse(res: &Resource, labels: &str, fields: &str) -> Result<Self, String> {
        Ok(Self { labels: parse_labels(labels)?, fields: parse_fields(res, fields)? })
    }

    pub(super) fn is_all(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// The one object `metadata.name=x` picks, which is what RBAC resource names are compared with.
    pub(super) fn one_name(&self) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _, equal)| field == "metadata.name" && *equal)
            .map(|(_, value, _)| value.as_str())
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
        self.labels.iter().all(|need| need.holds(labels))
            && self.fields.iter().all(|(field, value, equal)| (field_of(object, field) == *value) == *equal)
    }
}

impl Need {
    fn holds(&self, labels: Option<&Map<String, Value>>) -> bool {
        let get = |key: &String| labels.and_then(|all| all.get(key)).and_then(Value::as_str);
        match self {
            Self::In(key, values) => get(key).is_some_and(|own| values.iter().any(|one| one == own)),
            Self::NotIn(key, values) => get(key).is_none_or(|own| values.iter().all(|one| one != own)),
            Self::Exists(key) => get(key).is_some(),
            Self::Missing(key) => get(key).is_none(),
        }
    }
}

/// A `metav1.LabelSelector`; an empty one matches everything, null nothing.
pub fn label_selector_matches(selector: &Value, labels: &Value) -> bool {
    if selector.is_null() {
        return false;
    }
    let labels = labels.as_object();
    let texts = |value: &Value| -> Vec<String> {
        meta::list(value, "/values").iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let pairs = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let mut equal =
        pairs.map(|(key, value)| Need::In(key.clone(), vec![value.as_str().unwrap_or_default().to_owned()]));
    let by_label = equal.all(|need| need.holds(labels));
    by_label
        && meta::list(selector, "/matchExpressions").iter().all(|one| {
            let key = meta::text(one, "/key").to_owned();
            match meta::text(one, "/operator") {
                "In" => Need::In(key, texts(one)).holds(labels),
                "NotIn" => Need::NotIn(key, texts(one)).holds(labels),
                "Exists" => Need::Exists(key).holds(labels),
                "DoesNotExist" => Need::Missing(key).holds(labels),
                _ => false,
            }
        })
}

fn field_of(object: &Value, field: &str) -> String {
    if field == "source" {
        let source = meta::text(object, "/source/component");
        let reporting = meta::text(object, "/reportingComponent");
        return if source.is_empty() { reporting } else { source }.to_owned();
    }
    if field == "status.successful" {
        return object["status"]["succeeded"].as_i64().unwrap_or(0).to_string();
    }
    match object.pointer(&format!("/{}", field.replace('.', "/"))) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) if field == "spec.unschedulable" || field == "spec.hostNetwork" => {
            "false".into()
        }
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

fn parse_fields(res: &Resource, text: &str) -> Result<Vec<(String, String, bool)>, String> {
    let mut out = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (field, value, equal) = if let Some((field, value)) = part.split_once("!=") {
            (field, value, false)
        } else if let Some((field, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (field, value, true)
        } else {
            return Err(format!("invalid selector: '{text}'; can't understand '{part}'"));
        };
        if !is_known(res, field) {
            return Err(format!("field label not supported: {field}"));
        }
        // `regarding` is how events.k8s.io names the involved object.
        let field = field.replace("regarding.", "involvedObject.");
        out.push((field, value.to_owned(), equal));
    }
    Ok(out)
}

fn is_known(res: &Resource, field: &str) -> bool {
    let field = field.replace("regarding.", "involvedObject.");
    field == "metadata.name"
        || (field == "metadata.namespace" && res.namespaced)
        || FIELDS.iter().any(|(of, fields)| *of == res.stored_as.resource && fields.contains(&field.as_str()))
}

fn parse_labels(text: &str) -> Result<Vec<Need>, String> {
    split_outside(text).into_iter().filter(|part| !part.is_empty()).map(parse_need).collect()
}

/// Splits at commas that are not inside parentheses.
fn split_outside(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

fn parse_need(part: &str) -> Result<Need, String> {
    let bad = || format!("unable to parse requirement: {part:?}");
    if let Some((key, value)) = part.split_once("!=") {
        return Ok(Need::NotIn(word(key).ok_or_else(bad)?, vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Need::In(word(key).ok_or_else(bad)?, vec![value.trim().to_owned()]));
    }
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Need::Missing(word(key).ok_or_else(bad)?));
    }
    if let Some((head, values)) = part.split_once('(') {
        let values = values.strip_suffix(')').ok_or_else(bad)?;
        let values = values.split(',').map(|one| one.trim().to_owned()).collect();
        let mut words = head.split_whitespace();
        let key = words.next().and_then(word).ok_or_else(bad)?;
        return match (words.next(), words.next()) {
            (Some("in"), None) => Ok(Need::In(key, values)),
            (Some("notin"), None) => Ok(Need::NotIn(key, values)),
            _ => Err(bad()),
        };
    }
    Ok(Need::Exists(word(part).ok_or_else(bad)?))
}

fn word(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    (!text.is_empty() && text.chars().all(fits)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{gvr, resource::Registry};
    use super::*;

    fn check(labels: &str, fields: &str, object: &Value) -> bool {
        let pods = Registry::new().get(&gvr::PODS).unwrap();
        Selector::parse(&pods, labels, fields).unwrap().matches(object)
    }

    #[test]
    fn labels_are_matched_by_every_operator() {
        let pod = json!({"metadata": {"labels": {"app": "web", "tier": "front"}}});
        for yes in ["app=web", "app==web,tier in (front, back)", "app,!gone", "app!=db", "x notin (y)", ""] {
            assert!(check(yes, "", &pod), "{yes}");
        }
        for no in ["app=db", "tier notin (front)", "gone", "!app", "app!=web"] {
            assert!(!check(no, "", &pod), "{no}");
        }
    }

    #[test]
    fn fields_are_matched_and_unknown_ones_refused() {
        let pod =
            json!({"metadata": {"name": "p"}, "spec": {"nodeName": "n"}, "status": {"phase": "Running"}});
        assert!(check("", "spec.nodeName=n,status.phase!=Failed", &pod));
        assert!(!check("", "metadata.name==q", &pod));
        let pods = Registry::new().get(&gvr::PODS).unwrap();
        assert_eq!(
            Selector::parse(&pods, "", "spec.foo=1").unwrap_err(),
            "field label not supported: spec.foo"
        );
        assert!(Selector::parse(&pods, "a in (b", "").is_err());
    }

    #[test]
    fn a_null_label_selector_matches_nothing_and_an_empty_one_all() {
        assert!(!label_selector_matches(&Value::Null, &json!({})));
        assert!(label_selector_matches(&json!({}), &json!({})));
        let selector = json!({"matchLabels": {"a": "b"},
            "matchExpressions": [{"key": "c", "operator": "DoesNotExist"}]});
        assert!(label_selector_matches(&selector, &json!({"a": "b"})));
        assert!(!label_selector_matches(&selector, &json!({"a": "b", "c": "d"})));
    }
}
