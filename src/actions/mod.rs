//! Parameters and evidence to a plan. One file per action; [`ACTIONS`] is the list.
//!
//! Owns what kubemend can do to a cluster: each action's typed arguments, its risk, whether it can be taken
//! back, and the exact bytes it would send. An action is a planner: it returns changes with the uid and the
//! fields they rely on, checks, warnings and the way back, and sends nothing. Refuses clients and clocks: the
//! objects a plan is made from are read before, by whoever calls ([`inputs`] names them), and the only time is
//! the one in the evidence.
//!
//! # What every change relies on
//!
//! All patches are JSON patches whose first operations are `test`s: the uid always, and then at least one
//! field that the patch itself changes (or that the API server changes because of it, such as
//! `metadata.generation`). So a patch that arrives twice is refused the second time, and one that arrives
//! after somebody else's change is refused the first time. `metadata.resourceVersion` would give the same and
//! more: it also changes with every status update, and a Deployment that crashes has several of those a
//! minute, so that nothing anybody approved would ever still hold. It is used in one case only, where a map
//! or list must be created that was not there (`patch` says why).

mod checks;
mod cluster_rules;
mod compose;
mod finalizers_known;
mod finalizers_strip;
mod gitops;
mod kubectl;
mod live;
mod named;
pub(crate) mod names;
mod patch;
mod pods;
mod pods_delete;
mod pods_force_delete;
mod pull_secrets;
mod pull_secrets_add;
mod pull_secrets_remove;
pub(crate) mod secrecy;
mod undo;
mod workloads;
mod workloads_restart;
mod workloads_undo;

#[cfg(test)]
mod tests;

use schemars::Schema;
use serde_json::Value;

use crate::incident::{Change, Check, Evidence, Finding, ProposalId, Risk, Target, Text, Undo};

pub use checks::wanted_checks;
pub use cluster_rules::{PolicyRule, cluster_rules};
pub use compose::{Order, inputs, plan, rules};
pub use kubectl::kubectl;
pub use live::LiveObjects;
pub use undo::undo_plan;
pub use workloads_restart::same_but_for_time;

/// Every action that ships, in the order in which people read them.
pub static ACTIONS: &[Action] = &[
    pods_delete::ACTION,
    pods_force_delete::ACTION,
    finalizers_strip::ACTION,
    pull_secrets_add::ACTION,
    pull_secrets_remove::ACTION,
    workloads_restart::ACTION,
    workloads_undo::ACTION,
];

/// Something kubemend can do.
pub struct Action {
    /// Such as `pods.delete`.
    pub name: &'static str,
    /// What it does, as a headline.
    pub title: &'static str,
    /// What a person should know about it; Markdown.
    pub docs: &'static str,
    /// The least risk that a plan with this action has.
    pub risk: Risk,
    /// Whether it can be taken back.
    pub undoable: bool,
    /// What it may do to which kinds; generated into the write ClusterRole when it is enabled.
    pub grants: &'static [Grant],
    arguments: fn() -> Schema,
    inputs: fn(&Value, &Evidence) -> Result<Vec<Target>, Why>,
    plan: fn(&Value, &Given<'_>) -> Result<Part, Why>,
}

impl Action {
    /// The action of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|action| action.name == name)
    }

    /// The JSON Schema of its arguments.
    pub fn arguments(&self) -> Schema {
        (self.arguments)()
    }
}

/// Verbs on one resource.
pub struct Grant {
    /// `""` for the core group.
    pub group: &'static str,
    /// The plural, such as `pods`.
    pub resource: &'static str,
    /// Such as `get` and `patch`.
    pub verbs: &'static [&'static str],
}

/// Why there is no plan.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{action}: {why}")]
pub struct PlanError {
    /// The action that could not be planned.
    pub action: Text,
    /// The reason.
    pub why: Why,
}

/// The reason an action could not be planned; each is a sentence for the person who wanted it.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Why {
    /// No action has this name.
    #[error("there is no such action; the actions are: {0}")]
    UnknownAction(String),
    /// The arguments are not what the action takes.
    #[error("the arguments do not fit: {0}")]
    Arguments(String),
    /// The caller did not read an object that the plan is made from.
    #[error("{0} was not read, so nothing can be planned about it")]
    NotRead(String),
    /// The object is not there.
    #[error("{0} does not exist (any more)")]
    Gone(String),
    /// The object is not the one that was meant.
    #[error("{0}")]
    Changed(String),
    /// It would do harm, or nothing.
    #[error("{0}")]
    Refused(String),
}

/// What an action plans from.
struct Given<'a> {
    marker: &'a ProposalId,
    finding: &'a Finding,
    evidence: &'a Evidence,
    live: &'a LiveObjects,
}

/// One action's share of a plan.
struct Part {
    changes: Vec<Change>,
    checks: Vec<Check>,
    undo: Undo,
    warnings: Vec<Text>,
}

/// A refusal in words.
fn refuse<T>(why: impl Into<String>) -> Result<T, Why> {
    Err(Why::Refused(why.into()))
}

/// An action's arguments, typed.
fn arguments<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, Why> {
    serde_json::from_value(value.clone()).map_err(|error| Why::Arguments(error.to_string()))
}
