//! Stripping finalizers: only the named ones, and none that still guards something.

use proptest::prelude::*;

use super::*;
use crate::incident::{Check, Undo};

fn stuck(kind: &str, name: &str, finalizers: &[&str]) -> Value {
    json!({
        "kind": kind,
        "metadata": {"name": name, "namespace": "payments", "uid": "u-1", "resourceVersion": "7",
            "deletionTimestamp": "2026-11-21T09:00:00Z", "finalizers": finalizers, "annotations": {"a": "b"}},
    })
}

fn strip(kind: &str, name: &str, finalizers: &[&str]) -> (&'static str, Value) {
    let object = json!({"kind": kind, "namespace": "payments", "name": name});
    ("finalizers.strip", json!({"object": object, "finalizers": finalizers}))
}

#[test]
fn only_the_named_finalizer_is_stripped_and_the_object_is_marked() {
    let object = stuck("Pod", "api-1", &["example.com/a", "example.com/b"]);
    let plan =
        planned(&[strip("Pod", "api-1", &["example.com/a"])], &evidence(), std::slice::from_ref(&object))
            .expect("a plan");
    let after = applied(&plan.changes[0], &object).expect("it applies");
    assert_eq!(after["metadata"]["finalizers"], json!(["example.com/b"]));
    assert_eq!(after["metadata"]["annotations"], json!({"a": "b", "kubemend.dev/execution": "i-1.p1"}));
    assert!(applied(&plan.changes[0], &after).is_err(), "a second arrival is refused");
    assert!(matches!(&plan.checks[0], Check::Field { value, .. } if *value == json!(["example.com/b"])));
}

#[test]
fn with_the_last_finalizer_the_object_goes_and_the_plan_says_so() {
    let object = stuck("Pod", "api-1", &["example.com/a"]);
    let plan =
        planned(&[strip("Pod", "api-1", &["example.com/a"])], &evidence(), std::slice::from_ref(&object))
            .expect("a plan");
    let after = applied(&plan.changes[0], &object).expect("it applies");
    assert!(after["metadata"].get("finalizers").is_none());
    assert!(matches!(plan.checks[0], Check::Gone(_)));
    assert_eq!(plan.risk, Risk::High);
    assert!(matches!(plan.undo, Undo::Impossible(_)));
    assert!(plan.warnings.iter().any(|w| w.contains("not one that kubemend knows")));
    assert!(plan.warnings.iter().any(|w| w.contains("for good")));
}

#[test]
fn a_patch_against_another_uid_or_other_finalizers_is_refused() {
    let object = stuck("Pod", "api-1", &["example.com/a"]);
    let plan =
        planned(&[strip("Pod", "api-1", &["example.com/a"])], &evidence(), std::slice::from_ref(&object))
            .expect("a plan");
    assert!(applied(&plan.changes[0], &with(object.clone(), "/metadata/uid", json!("u-2"))).is_err());
    let other = with(object, "/metadata/finalizers", json!(["example.com/a", "example.com/new"]));
    assert!(applied(&plan.changes[0], &other).is_err());
    assert!(!holds(&plan.changes[0], &other));
}

#[test]
fn where_there_are_no_annotations_the_version_is_tested() {
    let mut object = stuck("Pod", "api-1", &["example.com/a", "example.com/b"]);
    object["metadata"].as_object_mut().expect("a map").remove("annotations");
    let plan =
        planned(&[strip("Pod", "api-1", &["example.com/a"])], &evidence(), std::slice::from_ref(&object))
            .expect("a plan");
    assert!(applied(&plan.changes[0], &object).is_ok());
    assert!(applied(&plan.changes[0], &with(object, "/metadata/resourceVersion", json!("8"))).is_err());
}

#[test]
fn a_known_finalizer_is_told_with_its_keeper_and_what_may_be_left() {
    let name = "service.kubernetes.io/load-balancer-cleanup";
    let object = stuck("Service", "web", &[name]);
    let plan = planned(&[strip("Service", "web", &[name])], &evidence(), &[object]).expect("a plan");
    assert!(plan.warnings[0].contains("cloud controller manager") && plan.warnings[0].contains("costing"));
}

