//! Holds a document against a JSON Schema and reports every difference at once: unknown keys with the
//! nearest known one, missing keys, values of the wrong kind.
//!
//! Knows the part of JSON Schema 2020-12 that our own types produce. The typed reader stops at the first
//! mistake; this one is what an operator sees. The tests of the HTTP API hold answers against the OpenAPI
//! document with it.

use serde_json::Value as Json;

use super::tree::{Key, Node, Position, Value};
use crate::playbook::nearest;

/// One difference between a document and what it should be.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mistake {
    pub at: Position,
    /// `clusters[1].name`; `""` for the document itself.
    pub path: String,
    pub what: String,
    pub way_out: String,
}

/// Every place where `document` is not what `schema` says. `root` resolves `$ref`.
pub fn check(root: &Json, schema: &Json, document: &Node) -> Vec<Mistake> {
    Checker { root }.check(schema, document, "")
}

struct Checker<'a> {
    root: &'a Json,
}

impl<'a> Checker<'a> {
    fn check(&self, schema: &'a Json, node: &Node, path: &str) -> Vec<Mistake> {
        if schema == &Json::Bool(false) {
            return vec![mistake(node.at, path, "nothing may stand here", "remove it")];
        }
        let mut found = Vec::new();
        if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
            found.extend(self.check(self.resolve(target), node, path));
        }
        for part in list(schema, "allOf") {
            found.extend(self.check(part, node, path));
        }
        for choice in ["anyOf", "oneOf"] {
            found.extend(self.check_choice(list(schema, choice), node, path));
        }
        if found.is_empty() {
            found.extend(check_kind(schema, node, path));
        }
        if found.is_empty() {
            found.extend(self.check_inside(schema, node, path));
        }
        found
    }

    fn resolve(&self, target: &str) -> &'a Json {
        target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)).unwrap_or(&Json::Bool(false))
    }

    fn check_choice(&self, choices: &'a [Json], node: &Node, path: &str) -> Vec<Mistake> {
        if choices.is_empty() {
            return Vec::new();
        }
        let words: Vec<&str> = choices.iter().flat_map(words).collect();
        if let (Value::Text(text), true) = (&node.value, words.len() >= choices.len()) {
            return if words.contains(&text.as_str()) {
                Vec::new()
            } else {
                vec![wrong_word(&words, text, node, path)]
            };
        }
        let tried =
            choices.iter().map(|choice| (self.is_of_kind(choice, node), self.check(choice, node, path)));
        let nearest = tried.min_by_key(|(fits, mistakes)| (!mistakes.is_empty(), !fits, mistakes.len()));
        nearest.map(|(_, mistakes)| mistakes).unwrap_or_default()
    }

    /// An alternative of the right kind, wrong only further inside, is more likely what was meant.
    fn is_of_kind(&self, schema: &'a Json, node: &Node) -> bool {
        let target = schema.get("$ref").and_then(Json::as_str);
        check_kind(target.map_or(schema, |target| self.resolve(target)), node, "").is_none()
    }

    fn check_inside(&self, schema: &'a Json, node: &Node, path: &str) -> Vec<Mistake> {
        match &node.value {
            Value::Map(fields) => self.check_fields(schema, node.at, fields, path),
            Value::List(items) => self.check_items(schema, node.at, items, path),
            Value::Text(text) => check_text(schema, node.at, text, path),
            Value::Number(number) => check_range(schema, node.at, number, path),
            Value::Null | Value::Bool(_) => Vec::new(),
        }
    }

    fn check_fields(
        &self,
        schema: &'a Json,
        at: Position,
        fields: &[(Key, Node)],
        path: &str,
    ) -> Vec<Mistake> {
        let known = schema.get("properties").and_then(Json::as_object);
        let mut found = missing(schema, at, fields, path);
        for (key, value) in fields {
            let inner = join(path, &key.name);
            if let Some(wanted) = known.and_then(|known| known.get(&key.name)) {
                found.extend(self.check(wanted, value, &inner));
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Json::Bool(false)) => {
                    found.push(unknown(key, &inner, known.into_iter().flat_map(|known| known.keys())));
                }
                Some(wanted) => found.extend(self.check(wanted, value, &inner)),
                None => {}
            }
        }
        found
    }

    fn check_items(&self, schema: &'a Json, at: Position, items: &[Node], path: &str) -> Vec<Mistake> {
        let mut found = Vec::new();
        if schema.get("minItems").and_then(Json::as_u64).is_some_and(|least| (items.len() as u64) < least) {
            found.push(mistake(at, path, "too few entries", "add at least one"));
        }
        if let Some(wanted) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                found.extend(self.check(wanted, item, &format!("{path}[{index}]")));
            }
        }
        found
    }
}

