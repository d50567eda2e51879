//! The OpenAPI document: complete, closed, and what the routes are.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document;

#[test]
fn the_routes_are_these() {
    let document = document();
    let mut rows = Vec::new();
    for (path, operations) in object(&document["paths"]) {
        for (method, operation) in object(operations) {
            let statuses: Vec<&str> =
                object(&operation["responses"]).map(|(status, _)| status.as_str()).collect();
            let id = operation["operationId"].as_str().unwrap();
            rows.push(format!("{:4} {path} {id} {}", method.to_uppercase(), statuses.join(" ")));
        }
    }
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 20, "schemas are shared by reference");
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("references stay inside the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn evidence_and_every_kind_of_entry_are_described() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let seen = &schemas["Gathered"]["properties"];
    for field in ["pod", "events", "logs", "gaps"] {
        assert!(seen[field].is_object(), "{field} of what was gathered: {seen}");
    }
    let entries = schemas["EntryBody"]["oneOf"].as_array().unwrap();
    let fields = |kind: &str| {
        let is_it = |entry: &&Value| entry["properties"]["type"]["const"] == kind;
        entries.iter().find(is_it).unwrap_or_else(|| panic!("{kind} is not described"))["properties"].clone()
    };
    assert!(fields("opened")["finding"].is_object() && fields("changeIntended")["index"].is_object());
    assert!(fields("paused")["by"].is_object(), "what concerns no incident");
    assert!(
        entries.iter().all(|entry| entry["properties"].get("evidence").is_none()),
        "entries are shown without it"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = document();
    let mut names = BTreeSet::new();
    for (_, operations) in object(&document["paths"]) {
        for (_, operation) in object(operations) {
            assert!(names.insert(operation["operationId"].to_string()), "{}", operation["operationId"]);
        }
    }
}

#[test]
fn whatever_is_not_open_to_anyone_wants_a_token() {
    let document = document();
    for (path, operations) in object(&document["paths"]) {
        for (_, operation) in object(operations) {
            let open = operation.get("security").is_some_and(|security| security == &serde_json::json!([]));
            assert_eq!(open, path == "/api/v1/openapi.json", "{path}");
            assert_eq!(operation["responses"].get("401").is_none(), open, "{path}");
        }
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object").iter()
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
