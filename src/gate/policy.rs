//! The policy, checked, and what it says of one person and one wish.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::config::{ApprovalConfig, GateConfig, GrantConfig, GroupConfig, ITSELF, IdentityConfig};
use super::glob::matches;
use super::refusal::Refusal;
use crate::incident::{Actor, ConditionId, Plan, Risk, Text, Via};

/// A configuration without mistakes, and who is in which group.
#[derive(Clone, Debug)]
pub struct Policy {
    config: Arc<GateConfig>,
    members: Arc<Members>,
}

/// The ids of the groups that each identity is in, as its platform last said. Whoever is not in it is in none.
pub type Members = BTreeMap<(Via, Text), BTreeSet<Text>>;

/// Somebody whom the policy knows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Person {
    /// By name, with all their identities.
    Named(Text),
    /// By a group only: one identity, of which nobody can tell whose it is elsewhere.
    Member(Via, Text),
}

impl Person {
    /// What to call them.
    pub fn name(&self) -> &Text {
        match self {
            Self::Named(name) | Self::Member(_, name) => name,
        }
    }
}

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
        if mistakes.is_empty() {
            Ok(Self { config: Arc::new(config.with_itself()), members: Arc::default() })
        } else {
            Err(mistakes)
        }
    }

    /// The same policy, knowing who is in which group.
    #[must_use]
    pub fn with_members(self, members: Arc<Members>) -> Self {
        Self { members, ..self }
    }

    /// Who is in which group, as far as it is known.
    pub fn members(&self) -> &Arc<Members> {
        &self.members
    }

    /// The person behind a verified identity: by name, or else by a group that has roles.
    pub fn person(&self, actor: &Actor) -> Option<Person> {
        if let Some(name) = self.named(actor) {
            return Some(Person::Named(name.clone()));
        }
        let in_any = self.groups_of(actor).next().is_some();
        in_any.then(|| Person::Member(actor.via, actor.id.clone()))
    }

    /// The roles of the person behind an identity, and of the groups that the identity is in.
    pub fn roles(&self, actor: &Actor) -> Vec<Text> {
        let own = self.named(actor).and_then(|name| self.config.people.get(name)).map(|person| &person.roles);
        let mut roles: Vec<Text> = own.into_iter().flatten().cloned().collect();
        for role in self.groups_of(actor).flat_map(|group| &group.roles) {
            if !roles.contains(role) {
                roles.push(role.clone());
            }
        }
        roles
    }

    /// Whether two people are certainly not one. Somebody known by a group only could be anybody who has no
    /// identity on that platform.
    pub(super) fn distinct(&self, a: &Person, b: &Person) -> bool {
        match (a, b) {
            (Person::Named(a), Person::Named(b)) => a != b,
            (Person::Member(via, a), Person::Member(other, b)) => via == other && a != b,
            (Person::Named(name), Person::Member(via, _)) | (Person::Member(via, _), Person::Named(name)) => {
                let person = self.config.people.get(name);
                person.is_some_and(|person| person.identities.iter().any(|identity| identity.via == *via))
            }
        }
    }

    fn named(&self, actor: &Actor) -> Option<&Text> {
        let identity = IdentityConfig { via: actor.via, id: actor.id.clone() };
        let mut people = self.config.people.iter();
        people.find(|(_, person)| person.identities.contains(&identity)).map(|(name, _)| name)
    }

    fn groups_of(&self, actor: &Actor) -> impl Iterator<Item = &GroupConfig> {
        let mine = self.members.get(&(actor.via, actor.id.clone()));
        self.config
            .groups
            .iter()
            .filter(move |group| group.via == actor.via && mine.is_some_and(|mine| mine.contains(&group.id)))
    }

    pub(super) fn approval(&self, risk: Risk) -> &ApprovalConfig {
        self.config.approvals.of(risk)
    }

    fn grants(&self, role: &Text) -> &[GrantConfig] {
        self.config.roles.get(role).map_or(&[], |role| &role.grants)
    }

    fn has_right(&self, role: &Text, right: Right) -> bool {
        self.config.roles.get(role).is_some_and(|role| role.rights.contains(&right))
    }

    /// The roles for which something holds, for texts that say who could.
    fn roles_where(&self, holds: impl Fn(&Text) -> bool) -> Vec<Text> {
        self.config.roles.keys().filter(|role| **role != ITSELF && holds(role)).cloned().collect()
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
