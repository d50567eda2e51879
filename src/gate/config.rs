//! The gate's part of the configuration, and every mistake in it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::policy::Right;
use crate::actions::ACTIONS;
use crate::incident::{Actor, Risk, Text, Via};

/// Who may do what.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GateConfig {
    /// Roles by name.
    pub roles: BTreeMap<Text, RoleConfig>,
    /// People by name; two identities of one person are one approver.
    pub people: BTreeMap<Text, PersonConfig>,
    /// Slack user groups and Discord roles: whoever is in one has its roles besides their own.
    pub groups: Vec<GroupConfig>,
    /// What kubemend may approve by itself, where a playbook is in mode `auto` and within its budget; nothing
    /// where it is left out. Never at high risk.
    pub auto: Vec<GrantConfig>,
    /// What it takes, by risk.
    pub approvals: ApprovalsConfig,
}

/// The name under which kubemend itself stands among roles and people.
pub(super) const ITSELF: &str = "kubemend";

/// What a role may do.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RoleConfig {
    /// Each grant stands by itself; none allows nothing.
    pub grants: Vec<GrantConfig>,
    /// Rights that are not about one remedy.
    pub rights: BTreeSet<Right>,
}

/// Actions up to a risk, in some places. All lists are patterns in which `*` stands for any text.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantConfig {
    /// Such as `pods.delete` or `pull-secrets.*`.
    pub actions: Vec<Text>,
    /// The highest risk of a plan that may be approved.
    pub max_risk: Risk,
    /// Cluster names; all where it is left out.
    #[serde(default = "all")]
    pub clusters: Vec<Text>,
    /// Namespaces; all where it is left out. Objects without a namespace are matched by `*` alone.
    #[serde(default = "all")]
    pub namespaces: Vec<Text>,
    /// Conditions, such as `image.*`; all where it is left out.
    #[serde(default = "all")]
    pub conditions: Vec<Text>,
}

fn all() -> Vec<Text> {
    vec!["*".into()]
}

/// Somebody, by the identities that were verified at kubemend's borders.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PersonConfig {
    /// Names of roles; none may do nothing.
    pub roles: Vec<Text>,
    pub identities: Vec<IdentityConfig>,
}

/// A group that a platform keeps, and the roles of those who are in it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupConfig {
    /// `slack` or `discord`.
    pub via: Via,
    /// The group's id: a Slack user group (`S…`), a Discord role. Never its name, which others can change.
    pub id: Text,
    /// Names of roles; none may do nothing.
    pub roles: Vec<Text>,
}

/// One verified identity.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdentityConfig {
    pub via: Via,
    /// A token's name for `api`, a user id for chat platforms.
    pub id: Text,
}

/// What it takes to approve, by risk.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ApprovalsConfig {
    pub low: ApprovalConfig,
    pub medium: ApprovalConfig,
    pub high: ApprovalConfig,
}

/// What it takes to approve one proposal.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalConfig {
    /// How many different people.
    #[serde(default = "one")]
    pub approvals: u8,
    /// Whether the person who asked for it may be one of them.
    #[serde(default = "yes")]
    pub requester_counts: bool,
    /// How long a proposal waits for its approvals, such as `1h`.
    pub lives: SignedDuration,
    /// Whether a name must be typed: the object's; where several are changed, the workload's or the node's.
    #[serde(default)]
    pub typed_confirmation: bool,
}

fn one() -> u8 {
    1
}

fn yes() -> bool {
    true
}

impl Default for ApprovalsConfig {
    fn default() -> Self {
        let lasting = |hours| ApprovalConfig {
            approvals: 1,
            requester_counts: true,
            lives: SignedDuration::from_hours(hours),
            typed_confirmation: false,
        };
        let high = ApprovalConfig { requester_counts: false, typed_confirmation: true, ..lasting(1) };
        Self { low: lasting(8), medium: lasting(4), high }
    }
}

impl ApprovalsConfig {
    pub(super) fn of(&self, risk: Risk) -> &ApprovalConfig {
        match risk {
            Risk::Low => &self.low,
            Risk::Medium => &self.medium,
            Risk::High => &self.high,
        }
    }
}

