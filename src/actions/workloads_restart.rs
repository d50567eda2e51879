//! `workloads.restart`: replace all pods of a workload, by its own update strategy.
//!
//! As `kubectl rollout restart` does it: a time in the annotation `kubectl.kubernetes.io/restartedAt` of the
//! pod template. The time is the evidence's, so that the bytes are those that were approved. Refuses paused
//! workloads, those with nothing to restart, and those whose pods would not follow.
//!
//! The change is held by `metadata.generation`: it changes with every change of `spec` and with nothing else.
//! A second arrival of the patch finds the generation one higher and is refused. The marker goes into the
//! template beside the time: there the generation guards it even where the template has no annotations yet.

use schemars::schema_for;
use serde_json::{Value, json};

use super::live::Live;
use super::patch::{Guarded, below};
use super::workloads::{self, OneWorkload};
use super::{Action, Given, Grant, Part, Why, arguments, gitops, refuse};
use crate::incident::{Change, Evidence, Operation, Patch, Plan, Risk, Target, Undo};

pub(super) const ACTION: Action = Action {
    name: "workloads.restart",
    title: "Restart a workload",
    docs: "Replaces all pods of a Deployment, StatefulSet or DaemonSet by its update strategy, as `kubectl \
           rollout restart` does. Argument: `workload`.",
    risk: Risk::Medium,
    undoable: false,
    grants: GRANTS,
    arguments: || schema_for!(OneWorkload),
    inputs,
    plan,
};

pub(super) const GRANTS: &[Grant] = &[
    Grant { group: "apps", resource: "deployments", verbs: &["get", "patch"] },
    Grant { group: "apps", resource: "statefulsets", verbs: &["get", "patch"] },
    Grant { group: "apps", resource: "daemonsets", verbs: &["get", "patch"] },
];

/// kubectl's own, so that `kubectl rollout history` and people recognise it.
pub(super) const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

const ANNOTATIONS: &str = "/spec/template/metadata/annotations";

fn target(value: &Value) -> Result<Target, Why> {
    arguments::<OneWorkload>(value)?.workload.target_of(workloads::KINDS)
}

fn inputs(value: &Value, _evidence: &Evidence) -> Result<Vec<Target>, Why> {
    target(value).map(|target| vec![target])
}

fn plan(value: &Value, given: &Given<'_>) -> Result<Part, Why> {
    let live = given.live.get(&target(value)?)?;
    workloads::refuse_unfit(&live)?;
    if live.at("/spec/replicas") == 0 {
        return refuse(format!("{} is scaled to 0: there is nothing to restart", live.words()));
    }
    let mut warnings = workloads::rollout_warnings(&live);
    warnings.extend(workloads::ordered_warning(&live, given));
    warnings.extend(gitops::restart_warning(&live));
    Ok(Part {
        changes: vec![change(&live, given)],
        checks: vec![workloads::rolled_out(&live)],
        undo: Undo::Needless("the new pods are made from the same template as the old".into()),
        warnings,
    })
}

fn change(live: &Live<'_>, given: &Given<'_>) -> Change {
    let at = given.evidence.seen.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let entries = [(RESTARTED, &json!(at)), (Plan::MARKER, &json!(given.marker))];
    let mut patch = Guarded::of(&live.target);
    patch.test("/metadata/generation", live.at("/metadata/generation"));
    patch.set_guarded_keys(live, ANNOTATIONS, &entries);
    patch.change(format!("restart {}", live.words()))
}

/// Whether two plans would do the same. A restart planned a minute later has another time in it, which is no
/// reason to put a new proposal in the place of one that people are looking at.
pub fn same_but_for_time(one: &Plan, other: &Plan) -> bool {
    timeless(one) == timeless(other)
}

fn timeless(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for change in &mut plan.changes {
        if let Operation::Patch(Patch::Json(operations)) = &mut change.operation {
            without_time(operations);
        }
    }
    plan
}

/// Blanks the time that the patch writes; one that the object had before stands in no patch.
fn without_time(operations: &mut Value) {
    let pointer = below(ANNOTATIONS, RESTARTED);
    for operation in operations.as_array_mut().into_iter().flatten() {
        if operation["path"] == pointer.as_str() {
            operation["value"] = Value::Null;
        } else if operation["path"] == ANNOTATIONS
            && let Some(time) = operation.pointer_mut("/value").and_then(|map| map.get_mut(RESTARTED))
        {
            *time = Value::Null;
        }
    }
}
