//! What becomes of objects: defaults, admission, finalizers, grace, owners, namespaces.

use kubemend::sim::api::{DeleteOptions, Deleted, Propagation, User, WatchType, gvr};
use serde_json::json;

use super::support::{deployment, pod, start, until};

fn admin() -> User {
    User::system("test")
}

#[tokio::test]
async fn a_pod_gets_what_its_service_account_and_the_defaults_give() {
    let server = start().await;
    server
        .api
        .modify(&admin(), &gvr::SERVICE_ACCOUNTS, None, Some("default"), "default", |account| {
            account["imagePullSecrets"] = json!([{"name": "regcred"}]);
        })
        .unwrap();
    let made = server.put_pod("a");
    let spec = &made["spec"];
    assert_eq!(spec["serviceAccountName"], "default");
    assert_eq!(spec["imagePullSecrets"], json!([{"name": "regcred"}]));
    assert_eq!(spec["terminationGracePeriodSeconds"], 30);
    assert_eq!(spec["containers"][0]["imagePullPolicy"], "IfNotPresent");
    assert_eq!(spec["tolerations"][0]["tolerationSeconds"], 300);
    assert_eq!(made["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
    let mut own = pod("b");
    own["spec"]["imagePullSecrets"] = json!([{"name": "mine"}]);
    let made = server.put(&gvr::PODS, Some("default"), own);
    assert_eq!(made["spec"]["imagePullSecrets"], json!([{"name": "mine"}]));
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_the_words_of_a_real_server() {
    let server = start().await;
    let refused = |object: serde_json::Value, r| {
        server.api.create(&admin(), r, Some("default"), object).unwrap_err().message
    };
    let mut bad = pod("a");
    bad["spec"]["containers"] = json!([]);
    assert_eq!(refused(bad, &gvr::PODS), "Pod \"a\" is invalid: spec.containers: Required value");
    assert!(refused(pod("BAD_NAME"), &gvr::PODS).starts_with(
        "Pod \"BAD_NAME\" is invalid: metadata.name: Invalid value: \"BAD_NAME\": a lowercase RFC 1123 subdomain"
    ));
    let mut unfit = deployment("d");
    unfit["spec"]["template"]["metadata"]["labels"] = json!({"a": "c"});
    assert_eq!(
        refused(unfit, &gvr::DEPLOYMENTS),
        "Deployment.apps \"d\" is invalid: spec.template.metadata.labels: Invalid value: \
         map[string]string{\"a\":\"c\"}: `selector` does not match template `labels`"
    );
    server.put_pod("p");
    let change = server.api.modify(&admin(), &gvr::PODS, None, Some("default"), "p", |pod| {
        pod["spec"]["containers"][0]["env"] = json!([{"name": "a", "value": "b"}]);
    });
    assert!(
        change.unwrap_err().message.contains("spec: Forbidden: pod updates may not change fields other than")
    );
    assert_eq!(
        server.api.create(&admin(), &gvr::PODS, Some("nowhere"), pod("x")).unwrap_err().message,
        "namespaces \"nowhere\" not found"
    );
    let mut orphan = pod("o");
    orphan["spec"]["serviceAccountName"] = json!("nobody");
    assert_eq!(
        refused(orphan, &gvr::PODS),
        "pods \"o\" is forbidden: error looking up service account default/nobody: serviceaccount \"nobody\" not found"
    );
}

#[tokio::test]
async fn a_quota_of_pods_is_kept() {
    let server = start().await;
    server.put(
        &gvr::RESOURCE_QUOTAS,
        Some("default"),
        json!({"apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}),
    );
    server.put_pod("a");
    let told = server.api.create(&admin(), &gvr::PODS, Some("default"), pod("b")).unwrap_err();
    assert_eq!(
        told.message,
        "pods \"b\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"
    );
}

#[tokio::test]
async fn a_pod_on_a_node_waits_for_its_kubelet() {
    let server = start().await;
    let mut one = pod("a");
    one["spec"]["nodeName"] = json!("n");
    server.put(&gvr::PODS, Some("default"), one);
    let marked =
        server.api.delete(&admin(), &gvr::PODS, Some("default"), "a", DeleteOptions::default()).unwrap();
    assert!(matches!(&marked, Deleted::Marked(pod) if pod["metadata"]["deletionGracePeriodSeconds"] == 30));
    let gone = server.api.delete(&admin(), &gvr::PODS, Some("default"), "a", DeleteOptions::now()).unwrap();
    assert!(matches!(gone, Deleted::Gone(_)));
}

#[tokio::test]
async fn finalizers_hold_an_object_and_none_may_be_added() {
    let server = start().await;
    let mut one = pod("a");
    one["metadata"]["finalizers"] = json!(["demo.io/x"]);
    let uid = server.put(&gvr::PODS, Some("default"), one)["metadata"]["uid"].clone();
    let wrong = DeleteOptions { uid: Some("other".into()), ..DeleteOptions::default() };
    let told = server.api.delete(&admin(), &gvr::PODS, Some("default"), "a", wrong).unwrap_err();
    assert_eq!(
        told.message,
        format!(
            "Operation cannot be fulfilled on pods \"a\": Precondition failed: UID in precondition: other, \
                 UID in object meta: {}",
            uid.as_str().unwrap()
        )
    );
    server.api.delete(&admin(), &gvr::PODS, Some("default"), "a", DeleteOptions::default()).unwrap();
    let set = |list: serde_json::Value| {
        server.api.modify(&admin(), &gvr::PODS, None, Some("default"), "a", |pod| {
            pod["metadata"]["finalizers"] = list.clone();
        })
    };
    assert!(set(json!(["demo.io/x", "demo.io/y"])).unwrap_err().message.contains(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{\"demo.io/y\"}"
    ));
    set(json!([])).unwrap();
    assert!(server.api.get(&gvr::PODS, Some("default"), "a").is_none());
}

#[tokio::test]
async fn dependents_follow_their_owner_or_stay_when_orphaned() {
    let server = start().await;
    for (name, how, stays) in [
        ("back", Propagation::Background, false),
        ("fore", Propagation::Foreground, false),
        ("orph", Propagation::Orphan, true),
    ] {
        let owner = server.put(&gvr::DEPLOYMENTS, Some("default"), deployment(name));
        let mut child = pod(name);
        child["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "Deployment",
            "name": name, "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}]);
        server.put(&gvr::PODS, Some("default"), child);
        let options = DeleteOptions { propagation: Some(how), ..DeleteOptions::default() };
        server.api.delete(&admin(), &gvr::DEPLOYMENTS, Some("default"), name, options).unwrap();
        let (api, name) = (server.api.clone(), name.to_owned());
        until("the owner is gone and the child as it should be", move || {
            let child = api.get(&gvr::PODS, Some("default"), &name);
            api.get(&gvr::DEPLOYMENTS, Some("default"), &name).is_none()
                && child.is_some() == stays
                && child.is_none_or(|pod| pod["metadata"]["ownerReferences"].is_null())
        })
        .await;
    }
}

#[tokio::test]
async fn a_namespace_goes_when_its_content_is_gone_and_says_what_holds_it() {
    let server = start().await;
    server.put(
        &gvr::NAMESPACES,
        None,
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}),
    );
    server.put(&gvr::PODS, Some("n"), pod("free"));
    let mut held = pod("held");
    held["metadata"]["finalizers"] = json!(["demo.io/x"]);
    server.put(&gvr::PODS, Some("n"), held);
    server.api.delete(&admin(), &gvr::NAMESPACES, None, "n", DeleteOptions::default()).unwrap();
    let told = server.api.create(&admin(), &gvr::PODS, Some("n"), pod("late")).unwrap_err();
    assert_eq!(
        told.message,
        "pods \"late\" is forbidden: unable to create new content in namespace n because it is being terminated"
    );
    let api = server.api.clone();
    until("the namespace tells of the finalizer", move || {
        let namespace = api.get(&gvr::NAMESPACES, None, "n").unwrap();
        namespace.to_string().contains(
            "Some content in the namespace has finalizers remaining: demo.io/x in 1 resource instances",
        )
    })
    .await;
    server
        .api
        .modify(&admin(), &gvr::PODS, None, Some("n"), "held", |pod| {
            pod["metadata"]["finalizers"] = json!([]);
        })
        .unwrap();
    let api = server.api.clone();
    until("the namespace is gone", move || api.get(&gvr::NAMESPACES, None, "n").is_none()).await;
}

#[tokio::test]
async fn a_watch_in_process_sees_what_is_and_what_comes() {
    let server = start().await;
    server.put_pod("a");
    let mut watch = server.api.watch(&gvr::PODS, Some("default"), None);
    assert_eq!(watch.next().await.0, WatchType::Added);
    server.api.delete(&admin(), &gvr::PODS, Some("default"), "a", DeleteOptions::now()).unwrap();
    let (kind, last) = watch.next().await;
    assert_eq!((kind, last["metadata"]["name"].as_str()), (WatchType::Deleted, Some("a")));
}
