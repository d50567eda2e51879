//! Deleting pods: what the plan relies on, what it warns of, and which pods are left alone.

use super::*;
use crate::incident::objects::{Condition, Node, Pod, Workload};
use crate::incident::{Check, Delete, Undo};

fn delete(name: &str) -> (&'static str, Value) {
    ("pods.delete", json!({"pod": {"namespace": "payments", "name": name}}))
}

fn force(name: &str) -> (&'static str, Value) {
    ("pods.force-delete", json!({"pod": {"namespace": "payments", "name": name}}))
}

fn terminating(name: &str) -> Value {
    let pod = with(pod(name), "/metadata/deletionTimestamp", json!("2026-11-21T09:00:00Z"));
    with(pod, "/metadata/deletionGracePeriodSeconds", json!(30))
}

#[test]
fn a_delete_names_the_uid_and_relies_on_the_phase_and_on_not_being_deleted() {
    let plan = planned(&[delete("api-1")], &evidence(), &[pod("api-1")]).expect("a plan");
    let [change] = &plan.changes[..] else { panic!("one change") };
    assert_eq!(change.target.uid, "u-api-1");
    assert_eq!(change.operation, Operation::Delete(Delete { grace_seconds: None }));
    assert!(holds(change, &pod("api-1")));
    assert!(!holds(change, &with(pod("api-1"), "/status/phase", json!("Running"))));
    assert!(!holds(change, &terminating("api-1")));
    assert_eq!(plan.risk, Risk::Low);
    assert!(matches!(plan.undo, Undo::Needless(_)));
    assert!(plan.checks.contains(&Check::Gone(change.target.clone())));
    let needed: Vec<String> =
        plan.rules.iter().map(|r| format!("{} {}/{}", r.verb, r.resource, r.name)).collect();
    assert_eq!(needed, ["get pods/api-1", "delete pods/api-1"]);
}

#[test]
fn several_pods_are_deleted_in_one_plan_and_too_many_in_none() {
    let pods = |count: usize| -> Value {
        (0..count).map(|n| json!({"namespace": "payments", "name": format!("p-{n}")})).collect()
    };
    let objects: Vec<Value> = (0..3).map(|n| pod(&format!("p-{n}"))).collect();
    let plan = planned(&[("pods.delete", json!({"pods": pods(3)}))], &evidence(), &objects).expect("a plan");
    assert_eq!(plan.changes.len(), 3);
    let too_many = refusal(planned(&[("pods.delete", json!({"pods": pods(51)}))], &evidence(), &[]));
    assert!(too_many.contains("in portions"), "{too_many}");
}

#[test]
fn a_pod_that_nothing_replaces_is_deleted_only_when_asked() {
    let bare = with(pod("api-1"), "/metadata/ownerReferences", json!([]));
    let why = refusal(planned(&[delete("api-1")], &evidence(), std::slice::from_ref(&bare)));
    assert!(why.contains("evenIfNotReplaced"), "{why}");
    let asked = (
        "pods.delete",
        json!({"pod": {"namespace": "payments", "name": "api-1"}, "evenIfNotReplaced": true}),
    );
    let plan = planned(&[asked], &evidence(), &[bare]).expect("a plan");
    assert!(matches!(plan.undo, Undo::Impossible(_)));
}

#[test]
fn mirror_pods_and_pods_on_their_way_out_are_not_deleted() {
    let mirror = with(pod("api-1"), "/metadata/annotations", json!({"kubernetes.io/config.mirror": "x"}));
    assert!(
        refusal(planned(&[delete("api-1")], &evidence(), std::slice::from_ref(&mirror)))
            .contains("static pod")
    );
    assert!(refusal(planned(&[force("api-1")], &evidence(), &[mirror])).contains("static pod"));
    assert!(
        refusal(planned(&[delete("api-1")], &evidence(), &[terminating("api-1")]))
            .contains("already being deleted")
    );
}

