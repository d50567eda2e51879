//! What a playbook file holds, as it is written. Unknown keys are refused; texts that are compiled later
//! (patterns, conditions, templates) remember where they stood.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::incident::{Gathered, Mode, Risk, Scope, Severity, Source, WantedCheck};

/// A text, and where it stands in its file.
pub(super) type Placed = Spanned<String>;

/// One file: one condition.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Playbook")]
pub(super) struct Document {
    /// Always `kubemend.dev/v1`.
    #[schemars(with = "String")]
    pub api_version: Placed,
    /// Always `Playbook`.
    #[schemars(with = "String")]
    pub kind: Placed,
    pub metadata: Metadata,
    pub spec: Spec,
}

/// The playbook's name.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Metadata {
    /// The condition's id: family and name, such as `image.auth-missing`.
    #[schemars(with = "String")]
    pub name: Placed,
}

/// Everything about one condition.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Spec {
    /// What people read first; a few words.
    pub title: String,
    pub severity: Severity,
    /// What it means and how to tell it from its neighbours, in Markdown.
    pub explanation: String,
    /// The cause in one sentence about the object at hand (Handlebars over the facts).
    #[schemars(with = "String")]
    pub cause: Placed,
    /// Kinds of objects it can be about; `*` is any.
    pub kinds: Vec<String>,
    #[serde(rename = "match")]
    pub matching: Matching,
    /// CEL over the facts: what patterns cannot say.
    #[schemars(with = "Option<String>")]
    pub when: Option<Placed>,
    /// What one incident covers.
    pub scope: Scope,
    /// How long it must last before it is reported, such as `30s`.
    #[schemars(with = "String")]
    pub lasting: Placed,
    /// Conditions whose incidents an incident of this one takes in, where their places overlap; `image.*`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub absorbs: Vec<Placed>,
    /// Conditions this one wins over where both match.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub over: Vec<Placed>,
    /// Conditions the same evidence may also mean.
    #[serde(default)]
    pub rivals: Vec<Rival>,
    #[serde(default)]
    pub remedies: Vec<RemedySpec>,
    /// Exact steps for a person, in Markdown (Handlebars over the facts).
    #[schemars(with = "String")]
    pub manual: Placed,
    pub tests: Vec<TestSpec>,
}

/// Which pieces of evidence speak for the condition, and which against it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Matching {
    /// One of these must be there.
    pub any: Vec<Matcher>,
    /// None of these may be there.
    #[serde(default)]
    pub none: Vec<Matcher>,
}

/// A piece of evidence; everything that is named must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Matcher {
    /// Where it stands.
    #[serde(rename = "in")]
    pub places: Vec<Source>,
    /// The reason of the event, state or condition.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// The type of a condition, such as `Ready`.
    #[serde(default)]
    pub types: Vec<String>,
    /// The status of a condition: `True`, `False`, `Unknown`.
    #[serde(default)]
    pub statuses: Vec<String>,
    #[serde(default)]
    pub exit_codes: Vec<i32>,
    /// Regular expressions, one of which must be found in the text. Named groups become variables;
    /// those whose names begin with `_` are marks that only conditions see.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub patterns: Vec<Placed>,
}

/// Another condition that cannot be excluded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Rival {
    #[schemars(with = "String")]
    pub condition: Placed,
    /// CEL: only then.
    #[schemars(with = "Option<String>")]
    pub when: Option<Placed>,
}

/// Something that can be done about it through the Kubernetes API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RemedySpec {
    #[schemars(with = "String")]
    pub id: Placed,
    pub title: String,
    /// What it does, and when it is right, in Markdown.
    pub explanation: String,
    pub risk: Risk,
    #[serde(default)]
    pub mode: Mode,
    /// CEL: offered only then.
    #[schemars(with = "Option<String>")]
    pub when: Option<Placed>,
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    pub steps: Vec<StepSpec>,
    pub checks: Vec<WantedCheck>,
    /// How long the checks may take, such as `5m`.
    #[schemars(with = "String")]
    pub timeout: Placed,
}

/// A value that a remedy needs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Parameter {
    pub name: String,
    /// The list among the facts that the candidates come from, such as `image.candidates`. With an empty
    /// list the remedy is not offered.
    #[schemars(with = "String")]
    pub from: Placed,
}

/// An action and its arguments. A text is a template; `{from: subject.finalizers}` takes a value as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StepSpec {
    #[schemars(with = "String")]
    pub action: Placed,
    #[serde(default)]
    pub arguments: BTreeMap<String, Value>,
}

/// Evidence, and what must be concluded from it by all playbooks together. Of `message` and `evidence`
/// exactly one is given.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TestSpec {
    /// A sentence.
    #[schemars(with = "String")]
    pub name: Placed,
    /// A failure message, as `kubemend explain --batch` takes it.
    pub message: Option<Value>,
    /// What was gathered about an object.
    #[schemars(with = "Option<Value>")]
    pub evidence: Option<Gathered>,
    /// A condition's id, or `none`.
    pub expect: String,
    /// What must be named as also possible, in order; unchecked where it is missing.
    pub also_possible: Option<Vec<String>>,
    /// The remedies that must be offered, by id and in order; unchecked where it is missing.
    pub remedies: Option<Vec<String>>,
    /// Variables that the finding must have.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}