impl GateConfig {
    /// Every mistake, each with the place it is in and the way out.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        for (name, role) in &self.roles {
            for (index, grant) in role.grants.iter().enumerate() {
                mistakes.extend(grant.mistakes().map(|m| format!("roles.{name}.grants[{index}].{m}")));
            }
        }
        mistakes.extend(self.auto_mistakes());
        let mut seen: BTreeMap<&IdentityConfig, &Text> = BTreeMap::new();
        for (name, person) in &self.people {
            mistakes.extend(self.person_mistakes(name, person, &mut seen));
        }
        mistakes.extend(self.group_mistakes());
        for (name, risk) in [("low", Risk::Low), ("medium", Risk::Medium), ("high", Risk::High)] {
            mistakes.extend(self.approvals.of(risk).mistakes().map(|m| format!("approvals.{name}.{m}")));
        }
        mistakes
    }

    fn auto_mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        for (index, grant) in self.auto.iter().enumerate() {
            mistakes.extend(grant.mistakes().map(|m| format!("auto[{index}].{m}")));
            if grant.max_risk == Risk::High {
                mistakes.push(format!(
                    "auto[{index}].maxRisk: high risk always takes a person; the most is `medium`"
                ));
            }
        }
        for (what, taken) in
            [("roles", self.roles.contains_key(ITSELF)), ("people", self.people.contains_key(ITSELF))]
        {
            if taken {
                mistakes.push(format!(
                    "{what}.{ITSELF}: this name stands for kubemend itself; choose another one"
                ));
            }
        }
        mistakes
    }

    fn group_mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            let place = format!("groups[{index}]");
            if !matches!(group.via, Via::Slack | Via::Discord) {
                mistakes.push(format!(
                    "{place}.via: only `slack` and `discord` have groups; name people instead"
                ));
            }
            if group.id.trim().is_empty() {
                mistakes.push(format!("{place}.id: a group without an id is nobody; name it"));
            }
            let unknown = group.roles.iter().filter(|role| !self.roles.contains_key(*role));
            mistakes.extend(unknown.map(|role| self.no_role(&format!("{place}.roles"), role)));
        }
        mistakes
    }

    fn no_role(&self, place: &str, role: &Text) -> String {
        let known: Vec<&str> = self.roles.keys().map(Text::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        format!("{place}: there is no role {role:?}; the roles are: {known}")
    }

    /// The same with kubemend itself among the people, where it may approve anything.
    pub(super) fn with_itself(mut self) -> Self {
        if !self.auto.is_empty() {
            let grants = std::mem::take(&mut self.auto);
            self.roles.insert(ITSELF.into(), RoleConfig { grants, rights: BTreeSet::new() });
            let identities = vec![IdentityConfig { via: Via::Auto, id: Actor::auto().id }];
            self.people.insert(ITSELF.into(), PersonConfig { roles: vec![ITSELF.into()], identities });
        }
        self
    }

    fn person_mistakes<'a>(
        &'a self,
        name: &'a Text,
        person: &'a PersonConfig,
        seen: &mut BTreeMap<&'a IdentityConfig, &'a Text>,
    ) -> Vec<String> {
        let mut mistakes = Vec::new();
        for role in person.roles.iter().filter(|role| !self.roles.contains_key(*role)) {
            mistakes.push(self.no_role(&format!("people.{name}.roles"), role));
        }
        for identity in &person.identities {
            if identity.id.trim().is_empty() {
                mistakes
                    .push(format!("people.{name}.identities: an identity without an id is nobody; name it"));
            }
            if identity.via == Via::Auto {
                mistakes.push(format!(
                    "people.{name}.identities: `auto` is kubemend itself and no person; remove it"
                ));
            }
            if let Some(other) = seen.insert(identity, name) {
                mistakes.push(format!(
                    "people.{name}.identities: {:?} {:?} is {other} already; an identity is one person's",
                    identity.via, identity.id
                ));
            }
        }
        mistakes
    }
}

impl GrantConfig {
    fn mistakes(&self) -> impl Iterator<Item = String> {
        let lists = [
            ("actions", &self.actions),
            ("clusters", &self.clusters),
            ("namespaces", &self.namespaces),
            ("conditions", &self.conditions),
        ];
        let empty = lists.into_iter().filter(|(_, list)| list.is_empty()).map(|(name, _)| {
            format!("{name}: an empty list matches nothing; name something, or `*` for all")
        });
        let unknown = self.actions.iter().filter(|pattern| !fits_an_action(pattern)).map(|pattern| {
            let names: Vec<&str> = ACTIONS.iter().map(|action| action.name).collect();
            format!("actions: no action matches {pattern:?}; the actions are: {}", names.join(", "))
        });
        empty.chain(unknown).collect::<Vec<_>>().into_iter()
    }
}

fn fits_an_action(pattern: &str) -> bool {
    ACTIONS.iter().any(|action| super::glob::matches(pattern, action.name))
}

impl ApprovalConfig {
    fn mistakes(&self) -> impl Iterator<Item = String> {
        let longest = SignedDuration::from_hours(24 * 7);
        let none = (self.approvals == 0)
            .then(|| "approvals: 0 would execute without a decision; the least is 1".to_owned());
        let life = (self.lives <= SignedDuration::ZERO || self.lives > longest)
            .then(|| "lives: must be more than nothing and at most 7 days, such as `1h`".to_owned());
        none.into_iter().chain(life)
    }
}
