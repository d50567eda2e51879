//! Plain kubectl against the simulation. `KUBECTL` names another binary than the one on the PATH.

use kubemend::sim::api::{User, gvr};
use serde_json::json;

use super::support::{deployment, start};

fn running(restarts: u32) -> serde_json::Value {
    json!({"phase": "Running", "podIP": "10.0.0.9", "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "c", "ready": true, "restartCount": restarts, "image": "nginx:1.25",
            "imageID": "", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-01T00:00:00Z"}}}]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_prints_the_columns_people_know() {
    let server = start().await;
    server.put_pod("web-1");
    server.put(&gvr::DEPLOYMENTS, Some("default"), deployment("web"));
    server.put(
        &gvr::NODES,
        None,
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"kubeletVersion": "v1.32.0"}}}),
    );
    let pods = server.kubectl(&["get", "pods"]).await;
    pods.shows("NAME    READY   STATUS    RESTARTS   AGE").shows("web-1   0/1     Pending   0");
    server.kubectl(&["get", "pods", "-o", "wide"]).await.shows("NOMINATED NODE");
    server.kubectl(&["get", "deploy"]).await.shows("web    0/2     0            0");
    server.kubectl(&["get", "nodes"]).await.shows("n1     Ready    <none>");
    server.kubectl(&["get", "pods", "-o", "yaml"]).await.shows("serviceAccountName: default");
    server.kubectl(&["get", "all"]).await.shows("deployment.apps/web").shows("pod/web-1");
    server.kubectl(&["get", "po", "-A", "-l", "app=web"]).await.shows("default     web-1");
    server.kubectl(&["get", "pods", "--field-selector", "status.phase=Running"]).await;
    server
        .kubectl(&["get", "pod", "nope"])
        .await
        .fails_with("Error from server (NotFound): pods \"nope\" not found");
    server
        .kubectl(&["get", "nonsense"])
        .await
        .fails_with("the server doesn't have a resource type \"nonsense\"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn describe_finds_objects_and_their_events() {
    let server = start().await;
    let pod = server.put_pod("web-1");
    server.put(&gvr::DEPLOYMENTS, Some("default"), deployment("web"));
    server.put(&gvr::NODES, None, json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}));
    server.put(&gvr::EVENTS, Some("default"), json!({"apiVersion": "v1", "kind": "Event",
        "metadata": {"name": "web-1.1"}, "type": "Warning", "reason": "BackOff", "message": "Back-off pulling image",
        "involvedObject": {"kind": "Pod", "name": "web-1", "namespace": "default", "uid": pod["metadata"]["uid"]},
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z", "count": 3,
        "source": {"component": "kubelet"}}));
    let shown = server.kubectl(&["describe", "pod", "web-1"]).await;
    shown.shows("Image:").shows("Back-off pulling image").shows("QoS Class:");
    server.kubectl(&["describe", "deploy", "web"]).await.shows("StrategyType:           RollingUpdate");
    server.kubectl(&["describe", "node", "n1"]).await.shows("Unschedulable:      false");
    server.kubectl(&["get", "events"]).await.shows("pod/web-1").shows("BackOff");
    server
        .kubectl(&["get", "events.events.k8s.io", "-o", "yaml"])
        .await
        .shows("note: Back-off pulling image");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_are_read_now_and_before() {
    let server = start().await;
    server.put_pod("web-1");
    server.kubectl(&["logs", "web-1"]).await.fails_with("pod web-1 does not have a host assigned");
    let who = User::system("test");
    let bind = |pod: &mut serde_json::Value| pod["spec"]["nodeName"] = json!("n1");
    server.api.modify(&who, &gvr::PODS, None, Some("default"), "web-1", bind).unwrap();
    server
        .kubectl(&["logs", "web-1"])
        .await
        .fails_with("container \"c\" in pod \"web-1\" is waiting to start: ContainerCreating");
    server
        .kubectl(&["logs", "web-1", "--previous"])
        .await
        .fails_with("previous terminated container \"c\" in pod \"web-1\" not found");
    server.kubectl(&["logs", "web-1", "-c", "x"]).await.fails_with("container x is not valid for pod web-1");
    server.set_status(&gvr::PODS, "web-1", running(1));
    let at = server.api.clock().now();
    for (instance, line) in [(0, "old one"), (1, "first"), (1, "second")] {
        server.api.logs().append(at, "default", "web-1", "c", instance, line);
    }
    assert_eq!(server.kubectl(&["logs", "web-1"]).await.out, "first\nsecond\n");
    assert_eq!(server.kubectl(&["logs", "web-1", "--tail=1"]).await.out, "second\n");
    assert_eq!(server.kubectl(&["logs", "web-1", "--previous"]).await.out, "old one\n");
    server.kubectl(&["logs", "web-1", "--timestamps", "--since=1h"]).await.shows("Z first\n");
    server.kubectl(&["get", "pods"]).await.shows("1/1     Running   1 (");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patches_of_three_types_and_their_refusals() {
    let server = start().await;
    server.put(&gvr::DEPLOYMENTS, Some("default"), deployment("web"));
    let strategic = r#"{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"nginx:2"}]}}}}"#;
    server.kubectl(&["patch", "deploy", "web", "-p", strategic]).await.shows("deployment.apps/web patched");
    server.kubectl(&["patch", "deploy", "web", "-p", strategic]).await.shows("patched (no change)");
    let merge = r#"{"metadata":{"annotations":{"a":"b"}}}"#;
    server.kubectl(&["patch", "deploy", "web", "--type=merge", "-p", merge]).await.shows("patched");
    let json = r#"[{"op":"test","path":"/spec/replicas","value":2},{"op":"replace","path":"/spec/replicas","value":3}]"#;
    server.kubectl(&["patch", "deploy", "web", "--type=json", "-p", json]).await.shows("patched");
    server
        .kubectl(&["patch", "deploy", "web", "--type=json", "-p", json])
        .await
        .fails_with("The request is invalid");
    server.kubectl(&["patch", "deploy", "web", "-p", r#"{"metadata":{"resourceVersion":"1"}}"#]).await.fails_with(
        "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply \
         your changes to the latest version and try again",
    );
    let dry = server.kubectl(&["scale", "deploy", "web", "--replicas=9", "--dry-run=server"]).await;
    dry.shows("scaled");
    let stored = server.api.get(&gvr::DEPLOYMENTS, Some("default"), "web").unwrap();
    assert_eq!(stored["spec"]["replicas"], 3);
    assert_eq!(stored["metadata"]["generation"], 3);
    server.kubectl(&["scale", "deploy", "web", "--replicas=5"]).await.shows("scaled");
    server.kubectl(&["set", "image", "deploy/web", "c=nginx:7"]).await.shows("image updated");
    server.kubectl(&["label", "deploy", "web", "x=y"]).await.shows("labeled");
    server.kubectl(&["annotate", "deploy", "web", "x=y"]).await.shows("annotate");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apply_and_delete() {
    let server = start().await;
    let text = deployment("web").to_string();
    server.kubectl_with(&["apply", "-f", "-"], &text).await.shows("deployment.apps/web created");
    server.kubectl_with(&["apply", "-f", "-"], &text).await.shows("deployment.apps/web unchanged");
    let more = text.replace("nginx:1.25", "nginx:9");
    server.kubectl_with(&["diff", "-f", "-"], &more).await;
    server.kubectl_with(&["apply", "-f", "-"], &more).await.shows("deployment.apps/web configured");
    server.kubectl_with(&["apply", "--server-side", "-f", "-"], &text).await.fails_with("conflict");
    let forced = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    server.kubectl_with(&forced, &text).await.shows("serverside-applied");
    let typo = text.replace("containers\":[{", "containers\":[{\"imagePulPolicy\":\"Always\",");
    server.kubectl_with(&["apply", "-f", "-"], &typo).await.fails_with("unknown field");
    server.kubectl(&["delete", "deploy", "web"]).await.shows("deployment.apps \"web\" deleted");
    server.put_pod("p");
    server.kubectl(&["delete", "pod", "p"]).await.shows("pod \"p\" deleted");
    server.kubectl(&["create", "ns", "gone"]).await.shows("namespace/gone created");
    server.kubectl(&["delete", "ns", "gone"]).await.shows("namespace \"gone\" deleted");
    assert!(server.api.get(&gvr::NAMESPACES, None, "gone").is_none());
}
