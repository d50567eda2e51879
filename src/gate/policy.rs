//! The policy, checked, and what it says of one person and one wish.

use schemars::JsonSchema;
use serde::Deserialize;

use super::config::{ApprovalConfig, GateConfig, GrantConfig, ITSELF, IdentityConfig};
use super::glob::matches;
use super::refusal::Refusal;
use crate::incident::{Actor, ConditionId, Plan, Risk, Text};

/// A configuration without mistakes.
#[derive(Clone, Debug)]
pub struct Policy(pub(super) GateConfig);

/// A right that is not about one remedy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Right {
    /// Stop all executions, and let them go on.
    Pause,
    /// Silence incidents.
    Silence,
    /// Read the audit log.
    Audit,
}

/// One action somewhere: what a grant must cover.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    pub action: Text,
    pub cluster: Text,
    /// `""` for objects without one.
    pub namespace: Text,
    pub condition: ConditionId,
    pub risk: Risk,
}

impl Policy {
    /// The policy, or every mistake in its configuration.
    pub fn new(config: GateConfig) -> Result<Self, Vec<String>> {
        let mistakes = config.mistakes();
        if mistakes.is_empty() { Ok(Self(config.with_itself())) } else { Err(mistakes) }
    }

    /// The person behind a verified identity.
    pub fn person(&self, actor: &Actor) -> Option<&Text> {
        let identity = IdentityConfig { via: actor.via, id: actor.id.clone() };
        self.0.people.iter().find(|(_, person)| person.identities.contains(&identity)).map(|(name, _)| name)
    }

    /// The roles of the person behind an identity.
    pub fn roles(&self, actor: &Actor) -> &[Text] {
        self.person(actor).and_then(|name| self.0.people.get(name)).map_or(&[], |person| &person.roles)
    }

    /// Whether there is anything at all that they may have done.
    pub fn may_anything(&self, actor: &Actor) -> bool {
        self.roles(actor).iter().any(|role| !self.grants(role).is_empty())
    }

    pub(super) fn approval(&self, risk: Risk) -> &ApprovalConfig {
        self.0.approvals.of(risk)
    }

    fn grants(&self, role: &Text) -> &[GrantConfig] {
        self.0.roles.get(role).map_or(&[], |role| &role.grants)
    }

    fn has_right(&self, role: &Text, right: Right) -> bool {
        self.0.roles.get(role).is_some_and(|role| role.rights.contains(&right))
    }

    /// The roles for which something holds, for texts that say who could.
    fn roles_where(&self, holds: impl Fn(&Text) -> bool) -> Vec<Text> {
        self.0.roles.keys().filter(|role| **role != ITSELF && holds(role)).cloned().collect()
    }
}

/// Whether somebody may have this done.
pub fn may(policy: &Policy, actor: &Actor, ask: &Ask) -> Result<(), Refusal> {
    let fits = |role: &Text| policy.grants(role).iter().any(|grant| grant.covers(ask));
    if policy.person(actor).is_none() {
        return Err(Refusal::Unknown { who: actor.clone() });
    }
    if policy.roles(actor).iter().any(fits) {
        return Ok(());
    }
    Err(Refusal::NoGrant { who: actor.clone(), ask: Box::new(ask.clone()), roles: policy.roles_where(fits) })
}

/// Whether somebody has a right that is not about one remedy.
pub fn can(policy: &Policy, actor: &Actor, right: Right) -> Result<(), Refusal> {
    let fits = |role: &Text| policy.has_right(role, right);
    if policy.person(actor).is_none() {
        return Err(Refusal::Unknown { who: actor.clone() });
    }
    if policy.roles(actor).iter().any(fits) {
        return Ok(());
    }
    Err(Refusal::NoRight { who: actor.clone(), right, roles: policy.roles_where(fits) })
}

/// Everything a plan does: each action in each namespace it touches.
///
/// Which action made which change is not kept in the plan, so a grant must cover every action of the plan in
/// every namespace of the plan. That asks for more than might be needed, never for less.
pub(super) fn asks(plan: &Plan, cluster: &Text, condition: &ConditionId, risk: Risk) -> Vec<Ask> {
    let mut namespaces: Vec<&Text> = plan.changes.iter().map(|change| &change.target.namespace).collect();
    namespaces.sort();
    namespaces.dedup();
    // A plan without actions or changes must not be one that everybody may approve.
    let nothing = Text::default();
    let nowhere = [&nothing];
    let unnamed = [nothing.clone()];
    let namespaces: &[&Text] = if namespaces.is_empty() { &nowhere } else { &namespaces };
    let actions: &[Text] = if plan.actions.is_empty() { &unnamed } else { &plan.actions };
    let ask = |action: &Text, namespace: &Text| Ask {
        action: action.clone(),
        cluster: cluster.clone(),
        namespace: namespace.clone(),
        condition: condition.clone(),
        risk,
    };
    actions
        .iter()
        .flat_map(|action| namespaces.iter().map(move |namespace| (action, *namespace)))
        .map(|(action, namespace)| ask(action, namespace))
        .collect()
}

impl GrantConfig {
    fn covers(&self, ask: &Ask) -> bool {
        let Self { actions, max_risk, clusters, namespaces, conditions } = self;
        let any = |patterns: &[Text], text: &str| patterns.iter().any(|pattern| matches(pattern, text));
        let namespace = if ask.namespace.is_empty() {
            namespaces.iter().any(|pattern| pattern == "*")
        } else {
            any(namespaces, &ask.namespace)
        };
        namespace
            && ask.risk <= *max_risk
            && any(actions, &ask.action)
            && any(clusters, &ask.cluster)
            && any(conditions, ask.condition.as_str())
    }
}
