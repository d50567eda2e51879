//! The writer against a far side that answers as it is told, and counts.

mod far_side;
mod samples;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use serde_json::json;

use self::far_side::{Does, FarSide};
use self::samples::{delete, deployment, patch, permit_for, pod, target};
use super::*;
use crate::incident::{Patch, Reliance, Via};

async fn apply(far: &FarSide, change: Change) -> Attempt {
    far.writer().apply(&permit_for("prod", vec![change]), 0).await
}

#[track_caller]
fn receipt(attempt: Attempt) -> Receipt {
    match attempt {
        Attempt::Over(ChangeOutcome::Applied { receipt }) => receipt,
        other => panic!("expected a receipt, got {other:?}"),
    }
}

#[track_caller]
fn stale(attempt: Attempt) -> String {
    match attempt {
        Attempt::Over(ChangeOutcome::Stale { why }) => why.to_string(),
        other => panic!("expected stale, got {other:?}"),
    }
}

#[track_caller]
fn refused(attempt: Attempt) -> u16 {
    match attempt {
        Attempt::Over(ChangeOutcome::Refused { code, .. }) => code,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn a_patch_is_sent_once_with_exactly_the_approved_bytes() {
    let far = FarSide::new(Some(deployment()), Does::Answers);
    let receipt = receipt(apply(&far, patch()).await);
    assert!(!receipt.looked_up && receipt.resource_version == "8");
    assert_eq!(receipt.before["/spec/paused"], false);
    let seen = far.seen.lock().clone();
    let [(method, uri, body, user)] = &seen[..] else { panic!("one request: {seen:?}") };
    assert_eq!(
        (method.as_str(), uri.as_str()),
        ("PATCH", "/apis/apps/v1/namespaces/payments/deployments/api?fieldManager=kubemend")
    );
    let Operation::Patch(Patch::Json(approved)) = patch().operation else { panic!("a JSON patch") };
    assert_eq!((body, user), (&approved, &None));
}

#[tokio::test]
async fn a_delete_carries_the_uid_and_the_grace_period() {
    let far = FarSide::new(Some(pod("u-1")), Does::Answers);
    let receipt = receipt(apply(&far, delete(Some(0))).await);
    assert_eq!(receipt.resource_version, "");
    let seen = far.seen.lock().clone();
    assert_eq!(seen[0].2["preconditions"]["uid"], "u-1");
    assert_eq!(seen[0].2["gracePeriodSeconds"], 0);
    assert!(seen[0].2.get("dryRun").is_none());
    assert_eq!(far.changes(), 1);
}

#[tokio::test]
async fn a_target_that_changed_gets_nothing_and_the_field_is_named() {
    let mut changed = deployment();
    changed["metadata"]["generation"] = json!(5);
    let mut running = pod("u-1");
    running["status"]["phase"] = json!("Running");
    for (object, change, says) in [
        (
            Some(changed),
            patch(),
            "/metadata/generation of Deployment payments/api was 4 when it was approved and is 5 now",
        ),
        (Some(running), delete(None), "was \"Pending\" when it was approved and is \"Running\" now"),
        (None, patch(), "does not exist any more"),
    ] {
        let far = FarSide::new(object, Does::Answers);
        let why = stale(apply(&far, change).await);
        assert!(why.contains(says), "{why}");
        assert_eq!(far.changes(), 0);
    }
}

#[tokio::test]
async fn a_delete_is_needless_once_its_object_is_gone_going_or_well() {
    let mut well = pod("u-1");
    well["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    let mut unready = well.clone();
    unready["status"]["conditions"][0]["status"] = json!("False");
    let mut going = pod("u-1");
    going["metadata"]["deletionTimestamp"] = json!("2026-11-21T10:00:00Z");
    going["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    let held_in_place = Change {
        relies_on: vec![Reliance { pointer: "/metadata/deletionTimestamp".into(), value: Value::Null }],
        ..delete(None)
    };
    for (object, change, says) in [
        (Some(pod("u-2")), delete(None), "its uid is u-2, approved was u-1"),
        (None, delete(None), "does not exist any more"),
        (Some(well.clone()), delete(None), "is \"Running\" now"),
        (Some(going), held_in_place.clone(), "is \"2026-11-21T10:00:00Z\" now"),
    ] {
        let far = FarSide::new(object, Does::Answers);
        let Attempt::Over(ChangeOutcome::Needless { why }) = apply(&far, change).await else {
            panic!("not needless: {says}")
        };
        assert!(why.contains(says), "{why}");
        assert_eq!(far.changes(), 0);
    }
    let of_another_generation = Change {
        relies_on: vec![Reliance { pointer: "/metadata/generation".into(), value: json!(4) }],
        ..delete(None)
    };
    let well_all_along = well.clone();
    well["metadata"]["deletionTimestamp"] = json!("2026-11-21T10:00:00Z");
    let stale_ones =
        [(unready, delete(None)), (well, delete(Some(0))), (well_all_along, of_another_generation)];
    for (object, change) in stale_ones {
        let far = FarSide::new(Some(object), Does::Answers);
        stale(apply(&far, change).await);
        assert_eq!(far.changes(), 0);
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_and_never_sent_again() {
    for code in [400, 401, 403, 422, 429] {
        let far = FarSide::new(Some(deployment()), Does::Refuses(code));
        assert_eq!(refused(apply(&far, patch()).await), code);
        assert_eq!(far.changes(), 1);
    }
    for code in [404, 409, 412] {
        let far = FarSide::new(Some(deployment()), Does::Refuses(code));
        stale(apply(&far, patch()).await);
        assert_eq!(far.changes(), 1);
    }
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_found_on_the_object_and_not_sent_again() {
    for does in [Does::CutsAfter, Does::HangsAfter, Does::Lies(408), Does::Lies(502), Does::Lies(504)] {
        for (object, change) in [(deployment(), patch()), (pod("u-1"), delete(None))] {
            let far = FarSide::new(Some(object), does);
            let receipt = receipt(apply(&far, change).await);
            assert!(receipt.looked_up);
            assert_eq!(far.changes(), 1);
        }
    }
}

#[tokio::test]
async fn a_change_that_never_arrived_is_known_not_to_be_made_and_may_be_sent_by_the_engine() {
    for (object, change) in [(deployment(), patch()), (pod("u-1"), delete(None))] {
        let far = FarSide::new(Some(object), Does::CutsBefore);
        let permit = permit_for("prod", vec![change]);
        let attempt = far.writer().apply(&permit, 0).await;
        assert!(matches!(attempt, Attempt::NotMade { .. }), "{attempt:?}");
        assert_eq!(far.changes(), 1);
        assert!(matches!(attempt.given_up(), ChangeOutcome::Unknown { .. }));
        *far.does.lock() = Does::Answers;
        receipt(far.writer().apply_again(&permit, 0).await);
        assert_eq!(far.changes(), 2);
    }
}

#[tokio::test]
async fn a_first_request_that_lands_late_makes_the_second_harmless() {
    for (object, change) in [(deployment(), patch()), (pod("u-1"), delete(None))] {
        let far = FarSide::new(Some(object), Does::CutsBefore);
        let permit = permit_for("prod", vec![change]);
        let attempt = far.writer().apply(&permit, 0).await;
        assert!(matches!(attempt, Attempt::NotMade { .. }), "{attempt:?}");
        let method = far.seen.lock()[0].0.clone();
        far.carry_out(&method);
        let landed = far.object.lock().clone();
        *far.does.lock() = Does::Answers;
        assert!(receipt(far.writer().apply_again(&permit, 0).await).looked_up);
        assert_eq!(far.changes(), 1, "found before anything was sent");
        assert_eq!(*far.object.lock(), landed);
        assert_eq!(
            far.carry_out(&method).status().as_u16(),
            if method == Method::DELETE { 404 } else { 422 }
        );
        assert_eq!(*far.object.lock(), landed, "and a request on its way changes nothing");
    }
}

#[tokio::test]
async fn while_the_cluster_cannot_be_asked_nothing_is_claimed() {
    let far = FarSide::new(Some(deployment()), Does::CutsAfter);
    *far.reads_fail_after_change.lock() = true;
    let permit = permit_for("prod", vec![patch()]);
    let attempt = far.writer().apply(&permit, 0).await;
    assert!(matches!(attempt, Attempt::Unreachable { .. }), "{attempt:?}");
    let again = far.writer().apply_again(&permit, 0).await;
    assert!(matches!(again, Attempt::Unreachable { .. }), "{again:?}");
    assert_eq!(far.changes(), 1);
    *far.reads_fail_after_change.lock() = false;
    assert!(receipt(far.writer().look_up(&permit, 0).await).looked_up);
    assert_eq!(far.changes(), 1);
}

#[tokio::test]
async fn a_target_that_cannot_be_read_gets_nothing() {
    let far = FarSide::new(Some(deployment()), Does::Answers);
    *far.reads_fail_after_change.lock() = true;
    far.changes.store(1, Ordering::SeqCst);
    let attempt = apply(&far, patch()).await;
    assert!(matches!(attempt, Attempt::NotSent { .. }), "{attempt:?}");
    assert_eq!(far.changes(), 1);
    assert!(matches!(attempt.given_up(), ChangeOutcome::Refused { .. }));
}

#[tokio::test]
async fn without_the_mark_and_with_other_fields_a_person_must_look() {
    let mut changed = deployment();
    changed["metadata"]["generation"] = json!(9);
    for object in [Some(changed), None] {
        let far = FarSide::new(object, Does::Answers);
        let attempt = far.writer().look_up(&permit_for("prod", vec![patch()]), 0).await;
        assert!(matches!(attempt, Attempt::Over(ChangeOutcome::Unknown { .. })), "{attempt:?}");
        assert_eq!(far.changes(), 0);
    }
}

#[tokio::test]
async fn another_proposals_mark_on_the_object_is_not_this_ones() {
    let mut marked = deployment();
    marked["metadata"]["annotations"][Plan::MARKER] = json!("i-1.p9");
    let far = FarSide::new(Some(marked), Does::Answers);
    let attempt = far.writer().look_up(&permit_for("prod", vec![patch()]), 0).await;
    assert!(matches!(attempt, Attempt::NotMade { .. }), "{attempt:?}");
}

#[tokio::test]
async fn what_is_to_be_made_and_exists_already_is_left_alone() {
    let target = crate::incident::Target { uid: "".into(), ..target("Deployment") };
    let operation = Operation::Create(deployment());
    let create = Change { target, relies_on: Vec::new(), operation, ..patch() };
    let far = FarSide::new(Some(deployment()), Does::Answers);
    let why = stale(apply(&far, create.clone()).await);
    assert!(why.contains("exists already"), "{why}");
    assert_eq!(far.changes(), 0);
    let looked_up = far.writer().look_up(&permit_for("prod", vec![create]), 0).await;
    assert!(stale(looked_up).contains("was not made by this proposal"));
}

#[tokio::test]
async fn a_look_up_tells_a_graceful_deletion_from_a_forced_one() {
    let mut going = pod("u-1");
    going["metadata"]["deletionTimestamp"] = json!("2026-11-21T09:00:00Z");
    going["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    for (object, change, made) in [
        (Some(going.clone()), delete(None), true),
        (Some(going), delete(Some(0)), false),
        (Some(pod("u-1")), delete(None), false),
        (Some(pod("u-2")), delete(Some(0)), true),
        (None, delete(Some(0)), true),
    ] {
        let far = FarSide::new(object.clone(), Does::Answers);
        let attempt = far.writer().look_up(&permit_for("prod", vec![change]), 0).await;
        assert_eq!(
            matches!(attempt, Attempt::Over(ChangeOutcome::Applied { .. })),
            made,
            "{object:?} {attempt:?}"
        );
        assert_eq!(matches!(attempt, Attempt::NotMade { .. }), !made, "{object:?} {attempt:?}");
    }
}

#[tokio::test]
async fn stripped_finalizers_are_found_by_their_absence() {
    let strip = Change {
        target: target("Pod"),
        relies_on: vec![Reliance { pointer: "/metadata/finalizers".into(), value: json!(["example.com/a"]) }],
        operation: Operation::Patch(Patch::Json(json!([
            {"op": "test", "path": "/metadata/uid", "value": "u-1"},
            {"op": "test", "path": "/metadata/finalizers", "value": ["example.com/a"]},
            {"op": "remove", "path": "/metadata/finalizers"},
        ]))),
        summary: "strip".into(),
    };
    let mut held = pod("u-1");
    held["metadata"]["finalizers"] = json!(["example.com/a"]);
    for (object, made) in
        [(None, true), (Some(pod("u-1")), true), (Some(pod("u-2")), true), (Some(held), false)]
    {
        let far = FarSide::new(object.clone(), Does::Answers);
        let attempt = far.writer().look_up(&permit_for("prod", vec![strip.clone()]), 0).await;
        assert_eq!(
            matches!(attempt, Attempt::Over(ChangeOutcome::Applied { .. })),
            made,
            "{object:?} {attempt:?}"
        );
    }
}

#[tokio::test]
async fn a_permit_for_another_cluster_or_a_missing_change_sends_nothing() {
    let far = FarSide::new(Some(deployment()), Does::Answers);
    assert_eq!(refused(far.writer().apply(&permit_for("stage", vec![patch()]), 0).await), 0);
    assert_eq!(refused(far.writer().apply(&permit_for("prod", vec![patch()]), 1).await), 0);
    let mut hostile = patch();
    hostile.target.name = "../../secrets/x".into();
    let attempt = far.writer().apply(&permit_for("prod", vec![hostile]), 0).await;
    assert!(matches!(attempt, Attempt::NotSent { .. }), "{attempt:?}");
    assert_eq!(far.changes(), 0);
}

#[tokio::test]
async fn a_change_in_an_approvers_name_is_sent_only_with_a_name() {
    let far = FarSide::new(Some(deployment()), Does::Answers);
    let permit = permit_for("prod", vec![patch()]);
    let nobody = far.writer().impersonating(Impersonation::default());
    assert_eq!(refused(nobody.apply(&permit, 0).await), 0);
    assert_eq!(far.changes(), 0);
    let name = Impersonated { user: "ann@example.com".into(), groups: vec!["sre".into()] };
    let named = far.writer().impersonating(Impersonation::new([((Via::Api, Text::from("ann")), name)]));
    receipt(named.apply(&permit, 0).await);
    assert_eq!(far.seen.lock()[0].3.as_deref(), Some("ann@example.com"));
}

#[tokio::test]
async fn no_credential_gets_into_a_receipt() {
    let mut object = deployment();
    object["spec"]["template"] = json!({"spec": {"containers": [{"name": "api", "env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}]}});
    let mut change = patch();
    change.operation = Operation::Patch(Patch::Json(json!([
        {"op": "test", "path": "/metadata/generation", "value": 4},
        {"op": "replace", "path": "/spec/template/spec/containers/0/env/0/value", "value": "$(X)"},
        {"op": "remove", "path": "/spec/template/spec/containers/0"},
    ])));
    let far = FarSide::new(Some(object), Does::Answers);
    let receipt = receipt(apply(&far, change).await);
    assert!(!receipt.before.to_string().contains("hunter2"), "{}", receipt.before);
    assert!(receipt.before.to_string().contains("DB_PASSWORD"), "{}", receipt.before);
}

#[tokio::test]
async fn no_credential_gets_into_a_sentence_or_into_a_receipt_that_was_looked_up() {
    let env = |value: &str| json!([{"name": "DB_PASSWORD", "value": value}]);
    let change = Change {
        relies_on: vec![Reliance { pointer: "/spec/env".into(), value: env("hunter2") }],
        ..patch()
    };
    let mut object = deployment();
    object["spec"]["env"] = env("hunter3");
    let why = stale(apply(&FarSide::new(Some(object.clone()), Does::Answers), change.clone()).await);
    assert!(why.contains("/spec/env") && !why.contains("hunter"), "{why}");
    object["metadata"]["annotations"][Plan::MARKER] = json!("i-1.p1");
    let far = FarSide::new(Some(object), Does::Answers);
    let receipt = receipt(far.writer().look_up(&permit_for("prod", vec![change]), 0).await);
    assert!(receipt.looked_up && !receipt.before.to_string().contains("hunter"), "{}", receipt.before);
}

/// The same cut over a real socket: kube's own client, a server that takes the request and hangs up.
#[tokio::test]
async fn a_connection_that_breaks_on_the_wire_is_a_lost_answer_and_one_request() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let patches = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&patches);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 8192];
            let length = socket.read(&mut request).await.unwrap_or_default();
            if request[..length].starts_with(b"PATCH") {
                counted.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            let mut object = deployment();
            if counted.load(Ordering::SeqCst) > 0 {
                object["metadata"]["annotations"][Plan::MARKER] = json!("i-1.p1");
            }
            let body = object.to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    let mut config = kube::Config::new(format!("http://{address}").parse().expect("a URL"));
    config.default_retry = false;
    let client = Client::try_from(config).expect("a client");
    let writer = Writer::new("prod".into(), client).patient_for(Duration::from_secs(5));
    assert!(receipt(writer.apply(&permit_for("prod", vec![patch()]), 0).await).looked_up);
    assert_eq!(patches.load(Ordering::SeqCst), 1);
}
