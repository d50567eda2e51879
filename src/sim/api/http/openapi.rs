//! OpenAPI documents made from the resource table and the known fields: version 2 as JSON or protobuf,
//! version 3 by group. Enough for kubectl to explain, validate and merge.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::super::resource::Resource;
use super::super::schema::{Def, Field, Rules, definition_name, definitions};
use super::super::status::Status;
use super::access::Prefix;
use super::answer::{self, header};
use super::proto;

/// Clients ask for `v2@v1.0` or `v2.v1.0`; the answer says the latter, for Go refuses the `@`.
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const PROTOBUF_V3: &str = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";

pub(super) fn serve(rows: &[Arc<Resource>], rest: &[&str], parts: &Parts) -> Result<Response, Status> {
    match rest {
        ["v2"] => {
            let document = v2(rows);
            if header(parts, "accept").contains("proto-openapi.spec.v2") {
                return Ok(answer::bytes(200, PROTOBUF, proto::document(&document)));
            }
            Ok(answer::json(200, &document))
        }
        ["v3"] => Ok(answer::json(200, &index(rows, parts))),
        ["v3", "api", version] => group_document(rows, "", version, parts),
        ["v3", "apis", group, version] => group_document(rows, group, version, parts),
        _ => Err(Status::no_such_path()),
    }
}

fn index(rows: &[Arc<Resource>], parts: &Parts) -> Value {
    let prefix = parts.extensions.get::<Prefix>().map_or("", |prefix| prefix.0.as_str());
    let mut paths = Map::new();
    for row in rows {
        let path = if row.gvr.group.is_empty() {
            format!("api/{}", row.gvr.version)
        } else {
            format!("apis/{}/{}", row.gvr.group, row.gvr.version)
        };
        let url = format!("{prefix}/openapi/v3/{path}?hash=kubemend");
        paths.insert(path, json!({"serverRelativeURL": url}));
    }
    json!({"paths": paths})
}

fn group_document(
    rows: &[Arc<Resource>],
    group: &str,
    version: &str,
    parts: &Parts,
) -> Result<Response, Status> {
    let accept = header(parts, "accept");
    if accept == PROTOBUF_V3 {
        return Err(Status::not_acceptable("application/json"));
    }
    let own: Vec<Arc<Resource>> =
        rows.iter().filter(|row| row.gvr.group == group && row.gvr.version == version).cloned().collect();
    if own.is_empty() {
        return Err(Status::no_such_path());
    }
    let schemas = schemas(&own, "#/components/schemas/");
    let paths: Map<String, Value> = own.iter().map(|row| (path_of(row), operations(row, true))).collect();
    Ok(answer::json(
        200,
        &json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.32.0"},
        "paths": paths, "components": {"schemas": schemas}}),
    ))
}

fn v2(rows: &[Arc<Resource>]) -> Value {
    let paths: Map<String, Value> = rows.iter().map(|row| (path_of(row), operations(row, false))).collect();
    json!({"swagger": "2.0", "info": {"title": "Kubernetes", "version": "v1.32.0"}, "paths": paths,
        "definitions": schemas(rows, "#/definitions/")})
}

fn path_of(row: &Resource) -> String {
    let root = if row.gvr.group.is_empty() { "/api" } else { "/apis" };
    let place = if row.namespaced { "/namespaces/{namespace}" } else { "" };
    format!("{root}/{}{place}/{}/{{name}}", row.api_version(), row.gvr.resource)
}

