//! The incident: what its entries add up to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::CheckResult;
use super::{
    Actor, ChangeOutcome, Decision, Digest, ExecutionId, Finding, IncidentId, ObjectRef, Outcome, Proposal,
    ProposalId, ProposalState, Text, Verdict,
};

/// One cause, from first sight to its end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    pub id: IncidentId,
    pub status: Status,
    pub finding: Finding,
    pub members: Members,
    pub opened: Timestamp,
    /// When the last entry was made.
    pub changed: Timestamp,
    /// The number of entries applied; the version that the next one expects.
    pub version: u64,
    pub silenced_until: Option<Timestamp>,
    /// How often it came back.
    pub reopened: u32,
    /// When it came back the last time.
    pub came_back: Option<Timestamp>,
    pub proposals: BTreeMap<ProposalId, ProposalRecord>,
    pub executions: BTreeMap<ExecutionId, Execution>,
}

/// Where the incident stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Status {
    Open,
    /// Part of a wider one, which is open.
    Absorbed {
        into: IncidentId,
    },
    Resolved {
        at: Timestamp,
    },
}

/// The objects an incident hits: counted all, listed a few.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Members {
    /// How many right now.
    pub now: u32,
    /// The most there were at once.
    pub peak: u32,
    /// Some of them, at most [`Members::LISTED`].
    pub listed: Vec<ObjectRef>,
}

impl Members {
    /// How many members are listed by name.
    pub const LISTED: usize = 20;
}

/// A proposal and what was decided about it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProposalRecord {
    pub proposal: Proposal,
    pub state: ProposalState,
    pub decisions: Vec<Decision>,
}

/// A proposal being carried out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    pub id: ExecutionId,
    pub proposal: ProposalId,
    pub digest: Digest,
    pub approvers: Vec<Actor>,
    pub started: Timestamp,
    /// How many objects the incident hit then, so that it can be told whether things got worse.
    #[serde(default)]
    pub members_before: u32,
    pub state: ExecutionState,
    /// What became of each change so far, in order.
    pub done: Vec<ChangeOutcome>,
}

/// Where an execution stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum ExecutionState {
    /// The next change is due.
    Ready,
    /// Change `index` was about to be sent; what became of it is not recorded yet.
    Intended { index: u32 },
    /// A person must say whether change `index` happened.
    Unsettled { index: u32, why: Text },
    /// No more changes; some were made, so checks are due until the deadline.
    Verifying {
        since: Timestamp,
        /// Whether every change was made, or it stopped on the way.
        #[serde(default = "all_made")]
        outcome: Outcome,
    },
    /// Over.
    Finished { outcome: Outcome, verdict: Option<Verdict>, checks: Vec<CheckResult> },
}

fn all_made() -> Outcome {
    Outcome::Applied
}
