//! What both ways of deleting a pod share: which pods, and what depends on them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::checks::top_workload;
use super::live::{Live, words};
use super::named::Named;
use super::{Given, Why, arguments, refuse};
use crate::incident::{Check, Evidence, Target, Text};

/// More pods than this are not deleted by one proposal.
const MOST_PODS: usize = 50;

/// Which pods.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct WhichPods {
    /// One pod …
    pub pod: Option<Named>,
    /// … or several.
    pub pods: Vec<Named>,
    /// `pods.delete`: also a pod that nothing will replace.
    pub even_if_not_replaced: bool,
    /// `pods.force-delete`: also a pod that is not being deleted yet.
    pub even_if_not_terminating: bool,
}

impl WhichPods {
    pub(super) fn parse(value: &Value) -> Result<(Self, Vec<Target>), Why> {
        let pods: Self = arguments(value)?;
        let targets: Vec<Target> =
            pods.pod.iter().chain(&pods.pods).map(|pod| pod.target_of(&["Pod"])).collect::<Result<_, _>>()?;
        if targets.is_empty() {
            return Err(Why::Arguments("no pod is named: give `pod` or `pods`".to_owned()));
        }
        if targets.len() > MOST_PODS {
            return refuse(format!(
                "{} pods are more than one proposal deletes ({MOST_PODS}); delete them in portions",
                targets.len()
            ));
        }
        Ok((pods, targets))
    }
}

pub(super) fn inputs(value: &Value, _evidence: &Evidence) -> Result<Vec<Target>, Why> {
    WhichPods::parse(value).map(|(_, targets)| targets)
}

/// A pod that the kubelet made from a file on its node: deleting its mirror image does nothing to it.
pub(super) fn refuse_mirror(live: &Live<'_>) -> Result<(), Why> {
    if live.annotation("kubernetes.io/config.mirror").is_none() {
        return Ok(());
    }
    refuse(format!(
        "{} is the mirror image of a static pod; deleting it changes nothing. Change or move its manifest on \
         node {}, usually in /etc/kubernetes/manifests",
        live.words(),
        live.text("/spec/nodeName")
    ))
}

/// The checks after a pod was deleted: it is gone, and, where it is the finding's own, its workload is whole.
pub(super) fn checks(given: &Given<'_>, target: &Target) -> Vec<Check> {
    let mut checks = vec![Check::Gone(target.clone())];
    let subject = given.evidence.seen.pod.as_ref();
    if subject.is_some_and(|subject| subject.meta.uid == target.uid) {
        checks.extend(top_workload(given.evidence).map(Check::Ready));
    }
    checks
}

/// `Pod payments/api-1` or `3 pods of payments`, for texts about all of them.
pub(super) fn together(targets: &[Target]) -> String {
    match targets {
        [only] => words(only),
        several => format!("{} pods", several.len()),
    }
}

pub(super) fn is_ready(live: &Live<'_>) -> bool {
    let conditions = live.at("/status/conditions").as_array().map_or(&[][..], Vec::as_slice);
    conditions.iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// Finalizers keep a deleted object; says so.
pub(super) fn finalizer_warning(live: &Live<'_>) -> Option<Text> {
    let finalizers = live.finalizers();
    (!finalizers.is_empty()).then(|| {
        Text::from(format!(
            "{} has finalizers ({}): it stays until their owners let it go.",
            live.words(),
            finalizers.join(", ")
        ))
    })
}
