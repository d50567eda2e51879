//! One stored event, two faces: core `v1` and `events.k8s.io/v1`. Owns the renaming of their fields.

use serde_json::{Map, Value};

/// Core name, new name.
const RENAMED: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// A stored event as `events.k8s.io/v1` shows it.
pub(super) fn to_new(event: &mut Value) {
    if let Some(fields) = event.as_object_mut() {
        for (core, new) in RENAMED {
            rename(fields, core, new);
        }
    }
}

/// An `events.k8s.io/v1` event as it is stored.
pub(super) fn to_core(event: &mut Value) {
    if let Some(fields) = event.as_object_mut() {
        for (core, new) in RENAMED {
            rename(fields, new, core);
        }
    }
}

fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = fields.remove(from) {
        fields.insert(to.to_owned(), value);
    }
}
