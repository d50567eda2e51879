//! The plan that takes an execution back, from what was decided before it ran.

use serde_json::Value;

use super::patch::marker_pointer;
use super::{PlanError, Why, compose, refuse};
use crate::incident::{Change, Check, Operation, Patch, Plan, ProposalId, Undo};

/// The undo of a plan, as a plan of its own with its own marker.
pub fn undo_plan(marker: &ProposalId, done: &Plan) -> Result<Plan, PlanError> {
    undo(marker, done).map_err(|why| PlanError { action: "undo".into(), why })
}

fn undo(marker: &ProposalId, done: &Plan) -> Result<Plan, Why> {
    let changes: Vec<Change> = match &done.undo {
        Undo::Impossible(why) => return refuse(format!("it cannot be taken back: {why}")),
        Undo::Needless(why) => return refuse(format!("there is nothing to take back: {why}")),
        Undo::Changes(changes) => changes.iter().map(|change| marked(change.clone(), marker)).collect(),
    };
    Ok(Plan {
        marker: marker.clone(),
        actions: done.actions.clone(),
        checks: changes.iter().flat_map(checks).collect(),
        check_timeout_seconds: done.check_timeout_seconds,
        risk: done.risk,
        undo: Undo::Impossible("this takes a change back; propose the remedy again instead".into()),
        rules: compose::rules(&changes),
        warnings: Vec::new(),
        changes,
    })
}

/// The same change with another marker in the operation that writes it.
fn marked(mut change: Change, marker: &ProposalId) -> Change {
    let pointer = marker_pointer();
    if let Operation::Patch(Patch::Json(Value::Array(operations))) = &mut change.operation {
        for operation in operations {
            if operation["op"] == "add" && operation["path"] == pointer.as_str() {
                operation["value"] = Value::from(marker.as_str());
            }
        }
    }
    change
}

/// A workload must roll out again; any other object must have the values that were written.
fn checks(change: &Change) -> Vec<Check> {
    let target = change.target.clone();
    let generation = change.relies_on.iter().find(|held| held.pointer == "/metadata/generation");
    if let Some(above) = generation.and_then(|held| held.value.as_i64()) {
        return vec![Check::RolledOut { target, generation_above: above }];
    }
    let Operation::Patch(Patch::Json(Value::Array(operations))) = &change.operation else {
        return Vec::new();
    };
    let written =
        operations.iter().filter(|op| op["op"] != "test" && op["path"] != marker_pointer().as_str());
    let check = |op: &Value| Check::Field {
        target: target.clone(),
        pointer: op["path"].as_str().unwrap_or_default().into(),
        value: op["value"].clone(),
    };
    written.map(check).collect()
}
