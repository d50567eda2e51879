//! What kubemend knows and decides about: objects, evidence, findings, plans, and the incident itself.
//!
//! Owns the words that all rooms share, and the fold: an [`Incident`] is its entries applied in order.
//! Refuses clients, clocks, files and the network: everything here is plain data and total functions.
//! Whoever needs the time passes it in.

mod actor;
mod candidate;
pub mod chain;
mod entry;
mod evidence;
mod finding;
mod fold;
pub mod grouping;
mod ids;
mod next;
mod object;
pub mod objects;
mod plan;
mod proposal;
mod redact;
#[cfg(test)]
pub(crate) mod samples;
mod state;
mod text;

pub use actor::{Actor, Via};
pub use candidate::{Candidate, CandidateStep, Mode, WantedCheck, Wants};
pub use chain::{BrokenChain, Recorded};
pub use entry::{ChangeOutcome, CheckResult, Entry, Outcome, Receipt, Verdict};
pub use evidence::{
    ConfigKind, Coverage, Defect, Evidence, Gap, Gathered, ImageFacts, LogTail, Neighbours, PullSecret,
    ReferenceFacts, ReferenceState, RegistryEntry, RegistryTrouble, RolloutFacts, SecretFacts, Siblings,
};
pub use finding::{Finding, IncidentKey, Place, Quote, Scope, Severity, Source};
pub use fold::{Illegal, apply, fold_mark, replay};
pub use ids::{ConditionId, Digest, ExecutionId, IncidentId, ProposalId};
pub use next::{Brake, Next, Step, next};
pub use object::{ApiKind, ObjectRef};
pub use plan::{Change, Check, Delete, Operation, Patch, Plan, Reliance, Risk, Rule, Target, Undo};
pub use proposal::{ApprovalPolicy, Decision, DecisionKind, Preview, Proposal, ProposalState, Remedy};
pub use redact::{REDACTED, redact, redact_lines};
pub use state::{Execution, ExecutionState, Incident, Members, ProposalRecord, Status};
pub use text::Text;
