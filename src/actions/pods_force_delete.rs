//! `pods.force-delete`: remove a pod from the API without waiting for its node.
//!
//! For pods that are being deleted and whose node does not answer, or whose runtime does not kill. The API
//! server forgets the pod at once; whatever still runs goes on running. Refuses pods that are not being deleted
//! (unless asked): those have not been asked nicely yet.

use schemars::schema_for;
use serde_json::{Value, json};

use super::live::Live;
use super::pods::{self, WhichPods};
use super::{Action, Given, Grant, Part, Why, refuse};
use crate::incident::objects::Node;
use crate::incident::{Change, Delete, Operation, Reliance, Risk, Text, Undo};

pub(super) const ACTION: Action = Action {
    name: "pods.force-delete",
    title: "Delete pods at once, without their node's word",
    docs: "Deletes the pods by name and uid with a grace period of 0. The API server removes them without \
           waiting for the kubelet, so their processes may still run: make sure that the node is off, or that \
           the containers are gone, before approving. For a StatefulSet, two pods of one identity may then \
           run at once. Arguments: `pod` or `pods`; `evenIfNotTerminating`.",
    risk: Risk::High,
    undoable: false,
    grants: &[Grant { group: "", resource: "pods", verbs: &["get", "delete"] }],
    arguments: || schema_for!(WhichPods),
    inputs: pods::inputs,
    plan,
};

fn plan(value: &Value, given: &Given<'_>) -> Result<Part, Why> {
    let (arguments, targets) = WhichPods::parse(value)?;
    let undo = "the API server forgets a force-deleted pod; its controller makes a new one".into();
    let mut part =
        Part { changes: Vec::new(), checks: Vec::new(), undo: Undo::Impossible(undo), warnings: Vec::new() };
    for target in &targets {
        let live = given.live.get(target)?;
        pods::refuse_mirror(&live)?;
        if !live.is_deleting() && !arguments.even_if_not_terminating {
            return refuse(format!(
                "{} is not being deleted; delete it gracefully first, or set `evenIfNotTerminating`",
                live.words()
            ));
        }
        part.warnings.extend(warnings(&live, given));
        part.checks.extend(pods::checks(given, &live.target));
        part.changes.push(change(&live));
    }
    Ok(part)
}

fn change(live: &Live<'_>) -> Change {
    let pointer = "/metadata/deletionTimestamp";
    Change {
        target: live.target.clone(),
        relies_on: vec![Reliance { pointer: pointer.into(), value: json!(live.at(pointer)) }],
        operation: Operation::Delete(Delete { grace_seconds: Some(0) }),
        summary: Text::from(format!("delete {} at once (grace period 0)", live.words())),
    }
}

fn warnings(live: &Live<'_>, given: &Given<'_>) -> Vec<Text> {
    let mut warnings = vec![node_warning(live, given)];
    if let Some(("StatefulSet", name)) = live.controller() {
        warnings.push(Text::from(format!(
            "{} is a member of StatefulSet {name}: a new pod of the same name starts at once, and if the old \
             one still runs, two members of one identity write at the same time, which can destroy its data. \
             Approve only when the node is known to be off or fenced.",
            live.words()
        )));
    }
    if !mounted_claims(live).is_empty() {
        warnings.push(Text::from(format!(
            "{} mounts {}: a volume for one node stays attached to the old node until it is detached there, \
             which takes about six minutes when the node does not answer.",
            live.words(),
            mounted_claims(live).join(", ")
        )));
    }
    if !live.is_deleting() {
        warnings.push(Text::from(format!("{} has not been asked to end before.", live.words())));
    }
    warnings.extend(pods::finalizer_warning(live));
    warnings
}

fn node_warning(live: &Live<'_>, given: &Given<'_>) -> Text {
    let name = live.text("/spec/nodeName");
    let node = given.evidence.seen.node.as_ref().filter(|node| node.meta.name == name);
    Text::from(match (name, node) {
        ("", _) => format!("{} was never placed on a node, so nothing of it runs.", live.words()),
        (name, Some(node)) if is_ready(node) => format!(
            "Node {name} is ready: its containers may still run after the pod is gone from the API. Check on \
             the node first (crictl ps), and end them there."
        ),
        (name, Some(_)) => format!(
            "Node {name} does not answer: the processes may still run there and write. Check that the machine \
             is off, or cut off from storage and network, before approving."
        ),
        (name, None) => format!(
            "Nothing is known about node {name}: the processes may still run there. Check that the machine is \
             gone or off before approving."
        ),
    })
}

fn is_ready(node: &Node) -> bool {
    node.conditions.iter().any(|c| c.kind == "Ready" && c.status == "True")
}

fn mounted_claims(live: &Live<'_>) -> Vec<String> {
    let volumes = live.at("/spec/volumes").as_array().map_or(&[][..], Vec::as_slice);
    let claim = |volume: &Value| {
        Some(format!("claim {}", volume.pointer("/persistentVolumeClaim/claimName")?.as_str()?))
    };
    volumes.iter().filter_map(claim).take(5).collect()
}
