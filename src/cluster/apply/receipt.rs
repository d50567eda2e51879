//! What is kept of the values that a change replaces. Credentials are hidden, long values cut.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::actions::secrecy;
use crate::incident::{Change, Operation, Patch, Reliance};

const LONGEST: usize = 16 * 1024;
const LONGEST_SHOWN: usize = 200;

/// The values that the change replaces, by pointer, from the object as it was read before.
pub(super) fn before(change: &Change, object: &Value) -> Value {
    let mut hidden = object.clone();
    secrecy::hide(&change.target.api.kind, &mut hidden);
    let at = |pointer: &str| hidden.pointer(pointer).cloned().unwrap_or(Value::Null);
    bounded(&written(change).into_iter().map(|pointer| (pointer.to_owned(), at(pointer))).collect())
}

/// The same, where the object as it was is not known: what the change relied on.
pub(super) fn relied_on(change: &Change) -> Value {
    bounded(&change.relies_on.iter().map(|held| (held.pointer.to_string(), visible(change, held))).collect())
}

/// The approved and the present value of a field, for a sentence.
pub(super) fn shown(change: &Change, held: &Reliance, live: &Value) -> (String, String) {
    let mut hidden = live.clone();
    secrecy::hide(&change.target.api.kind, &mut hidden);
    let now = hidden.pointer(&held.pointer).unwrap_or(&Value::Null);
    (short(&visible(change, held)), short(now))
}

fn visible(change: &Change, held: &Reliance) -> Value {
    let mut value = held.value.clone();
    let kind = if held.pointer.starts_with("/metadata") { "" } else { change.target.api.kind.as_str() };
    secrecy::hide(kind, &mut value);
    value
}

fn written(change: &Change) -> Vec<&str> {
    match &change.operation {
        Operation::Patch(Patch::Json(Value::Array(operations))) => {
            operations.iter().filter(|op| op["op"] != "test").filter_map(|op| op["path"].as_str()).collect()
        }
        Operation::Delete(_) | Operation::Patch(_) => {
            change.relies_on.iter().map(|held| held.pointer.as_str()).collect()
        }
        Operation::Create(_) => Vec::new(),
    }
}

fn bounded(values: &BTreeMap<String, Value>) -> Value {
    let whole = json!(values);
    if whole.to_string().len() <= LONGEST {
        return whole;
    }
    let cut: BTreeMap<&String, String> =
        values.iter().take(50).map(|(key, value)| (key, short(value))).collect();
    json!(cut)
}

fn short(value: &Value) -> String {
    let text = if value.is_null() { "absent".to_owned() } else { value.to_string() };
    if text.chars().count() <= LONGEST_SHOWN {
        return text;
    }
    text.chars().take(LONGEST_SHOWN).chain(std::iter::once('…')).collect()
}
