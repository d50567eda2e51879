//! Who may do what, as the kube client is told.

use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, ListParams, PostParams};
use kubemend::sim::api::{User, gvr};
use serde_json::json;

use super::client::code;
use super::support::start;

#[tokio::test]
async fn rights_are_asked_for_and_impersonation_needs_its_own() {
    let server = start().await;
    let ann: Api<Pod> = Api::namespaced(server.client_of("ann-token"), "default");
    let (status, message) = code(ann.list(&ListParams::default()).await);
    assert_eq!(status, 403);
    assert_eq!(
        message,
        "pods is forbidden: User \"ann\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""
    );
    assert_eq!(code(Api::<Pod>::all(server.client_of("made-up")).list(&ListParams::default()).await).0, 401);
    let review: SelfSubjectAccessReview = serde_json::from_value(json!({"metadata": {},
        "spec": {"resourceAttributes": {"verb": "patch", "resource": "pods", "namespace": "default"}}}))
    .unwrap();
    for (token, allowed) in [("ann-token", false), (super::support::ADMIN, true)] {
        let api: Api<SelfSubjectAccessReview> = Api::all(server.client_of(token));
        assert_eq!(
            api.create(&PostParams::default(), &review).await.unwrap().status.unwrap().allowed,
            allowed
        );
    }
    let mut config = kube::Config::new(server.url().parse().unwrap());
    config.auth_info.token = Some("ann-token".to_owned().into());
    config.auth_info.impersonate = Some("bob".to_owned());
    let as_bob: Api<Pod> = Api::namespaced(Client::try_from(config.clone()).unwrap(), "default");
    let (status, message) = code(as_bob.list(&ListParams::default()).await);
    assert_eq!(status, 403);
    assert_eq!(
        message,
        "users \"bob\" is forbidden: User \"ann\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"
    );
    config.auth_info.token = Some(super::support::ADMIN.to_owned().into());
    let as_bob: Api<Pod> = Api::namespaced(Client::try_from(config).unwrap(), "default");
    assert!(code(as_bob.list(&ListParams::default()).await).1.contains("User \"bob\" cannot list"));
}

#[tokio::test]
async fn a_token_of_a_service_account_is_that_account() {
    let server = start().await;
    let account = User::service_account("default", "default");
    let token = server.api.mint_token(account, None);
    server.put(
        &gvr::ROLE_BINDINGS,
        Some("default"),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding", "metadata": {"name": "v"}, "roleRef": {"kind": "ClusterRole", "name": "view",
            "apiGroup": "rbac.authorization.k8s.io"},
        "subjects": [{"kind": "ServiceAccount", "name": "default"}]}),
    );
    let api: Api<Pod> = Api::namespaced(server.client_of(&token), "default");
    assert_eq!(api.list(&ListParams::default()).await.unwrap().items.len(), 0);
    server.api.revoke_token(&token);
    assert_eq!(code(api.list(&ListParams::default()).await).0, 401);
}
