//! JSON patches that are refused wherever they do not fit any more.
//!
//! Each starts with `test`s. What they test is also what the change relies on, so that the writer can say
//! which field differs before it sends anything, and the API server refuses what changes in between.
//!
//! Setting a key of a map that exists touches that key alone. A map that does not exist must be created whole,
//! and RFC 6902 has no test for absence: an `add` would wipe out what somebody else put there meanwhile. Then,
//! and only then, the patch tests `metadata.resourceVersion`.
//!
//! (API servers let `test` with `null` pass where nothing is; that is no part of the RFC, and other servers refuse
//! it.)
//!
//! A pod template is held by the generation and not by its text: that is one number, and the text may hold
//! credentials, which must not be stored with a plan.

use serde_json::{Map, Value, json};

use super::live::Live;
use crate::incident::{Change, Operation, Patch, Plan, ProposalId, Reliance, Target, Text};

/// A JSON patch being put together.
pub(super) struct Guarded {
    target: Target,
    tests: Vec<Value>,
    writes: Vec<Value>,
    relies_on: Vec<Reliance>,
}

impl Guarded {
    /// A patch of exactly this object.
    pub(super) fn of(target: &Target) -> Self {
        let tests = vec![json!({"op": "test", "path": "/metadata/uid", "value": target.uid})];
        Self { target: target.clone(), tests, writes: Vec::new(), relies_on: Vec::new() }
    }

    /// The field must have this value, here and at the API server.
    pub(super) fn test(&mut self, pointer: &str, value: &Value) {
        if self.relies_on.iter().any(|held| held.pointer == pointer) {
            return;
        }
        self.tests.push(json!({"op": "test", "path": pointer, "value": value}));
        self.rely(pointer, value);
    }

    /// The field must have this value when the target is read before sending.
    pub(super) fn rely(&mut self, pointer: &str, value: &Value) {
        self.relies_on.push(Reliance { pointer: pointer.into(), value: value.clone() });
    }

    /// Adds or replaces.
    pub(super) fn add(&mut self, pointer: &str, value: &Value) {
        self.writes.push(json!({"op": "add", "path": pointer, "value": value}));
    }

    pub(super) fn remove(&mut self, pointer: &str) {
        self.writes.push(json!({"op": "remove", "path": pointer}));
    }

    /// Operations that were computed elsewhere.
    pub(super) fn extend(&mut self, operations: Vec<Value>) {
        self.writes.extend(operations);
    }

    /// Sets keys of a map that nothing else guards.
    pub(super) fn set_keys(&mut self, live: &Live<'_>, map: &str, entries: &[(&str, &Value)]) {
        if live.at(map).is_null() {
            self.hold_version(live);
        }
        self.set_guarded_keys(live, map, entries);
    }

    /// Sets keys of a map under a guard that already notices changes of the map (such as the generation, for
    /// anything in `spec`).
    pub(super) fn set_guarded_keys(&mut self, live: &Live<'_>, map: &str, entries: &[(&str, &Value)]) {
        if live.at(map).is_null() {
            let whole: Map<String, Value> =
                entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).clone())).collect();
            self.add(map, &Value::Object(whole));
        } else {
            for (key, value) in entries {
                self.add(&below(map, key), value);
            }
        }
    }

    /// Puts the marker on an object that stays.
    pub(super) fn mark(&mut self, live: &Live<'_>, marker: &ProposalId) {
        self.set_keys(live, "/metadata/annotations", &[(Plan::MARKER, &json!(marker))]);
    }

    /// The object must be the very version that was read.
    pub(super) fn hold_version(&mut self, live: &Live<'_>) {
        self.test("/metadata/resourceVersion", live.at("/metadata/resourceVersion"));
    }

    /// The change.
    pub(super) fn change(self, summary: String) -> Change {
        let mut operations = self.tests;
        operations.extend(self.writes);
        Change {
            target: self.target,
            relies_on: self.relies_on,
            operation: Operation::Patch(Patch::Json(Value::Array(operations))),
            summary: Text::from(summary),
        }
    }
}

/// The pointer of a key in a map.
pub(super) fn below(map: &str, key: &str) -> String {
    format!("{map}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The pointer of the marker.
pub(super) fn marker_pointer() -> String {
    below("/metadata/annotations", Plan::MARKER)
}
