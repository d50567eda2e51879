//! `pull-secrets.add`: let new pods of a ServiceAccount pull with one more Secret.
//!
//! Adds the name to `imagePullSecrets` and keeps all others. Refuses a secret that is there already, and one
//! of which the evidence says that it is missing, malformed or for other registries. Where kubemend may not
//! read secrets it says so instead of guessing. Never touches, copies or shows a Secret.

use schemars::schema_for;
use serde_json::{Value, json};

use super::pull_secrets::{self, PullSecretOf};
use super::{Action, Given, Grant, Part, Why, gitops, refuse};
use crate::incident::{Coverage, Evidence, PullSecret, Risk, Text, Undo};

pub(super) const ACTION: Action = Action {
    name: "pull-secrets.add",
    title: "Add a pull secret to a ServiceAccount",
    docs: "Adds an existing Secret of the namespace to the ServiceAccount's `imagePullSecrets`. Pods created \
           from then on pull with it; pods that exist keep what they were created with and must be replaced. \
           Arguments: `serviceAccount`, `secret`, and `registry` to hold the secret against.",
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
    if pull_secrets::names_it(&before, &of.secret) {
        return refuse(format!(
            "{} names {} already; pods that were created before only need to be replaced",
            live.words(),
            of.secret
        ));
    }
    let doubt = refuse_unfit(given.evidence, &target.namespace, &of)?;
    let mut after = before;
    after.push(json!({"name": of.secret}));
    let summary = format!("add pull secret {} to {}", of.secret, live.words());
    let back = format!("remove pull secret {} from {} again", of.secret, live.words());
    let mut warnings = vec![Text::from(format!(
        "All pods that are created with {} from then on pull with {}; those that exist do not.",
        live.words(),
        of.secret
    ))];
    warnings.extend(doubt);
    warnings.extend(gitops::warning(&live, "the ServiceAccount's imagePullSecrets"));
    Ok(Part {
        checks: vec![pull_secrets::check(&live, &after)],
        undo: Undo::Changes(vec![pull_secrets::way_back(&live, &after, given.marker, back)]),
        changes: vec![pull_secrets::change(&live, &after, given.marker, summary)],
        warnings,
    })
}

/// Refuses what the evidence speaks against; says what it cannot tell.
fn refuse_unfit(evidence: &Evidence, namespace: &str, of: &PullSecretOf) -> Result<Option<Text>, Why> {
    let unseen = || {
        Ok(Some(Text::from(format!(
            "kubemend could not look at Secret {namespace}/{}: it is not known whether it exists and covers the registry.",
            of.secret
        ))))
    };
    let found = evidence.seen.secrets.iter().find(|s| s.name == of.secret && s.namespace == namespace);
    let Some(secret) = found else { return unseen() };
    match secret.exists {
        None => return unseen(),
        Some(false) => {
            return refuse(format!("Secret {namespace}/{} does not exist; create it first", of.secret));
        }
        Some(true) => {}
    }
    if !secret.defects.is_empty() {
        return refuse(format!(
            "Secret {namespace}/{} cannot be used to pull: {:?}; correct it first",
            of.secret, secret.defects
        ));
    }
    if covers(evidence, of) {
        return Ok(None);
    }
    refuse_uncovered(evidence, secret, of)
}

/// Whether any of the images in question can be pulled with it.
fn covers(evidence: &Evidence, of: &PullSecretOf) -> bool {
    let in_question = |registry: &Text| of.registry.is_empty() || *registry == of.registry;
    evidence.images.iter().filter(|image| in_question(&image.registry)).any(|image| {
        image.candidates.contains(&of.secret)
            || image.secrets.iter().any(|s| s.name == of.secret && s.coverage == Coverage::Covered)
    })
}

fn refuse_uncovered(
    evidence: &Evidence,
    secret: &PullSecret,
    of: &PullSecretOf,
) -> Result<Option<Text>, Why> {
    let asked: Vec<&str> = if of.registry.is_empty() {
        evidence.images.iter().map(|image| image.registry.as_str()).collect()
    } else {
        vec![&of.registry]
    };
    if evidence.images.is_empty() {
        return Ok(Some(Text::from(format!(
            "No image is in the evidence, so it was not checked whether {} covers its registry.",
            of.secret
        ))));
    }
    let entries: Vec<&str> = secret.entries.iter().map(|entry| entry.key.as_str()).take(10).collect();
    refuse(format!(
        "Secret {} has no usable entry for {}; its entries are for: {}",
        of.secret,
        asked.join(", "),
        if entries.is_empty() { "nothing".to_owned() } else { entries.join(", ") }
    ))
}
