//! `finalizers.strip`: remove the *named* finalizers from one object of any kind.
//!
//! A finalizer is somebody's promise to clean up first. Stripping it breaks that promise, so it is done only to
//! objects that are being deleted, only to finalizers that are named, and never to one that Kubernetes itself
//! still needs: those that guard what is in use, and those by which the garbage collector works. Each refusal
//! says what to do instead. All other finalizers of the object stay.

use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Value, json};

use super::finalizers_known::{Known, known};
use super::live::{Live, words};
use super::named::{self, Named};
use super::patch::Guarded;
use super::{Action, Given, Grant, Part, Why, arguments, names, refuse};
use crate::incident::{Check, Evidence, ProposalId, Risk, Target, Text, Undo};

pub(super) const ACTION: Action = Action {
    name: "finalizers.strip",
    title: "Strip named finalizers",
    docs: "Removes the named finalizers, and only those, from an object that is being deleted. Whoever was to \
           clean up after it will not: the plan says who that is and what may be left behind. Refuses \
           finalizers that guard something in use, and those of the garbage collector. Arguments: `object`, \
           `finalizers`.",
    risk: Risk::High,
    undoable: false,
    grants: &[
        Grant { group: "", resource: "pods", verbs: &["get", "patch"] },
        Grant { group: "", resource: "persistentvolumeclaims", verbs: &["get", "patch"] },
        Grant { group: "", resource: "persistentvolumes", verbs: &["get", "patch"] },
        Grant { group: "", resource: "services", verbs: &["get", "patch"] },
    ],
    arguments: || schema_for!(Strip),
    inputs,
    plan,
};

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Strip {
    /// The object; a custom one with `apiVersion` and `plural`.
    object: Named,
    /// The finalizers to remove, as they are written in the object.
    #[serde(deserialize_with = "named::list")]
    #[schemars(with = "Vec<String>")]
    finalizers: Vec<Text>,
}

impl Strip {
    fn parse(value: &Value) -> Result<(Target, Vec<Text>), Why> {
        let strip: Self = arguments(value)?;
        let target = strip.object.target()?;
        if strip.finalizers.is_empty() {
            return Err(Why::Arguments("no finalizer is named".to_owned()));
        }
        if let Some(odd) = strip.finalizers.iter().find(|name| !names::is_finalizer(name)) {
            return Err(Why::Arguments(format!("{odd:?} is not a finalizer's name")));
        }
        Ok((target, strip.finalizers))
    }
}

fn inputs(value: &Value, _evidence: &Evidence) -> Result<Vec<Target>, Why> {
    Strip::parse(value).map(|(target, _)| vec![target])
}

fn plan(value: &Value, given: &Given<'_>) -> Result<Part, Why> {
    let (target, finalizers) = Strip::parse(value)?;
    let live = given.live.get(&target)?;
    if !live.is_deleting() {
        return refuse(format!(
            "{} is not being deleted; its finalizers are doing their work and hold nothing up",
            live.words()
        ));
    }
    for finalizer in &finalizers {
        refuse_unfit(&live, finalizer, given)?;
    }
    let rest: Vec<&str> =
        live.finalizers().into_iter().filter(|held| !finalizers.iter().any(|f| f == held)).collect();
    let mut warnings: Vec<Text> = finalizers.iter().map(|finalizer| warning(finalizer)).collect();
    warnings.push(rest_warning(&live, &rest));
    Ok(Part {
        changes: vec![patch(&live, &finalizers, &rest, given.marker)],
        checks: vec![check(&live, &rest)],
        undo: Undo::Impossible(
            "the object goes when its last finalizer goes, and what it guarded with it".into(),
        ),
        warnings,
    })
}

