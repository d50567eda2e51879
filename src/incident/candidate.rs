//! A remedy that a playbook offers for a finding, with everything filled in but not yet planned.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ConditionId, Risk, Text};

/// A remedy of a playbook whose conditions hold, rendered over a finding and its evidence.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    pub condition: ConditionId,
    /// The remedy's id in its playbook, such as `add-pull-secret`.
    pub remedy: Text,
    pub title: Text,
    /// What it does and when it is right, in Markdown.
    pub explanation: String,
    pub risk: Risk,
    pub mode: Mode,
    pub parameters: BTreeMap<Text, Text>,
    /// The other values that each parameter could take, best first.
    pub alternatives: BTreeMap<Text, Vec<Text>>,
    pub steps: Vec<CandidateStep>,
    pub checks: Vec<WantedCheck>,
    /// How long the checks may take to come true.
    pub timeout_seconds: u32,
}

/// One action with its arguments, such as `pods.delete` with the names of pods.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CandidateStep {
    pub action: Text,
    pub arguments: Value,
}

/// Who may set a remedy going.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Mode {
    /// Shown, never executed.
    Observe,
    /// Executed once approved.
    #[default]
    Approve,
    /// Executed at once, at most so often an hour.
    Auto { per_hour: u32 },
}

/// What a remedy wants checked; the planner names the objects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WantedCheck {
    /// The subject, as it was, is gone.
    SubjectGone,
    /// All wanted pods of the workload are ready.
    WorkloadReady,
    /// The workload has rolled out a new generation.
    RolledOut,
    /// Diagnosis of fresh evidence no longer finds the condition.
    ConditionGone,
}

/// What must still be read before a finding is final.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Wants {
    pub logs: bool,
    pub secrets: bool,
    pub references: bool,
}
