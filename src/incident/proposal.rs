//! A remedy put before people: the plan, what it would show, and the decisions about it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, Digest, ExecutionId, Plan, ProposalId, Rule, Text};

/// A remedy of a playbook with its parameters filled in.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    pub id: ProposalId,
    pub remedy: Remedy,
    pub plan: Plan,
    /// `plan.digest()`: what an approval names.
    pub digest: Digest,
    pub preview: Preview,
    /// Rules of the plan that kubemend does not have; with any, the proposal cannot be approved.
    pub missing_rights: Vec<Rule>,
    pub policy: ApprovalPolicy,
    pub made: Timestamp,
    pub expires: Timestamp,
    /// Who asked for it; `None` where kubemend proposed it by itself.
    #[serde(default)]
    pub requested_by: Option<Actor>,
    /// The execution that this proposal would take back.
    pub undoes: Option<ExecutionId>,
}

/// Which remedy, and with what.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Remedy {
    /// The remedy's id in its playbook, such as `add-pull-secret`.
    pub id: Text,
    pub title: Text,
    pub parameters: BTreeMap<Text, Text>,
}

/// What a person is shown before deciding.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// A unified diff of each changed object, from the API server's own dry run; redacted.
    pub diff: String,
    /// The equivalent commands, one a line.
    pub kubectl: Vec<String>,
    /// Why a dry run could not be had, where it could not.
    pub gaps: Vec<Text>,
}

/// What it takes, fixed when the proposal is made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalPolicy {
    /// How many different people must approve.
    pub approvals: u8,
    /// Whether the person who asked for the proposal may be one of them.
    pub requester_counts: bool,
    /// The text that must be typed (the object's name), for high risk.
    pub typed_confirmation: Option<Text>,
}

/// What somebody decided about a digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    pub kind: DecisionKind,
    pub by: Actor,
    /// The digest that was seen.
    pub digest: Digest,
    pub at: Timestamp,
    /// A reason, where one was given.
    pub note: Text,
}

/// Kinds of decisions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DecisionKind {
    Approve,
    /// Ends the proposal.
    Deny,
    /// Takes back one's own approval, until the execution starts.
    Withdraw,
}

/// Where a proposal stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum ProposalState {
    /// Open for decisions.
    Open,
    /// Enough approvals; execution is due.
    Approved,
    Denied,
    Expired,
    /// What it relied on is no longer so.
    Stale {
        why: Text,
    },
    /// A newer proposal for the same remedy took its place.
    Superseded {
        by: ProposalId,
    },
    /// Being executed, or executed; see the execution.
    Executed {
        execution: ExecutionId,
    },
}
