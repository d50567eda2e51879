//! The OpenAPI version 2 document as protobuf, which older kubectls ask for and accept nothing else.
//! Owns the field numbers of the few messages needed (gnostic's OpenAPIv2.proto).

use serde_json::{Map, Value};

/// A `Document`.
pub(super) fn document(document: &Value) -> Vec<u8> {
    let mut info = Vec::new();
    text(&mut info, 1, document["info"]["title"].as_str().unwrap_or_default());
    text(&mut info, 2, document["info"]["version"].as_str().unwrap_or_default());
    let mut definitions = Vec::new();
    for (name, value) in map(&document["definitions"]) {
        bytes(&mut definitions, 1, &named(name, &schema(value)));
    }
    let mut out = Vec::new();
    text(&mut out, 1, "2.0");
    bytes(&mut out, 2, &info);
    bytes(&mut out, 8, &paths(&document["paths"]));
    bytes(&mut out, 9, &definitions);
    out
}

fn schema(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let plain = |key: &str| value[key].as_str().unwrap_or_default();
    for (number, key) in [(1, "$ref"), (2, "format"), (4, "description")] {
        text(&mut out, number, plain(key));
    }
    for one in value["required"].as_array().into_iter().flatten() {
        text(&mut out, 19, one.as_str().unwrap_or_default());
    }
    if let Some(inner) = value.get("additionalProperties") {
        let mut item = Vec::new();
        bytes(&mut item, 1, &schema(inner));
        bytes(&mut out, 21, &item);
    }
    if !plain("type").is_empty() {
        let mut kind = Vec::new();
        text(&mut kind, 1, plain("type"));
        bytes(&mut out, 22, &kind);
    }
    if let Some(inner) = value.get("items") {
        let mut item = Vec::new();
        bytes(&mut item, 1, &schema(inner));
        bytes(&mut out, 23, &item);
    }
    let mut properties = Vec::new();
    for (name, inner) in map(&value["properties"]) {
        bytes(&mut properties, 1, &named(name, &schema(inner)));
    }
    if !properties.is_empty() {
        bytes(&mut out, 25, &properties);
    }
    extensions(&mut out, 31, value);
    out
}

fn paths(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, item) in map(value) {
        let mut path = Vec::new();
        bytes(&mut path, 7, &operation(&item["patch"]));
        bytes(&mut out, 2, &named(name, &path));
    }
    out
}

fn operation(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    for one in value["consumes"].as_array().into_iter().flatten() {
        text(&mut out, 7, one.as_str().unwrap_or_default());
    }
    for one in value["parameters"].as_array().into_iter().flatten() {
        bytes(&mut out, 8, &query_parameter(one["name"].as_str().unwrap_or_default()));
    }
    extensions(&mut out, 13, value);
    out
}

/// ParametersItem > Parameter > NonBodyParameter > QueryParameterSubSchema.
fn query_parameter(name: &str) -> Vec<u8> {
    let mut query = Vec::new();
    text(&mut query, 2, "query");
    text(&mut query, 4, name);
    text(&mut query, 6, "string");
    // In NonBodyParameter a query is the third alternative, in Parameter non-body the second.
    [3, 2, 1].iter().fold(query, |inner, number| {
        let mut outer = Vec::new();
        bytes(&mut outer, *number, &inner);
        outer
    })
}

/// `x-…` keys as NamedAny holding YAML; JSON is YAML.
fn extensions(out: &mut Vec<u8>, number: u32, value: &Value) {
    for (name, inner) in map(value).filter(|(name, _)| name.starts_with("x-")) {
        let mut any = Vec::new();
        text(&mut any, 2, &format!("{inner}\n"));
        bytes(out, number, &named(name, &any));
    }
}

fn map(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().map(Map::iter).into_iter().flatten()
}

fn named(name: &str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    text(&mut out, 1, name);
    bytes(&mut out, 2, value);
    out
}

fn text(out: &mut Vec<u8>, number: u32, value: &str) {
    if !value.is_empty() {
        bytes(out, number, value.as_bytes());
    }
}

fn bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    varint(out, u64::from(number << 3 | 2));
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_above_127_take_two_bytes() {
        let mut out = Vec::new();
        bytes(&mut out, 1, &[7; 300]);
        assert_eq!(out[..3], [0x0a, 0xac, 0x02]);
        assert_eq!(out.len(), 303);
    }
}
