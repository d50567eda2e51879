//! `workloads.undo`: back to the pod template of a named revision.
//!
//! As `kubectl rollout undo --to-revision` does it: for a Deployment the template of the revision's ReplicaSet
//! without `pod-template-hash`, and its annotations; for a StatefulSet or DaemonSet the template in the
//! ControllerRevision. Two things differ on purpose:
//!
//! - Only what differs is sent, not the whole template. What is sent is stored with the plan, and a template
//!   may hold passwords; with this, only a password that *differs* would be, and then the plan is refused.
//! - Annotations are set and removed one by one, so that one that somebody adds meanwhile is not lost.
//!
//! Held by `metadata.generation` (see `workloads.restart`). Refuses paused workloads, a revision that does not
//! exist, and the one that is current.

use json_patch::PatchOperation;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::live::Live;
use super::named::{self, Named};
use super::patch::{Guarded, below, marker_pointer};
use super::workloads_restart::GRANTS;
use super::{Action, Given, Part, Why, arguments, gitops, refuse, secrecy, workloads};
use crate::incident::{Change, Evidence, Plan, ProposalId, Risk, Target, Text, Undo};

pub(super) const ACTION: Action = Action {
    name: "workloads.undo",
    title: "Roll a workload back to a revision",
    docs: "Restores the pod template of a named revision, as `kubectl rollout undo --to-revision` does. \
           Arguments: `workload`, `toRevision`, and `revisionName` (the ControllerRevision) where it is not \
           the one that the evidence names.",
    risk: Risk::Medium,
    undoable: true,
    grants: GRANTS,
    arguments: || schema_for!(UndoTo),
    inputs,
    plan,
};

const TEMPLATE: &str = "/spec/template";
const ANNOTATIONS: &str = "/metadata/annotations";
const REVISION: &str = "deployment.kubernetes.io/revision";
/// Annotations that belong to the Deployment or the ReplicaSet themselves; kubectl's list, and our marker.
const OWN: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
    Plan::MARKER,
];

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UndoTo {
    /// A Deployment, StatefulSet or DaemonSet.
    workload: Named,
    /// The revision's number, as `kubectl rollout history` shows it.
    #[serde(deserialize_with = "named::number")]
    #[schemars(with = "u64")]
    to_revision: u64,
    /// The ReplicaSet or ControllerRevision that holds it; found in the evidence where it is missing.
    #[serde(default)]
    revision_name: Text,
}

impl UndoTo {
    fn parse(value: &Value, evidence: &Evidence) -> Result<(Target, Target, u64), Why> {
        let undo: Self = arguments(value)?;
        let workload = undo.workload.target_of(workloads::KINDS)?;
        let kind = if workload.api.kind == "Deployment" { "ReplicaSet" } else { "ControllerRevision" };
        let named = Named {
            kind: kind.into(),
            namespace: workload.namespace.clone(),
            name: undo.holder(evidence).ok_or_else(|| undo.missing(&workload))?,
            ..Named::default()
        };
        let holder = named.target_of(&[kind])?;
        Ok((workload, holder, undo.to_revision))
    }

    /// The name of the object that holds the revision.
    fn holder(&self, evidence: &Evidence) -> Option<Text> {
        if !self.revision_name.is_empty() {
            return Some(self.revision_name.clone());
        }
        let mut revisions = evidence.seen.revisions.iter();
        let known = revisions.find(|held| held.revision() == Some(self.to_revision));
        let good = &evidence.rollout;
        known.map(|held| held.meta.name.clone()).or_else(|| {
            (good.good == Some(self.to_revision) && !good.good_name.is_empty())
                .then(|| good.good_name.clone())
        })
    }

    fn missing(&self, workload: &Target) -> Why {
        Why::Refused(format!(
            "{} {}/{} has no revision {} (any more); `kubectl rollout history` lists those that it has",
            workload.api.kind, workload.namespace, workload.name, self.to_revision
        ))
    }
}

fn inputs(value: &Value, evidence: &Evidence) -> Result<Vec<Target>, Why> {
    UndoTo::parse(value, evidence).map(|(workload, holder, _)| vec![workload, holder])
}

fn plan(value: &Value, given: &Given<'_>) -> Result<Part, Why> {
    let (workload, holder, revision) = UndoTo::parse(value, given.evidence)?;
    let live = given.live.get(&workload)?;
    workloads::refuse_unfit(&live)?;
    let held = given.live.get(&holder)?;
    refuse_stranger(&live, &held, revision)?;
    let now = without_nulls(live.at(TEMPLATE));
    let then = template(&held)?;
    if now == then {
        return refuse(format!("{} has the template of revision {revision} already", live.words()));
    }
    let forth = differences(&now, &then)?;
    let back = differences(&then, &now)?;
    let annotations = Annotations::between(&live, &held);
    let words = live.words();
    let summary = format!("roll {words} back to revision {revision}");
    let mut warnings = workloads::rollout_warnings(&live);
    warnings.extend(workloads::ordered_warning(&live, given));
    warnings.extend(gitops::warning(&live, "the pod template (undo the commit that changed it)"));
    Ok(Part {
        changes: vec![change(&live, forth, &annotations, given.marker, summary)],
        checks: vec![workloads::rolled_out(&live)],
        undo: Undo::Changes(vec![way_back(&live, back, &annotations, given.marker)]),
        warnings,
    })
}

