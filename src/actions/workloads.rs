//! What restarting and undoing share: which workload, and when its pods will not follow.

use schemars::JsonSchema;
use serde::Deserialize;

use super::live::Live;
use super::{Given, Why, refuse};
use crate::incident::{Check, Text};

use super::named::Named;

pub(super) const KINDS: &[&str] = &["Deployment", "StatefulSet", "DaemonSet"];

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OneWorkload {
    /// A Deployment, StatefulSet or DaemonSet.
    pub workload: Named,
}

/// States in which a new template changes no pod, or cannot be meant.
pub(super) fn refuse_unfit(live: &Live<'_>) -> Result<(), Why> {
    if live.is_deleting() {
        return refuse(format!("{} is being deleted", live.words()));
    }
    if live.at("/spec/paused") == true {
        return refuse(format!(
            "{} is paused: a change of its template would wait until it is resumed (kubectl rollout resume)",
            live.words()
        ));
    }
    if live.text("/spec/updateStrategy/type") == "OnDelete" {
        return refuse(format!(
            "{} has the update strategy OnDelete: its pods follow only when each is deleted; delete the pods \
             instead",
            live.words()
        ));
    }
    if live.generation() == 0 {
        return refuse(format!("{} has no generation, by which a rollout could be followed", live.words()));
    }
    Ok(())
}

pub(super) fn rolled_out(live: &Live<'_>) -> Check {
    Check::RolledOut { target: live.target.clone(), generation_above: live.generation() }
}

/// What users may notice while the pods are replaced.
pub(super) fn rollout_warnings(live: &Live<'_>) -> Vec<Text> {
    let replicas = live.at("/spec/replicas").as_i64();
    let mut warnings = Vec::new();
    if live.text("/spec/strategy/type") == "Recreate" {
        warnings.push(Text::from(format!(
            "{} has the strategy Recreate: all of its pods are stopped before new ones start.",
            live.words()
        )));
    } else if replicas == Some(1) && live.target.api.kind == "StatefulSet" {
        warnings.push(Text::from(format!("{} has one pod: it is away while it is replaced.", live.words())));
    }
    warnings
}

/// A StatefulSet with ordered pods waits for a broken one even after its template was put right.
pub(super) fn ordered_warning(live: &Live<'_>, given: &Given<'_>) -> Option<Text> {
    let ordered =
        live.target.api.kind == "StatefulSet" && live.text("/spec/podManagementPolicy") != "Parallel";
    ordered.then(|| {
        Text::from(format!(
            "{} replaces its pods one by one and waits for each to be ready; a pod that is broken already (such \
             as {}) is not replaced and must be deleted.",
            live.words(),
            given.finding.subject.name
        ))
    })
}
