//! The tests that a playbook holds, as whoever can diagnose runs them; and the schema for editors.

use std::collections::BTreeMap;

use serde_json::Value;

use super::compiled::Playbook;
use super::schema::Document;
use crate::incident::Gathered;

/// One test: evidence, and what must come of it.
#[derive(Clone, Debug)]
pub struct Trial<'p> {
    pub name: &'p str,
    /// A failure message as `kubemend explain --batch` takes it …
    pub message: Option<&'p Value>,
    /// … or what was gathered about an object.
    pub evidence: Option<&'p Gathered>,
    /// A condition's id, or `none`.
    pub expect: &'p str,
    pub also_possible: Option<&'p [String]>,
    pub remedies: Option<&'p [String]>,
    pub variables: &'p BTreeMap<String, String>,
    pub line: u64,
}

impl Playbook {
    /// Its tests.
    pub fn trials(&self) -> impl Iterator<Item = Trial<'_>> {
        self.tests.iter().map(|test| Trial {
            name: &test.name.value,
            message: test.message.as_ref(),
            evidence: test.evidence.as_ref(),
            expect: &test.expect,
            also_possible: test.also_possible.as_deref(),
            remedies: test.remedies.as_deref(),
            variables: &test.variables,
            line: test.name.referenced.line(),
        })
    }
}

/// The JSON Schema of a playbook file, for editors.
pub fn schema() -> Value {
    schemars::schema_for!(Document).to_value()
}