/// The holder must belong to the workload, hold this revision, and not be the current one.
fn refuse_stranger(live: &Live<'_>, held: &Live<'_>, revision: u64) -> Result<(), Why> {
    let owners = held.at("/metadata/ownerReferences").as_array().map_or(&[][..], Vec::as_slice);
    if !owners.iter().any(|owner| owner["uid"] == live.target.uid.as_str()) {
        return refuse(format!("{} does not belong to {}", held.words(), live.words()));
    }
    let number = match held.target.api.kind.as_str() {
        "ReplicaSet" => held.annotation(REVISION).and_then(|text| text.parse().ok()),
        _ => held.at("/revision").as_u64(),
    };
    if number != Some(revision) {
        return refuse(format!(
            "{} does not hold revision {revision} (any more), but {}",
            held.words(),
            number.map_or_else(|| "none".to_owned(), |number| number.to_string())
        ));
    }
    if live.annotation(REVISION) == Some(revision.to_string().as_str()) {
        return refuse(format!("revision {revision} is the current one of {}", live.words()));
    }
    Ok(())
}

/// The template that the revision holds.
fn template(held: &Live<'_>) -> Result<Value, Why> {
    let from = if held.target.api.kind == "ReplicaSet" { TEMPLATE } else { "/data/spec/template" };
    let mut template = without_nulls(held.at(from));
    let Some(map) = template.as_object_mut() else {
        return refuse(format!("{} holds no pod template", held.words()));
    };
    map.remove("$patch");
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    Ok(template)
}

/// `null` and missing mean the same in a template, and API servers of different ages write different ones.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        plain => plain.clone(),
    }
}

/// The operations that turn one template into the other, or a refusal where they would carry a credential.
fn differences(from: &Value, to: &Value) -> Result<Vec<Value>, Why> {
    let json_patch::Patch(operations) = json_patch::diff(from, to);
    operations.iter().map(|operation| below_template(operation, to)).collect()
}

fn below_template(operation: &PatchOperation, to: &Value) -> Result<Value, Why> {
    let path = operation.path().as_str();
    let (op, value) = match operation {
        PatchOperation::Add(add) => ("add", Some(&add.value)),
        PatchOperation::Replace(replace) => ("replace", Some(&replace.value)),
        PatchOperation::Remove(_) => ("remove", None),
        PatchOperation::Move(_) | PatchOperation::Copy(_) | PatchOperation::Test(_) => {
            return refuse("the two templates could not be compared");
        }
    };
    let Some(value) = value else { return Ok(json!({"op": op, "path": format!("{TEMPLATE}{path}")})) };
    if carries_credential(path, value, to) {
        return refuse(format!(
            "the revisions differ in a value that looks like a credential ({path}), which kubemend neither stores \
             nor shows; use `kubectl rollout undo` by hand, and move the value into a Secret"
        ));
    }
    Ok(json!({"op": op, "path": format!("{TEMPLATE}{path}"), "value": value}))
}

fn carries_credential(path: &str, value: &Value, whole: &Value) -> bool {
    let mut hidden = value.clone();
    secrecy::hide("PodTemplate", &mut hidden);
    let named = path.strip_suffix("/value").and_then(|entry| whole.pointer(entry)?.get("name")?.as_str());
    hidden != *value
        || matches!((named, value), (Some(name), Value::String(text)) if secrecy::is_secret(name, text))
}

/// The annotations that the rollback changes: `(name, before, after)`.
struct Annotations(Vec<(String, Option<Value>, Option<Value>)>);

impl Annotations {
    /// kubectl's rule for Deployments: the revision's annotations, but each side's own ones stay.
    fn between(live: &Live<'_>, held: &Live<'_>) -> Self {
        if live.target.api.kind != "Deployment" {
            return Self(Vec::new());
        }
        let none = Map::new();
        let now = live.at(ANNOTATIONS).as_object().unwrap_or(&none);
        let then = held.at(ANNOTATIONS).as_object().unwrap_or(&none);
        let mut names: Vec<&String> = now.keys().chain(then.keys()).collect();
        names.sort();
        names.dedup();
        let differs = |name: &&String| !OWN.contains(&name.as_str()) && now.get(*name) != then.get(*name);
        Self(
            names
                .into_iter()
                .filter(differs)
                .map(|name| (name.clone(), now.get(name).cloned(), then.get(name).cloned()))
                .collect(),
        )
    }
}

fn change(
    live: &Live<'_>,
    forth: Vec<Value>,
    annotations: &Annotations,
    marker: &ProposalId,
    summary: String,
) -> Change {
    let mut patch = Guarded::of(&live.target);
    patch.test("/metadata/generation", live.at("/metadata/generation"));
    patch.rely("/spec/paused", live.at("/spec/paused"));
    patch.extend(forth);
    let mut entries = vec![(Plan::MARKER, json!(marker))];
    for (name, _, after) in &annotations.0 {
        match after {
            Some(value) => entries.push((name, value.clone())),
            None => patch.remove(&below(ANNOTATIONS, name)),
        }
    }
    let entries: Vec<(&str, &Value)> = entries.iter().map(|(name, value)| (*name, value)).collect();
    patch.set_keys(live, ANNOTATIONS, &entries);
    patch.change(summary)
}

/// Holds only while the workload is as the rollback left it: the next generation, with our marker.
fn way_back(live: &Live<'_>, back: Vec<Value>, annotations: &Annotations, marker: &ProposalId) -> Change {
    let mut patch = Guarded::of(&live.target);
    patch.test("/metadata/generation", &json!(live.generation() + 1));
    patch.test(&marker_pointer(), &json!(marker));
    patch.extend(back);
    for (name, before, _) in &annotations.0 {
        match before {
            Some(value) => patch.add(&below(ANNOTATIONS, name), value),
            None => patch.remove(&below(ANNOTATIONS, name)),
        }
    }
    patch.add(&marker_pointer(), &json!(marker));
    patch.change(format!("restore the template that {} had before", live.words()))
}
