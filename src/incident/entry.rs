//! What can happen to an incident. Entries are never changed or removed within their retention.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Actor, Decision, Digest, Evidence, ExecutionId, Finding, IncidentId, Members, Proposal, ProposalId, Text,
};

/// One step of an incident's life.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum Entry {
    /// Seen and lasting: the incident begins.
    Opened {
        finding: Box<Finding>,
        evidence: Box<Evidence>,
        members: Members,
    },
    /// The same cause, told better: other quotes, variables or severity.
    Updated {
        finding: Box<Finding>,
        evidence: Box<Evidence>,
    },
    /// How many objects it hits changed.
    MembersChanged {
        members: Members,
    },
    /// A wider incident took this one in.
    Absorbed {
        into: IncidentId,
    },
    /// The wider incident is over and this one is not.
    Released,
    /// The condition cleared.
    Resolved,
    /// It came back within the time that makes it the same incident.
    Reopened {
        finding: Box<Finding>,
        evidence: Box<Evidence>,
        members: Members,
    },
    /// No messages until then.
    Silenced {
        until: Timestamp,
        by: Actor,
        note: Text,
    },
    Unsilenced {
        by: Actor,
    },

    Proposed {
        proposal: Box<Proposal>,
    },
    Decided {
        proposal: ProposalId,
        decision: Decision,
    },
    Expired {
        proposal: ProposalId,
    },
    /// What the proposal relied on is no longer so; nothing was written.
    Stale {
        proposal: ProposalId,
        why: Text,
    },
    Superseded {
        proposal: ProposalId,
        by: ProposalId,
    },

    /// The gate minted a permit for this digest.
    ExecutionStarted {
        execution: ExecutionId,
        proposal: ProposalId,
        digest: Digest,
        approvers: Vec<Actor>,
    },
    /// About to send change number `index`. Stored before anything is sent.
    ChangeIntended {
        execution: ExecutionId,
        index: u32,
    },
    /// What came of it.
    ChangeDone {
        execution: ExecutionId,
        index: u32,
        outcome: ChangeOutcome,
    },
    ExecutionFinished {
        execution: ExecutionId,
        outcome: Outcome,
    },
    Verified {
        execution: ExecutionId,
        verdict: Verdict,
        checks: Vec<CheckResult>,
    },
    /// Somebody looked at a change whose effect could not be determined, and says what is so.
    Settled {
        execution: ExecutionId,
        index: u32,
        applied: bool,
        by: Actor,
    },

    /// Something worth keeping that changes nothing: a chat link was down, a remedy could not be planned.
    Noted {
        text: Text,
    },
}

/// What became of one change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum ChangeOutcome {
    /// The API server confirmed it, or a look-up after a lost answer found it done.
    Applied { receipt: Receipt },
    /// The target was read before and is not what was approved; nothing was sent.
    Stale { why: Text },
    /// The target was read before and needs the change no more: what was to be deleted is gone, or got well by
    /// itself. Nothing was sent; the changes after it are still wanted.
    Needless { why: Text },
    /// The API server refused it; nothing changed.
    Refused { code: u16, why: Text },
    /// Sent, no answer, and the cluster cannot tell whether it happened. A person must settle it.
    Unknown { why: Text },
}

/// What the API server said of a change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    pub at: Timestamp,
    /// The object's resourceVersion after the change; `""` after a delete.
    pub resource_version: Text,
    /// Whether it was found done by a look-up after the answer was lost.
    pub looked_up: bool,
    /// What the changed fields were before, for the undo and the record; redacted.
    pub before: Value,
}

/// How an execution ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Outcome {
    /// Every change was made.
    Applied,
    /// It stopped before change `at`; the ones before were made, or needless.
    Stopped { at: u32, why: Text },
    /// Change `at` may or may not have happened.
    Unknown { at: u32 },
}

/// What the checks say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    Fixed,
    NotFixed,
    /// It is worse than before.
    Regressed,
    /// Could not be determined. Never taken for success.
    Unknown,
}

/// One check and what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// The check in words.
    pub check: Text,
    /// `None`: could not be determined.
    pub passed: Option<bool>,
    pub detail: Text,
}