#[test]
fn custom_objects_are_named_in_full() {
    let object = json!({"apiVersion": "example.com/v1", "kind": "Database", "plural": "databases",
        "namespace": "payments", "name": "main"});
    let step = ("finalizers.strip", json!({"object": object, "finalizers": "example.com/a, example.com/b"}));
    let live = stuck("Database", "main", &["example.com/a", "example.com/b"]);
    let plan = planned(&[step], &evidence(), &[live]).expect("a plan");
    assert_eq!(plan.changes[0].target.api.plural, "databases");
    assert_eq!(plan.rules[1].group, "example.com");
    let unknown = planned(&[strip("Database", "main", &["example.com/a"])], &evidence(), &[])
        .expect_err("unknown kind");
    assert!(unknown.to_string().contains("apiVersion"), "{unknown}");
}

#[test]
fn what_still_guards_something_is_refused_with_the_way_out() {
    for (kind, finalizers, name, says) in [
        ("Pod", &["foregroundDeletion"][..], "foregroundDeletion", "garbage collector"),
        ("Pod", &["orphan"][..], "orphan", "garbage collector"),
        ("Namespace", &[][..], "kubernetes", "spec.finalizers"),
        (
            "PersistentVolumeClaim",
            &["kubernetes.io/pvc-protection"][..],
            "kubernetes.io/pvc-protection",
            "end the pods",
        ),
        ("Pod", &["example.com/b"][..], "example.com/a", "has no finalizer"),
    ] {
        let why = refusal(planned(
            &[strip(kind, "api-1", &[name])],
            &evidence(),
            &[stuck(kind, "api-1", finalizers)],
        ));
        assert!(why.contains(says), "{kind} {name}: {why}");
    }
}

#[test]
fn pvc_protection_is_stripped_only_once_nobody_is_known_to_mount_the_claim() {
    let name = "kubernetes.io/pvc-protection";
    let claim = stuck("PersistentVolumeClaim", "data", &[name]);
    let (action, arguments) = strip("PersistentVolumeClaim", "data", &[name]);
    let steps = [(Text::from(action), arguments)];
    let mut live = live(&steps, &evidence(), &[claim]);
    let target = inputs(&steps, &evidence()).expect("inputs").remove(0);
    live.insert_claim_users(&target, vec!["db-0".into()]);
    assert!(refusal(planned_with(&steps, &evidence(), &live)).contains("mounted by db-0"));
    live.insert_claim_users(&target, Vec::new());
    assert!(planned_with(&steps, &evidence(), &live).is_ok());
}

#[test]
fn pv_protection_stays_on_a_bound_volume() {
    let name = "kubernetes.io/pv-protection";
    let volume = |phase: &str| {
        let mut volume = stuck("PersistentVolume", "pv-1", &[name]);
        volume["status"] = json!({"phase": phase});
        volume
    };
    let step = || {
        (
            "finalizers.strip",
            json!({"object": {"kind": "PersistentVolume", "name": "pv-1"}, "finalizers": [name]}),
        )
    };
    assert!(refusal(planned(&[step()], &evidence(), &[volume("Bound")])).contains("is bound"));
    assert!(planned(&[step()], &evidence(), &[volume("Released")]).is_ok());
}

#[test]
fn an_object_that_is_not_being_deleted_keeps_its_finalizers() {
    let mut object = stuck("Pod", "api-1", &["example.com/a"]);
    object["metadata"].as_object_mut().expect("a map").remove("deletionTimestamp");
    assert!(
        refusal(planned(&[strip("Pod", "api-1", &["example.com/a"])], &evidence(), &[object]))
            .contains("not being deleted")
    );
}

proptest! {
    #[test]
    fn no_other_finalizer_is_ever_dropped(held in prop::collection::btree_set("[a-z]{1,6}\\.io/[a-z]{1,4}", 1..8), pick in any::<prop::sample::Index>()) {
        let held: Vec<&str> = held.iter().map(String::as_str).collect();
        let named = held[pick.index(held.len())];
        let object = stuck("Pod", "api-1", &held);
        let plan = planned(&[strip("Pod", "api-1", &[named])], &evidence(), std::slice::from_ref(&object)).expect("a plan");
        let after = applied(&plan.changes[0], &object).expect("it applies");
        let left: Vec<&str> = held.iter().copied().filter(|name| *name != named).collect();
        let found: Vec<&str> = after["metadata"]["finalizers"].as_array().map_or(Vec::new(), |list| list.iter().filter_map(Value::as_str).collect());
        prop_assert_eq!(found, left);
    }
}