/// The object goes with its last finalizer, so nothing would carry the marker then.
fn patch(live: &Live<'_>, stripped: &[Text], rest: &[&str], marker: &ProposalId) -> crate::incident::Change {
    const FINALIZERS: &str = "/metadata/finalizers";
    const DELETION: &str = "/metadata/deletionTimestamp";
    let mut patch = Guarded::of(&live.target);
    patch.test(FINALIZERS, live.at(FINALIZERS));
    patch.rely(DELETION, live.at(DELETION));
    if rest.is_empty() {
        patch.remove(FINALIZERS);
    } else {
        patch.add(FINALIZERS, &json!(rest));
        patch.mark(live, marker);
    }
    patch.change(format!("strip {} from {}", stripped.join(", "), live.words()))
}

fn check(live: &Live<'_>, rest: &[&str]) -> Check {
    let target = live.target.clone();
    if rest.is_empty() {
        Check::Gone(target)
    } else {
        Check::Field { target, pointer: "/metadata/finalizers".into(), value: json!(rest) }
    }
}

fn refuse_unfit(live: &Live<'_>, finalizer: &str, given: &Given<'_>) -> Result<(), Why> {
    let kind = live.target.api.kind.as_str();
    match finalizer {
        "kubernetes" if kind == "Namespace" => refuse(
            "`kubernetes` is in the Namespace's spec.finalizers and goes by itself when the namespace is empty; \
             removing it by force leaves the namespace's objects in storage where nobody can reach them. Look at \
             the Namespace's conditions: they name what is left, or the API service that does not answer",
        ),
        "foregroundDeletion" | "orphan" => refuse(format!(
            "`{finalizer}` belongs to Kubernetes' garbage collector, which removes it when the dependents of {} \
             are dealt with; look for dependents that do not go, and at kube-controller-manager",
            live.words()
        )),
        "customresourcecleanup.apiextensions.k8s.io" => refuse(
            "the API server removes this finalizer when the last object of the custom kind is gone; stripped, it \
             leaves those objects in storage, and they reappear with the definition. Strip the finalizers of the \
             remaining objects instead",
        ),
        "kubernetes.io/pvc-protection" => refuse_mounted(live, given),
        "kubernetes.io/pv-protection" if live.text("/status/phase") == "Bound" => refuse(format!(
            "{} is bound to claim {}/{}; delete the claim first, then this finalizer goes by itself",
            live.words(),
            live.text("/spec/claimRef/namespace"),
            live.text("/spec/claimRef/name")
        )),
        _ if live.finalizers().contains(&finalizer) => Ok(()),
        _ => refuse(format!("{} has no finalizer {finalizer:?} (any more)", live.words())),
    }
}

/// A claim counts as mounted until somebody has looked and found no pod.
fn refuse_mounted(live: &Live<'_>, given: &Given<'_>) -> Result<(), Why> {
    let claim = words(&live.target);
    match given.live.claim_users(&live.target) {
        Some([]) => Ok(()),
        Some(pods) => refuse(format!(
            "{claim} is mounted by {}; end those pods, then this finalizer goes by itself",
            pods.iter().take(5).map(Text::as_str).collect::<Vec<_>>().join(", ")
        )),
        None => refuse(format!(
            "`kubernetes.io/pvc-protection` guards {claim} as long as a pod mounts it, and it is not known that \
             none does; end the pods that mount it, then this finalizer goes by itself"
        )),
    }
}

fn warning(finalizer: &str) -> Text {
    Text::from(match known(finalizer) {
        Some(Known { keeper, leftover, .. }) => {
            format!("`{finalizer}` should have been handled by {keeper}; may be left behind: {leftover}.")
        }
        None => format!(
            "`{finalizer}` is not one that kubemend knows: find out which controller set it and what it was to \
             clean up; that will be left behind."
        ),
    })
}

fn rest_warning(live: &Live<'_>, rest: &[&str]) -> Text {
    Text::from(if rest.is_empty() {
        format!("No finalizer is left then: {} goes at once and for good.", live.words())
    } else {
        format!("{} stays until its other finalizers go: {}.", live.words(), rest.join(", "))
    })
}