#[test]
fn a_pod_that_is_gone_or_another_one_gives_no_plan() {
    let gone = planned(&[delete("api-1")], &evidence(), &[]).expect_err("gone");
    assert_eq!(gone.why, Why::Gone("Pod payments/api-1".into()));
    let named = ("pods.delete", json!({"pod": {"namespace": "payments", "name": "api-1", "uid": "u-old"}}));
    let changed = planned(&[named], &evidence(), &[pod("api-1")]).expect_err("another");
    assert!(matches!(changed.why, Why::Changed(_)), "{changed}");
}

#[test]
fn an_object_reference_as_the_finding_has_it_names_a_pod() {
    let step = (
        "pods.delete",
        json!({"pod": {
        "cluster": "prod", "api": {"group": "", "version": "v1", "kind": "Pod", "plural": "pods"},
        "namespace": "payments", "name": "api-1", "uid": "u-api-1"}}),
    );
    assert!(planned(&[step], &evidence(), &[pod("api-1")]).is_ok());
}

#[test]
fn the_workload_above_the_subject_must_be_ready_afterwards() {
    let mut evidence = evidence();
    let mut subject = Pod::default();
    subject.meta.uid = "u-api-1".into();
    evidence.seen.pod = Some(subject);
    let mut top = Workload { kind: "Deployment".into(), ..Workload::default() };
    top.meta.name = "api".into();
    top.meta.namespace = "payments".into();
    top.meta.uid = "u-deploy".into();
    evidence.seen.owners = vec![top];
    let plan = planned(&[delete("api-1")], &evidence, &[pod("api-1")]).expect("a plan");
    assert!(
        plan.checks.iter().any(|check| matches!(check, Check::Ready(t) if t.uid == "u-deploy")),
        "{:?}",
        plan.checks
    );
}

#[test]
fn a_force_delete_is_high_risk_and_says_that_the_node_may_still_run_it() {
    let mut evidence = evidence();
    let mut node = Node::default();
    node.meta.name = "node-1".into();
    node.conditions =
        vec![Condition { kind: "Ready".into(), status: "Unknown".into(), ..Condition::default() }];
    evidence.seen.node = Some(node);
    let plan = planned(&[force("api-1")], &evidence, &[terminating("api-1")]).expect("a plan");
    assert_eq!(plan.risk, Risk::High);
    assert_eq!(plan.changes[0].operation, Operation::Delete(Delete { grace_seconds: Some(0) }));
    assert!(plan.warnings.iter().any(|w| w.contains("Node node-1 does not answer")), "{:?}", plan.warnings);
    assert!(matches!(plan.undo, Undo::Impossible(_)));
}

#[test]
fn a_force_delete_of_a_stateful_pod_warns_about_its_identity_and_its_volume() {
    let owner = json!([{"kind": "StatefulSet", "name": "db", "uid": "u-ss", "controller": true}]);
    let member = with(terminating("db-0"), "/metadata/ownerReferences", owner);
    let member = with(
        member,
        "/spec/volumes",
        json!([{"name": "d", "persistentVolumeClaim": {"claimName": "data-db-0"}}]),
    );
    let plan = planned(&[force("db-0")], &evidence(), &[member]).expect("a plan");
    assert!(plan.warnings.iter().any(|w| w.contains("two members of one identity")), "{:?}", plan.warnings);
    assert!(plan.warnings.iter().any(|w| w.contains("data-db-0")), "{:?}", plan.warnings);
}

#[test]
fn a_pod_that_is_not_terminating_is_force_deleted_only_when_asked() {
    let why = refusal(planned(&[force("api-1")], &evidence(), &[pod("api-1")]));
    assert!(why.contains("evenIfNotTerminating"), "{why}");
    let asked = (
        "pods.force-delete",
        json!({"pod": {"namespace": "payments", "name": "api-1"}, "evenIfNotTerminating": true}),
    );
    let plan = planned(&[asked], &evidence(), &[pod("api-1")]).expect("a plan");
    assert!(!holds(&plan.changes[0], &terminating("api-1")), "it relies on not being deleted");
}
