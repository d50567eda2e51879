//! Discovery and health: what is served, in the three forms clients ask for, and that the server lives.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};

use super::super::ApiServer;
use super::super::resource::Resource;
use super::super::status::Status;
use super::answer::{self, header};
use super::openapi;

/// The version this server claims.
const VERSION: (&str, &str, &str) = ("1", "32", "v1.32.0");

pub(super) fn serve(api: &ApiServer, path: &str, parts: &Parts) -> Result<Response, Status> {
    let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
    let rows: Vec<Arc<Resource>> = api.inner.state.lock().registry.iter().cloned().collect();
    match words.as_slice() {
        ["healthz" | "livez" | "readyz", ..] => Ok(answer::bytes(200, "text/plain; charset=utf-8", "ok")),
        ["version"] => Ok(answer::json(200, &version())),
        ["openapi", rest @ ..] => openapi::serve(&rows, rest, parts),
        ["api" | "apis"] if aggregated(parts).is_some() => Ok(aggregate(&rows, words[0], parts)),
        ["api"] => Ok(answer::json(
            200,
            &json!({"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]}),
        )),
        ["apis"] => Ok(answer::json(
            200,
            &json!({"kind": "APIGroupList", "apiVersion": "v1",
            "groups": groups(&rows).iter().map(|(name, versions)| group(name, versions)).collect::<Vec<_>>()}),
        )),
        ["apis", name] => {
            let groups = groups(&rows);
            let (name, versions) =
                groups.iter().find(|(one, _)| one == name).ok_or_else(Status::no_such_path)?;
            let mut body = group(name, versions);
            body["kind"] = json!("APIGroup");
            body["apiVersion"] = json!("v1");
            Ok(answer::json(200, &body))
        }
        ["api", version] => resources(&rows, "", version),
        ["apis", group, version] => resources(&rows, group, version),
        [] => Ok(answer::json(
            200,
            &json!({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez",
            "/openapi/v2", "/openapi/v3", "/readyz", "/version"]}),
        )),
        _ => Err(Status::no_such_path()),
    }
}

fn version() -> Value {
    json!({"major": VERSION.0, "minor": VERSION.1, "gitVersion": VERSION.2, "gitCommit": "kubemend",
        "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc",
        "platform": "linux/amd64"})
}

/// Groups but the core one, with their versions, in the order of the table.
fn groups(rows: &[Arc<Resource>]) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut out: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for row in rows.iter().filter(|row| !row.gvr.group.is_empty()) {
        let at = out.iter().position(|(name, _)| *name == row.gvr.group).unwrap_or_else(|| {
            out.push((row.gvr.group, Vec::new()));
            out.len() - 1
        });
        if !out[at].1.contains(&row.gvr.version) {
            out[at].1.push(row.gvr.version);
        }
    }
    out
}

fn group(name: &str, versions: &[&str]) -> Value {
    let one = |version: &&str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    json!({"name": name, "versions": versions.iter().map(one).collect::<Vec<_>>(),
        "preferredVersion": versions.first().map(one)})
}

fn resources(rows: &[Arc<Resource>], group: &str, version: &str) -> Result<Response, Status> {
    let own: Vec<&Arc<Resource>> =
        rows.iter().filter(|row| row.gvr.group == group && row.gvr.version == version).collect();
    let first = own.first().ok_or_else(Status::no_such_path)?;
    let group_version = first.api_version();
    let list: Vec<Value> = own.iter().flat_map(|row| listed(row)).collect();
    Ok(answer::json(
        200,
        &json!({"kind": "APIResourceList", "apiVersion": "v1",
        "groupVersion": group_version, "resources": list}),
    ))
}

fn listed(row: &Resource) -> Vec<Value> {
    let mut main = json!({"name": row.gvr.resource, "singularName": row.singular, "kind": row.kind,
        "namespaced": row.namespaced, "verbs": row.verbs});
    if !row.short.is_empty() {
        main["shortNames"] = json!(row.short);
    }
    if !row.categories.is_empty() {
        main["categories"] = json!(row.categories);
    }
    let mut out = vec![main];
    for sub in row.subs {
        let kind = if sub.kind.is_empty() { row.kind } else { sub.kind };
        let mut one = json!({"name": format!("{}/{}", row.gvr.resource, sub.name), "singularName": "",
            "namespaced": row.namespaced, "kind": kind, "verbs": sub.verbs});
        if !sub.version.is_empty() {
            one["version"] = json!(sub.version);
            one["group"] = json!(sub.group);
        }
        out.push(one);
    }
    out
}

/// The content type of aggregated discovery, if the client prefers it.
fn aggregated(parts: &Parts) -> Option<&'static str> {
    header(parts, "accept").split(',').find_map(|kind| {
        let is = |piece: &str| kind.split(';').any(|one| one.trim() == piece);
        if !is("as=APIGroupDiscoveryList") {
            None
        } else if is("v=v2") {
            Some("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
        } else {
            Some("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList")
        }
    })
}

fn aggregate(rows: &[Arc<Resource>], root: &str, parts: &Parts) -> Response {
    let kind = aggregated(parts).unwrap_or("application/json");
    let version = if kind.contains("v=v2;") { "v2" } else { "v2beta1" };
    let mut items = Vec::new();
    let mut own = groups(rows);
    if root == "api" {
        own = vec![("", vec!["v1"])];
    }
    for (name, versions) in own {
        let versions: Vec<Value> = versions.iter().map(|version| versioned(rows, name, version)).collect();
        let meta = if name.is_empty() { json!({}) } else { json!({"name": name}) };
        items.push(json!({"metadata": meta, "versions": versions}));
    }
    let body = json!({"kind": "APIGroupDiscoveryList", "metadata": {}, "items": items,
        "apiVersion": format!("apidiscovery.k8s.io/{version}")});
    answer::bytes(200, kind, body.to_string())
}

fn versioned(rows: &[Arc<Resource>], group: &str, version: &str) -> Value {
    let own = rows.iter().filter(|row| row.gvr.group == group && row.gvr.version == version);
    let list: Vec<Value> = own.map(|row| described(row)).collect();
    json!({"version": version, "resources": list, "freshness": "Current"})
}

fn described(row: &Resource) -> Value {
    let kind =
        |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let scope = if row.namespaced { "Namespaced" } else { "Cluster" };
    let mut one: BTreeMap<&str, Value> = BTreeMap::from([
        ("resource", json!(row.gvr.resource)),
        ("responseKind", kind(row.gvr.group, row.gvr.version, row.kind)),
        ("scope", json!(scope)),
        ("singularResource", json!(row.singular)),
        ("verbs", json!(row.verbs)),
    ]);
    if !row.short.is_empty() {
        one.insert("shortNames", json!(row.short));
    }
    if !row.categories.is_empty() {
        one.insert("categories", json!(row.categories));
    }
    let subs: Vec<Value> = row
        .subs
        .iter()
        .map(|sub| {
            let response = if sub.kind.is_empty() {
                kind(row.gvr.group, row.gvr.version, row.kind)
            } else {
                kind(sub.group, sub.version, sub.kind)
            };
            json!({"subresource": sub.name, "responseKind": response, "verbs": sub.verbs})
        })
        .collect();
    if !subs.is_empty() {
        one.insert("subresources", json!(subs));
    }
    json!(one)
}
