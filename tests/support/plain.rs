//! Making what differs from run to run the same, so that the rest can be held against a snapshot.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

/// What differs, and what stands for it. Kubernetes makes its random names without vowels.
static DIFFERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let pattern = |text: &str| Regex::new(text).expect("a valid pattern");
    vec![
        (pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "[uid]"),
        (pattern(r"\b[0-9a-f]{64}\b"), "[digest]"),
        (pattern(r"\b[0-9a-f]{32}\b"), "[container]"),
        (pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "[time]"),
        (
            pattern(r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}(_|\b)"),
            "-[set]-[pod]$1",
        ),
        (pattern(r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}\b"), "-[set]"),
        (pattern(r"\bi-\d+\.p\d+\b"), "[proposal]"),
        (pattern(r"\bi-\d+\b"), "[incident]"),
        (pattern(r"\b(\d+h)?(\d+m)?\d+s\b"), "[duration]"),
        (pattern(r#"("resourceVersion"|resourceVersion): ?"?\d+"?"#), "$1: [version]"),
        (pattern(r"(, \d+ restarts? so far| \(\d+ restarts?\))"), ""),
        (pattern(r"\b\d+ (second|minute)s?\b"), "[count] ${1}s"),
        (pattern(r#"(/metadata/resourceVersion","value":)"\d+""#), "$1[version]"),
        (pattern(r"(docker|containerd|cri-o)://[0-9a-f]+"), "[container]"),
    ]
});

/// The text with everything replaced that differs.
pub fn text(text: &str) -> String {
    DIFFERS
        .iter()
        .fold(text.to_owned(), |text, (pattern, stands)| pattern.replace_all(&text, *stands).into_owned())
}

/// The same for every text in a value.
pub fn value(known: &Value) -> Value {
    match known {
        Value::String(known) => Value::String(text(known)),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, item)| (key.clone(), value(item))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}
