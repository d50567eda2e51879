//! Adding and removing pull secrets of a ServiceAccount, and who has to be told of it.

use proptest::prelude::*;

use super::*;
use crate::actions::undo_plan;
use crate::incident::{Coverage, Defect, ImageFacts, PullSecret, RegistryEntry, SecretFacts, Undo};

const REGISTRY: &str = "registry.example.com";

fn account(secrets: Option<&[&str]>) -> Value {
    let mut account = json!({
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "payments", "uid": "u-sa", "resourceVersion": "7"},
    });
    if let Some(secrets) = secrets {
        account["imagePullSecrets"] = secrets.iter().map(|name| json!({"name": name})).collect();
    }
    account
}

fn step(action: &'static str, secret: &str) -> (&'static str, Value) {
    (
        action,
        json!({"serviceAccount": {"namespace": "payments", "name": "default"}, "secret": secret, "registry": REGISTRY}),
    )
}

fn add(secret: &str) -> (&'static str, Value) {
    step("pull-secrets.add", secret)
}

fn covered() -> Evidence {
    let mut evidence = evidence();
    evidence.seen.secrets = vec![PullSecret {
        name: "pull".into(),
        namespace: "payments".into(),
        exists: Some(true),
        kind: "kubernetes.io/dockerconfigjson".into(),
        entries: vec![RegistryEntry { key: REGISTRY.into(), defects: Vec::new() }],
        defects: Vec::new(),
    }];
    evidence.images = vec![ImageFacts {
        registry: REGISTRY.into(),
        candidates: vec!["pull".into()],
        ..ImageFacts::default()
    }];
    evidence
}

#[test]
fn a_secret_is_added_and_all_others_stay() {
    let before = account(Some(&["first", "second"]));
    let plan = planned(&[add("pull")], &covered(), std::slice::from_ref(&before)).expect("a plan");
    let after = applied(&plan.changes[0], &before).expect("it applies");
    assert_eq!(after["imagePullSecrets"], json!([{"name": "first"}, {"name": "second"}, {"name": "pull"}]));
    assert_eq!(after["metadata"]["annotations"]["kubemend.dev/execution"], "i-1.p1");
    assert!(applied(&plan.changes[0], &after).is_err(), "a second arrival is refused");
    assert_eq!(plan.risk, Risk::Medium);
    assert_eq!(plan.changes[0].summary, "add pull secret pull to ServiceAccount payments/default");
}

#[test]
fn an_account_without_a_list_gets_one_only_if_it_is_still_the_same_version() {
    let before = account(None);
    let plan = planned(&[add("pull")], &covered(), std::slice::from_ref(&before)).expect("a plan");
    assert_eq!(
        applied(&plan.changes[0], &before).expect("it applies")["imagePullSecrets"],
        json!([{"name": "pull"}])
    );
    let meanwhile = with(account(Some(&["other"])), "/metadata/resourceVersion", json!("8"));
    assert!(applied(&plan.changes[0], &meanwhile).is_err(), "it would drop the other one");
    assert!(!holds(&plan.changes[0], &meanwhile));
}

#[test]
fn the_undo_restores_what_was_and_carries_its_own_mark() {
    for before in [account(None), account(Some(&["first"]))] {
        let plan = planned(&[add("pull")], &covered(), std::slice::from_ref(&before)).expect("a plan");
        let after = applied(&plan.changes[0], &before).expect("it applies");
        let undo = undo_plan(&ProposalId::from("i-1.p2"), &plan).expect("an undo");
        let restored = applied(&undo.changes[0], &after).expect("it applies");
        assert_eq!(restored.get("imagePullSecrets"), before.get("imagePullSecrets"));
        assert_eq!(restored["metadata"]["annotations"]["kubemend.dev/execution"], "i-1.p2");
        assert!(applied(&undo.changes[0], &restored).is_err(), "a second arrival is refused");
        let mut changed = after;
        changed["imagePullSecrets"] = json!([{"name": "pull"}, {"name": "newer"}]);
        assert!(applied(&undo.changes[0], &changed).is_err(), "somebody changed it since");
    }
}

#[test]
fn a_secret_that_is_there_already_is_not_added() {
    let why = refusal(planned(&[add("pull")], &covered(), &[account(Some(&["pull"]))]));
    assert!(why.contains("names pull already"), "{why}");
}

