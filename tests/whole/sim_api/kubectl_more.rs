//! Plain kubectl, continued: rollouts, access, discovery, watching, nodes.

use kubemend::sim::api::{User, gvr};
use serde_json::json;

use super::support::{deployment, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rollout_restart_pause_and_status() {
    let server = start().await;
    server.put(&gvr::DEPLOYMENTS, Some("default"), deployment("web"));
    server.kubectl(&["rollout", "restart", "deploy/web"]).await.shows("restarted");
    let stored = server.api.get(&gvr::DEPLOYMENTS, Some("default"), "web").unwrap();
    let note = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt";
    assert!(stored.pointer(note).is_some(), "{stored}");
    server.kubectl(&["rollout", "pause", "deploy/web"]).await.shows("paused");
    server.kubectl(&["rollout", "resume", "deploy/web"]).await.shows("resumed");
    let generation =
        server.api.get(&gvr::DEPLOYMENTS, Some("default"), "web").unwrap()["metadata"]["generation"].clone();
    server.set_status(
        &gvr::DEPLOYMENTS,
        "web",
        json!({"observedGeneration": generation, "replicas": 2,
        "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}),
    );
    server
        .kubectl(&["rollout", "status", "deploy/web", "--timeout=10s"])
        .await
        .shows("successfully rolled out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_is_told_as_on_a_real_server() {
    let server = start().await;
    server.put_pod("p");
    server.kubectl(&["auth", "can-i", "delete", "pods"]).await.shows("yes");
    let bob = server.kubectl(&["auth", "can-i", "delete", "pods", "--as", "bob"]).await;
    assert_eq!(bob.out.trim(), "no", "{bob:?}");
    server.kubectl(&["auth", "can-i", "--list"]).await.shows("*.*");
    server.kubectl(&["auth", "can-i", "--list", "--as", "bob"]).await.shows("selfsubjectaccessreviews");
    let me = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;
    server
        .kubectl_with(
            &[
                "create",
                "--raw",
                "/token/admin-token/apis/authentication.k8s.io/v1/selfsubjectreviews",
                "-f",
                "-",
            ],
            me,
        )
        .await
        .shows("demo-admin");
    server.kubectl(&["get", "pods", "--as", "bob"]).await.fails_with(
        "pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"",
    );
    server.kubectl(&["get", "nodes", "--as", "bob"]).await.fails_with("at the cluster scope");
    server
        .kubectl(&["get", "--raw", "/token/admin-token/metrics", "--as", "bob"])
        .await
        .fails_with("forbidden: User \"bob\" cannot get path \"/metrics\"");
    server
        .kubectl(&["create", "rolebinding", "v", "--clusterrole=view", "--user=bob"])
        .await
        .shows("created");
    server.kubectl(&["get", "pods", "--as", "bob"]).await.shows("Pending");
    let request =
        r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"audiences":[]}}"#;
    server
        .kubectl_with(
            &[
                "create",
                "--raw",
                "/token/admin-token/api/v1/namespaces/default/serviceaccounts/default/token",
                "-f",
                "-",
            ],
            request,
        )
        .await
        .shows("\"token\":\"sim.");
    let wrong = format!("{}/token/wrong", server.url());
    server
        .kubectl(&["get", "pods", "--server", &wrong])
        .await
        .fails_with("You must be logged in to the server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_explains_and_knows_custom_resources() {
    let server = start().await;
    server.kubectl(&["api-resources"]).await.shows("deployments").shows("po ");
    server.kubectl(&["api-versions"]).await.shows("apps/v1").shows("rbac.authorization.k8s.io/v1");
    server.kubectl(&["version"]).await.shows("v1.32.0");
    server.kubectl(&["explain", "pod.spec.containers.imagePullPolicy"]).await.shows("imagePullPolicy");
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "databases.demo.kubemend.io"},
        "spec": {"group": "demo.kubemend.io", "scope": "Namespaced",
            "names": {"plural": "databases", "kind": "Database", "shortNames": ["db"]},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    server.kubectl_with(&["apply", "-f", "-"], &crd.to_string()).await.shows("created");
    let one = json!({"apiVersion": "demo.kubemend.io/v1", "kind": "Database",
        "metadata": {"name": "main", "finalizers": ["demo.kubemend.io/backup"]}, "spec": {"size": 3}});
    server
        .kubectl_with(&["apply", "-f", "-"], &one.to_string())
        .await
        .shows("database.demo.kubemend.io/main created");
    server.kubectl(&["get", "db"]).await.shows("main");
    server.kubectl(&["delete", "db", "main", "--wait=false"]).await.shows("deleted");
    server.kubectl(&["get", "db", "main", "-o", "yaml"]).await.shows("deletionTimestamp");
    let strip = r#"{"metadata":{"finalizers":null}}"#;
    server.kubectl(&["patch", "db", "main", "--type=merge", "-p", strip]).await.shows("patched");
    server.kubectl(&["get", "db", "main"]).await.fails_with("databases.demo.kubemend.io \"main\" not found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_watches_and_prints_what_changes() {
    let server = start().await;
    server.put_pod("a");
    let api = server.api.clone();
    let changes = tokio::spawn(async move {
        let who = User::system("test");
        // kubectl lists first and then watches; what it prints behind its list it has watched.
        for at in 0.. {
            let word = format!("Word{at}");
            api.modify(&who, &gvr::PODS, Some("status"), Some("default"), "a", |pod| {
                pod["status"]["reason"] = json!(word);
            })
            .unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    let seen = server.kubectl_for(&["get", "pods", "-w"], "1s").await;
    changes.abort();
    let rows = seen.out.lines().filter(|line| line.starts_with("a ") && line.contains("Word")).count();
    assert!(rows > 2, "{seen:?}");
    assert_eq!(seen.out.matches("NAME").count(), 1, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rollout_history_and_undo_read_replica_sets() {
    let server = start().await;
    let mut web = deployment("web");
    web["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "2"});
    web["spec"]["template"]["spec"]["containers"][0]["image"] = json!("nginx:new");
    let web = server.put(&gvr::DEPLOYMENTS, Some("default"), web);
    for (revision, image) in [("1", "nginx:old"), ("2", "nginx:new")] {
        let labels = json!({"app": "web", "pod-template-hash": revision});
        server.put(
            &gvr::REPLICA_SETS,
            Some("default"),
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": format!("web-{revision}"), "labels": labels,
                "annotations": {"deployment.kubernetes.io/revision": revision},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
                    "uid": web["metadata"]["uid"], "controller": true}]},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "c", "image": image}]}}}}),
        );
    }
    server.kubectl(&["rollout", "history", "deploy/web"]).await.shows("REVISION").shows("2 ");
    server.kubectl(&["rollout", "undo", "deploy/web"]).await.shows("rolled back");
    let stored = server.api.get(&gvr::DEPLOYMENTS, Some("default"), "web").unwrap();
    assert_eq!(stored["spec"]["template"]["spec"]["containers"][0]["image"], "nginx:old");
    assert!(stored["spec"]["template"]["metadata"]["labels"]["pod-template-hash"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_cordoned_and_drained() {
    let server = start().await;
    server.put(&gvr::NODES, None, json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}));
    let mut one = super::support::pod("a");
    one["spec"]["nodeName"] = json!("n1");
    server.put(&gvr::PODS, Some("default"), one);
    server.set_status(&gvr::PODS, "a", json!({"phase": "Succeeded"}));
    server.kubectl(&["cordon", "n1"]).await.shows("node/n1 cordoned");
    server.kubectl(&["get", "nodes"]).await.shows("SchedulingDisabled");
    server.kubectl(&["drain", "n1", "--force", "--timeout=10s"]).await.shows("pod/a evicted");
    assert!(server.api.get(&gvr::PODS, Some("default"), "a").is_none());
}
