//! Restarting and rolling back workloads: the patch, its undo, and the revisions that are refused.

use super::*;
use crate::actions::{same_but_for_time, undo_plan};
use crate::incident::{Check, Undo};

fn template(image: &str) -> Value {
    json!({
        "metadata": {"creationTimestamp": null, "labels": {"app": "api"}},
        "spec": {"containers": [{"name": "api", "image": image, "args": ["a && b < c"], "env": [
            {"name": "LOG_LEVEL", "value": "info"}, {"name": "DB_PASSWORD", "value": "hunter2"}]}]},
    })
}

fn workload(kind: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": "api", "namespace": "payments", "uid": "u-w", "resourceVersion": "7", "generation": 4,
            "annotations": {"deployment.kubernetes.io/revision": "3", "team": "new"}},
        "spec": {"replicas": 2, "template": template("api:2")},
    })
}

fn replica_set(revision: &str, template: Value) -> Value {
    let mut template = template;
    template["metadata"]["labels"]["pod-template-hash"] = json!("5d");
    json!({
        "kind": "ReplicaSet",
        "metadata": {"name": "api-5d", "namespace": "payments", "uid": "u-rs",
            "ownerReferences": [{"kind": "Deployment", "name": "api", "uid": "u-w", "controller": true}],
            "annotations": {"deployment.kubernetes.io/revision": revision, "deployment.kubernetes.io/desired-replicas": "2", "team": "old"}},
        "spec": {"template": template},
    })
}

fn restart(kind: &str) -> (&'static str, Value) {
    ("workloads.restart", json!({"workload": {"kind": kind, "namespace": "payments", "name": "api"}}))
}

fn undo_to(kind: &str, revision: u64, name: &str) -> (&'static str, Value) {
    let workload = json!({"kind": kind, "namespace": "payments", "name": "api"});
    (
        "workloads.undo",
        json!({"workload": workload, "toRevision": revision.to_string(), "revisionName": name}),
    )
}

#[test]
fn a_restart_writes_kubectls_annotation_with_the_time_of_the_evidence() {
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        let before = workload(kind);
        let plan = planned(&[restart(kind)], &evidence(), std::slice::from_ref(&before)).expect("a plan");
        let after = applied(&plan.changes[0], &before).expect("it applies");
        let annotations = &after["spec"]["template"]["metadata"]["annotations"];
        assert_eq!(
            annotations,
            &json!({"kubectl.kubernetes.io/restartedAt": AT, "kubemend.dev/execution": "i-1.p1"})
        );
        assert!(plan.checks.iter().any(|c| matches!(c, Check::RolledOut { generation_above: 4, .. })));
        assert!(matches!(plan.undo, Undo::Needless(_)));
    }
}

#[test]
fn a_restart_planned_later_is_the_same_plan_but_for_its_time() {
    for object in [
        workload("Deployment"),
        with(workload("Deployment"), "/spec/template/metadata/annotations", json!({"keep": "me"})),
    ] {
        let at = |seconds: i64| {
            let mut evidence = evidence();
            evidence.seen.at += jiff::SignedDuration::from_secs(seconds);
            planned(&[restart("Deployment")], &evidence, std::slice::from_ref(&object)).expect("a plan")
        };
        assert_ne!(at(0), at(60));
        assert!(same_but_for_time(&at(0), &at(60)));
        let grown = with(object.clone(), "/metadata/generation", json!(5));
        let other = planned(&[restart("Deployment")], &evidence(), &[grown]).expect("a plan");
        assert!(!same_but_for_time(&at(0), &other));
    }
}

#[test]
fn a_restart_keeps_the_templates_annotations_and_ignores_status_changes() {
    let before = with(workload("Deployment"), "/spec/template/metadata/annotations", json!({"keep": "me"}));
    let plan = planned(&[restart("Deployment")], &evidence(), std::slice::from_ref(&before)).expect("a plan");
    let churned = with(before, "/metadata/resourceVersion", json!("99"));
    let after = applied(&plan.changes[0], &churned).expect("the version may change");
    assert_eq!(after["spec"]["template"]["metadata"]["annotations"]["keep"], "me");
    let changed = with(churned, "/metadata/generation", json!(5));
    assert!(applied(&plan.changes[0], &changed).is_err(), "the spec changed");
    assert!(!holds(&plan.changes[0], &changed));
}

#[test]
fn workloads_whose_pods_would_not_follow_are_refused() {
    for (pointer, value, says) in [
        ("/spec/paused", json!(true), "paused"),
        ("/spec/updateStrategy", json!({"type": "OnDelete"}), "OnDelete"),
        ("/metadata/deletionTimestamp", json!(AT), "being deleted"),
    ] {
        let object = with(workload("Deployment"), pointer, value);
        let why = refusal(planned(
            &[restart("Deployment")],
            &evidence(),
            &[object.clone(), replica_set("2", template("api:1"))],
        ));
        assert!(why.contains(says), "{why}");
        let why = refusal(planned(
            &[undo_to("Deployment", 2, "api-5d")],
            &evidence(),
            &[object, replica_set("2", template("api:1"))],
        ));
        assert!(why.contains(says), "{why}");
    }
    let none = with(workload("Deployment"), "/spec/replicas", json!(0));
    assert!(refusal(planned(&[restart("Deployment")], &evidence(), &[none])).contains("nothing to restart"));
}

