//! `pods.delete`: delete a pod that its controller replaces.
//!
//! Fires for pods that a controller owns and that are not being deleted yet. Refuses pods that nothing would
//! replace (unless asked), mirror images of static pods, and pods that are already on their way out: a second
//! delete does not help those.

use schemars::schema_for;
use serde_json::{Value, json};

use super::live::Live;
use super::pods::{self, WhichPods};
use super::{Action, Given, Grant, Part, Why, refuse};
use crate::incident::{Change, Delete, Operation, Reliance, Risk, Text, Undo};

pub(super) const ACTION: Action = Action {
    name: "pods.delete",
    title: "Delete pods, gracefully",
    docs: "Deletes the pods by name and uid with their own grace period. Their controller makes new ones; a \
           StatefulSet's come back under the same names. PodDisruptionBudgets are not asked. Arguments: `pod` \
           or `pods`; `evenIfNotReplaced` for pods without a controller.",
    risk: Risk::Low,
    undoable: false,
    grants: &[Grant { group: "", resource: "pods", verbs: &["get", "delete"] }],
    arguments: || schema_for!(WhichPods),
    inputs: pods::inputs,
    plan,
};

fn plan(value: &Value, given: &Given<'_>) -> Result<Part, Why> {
    let (arguments, targets) = WhichPods::parse(value)?;
    let mut part = Part {
        changes: Vec::new(),
        checks: Vec::new(),
        undo: Undo::Needless(Text::from(format!(
            "the controller makes new pods in place of {}",
            pods::together(&targets)
        ))),
        warnings: Vec::new(),
    };
    for target in &targets {
        let live = given.live.get(target)?;
        add(&mut part, &live, arguments.even_if_not_replaced)?;
        part.checks.extend(pods::checks(given, &live.target));
    }
    Ok(part)
}

fn add(part: &mut Part, live: &Live<'_>, bare_too: bool) -> Result<(), Why> {
    pods::refuse_mirror(live)?;
    if live.is_deleting() {
        return refuse(format!(
            "{} is already being deleted since {}; deleting it again does nothing. If it does not go, look at \
             its finalizers and its node",
            live.words(),
            live.text("/metadata/deletionTimestamp")
        ));
    }
    match live.controller() {
        Some((kind, name)) => part.warnings.extend(owner_warning(kind, name)),
        None if bare_too => {
            part.undo = Undo::Impossible("nothing replaces a pod without a controller".into());
            part.warnings.push(Text::from(format!("Nothing will replace {}.", live.words())));
        }
        None => {
            return refuse(format!(
                "no controller owns {}, so nothing would replace it; keep its manifest and set \
                 `evenIfNotReplaced` if it shall go",
                live.words()
            ));
        }
    }
    if pods::is_ready(live) {
        part.warnings.push(Text::from(format!(
            "{} is ready and may be serving; PodDisruptionBudgets are not asked.",
            live.words()
        )));
    }
    part.warnings.extend(pods::finalizer_warning(live));
    part.changes.push(change(live));
    Ok(())
}

/// Relies on the phase too: a pod that was stuck in `Pending` and runs by now needs no deletion.
fn change(live: &Live<'_>) -> Change {
    Change {
        target: live.target.clone(),
        relies_on: vec![
            Reliance { pointer: "/metadata/deletionTimestamp".into(), value: Value::Null },
            Reliance { pointer: "/status/phase".into(), value: json!(live.at("/status/phase")) },
        ],
        operation: Operation::Delete(Delete { grace_seconds: None }),
        summary: Text::from(format!("delete {}", live.words())),
    }
}

fn owner_warning(kind: &str, name: &str) -> Option<Text> {
    (kind == "Job").then(|| {
        Text::from(format!(
            "The pod belongs to Job {name}: its log goes with it, and the Job may start it anew."
        ))
    })
}
