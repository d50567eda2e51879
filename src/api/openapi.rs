//! The OpenAPI 3.1 document, made from the list of routes and the types they take and give.
//!
//! A route cannot be served without being described: router and document come from the same list.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::problem::{Code, ErrorBody};
use super::routes::{Access, Answer, Route};

/// Makes the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of `T`, as [`SchemaOf`].
pub(super) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The document that describes `routes`.
pub(super) fn document(routes: &[Route]) -> Value {
    let mut answers = generator(SchemaSettings::for_serialize);
    let mut requests = generator(SchemaSettings::for_deserialize);
    answers.subschema_for::<ErrorBody>();
    let mut paths = Map::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation(route, &mut answers, &mut requests);
    }
    let mut schemas = requests.take_definitions(true);
    schemas.extend(answers.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "kubemend",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Incidents, proposals, decisions and the audit log of kubemend.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    })
}

fn generator(contract: fn(SchemaSettings) -> SchemaSettings) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    contract(settings).into_generator()
}

fn operation(route: &Route, answers: &mut SchemaGenerator, requests: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "parameters": parameters(route, requests),
        "responses": responses(route, answers),
    });
    if let Some(body) = route.body {
        let schema = body(requests);
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    if route.access == Access::Anyone {
        operation["security"] = json!([]);
    }
    operation
}

fn responses(route: &Route, answers: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), success(route.answer, answers));
    for (status, codes) in errors(route) {
        let names: Vec<String> = codes.iter().map(|code| json!(code).to_string().replace('"', "`")).collect();
        let description = format!("Code {}.", names.join(" or "));
        let schema = json!({"$ref": "#/components/schemas/ErrorBody"});
        let answer = json!({"description": description, "content": {"application/json": {"schema": schema}}});
        responses.insert(status.to_string(), answer);
    }
    Value::Object(responses)
}

fn success(answer: Answer, answers: &mut SchemaGenerator) -> Value {
    match answer {
        Answer::Json(schema) => {
            let schema = schema(answers);
            json!({"description": "Done.", "content": {"application/json": {"schema": schema}}})
        }
        Answer::Document => {
            json!({"description": "This document.", "content": {"application/json": {"schema": {"type": "object"}}}})
        }
        Answer::Events(schema) => {
            let schema = schema(answers);
            json!({
                "description": "Server-sent events: `id` is the entry's `seq`, `event` its type, `data` the entry as JSON.",
                "content": {"text/event-stream": {"schema": {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}}},
            })
        }
    }
}

/// The errors of every route of its access, and its own.
fn errors(route: &Route) -> std::collections::BTreeMap<u16, Vec<Code>> {
    let common: &[Code] = match route.access {
        Access::Anyone => &[Code::TooMany, Code::Unavailable],
        Access::TokenHolders => {
            &[Code::Unauthorized, Code::Forbidden, Code::TooMany, Code::Internal, Code::Unavailable]
        }
    };
    let mut errors: std::collections::BTreeMap<u16, Vec<Code>> = std::collections::BTreeMap::new();
    for code in common.iter().chain(route.errors) {
        errors.entry(code.status().as_u16()).or_default().push(*code);
    }
    errors
}

fn parameters(route: &Route, requests: &mut SchemaGenerator) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    if let Some(query) = route.query {
        parameters.extend(query_parameters(&query(requests), requests));
    }
    if matches!(route.answer, Answer::Events(_)) {
        parameters.push(json!({
            "name": "Last-Event-ID", "in": "header", "required": false, "schema": {"type": "string"},
            "description": "The `id` of the last event that was received; the stream goes on after it.",
        }));
    }
    parameters
}

/// The fields of a query's type, as parameters.
fn query_parameters(query: &Schema, requests: &SchemaGenerator) -> Vec<Value> {
    let name = query.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
    let schema = name.and_then(|name| requests.definitions().get(name));
    let fields = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    let parameter = |(name, schema): (&String, &Value)| json!({"name": name, "in": "query", "required": false, "schema": schema});
    fields.into_iter().flatten().map(parameter).collect()
}