#[test]
fn a_deployment_goes_back_to_its_replica_sets_template_and_annotations() {
    let before = workload("Deployment");
    let objects = [before.clone(), replica_set("2", template("api:1"))];
    let plan = planned(&[undo_to("Deployment", 2, "api-5d")], &evidence(), &objects).expect("a plan");
    let after = applied(&plan.changes[0], &before).expect("it applies");
    assert_eq!(after["spec"]["template"]["spec"]["containers"][0]["image"], "api:1");
    assert!(after["spec"]["template"]["metadata"]["labels"].get("pod-template-hash").is_none());
    let annotations = &after["metadata"]["annotations"];
    assert_eq!(annotations["team"], "old");
    assert_eq!(annotations["deployment.kubernetes.io/revision"], "3", "the Deployment's own stays");
    assert_eq!(annotations["kubemend.dev/execution"], "i-1.p1");
    assert!(
        !serde_json::to_string(&plan).expect("plain data").contains("hunter2"),
        "no password is stored with the plan"
    );
}

#[test]
fn the_undo_of_a_rollback_holds_only_right_after_it() {
    let before = workload("Deployment");
    let objects = [before.clone(), replica_set("2", template("api:1"))];
    let plan = planned(&[undo_to("Deployment", 2, "api-5d")], &evidence(), &objects).expect("a plan");
    let after =
        with(applied(&plan.changes[0], &before).expect("it applies"), "/metadata/generation", json!(5));
    let undo = undo_plan(&ProposalId::from("i-1.p2"), &plan).expect("an undo");
    let restored = applied(&undo.changes[0], &after).expect("it applies");
    assert_eq!(restored["spec"], before["spec"]);
    assert_eq!(restored["metadata"]["annotations"]["team"], "new");
    assert_eq!(restored["metadata"]["annotations"]["kubemend.dev/execution"], "i-1.p2");
    assert!(undo.checks.iter().any(|c| matches!(c, Check::RolledOut { generation_above: 5, .. })));
    assert!(
        applied(&undo.changes[0], &with(after, "/metadata/generation", json!(6))).is_err(),
        "changed since"
    );
}

#[test]
fn a_stateful_set_goes_back_to_its_controller_revision_and_its_broken_pod_is_named() {
    for kind in ["StatefulSet", "DaemonSet"] {
        let before = workload(kind);
        let mut data = template("api:1");
        data["$patch"] = json!("replace");
        let held = json!({"kind": "ControllerRevision", "revision": 2, "data": {"spec": {"template": data}},
            "metadata": {"name": "api-7f", "namespace": "payments", "uid": "u-cr", "ownerReferences": [{"uid": "u-w"}]}});
        let plan =
            planned(&[undo_to(kind, 2, "api-7f")], &evidence(), &[before.clone(), held]).expect("a plan");
        let after = applied(&plan.changes[0], &before).expect("it applies");
        assert_eq!(after["spec"]["template"]["spec"]["containers"][0]["image"], "api:1");
        assert!(after["spec"]["template"].get("$patch").is_none());
        assert_eq!(after["metadata"]["annotations"]["team"], "new");
        assert_eq!(kind == "StatefulSet", plan.warnings.iter().any(|w| w.contains("must be deleted")));
    }
}

#[test]
fn revisions_that_are_missing_current_foreign_or_equal_are_refused() {
    let objects = |held: Value| [workload("Deployment"), held];
    let step = || undo_to("Deployment", 2, "api-5d");
    let none = refusal(planned(
        &[(
            "workloads.undo",
            json!({"workload": {"kind": "Deployment", "namespace": "payments", "name": "api"}, "toRevision": 9}),
        )],
        &evidence(),
        &[],
    ));
    assert!(none.contains("has no revision 9"), "{none}");
    let moved = refusal(planned(&[step()], &evidence(), &objects(replica_set("4", template("api:1")))));
    assert!(moved.contains("does not hold revision 2"), "{moved}");
    let current = refusal(planned(
        &[undo_to("Deployment", 3, "api-5d")],
        &evidence(),
        &objects(replica_set("3", template("api:1"))),
    ));
    assert!(current.contains("is the current one"), "{current}");
    let foreign =
        with(replica_set("2", template("api:1")), "/metadata/ownerReferences", json!([{"uid": "u-x"}]));
    assert!(refusal(planned(&[step()], &evidence(), &objects(foreign))).contains("does not belong"));
    let equal = refusal(planned(&[step()], &evidence(), &objects(replica_set("2", template("api:2")))));
    assert!(equal.contains("already"), "{equal}");
}

#[test]
fn a_password_that_differs_between_revisions_is_neither_stored_nor_shown() {
    let (mut in_environment, mut in_arguments) = (template("api:1"), template("api:1"));
    in_environment["spec"]["containers"][0]["env"][1]["value"] = json!("hunter1");
    in_arguments["spec"]["containers"][0]["args"] = json!(["--token=hunter1"]);
    for old in [in_environment, in_arguments] {
        let why = refusal(planned(
            &[undo_to("Deployment", 2, "api-5d")],
            &evidence(),
            &[workload("Deployment"), replica_set("2", old)],
        ));
        assert!(why.contains("credential") && !why.contains("hunter"), "{why}");
    }
}

#[test]
fn the_revision_is_found_in_the_evidence_where_no_name_is_given() {
    let mut evidence = evidence();
    evidence.rollout.good = Some(2);
    evidence.rollout.good_name = "api-5d".into();
    let step = (
        "workloads.undo",
        json!({"workload": {"kind": "Deployment", "namespace": "payments", "name": "api"}, "toRevision": 2}),
    );
    assert!(
        planned(&[step], &evidence, &[workload("Deployment"), replica_set("2", template("api:1"))]).is_ok()
    );
}
