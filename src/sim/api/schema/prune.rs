//! Dropping fields a kind does not have, as a real server does, and naming them; and telling values of a
//! wrong type. Owns no policy: whether an unknown field is an error is the caller's to say.

use serde_json::Value;

use super::Shape;

/// Drops unknown fields and returns their paths; an error names the first value of a wrong type.
pub(crate) fn prune(shape: Shape, object: &mut Value) -> Result<Vec<String>, String> {
    let mut unknown = Vec::new();
    walk(shape, object, "", &mut unknown)?;
    Ok(unknown)
}

fn walk(shape: Shape, value: &mut Value, path: &str, unknown: &mut Vec<String>) -> Result<(), String> {
    match (shape, value) {
        (_, Value::Null) | (Shape::Open, _) => Ok(()),
        (Shape::Struct(_) | Shape::Map(_) | Shape::Custom, Value::Object(fields)) => {
            fields.retain(|key, _| {
                let known = shape.field(key).is_some();
                if !known {
                    unknown.push(join(path, key));
                }
                known
            });
            for (key, inner) in fields.iter_mut() {
                if let Some((shape, _)) = shape.field(key) {
                    walk(shape, inner, &join(path, key), unknown)?;
                }
            }
            Ok(())
        }
        (Shape::List(_), Value::Array(items)) => {
            for (at, item) in items.iter_mut().enumerate() {
                walk(shape.item(), item, &format!("{path}[{at}]"), unknown)?;
            }
            Ok(())
        }
        (Shape::Scalar(kind), value) => scalar(kind, value, path),
        (shape, value) => Err(wrong(value, path, go_type(shape))),
    }
}

fn scalar(kind: &str, value: &Value, path: &str) -> Result<(), String> {
    let fits = match kind {
        "string" | "time" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "intstr" | "quantity" => value.is_string() || value.is_number(),
        _ => true,
    };
    let wanted = match kind {
        "integer" => "int32",
        "number" => "float64",
        "boolean" => "bool",
        other => other,
    };
    if fits { Ok(()) } else { Err(wrong(value, path, wanted)) }
}

fn wrong(value: &Value, path: &str, wanted: &str) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("json: cannot unmarshal {found} into Go struct field {path} of type {wanted}")
}

fn go_type(shape: Shape) -> &'static str {
    match shape {
        Shape::List(_) => "[]interface {}",
        Shape::Map(_) => "map[string]interface {}",
        Shape::Struct(_) | Shape::Custom | Shape::Open | Shape::Scalar(_) => "struct",
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_fields_are_dropped_and_named() {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": {
            "containers": [{"name": "c", "imagePulPolicy": "Always"}], "nodeSelector": {"any": "thing"},
        }, "extra": 1});
        let unknown = prune(Shape::of("v1", "Pod"), &mut pod).unwrap();
        assert_eq!(unknown, ["extra", "spec.containers[0].imagePulPolicy"]);
        assert_eq!(pod["spec"]["containers"], json!([{"name": "c"}]));
    }

    #[test]
    fn a_value_of_a_wrong_type_is_an_error() {
        let mut one = json!({"spec": {"replicas": "x"}});
        let told = prune(Shape::of("apps/v1", "Deployment"), &mut one).unwrap_err();
        assert_eq!(told, "json: cannot unmarshal string into Go struct field spec.replicas of type int32");
    }

    #[test]
    fn custom_resources_keep_what_they_bring() {
        let mut one = json!({"spec": {"any": [1, {"x": 2}]}, "metadata": {"name": "a", "nom": "b"}});
        let unknown = prune(Shape::of("demo.kubemend.io/v1", "Database"), &mut one).unwrap();
        assert_eq!(unknown, ["metadata.nom"]);
        assert_eq!(one["spec"], json!({"any": [1, {"x": 2}]}));
    }
}