fn check_kind(schema: &Json, node: &Node, path: &str) -> Option<Mistake> {
    if let Value::Text(text) = &node.value {
        let words: Vec<&str> = words(schema).collect();
        if !words.is_empty() {
            return (!words.contains(&text.as_str())).then(|| wrong_word(&words, text, node, path));
        }
    }
    let wanted: Vec<&str> = match schema.get("type") {
        Some(Json::String(kind)) => vec![kind],
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
        _ => return None,
    };
    if wanted.iter().any(|kind| is_of(&node.value, kind)) {
        return None;
    }
    let names: Vec<&str> = wanted.iter().filter(|kind| **kind != "null").map(|kind| plain(kind)).collect();
    let what = format!("must be {}, and is {}", names.join(" or "), node.value.kind());
    let quote = wanted == ["string"] && matches!(node.value, Value::Bool(_) | Value::Number(_));
    Some(mistake(node.at, path, &what, if quote { "put it in quotes" } else { "" }))
}

fn is_of(value: &Value, kind: &str) -> bool {
    match value {
        Value::Null => kind == "null",
        Value::Bool(_) => kind == "boolean",
        Value::Number(number) => kind == "number" || (kind == "integer" && !number.is_f64()),
        Value::Text(_) => kind == "string",
        Value::List(_) => kind == "array",
        Value::Map(_) => kind == "object",
    }
}

fn plain(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    }
}

fn check_text(schema: &Json, at: Position, text: &str, path: &str) -> Vec<Mistake> {
    let mut found = Vec::new();
    if let Some(least) = schema.get("minLength").and_then(Json::as_u64)
        && (text.chars().count() as u64) < least
    {
        found.push(mistake(at, path, "is too short", &format!("give at least {least} characters")));
    }
    if let Some(pattern) = schema.get("pattern").and_then(Json::as_str)
        && regex::Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text))
    {
        found.push(mistake(at, path, &format!("`{text}` does not match `{pattern}`"), ""));
    }
    found
}

fn check_range(schema: &Json, at: Position, number: &serde_json::Number, path: &str) -> Vec<Mistake> {
    let bound = |name: &str| schema.get(name).and_then(Json::as_f64);
    let value = number.as_f64().unwrap_or_default();
    match (bound("minimum"), bound("maximum")) {
        (Some(least), _) if value < least => {
            vec![mistake(at, path, &format!("{number} is too small"), &format!("the least is {least}"))]
        }
        (_, Some(most)) if value > most => {
            vec![mistake(at, path, &format!("{number} is too large"), &format!("the most is {most}"))]
        }
        _ => Vec::new(),
    }
}

fn missing(schema: &Json, at: Position, fields: &[(Key, Node)], path: &str) -> Vec<Mistake> {
    let wanted = list(schema, "required").iter().filter_map(Json::as_str);
    wanted
        .filter(|name| !fields.iter().any(|(key, _)| key.name == *name))
        .map(|name| mistake(at, path, &format!("`{name}` is missing"), &format!("add `{name}:`")))
        .collect()
}

fn unknown<'k>(key: &Key, path: &str, known: impl Iterator<Item = &'k String>) -> Mistake {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let way_out = match nearest(&key.name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    mistake(key.at, path, &format!("`{}` is not a known key", key.name), &way_out)
}

fn wrong_word(words: &[&str], text: &str, node: &Node, path: &str) -> Mistake {
    let way_out = match nearest(text, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of: {}", words.join(", ")),
    };
    mistake(node.at, path, &format!("`{text}` is not allowed"), &way_out)
}

/// The texts that a schema of fixed words allows.
fn words(schema: &Json) -> impl Iterator<Item = &str> {
    let constant = schema.get("const").and_then(Json::as_str);
    constant.into_iter().chain(list(schema, "enum").iter().filter_map(Json::as_str))
}

fn list<'a>(schema: &'a Json, name: &str) -> &'a [Json] {
    schema.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn mistake(at: Position, path: &str, what: &str, way_out: &str) -> Mistake {
    Mistake { at, path: path.to_owned(), what: what.to_owned(), way_out: way_out.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(schema: &Json, yaml: &str) -> Vec<String> {
        let tree = Node::parse(yaml).expect("valid YAML");
        let told = check(schema, schema, &tree).into_iter();
        told.map(|m| format!("{}:{} {}: {} ({})", m.at.line, m.at.column, m.path, m.what, m.way_out))
            .collect()
    }

    #[test]
    fn all_mistakes_are_told_at_once_with_their_places() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "port": {"type": "integer", "minimum": 1},
                "mode": {"oneOf": [{"const": "observe"}, {"const": "approve"}]},
                "inner": {"anyOf": [{"$ref": "#/$defs/Inner"}, {"type": "null"}]},
            },
            "$defs": {"Inner": {"type": "object", "additionalProperties": false,
                "properties": {"depth": {"type": "integer"}}}},
        });
        assert_eq!(
            problems(&schema, "prot: 1\nport: 0\nmode: aprove\ninner:\n  depth: deep\n"),
            [
                "1:1 : `name` is missing (add `name:`)",
                "1:1 prot: `prot` is not a known key (did you mean `port`?)",
                "2:7 port: 0 is too small (the least is 1)",
                "3:7 mode: `aprove` is not allowed (did you mean `approve`?)",
                "5:10 inner.depth: must be a whole number, and is text ()",
            ]
        );
        assert!(problems(&schema, "name: x\nport: 1\nmode: observe\ninner:\n").is_empty());
    }
}
