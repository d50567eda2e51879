//! `pull-secrets.remove`: stop new pods of a ServiceAccount from pulling with a Secret.
//!
//! Removes the one name from `imagePullSecrets` and keeps all others, in their order. Refuses a name that is
//! not there. Never touches a Secret.

use schemars::schema_for;
use serde_json::Value;

use super::pull_secrets::{self, PullSecretOf};
use super::{Action, Given, Grant, Part, Why, gitops, refuse};
use crate::incident::{Risk, Text, Undo};

pub(super) const ACTION: Action = Action {
    name: "pull-secrets.remove",
    title: "Remove a pull secret from a ServiceAccount",
    docs: "Removes a name from the ServiceAccount's `imagePullSecrets`; the Secret itself stays. Pods created \
           from then on no longer pull with it. Arguments: `serviceAccount`, `secret`.",
    risk: Risk::Medium,
    undoable: true,
    grants: &[Grant { group: "", resource: "serviceaccounts", verbs: &["get", "patch"] }],
    arguments: || schema_for!(PullSecretOf),
    inputs: pull_secrets::inputs,
    plan,
};

fn plan(value: &Value, given: &Given<'_>) -> Result<Part, Why> {
    let (target, of) = PullSecretOf::parse(value)?;
    let live = given.live.get(&target)?;
    let before = pull_secrets::listed(&live);
    if !pull_secrets::names_it(&before, &of.secret) {
        return refuse(format!("{} does not name {} (any more)", live.words(), of.secret));
    }
    let after: Vec<Value> = before.into_iter().filter(|entry| entry["name"] != of.secret.as_str()).collect();
    let summary = format!("remove pull secret {} from {}", of.secret, live.words());
    let back = format!("add pull secret {} to {} again", of.secret, live.words());
    let mut warnings = vec![Text::from(format!(
        "Pods that are created with {} from then on cannot pull what only {} covers.",
        live.words(),
        of.secret
    ))];
    warnings.extend(gitops::warning(&live, "the ServiceAccount's imagePullSecrets"));
    Ok(Part {
        checks: vec![pull_secrets::check(&live, &after)],
        undo: Undo::Changes(vec![pull_secrets::way_back(&live, &after, given.marker, back)]),
        changes: vec![pull_secrets::change(&live, &after, given.marker, summary)],
        warnings,
    })
}
