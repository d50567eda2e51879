//! The write rules of a deployment, from the actions that are enabled.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ACTIONS;

/// A rule of a Role or ClusterRole, as Kubernetes writes it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    pub api_groups: Vec<String>,
    pub resources: Vec<String>,
    pub verbs: Vec<String>,
}

/// What the enabled actions need, each resource once, in a stable order. Unknown names add nothing.
///
/// `finalizers.strip` works on any kind; the rules name the built-in kinds that are known to get stuck. For
/// others, custom ones above all, an operator grants `get` and `patch` beside these: until then the missing
/// right is named in the proposal.
pub fn cluster_rules(enabled: &[&str]) -> Vec<PolicyRule> {
    let mut verbs: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for action in ACTIONS.iter().filter(|action| enabled.contains(&action.name)) {
        for grant in action.grants {
            verbs.entry((grant.group, grant.resource)).or_default().extend(grant.verbs);
        }
    }
    let owned = |text: &str| vec![text.to_owned()];
    verbs
        .into_iter()
        .map(|((group, resource), verbs)| PolicyRule {
            api_groups: owned(group),
            resources: owned(resource),
            verbs: verbs.into_iter().map(str::to_owned).collect(),
        })
        .collect()
}
