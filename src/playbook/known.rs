//! Facts as conditions see them: a plain field by itself, anything else whole.
//!
//! CEL asks for `container.exitCode` before it asks for `container`. Most conditions name a few plain fields, and
//! converting the whole of what holds them, log and all, would cost more than the rest of the judgement.

use std::sync::OnceLock;

use cel::Value;
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use super::facts::{Facts, NAMES};

/// Facts for conditions. What is not plain is converted when a condition first asks for it, once for all of them.
pub struct Known<'f> {
    facts: &'f Facts,
    values: [OnceLock<Option<Box<dyn Val>>>; NAMES.len()],
}

impl<'f> Known<'f> {
    /// Nothing is converted yet. What was captured is given to each condition by itself.
    pub fn new(facts: &'f Facts) -> Self {
        Self { facts, values: std::array::from_fn(|_| OnceLock::new()) }
    }
}

impl VariableResolver for Known<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        if variable.contains('.') {
            return Box::<dyn Val>::try_from(plain(self.facts, variable)?).ok().map(CowVal::Owned);
        }
        let at = NAMES.iter().position(|name| *name == variable)?;
        let value =
            self.values[at].get_or_init(|| Box::<dyn Val>::try_from(self.facts.value(variable)?).ok());
        value.as_deref().map(CowVal::Borrowed)
    }
}

macro_rules! plain_fields {
    ($($name:literal => $group:ident.$field:ident,)+) => {
        /// The text, number or truth of that name; `None`: it is something else, or there is none.
        fn plain(facts: &Facts, name: &str) -> Option<Value> {
            match name {
                $($name => Some(Value::from(facts.$group.$field.clone())),)+
                _ => None,
            }
        }

        #[cfg(test)]
        const PLAIN: &[&str] = &[$($name),+];
    };
}

plain_fields! {
    "subject.kind" => subject.kind,
    "subject.namespace" => subject.namespace,
    "subject.name" => subject.name,
    "subject.plural" => subject.plural,
    "subject.deleting" => subject.deleting,
    "subject.overdueSeconds" => subject.overdue_seconds,
    "pod.known" => pod.known,
    "pod.phase" => pod.phase,
    "pod.reason" => pod.reason,
    "pod.message" => pod.message,
    "pod.node" => pod.node,
    "pod.serviceAccount" => pod.service_account,
    "pod.restartPolicy" => pod.restart_policy,
    "pod.ownPullSecrets" => pod.own_pull_secrets,
    "pod.containersGone" => pod.containers_gone,
    "pod.controller" => pod.controller,
    "pod.workloadKind" => pod.workload_kind,
    "pod.workload" => pod.workload,
    "container.known" => container.known,
    "container.name" => container.name,
    "container.role" => container.role,
    "container.image" => container.image,
    "container.waiting" => container.waiting,
    "container.running" => container.running,
    "container.ready" => container.ready,
    "container.restarts" => container.restarts,
    "container.memoryLimit" => container.memory_limit,
    "container.hasLiveness" => container.has_liveness,
    "container.hasStartup" => container.has_startup,
    "container.exitCode" => container.exit_code,
    "container.exitMeaning" => container.exit_meaning,
    "container.endReason" => container.end_reason,
    "container.endedSecondsAgo" => container.ended_seconds_ago,
    "container.probeKilled" => container.probe_killed,
    "container.hookFailed" => container.hook_failed,
    "image.known" => image.known,
    "image.name" => image.name,
    "image.registry" => image.registry,
    "image.repository" => image.repository,
    "image.tag" => image.tag,
    "image.dockerHub" => image.docker_hub,
    "image.official" => image.official,
    "image.coverage" => image.coverage,
    "image.secretNamed" => image.secret_named,
    "image.accountCovers" => image.account_covers,
    "node.known" => node.known,
    "node.name" => node.name,
    "node.ready" => node.ready,
    "node.reason" => node.reason,
    "node.message" => node.message,
    "node.unschedulable" => node.unschedulable,
    "node.runtime" => node.runtime,
    "node.pods" => node.pods,
    "node.unhealthy" => node.unhealthy,
    "registry.failingWorkloads" => registry.failing_workloads,
    "registry.failingPods" => registry.failing_pods,
    "registry.seconds" => registry.seconds,
    "cluster.nodes" => cluster.nodes,
    "cluster.nodesReady" => cluster.nodes_ready,
    "rollout.current" => rollout.current,
    "rollout.good" => rollout.good,
    "rollout.goodName" => rollout.good_name,
    "rollout.goodIsServing" => rollout.good_is_serving,
    "rollout.subjectIsCurrent" => rollout.subject_is_current,
    "siblings.ready" => siblings.ready,
    "siblings.total" => siblings.total,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::playbook::condition::Condition;

    fn facts() -> Facts {
        let mut facts = Facts::default();
        facts.container.exit_code = 137;
        facts.container.running = true;
        facts.pod.phase = "Running".into();
        facts.pod.reasons = vec!["BackOff".into()];
        facts
    }

    #[test]
    fn a_plain_field_is_what_it_is_within_the_whole() {
        let facts = facts();
        for name in PLAIN {
            let (group, field) = name.split_once('.').unwrap();
            let Some(Value::Map(whole)) = facts.value(group) else { panic!("{group} has fields") };
            assert_eq!(
                plain(&facts, name).as_ref(),
                whole.map.get(&cel::objects::Key::from(field)),
                "{name}"
            );
        }
    }

    #[test]
    fn every_plain_field_is_given_by_itself() {
        let whole = serde_json::to_value(facts()).unwrap();
        for (group, fields) in whole.as_object().unwrap().iter().filter(|(group, _)| *group != "refs") {
            for (field, value) in fields.as_object().into_iter().flatten() {
                let name = format!("{group}.{field}");
                let is_plain = value.is_string() || value.is_number() || value.is_boolean();
                assert_eq!(PLAIN.contains(&name.as_str()), is_plain, "{name}");
            }
        }
    }

    #[test]
    fn a_condition_sees_plain_fields_lists_and_what_a_walk_introduces() {
        let facts = facts();
        let check = |text: &str| {
            let condition = Condition::compile(text).unwrap();
            assert_eq!(condition.holds(&Known::new(&facts), &BTreeMap::new()), Ok(true), "{text}");
        };
        check("container.exitCode == 137 && container.running && pod.phase == 'Running'");
        check("pod.reasons.exists(reason, reason == 'BackOff') && pod.phase.startsWith('Run')");
        check("has(pod.phase) && !(pod.phase in ['Pending', 'Failed']) && size(container.log) == 0");
        check("[{'phase': 'x'}].exists(pod, pod.phase == 'x')");
    }
}
