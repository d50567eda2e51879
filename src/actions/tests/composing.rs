//! Several steps in one plan, the rights they need, and the checks that follow.

use super::*;
use crate::actions::{ACTIONS, Action, cluster_rules, wanted_checks};
use crate::incident::objects::Workload;
use crate::incident::{Check, Undo, WantedCheck};

fn account() -> Value {
    json!({"kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "payments", "uid": "u-sa", "resourceVersion": "7"}})
}

fn add() -> (&'static str, Value) {
    (
        "pull-secrets.add",
        json!({"serviceAccount": {"namespace": "payments", "name": "default"}, "secret": "pull"}),
    )
}

fn delete() -> (&'static str, Value) {
    (
        "pods.delete",
        json!({"pods": [{"namespace": "payments", "name": "api-1"}, {"namespace": "payments", "name": "api-2"}]}),
    )
}

#[test]
fn a_secret_and_the_replacement_of_stuck_pods_are_one_plan_in_order() {
    let plan =
        planned(&[add(), delete()], &evidence(), &[account(), pod("api-1"), pod("api-2")]).expect("a plan");
    assert_eq!(plan.actions, ["pull-secrets.add", "pods.delete"].map(Text::from));
    let kinds: Vec<&str> = plan.changes.iter().map(|c| c.target.api.kind.as_str()).collect();
    assert_eq!(kinds, ["ServiceAccount", "Pod", "Pod"]);
    assert_eq!(plan.risk, Risk::Medium);
    assert!(matches!(&plan.undo, Undo::Changes(back) if back.len() == 1));
    assert_eq!(plan.rules.len(), 6);
    let condition = Check::ConditionGone { condition: finding().condition, key: finding().key };
    assert!(plan.checks.contains(&condition));
}

#[test]
fn a_part_that_cannot_be_taken_back_makes_the_whole_so() {
    let stuck = with(pod("api-9"), "/metadata/deletionTimestamp", json!(AT));
    let force = ("pods.force-delete", json!({"pod": {"namespace": "payments", "name": "api-9"}}));
    let plan = planned(&[add(), force], &evidence(), &[account(), stuck]).expect("a plan");
    assert!(matches!(plan.undo, Undo::Impossible(_)));
    assert_eq!(plan.risk, Risk::High);
}

#[test]
fn one_object_is_not_changed_twice_in_a_plan() {
    let why = refusal(planned(&[delete(), delete()], &evidence(), &[pod("api-1"), pod("api-2")]));
    assert!(why.contains("changed twice"), "{why}");
}

#[test]
fn an_unknown_action_and_unknown_arguments_are_told() {
    let unknown = planned(&[("pods.restart", json!({}))], &evidence(), &[]).expect_err("unknown");
    assert!(unknown.to_string().contains("pods.delete"), "{unknown}");
    let odd = planned(
        &[("pods.delete", json!({"pod": {"namespace": "a", "name": "b"}, "grace": 3}))],
        &evidence(),
        &[],
    );
    assert!(odd.expect_err("odd").to_string().contains("grace"));
}

#[test]
fn what_was_not_read_is_not_planned() {
    let steps = [(Text::from("pods.delete"), delete().1)];
    let error = planned_with(&steps, &evidence(), &LiveObjects::default()).expect_err("not read");
    assert!(matches!(error.why, Why::NotRead(_)));
}

#[test]
fn the_same_order_gives_the_same_digest() {
    let objects = [account(), pod("api-1"), pod("api-2")];
    let digest = || planned(&[add(), delete()], &evidence(), &objects).expect("a plan").digest();
    assert_eq!(digest(), digest());
}

#[test]
fn every_action_has_a_name_of_its_own_documentation_and_a_schema_of_its_arguments() {
    for action in ACTIONS {
        assert!(std::ptr::eq(Action::named(action.name).expect("found by name"), action), "{}", action.name);
        assert!(action.docs.len() > 60 && !action.title.is_empty() && !action.grants.is_empty());
        assert!(action.arguments().as_value()["properties"].as_object().is_some_and(|p| !p.is_empty()));
    }
}

#[test]
fn rules_are_those_of_the_enabled_actions_and_no_others() {
    assert_eq!(cluster_rules(&[]), []);
    let rules =
        serde_json::to_value(cluster_rules(&["pods.delete", "pods.force-delete", "pull-secrets.add"]))
            .expect("plain data");
    assert_eq!(
        rules,
        json!([
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete", "get"]},
            {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get", "patch"]},
        ])
    );
}

#[test]
fn the_rights_of_every_plan_are_within_the_generated_rules() {
    let plan =
        planned(&[add(), delete()], &evidence(), &[account(), pod("api-1"), pod("api-2")]).expect("a plan");
    let granted = cluster_rules(&["pull-secrets.add", "pods.delete"]);
    for rule in &plan.rules {
        let within = granted.iter().any(|g| {
            g.api_groups[0] == rule.group.as_str()
                && g.resources[0] == rule.resource.as_str()
                && g.verbs.iter().any(|verb| verb == rule.verb.as_str())
        });
        assert!(within, "{rule:?}");
    }
}

#[test]
fn a_playbooks_checks_become_checks_of_named_objects() {
    let mut evidence = evidence();
    let all = [WantedCheck::SubjectGone, WantedCheck::WorkloadReady, WantedCheck::ConditionGone];
    let [gone, condition] = &wanted_checks(&all, &finding(), &evidence)[..] else {
        panic!("no workload is known")
    };
    assert_eq!(*gone, Check::Gone(Target::from(&finding().subject)));
    assert!(matches!(condition, Check::ConditionGone { .. }));
    let mut top = Workload { kind: "StatefulSet".into(), ..Workload::default() };
    top.meta.name = "db".into();
    evidence.seen.owners = vec![Workload::default(), top];
    let checks = wanted_checks(&all, &finding(), &evidence);
    assert!(matches!(&checks[1], Check::Ready(target) if target.name == "db"), "{checks:?}");
}