/// Enough for kubectl to see that the server knows dry runs, field validation and which patches.
fn operations(row: &Resource, v3: bool) -> Value {
    let gvk = json!({"group": row.gvr.group, "version": row.gvr.version, "kind": row.kind});
    let query = |name: &str| {
        if v3 {
            json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}})
        } else {
            json!({"name": name, "in": "query", "type": "string", "uniqueItems": true})
        }
    };
    let mut patches =
        vec!["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"];
    if !row.custom {
        patches.push("application/strategic-merge-patch+json");
    }
    let mut patch = json!({"x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": gvk,
        "parameters": [query("dryRun"), query("fieldManager"), query("fieldValidation"), query("force")],
        "responses": {"200": {"description": "OK"}}});
    if v3 {
        let content: Map<String, Value> =
            patches.iter().map(|kind| ((*kind).to_owned(), json!({"schema": {"type": "object"}}))).collect();
        patch["requestBody"] = json!({"content": content});
    } else {
        patch["consumes"] = json!(patches);
    }
    json!({"patch": patch})
}

/// Definitions of the given rows and everything they refer to.
fn schemas(rows: &[Arc<Resource>], prefix: &str) -> Map<String, Value> {
    let mut out = Map::new();
    let mut todo = Vec::new();
    for row in rows {
        let name = definition_name(row.gvr.group, row.gvr.version, row.kind);
        let mut schema = match definitions().get(&name) {
            Some(def) => struct_schema(def, prefix, &mut todo),
            None => custom_schema(row, prefix, &mut todo),
        };
        schema["x-kubernetes-group-version-kind"] =
            json!([{"group": row.gvr.group, "version": row.gvr.version, "kind": row.kind}]);
        out.insert(name, schema);
    }
    while let Some(name) = todo.pop() {
        if !out.contains_key(name)
            && let Some(def) = definitions().get(name)
        {
            let schema = struct_schema(def, prefix, &mut todo);
            out.insert(name.to_owned(), schema);
        }
    }
    out
}

fn custom_schema(row: &Resource, prefix: &str, todo: &mut Vec<&'static str>) -> Value {
    let meta = type_schema("#io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", prefix, todo);
    json!({"type": "object", "description": format!("{} is a custom resource.", row.kind),
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": meta,
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}})
}

fn struct_schema(def: &'static Def, prefix: &str, todo: &mut Vec<&'static str>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, Field(text, doc, rules)) in &def.fields {
        let mut schema = type_schema(text, prefix, todo);
        schema["description"] = json!(doc);
        extend(&mut schema, rules);
        properties.insert(name.clone(), schema);
        if rules.is_required() && name != "metadata" {
            required.push(name.clone());
        }
    }
    let mut schema = json!({"type": "object", "description": def.doc, "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn extend(schema: &mut Value, rules: &Rules) {
    if !rules.strategy.is_empty() {
        schema["x-kubernetes-patch-strategy"] = json!(rules.strategy);
    }
    if let Some(key) = &rules.merge_key {
        schema["x-kubernetes-patch-merge-key"] = json!(key);
    }
    if !rules.list_keys.is_empty() {
        schema["x-kubernetes-list-type"] = json!("map");
        schema["x-kubernetes-list-map-keys"] = json!(rules.list_keys);
    } else if rules.is_set() {
        schema["x-kubernetes-list-type"] = json!("set");
    }
}

fn type_schema(text: &'static str, prefix: &str, todo: &mut Vec<&'static str>) -> Value {
    if let Some(inner) = text.strip_prefix("[]") {
        return json!({"type": "array", "items": type_schema(inner, prefix, todo)});
    }
    if let Some(inner) = text.strip_prefix("{}") {
        return json!({"type": "object", "additionalProperties": type_schema(inner, prefix, todo)});
    }
    if let Some(name) = text.strip_prefix('#') {
        todo.push(name);
        let reference = format!("{prefix}{name}");
        // Version 3 allows nothing beside a reference but inside allOf.
        return if prefix.contains("components") {
            json!({"allOf": [{"$ref": reference}], "default": {}})
        } else {
            json!({"$ref": reference})
        };
    }
    match text {
        "integer" | "number" | "boolean" | "string" => json!({"type": text}),
        "time" => json!({"type": "string", "format": "date-time"}),
        "intstr" => json!({"type": "string", "format": "int-or-string"}),
        "quantity" => json!({"type": "string"}),
        _ => json!({"type": "object"}),
    }
}