#[test]
fn a_secret_that_cannot_help_is_refused() {
    let spoil = |change: fn(&mut Evidence)| {
        let mut evidence = covered();
        change(&mut evidence);
        refusal(planned(&[add("pull")], &evidence, &[account(None)]))
    };
    assert!(spoil(|e| e.seen.secrets[0].exists = Some(false)).contains("does not exist"));
    assert!(spoil(|e| e.seen.secrets[0].defects = vec![Defect::Unparsable]).contains("cannot be used"));
    let uncovered = spoil(|e| {
        e.images[0].candidates.clear();
        e.seen.secrets[0].entries[0].key = "other.example.com".into();
    });
    assert!(uncovered.contains("other.example.com") && uncovered.contains(REGISTRY), "{uncovered}");
}

#[test]
fn a_secret_that_the_pod_already_uses_counts_as_covering() {
    let mut evidence = covered();
    evidence.images[0].candidates.clear();
    evidence.images[0].secrets =
        vec![SecretFacts { name: "pull".into(), coverage: Coverage::Covered, ..SecretFacts::default() }];
    assert!(planned(&[add("pull")], &evidence, &[account(None)]).is_ok());
}

#[test]
fn where_secrets_may_not_be_read_the_plan_says_what_is_not_known() {
    let plan = planned(&[add("pull")], &evidence(), &[account(None)]).expect("a plan");
    assert!(
        plan.warnings.iter().any(|w| w.contains("could not look at Secret payments/pull")),
        "{:?}",
        plan.warnings
    );
}

#[test]
fn who_owns_the_account_is_said_with_what_to_change_there() {
    for (pointer, value, owner) in [
        (
            "/metadata/annotations",
            json!({"argocd.argoproj.io/tracking-id": "pay:/ServiceAccount:payments/default"}),
            "Argo CD application \"pay\"",
        ),
        (
            "/metadata/labels",
            json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}),
            "Flux Kustomization \"flux-system/apps\"",
        ),
        (
            "/metadata/labels",
            json!({"helm.toolkit.fluxcd.io/name": "pay", "helm.toolkit.fluxcd.io/namespace": "payments"}),
            "Flux HelmRelease \"payments/pay\"",
        ),
    ] {
        let plan =
            planned(&[add("pull")], &covered(), &[with(account(None), pointer, value)]).expect("a plan");
        assert!(
            plan.warnings.iter().any(|w| w.contains(owner) && w.contains("imagePullSecrets")),
            "{:?}",
            plan.warnings
        );
    }
    let helm = with(account(None), "/metadata/annotations", json!({"meta.helm.sh/release-name": "pay"}));
    let helm = with(helm, "/metadata/labels", json!({"app.kubernetes.io/managed-by": "Helm"}));
    let plan = planned(&[add("pull")], &covered(), &[helm]).expect("a plan");
    assert!(plan.warnings.iter().any(|w| w.contains("Helm release \"pay\"")), "{:?}", plan.warnings);
}

#[test]
fn removing_keeps_the_others_and_refuses_what_is_not_there() {
    let before = account(Some(&["first", "pull", "last"]));
    let plan = planned(&[step("pull-secrets.remove", "pull")], &evidence(), std::slice::from_ref(&before))
        .expect("a plan");
    let after = applied(&plan.changes[0], &before).expect("it applies");
    assert_eq!(after["imagePullSecrets"], json!([{"name": "first"}, {"name": "last"}]));
    let Undo::Changes(back) = &plan.undo else { panic!("an undo") };
    assert_eq!(
        applied(&back[0], &after).expect("it applies")["imagePullSecrets"],
        before["imagePullSecrets"]
    );
    assert!(
        refusal(planned(&[step("pull-secrets.remove", "pull")], &evidence(), &[account(None)]))
            .contains("does not name")
    );
}

proptest! {
    #[test]
    fn adding_never_drops_or_reorders_a_secret(held in prop::collection::vec("[a-z]{1,8}", 0..8)) {
        let held: Vec<&str> = held.iter().map(String::as_str).filter(|name| *name != "pull").collect();
        let before = account(Some(&held));
        let plan = planned(&[add("pull")], &covered(), std::slice::from_ref(&before)).expect("a plan");
        let after = applied(&plan.changes[0], &before).expect("it applies");
        let names: Vec<&str> = after["imagePullSecrets"].as_array().expect("a list").iter().filter_map(|e| e["name"].as_str()).collect();
        prop_assert_eq!(&names[..held.len()], &held[..]);
        prop_assert_eq!(&names[held.len()..], &["pull"]);
    }
}
