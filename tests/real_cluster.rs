//! The whole way on a real API server, real controllers, a real kubelet and a real private registry.
//!
//! `.ci/real-cluster` makes such a cluster and names it in `KUBEMEND_REAL_KUBECONFIG`. kubemend runs there as
//! the ServiceAccount of `deploy/`, with the rights that `deploy/` gives it and no others. Without the
//! variable nothing is run, and each test says so.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of the tests, not of the product: it fails by panicking and talks to a terminal"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use support::api::Api;
use support::bot::Bot;
use support::eventually;

const LONG: Duration = Duration::from_secs(240);

/// The admin's kubeconfig, if there is a cluster.
fn cluster() -> Option<PathBuf> {
    let found = std::env::var_os("KUBEMEND_REAL_KUBECONFIG").map(PathBuf::from);
    if found.is_none() {
        eprintln!("NOT RUN: KUBEMEND_REAL_KUBECONFIG names no cluster; .ci/real-cluster makes one");
    }
    found
}

/// `kubectl`, as the admin.
struct Kubectl(PathBuf);

impl Kubectl {
    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(&self.0)
            .arg("--request-timeout=30s")
            .args(arguments)
            .output()
            .expect("kubectl is on the PATH");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn must(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        done.unwrap_or_else(|error| panic!("kubectl {}: {error}", arguments.join(" ")))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.must(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&text).expect("kubectl -o json writes JSON")
    }

    /// Applies a scenario of `tests/real/`. Each test empties its namespace at its start.
    fn apply(&self, scenario: &str) {
        self.must(&["apply", "-f", &format!("tests/real/{scenario}.yaml")]);
    }

    /// An empty namespace of the scenario's name.
    fn fresh(&self, scenario: &str) {
        let namespace = format!("real-{scenario}");
        let _ = self.run(&[
            "-n",
            &namespace,
            "patch",
            "pod",
            "worker",
            "--type=merge",
            "-p",
            r#"{"metadata":{"finalizers":null}}"#,
        ]);
        let _ = self.run(&["delete", "namespace", &namespace, "--timeout=120s"]);
        self.must(&["create", "namespace", &namespace]);
    }

    async fn ready_pods(&self, namespace: &str, wanted: usize) -> Vec<Value> {
        eventually(&format!("{wanted} ready pods in {namespace}"), LONG, || async {
            let pods = self.json(&["-n", namespace, "get", "pods"]);
            let ready: Vec<Value> =
                pods["items"].as_array().into_iter().flatten().filter(|pod| is_ready(pod)).cloned().collect();
            if ready.len() == wanted { Ok(ready) } else { Err(format!("{} ready", ready.len())) }
        })
        .await
    }
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
    pod["metadata"]["deletionTimestamp"].is_null()
        && conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// kubemend as `deploy/` sets it up: its manifests applied, its ServiceAccount's token, nothing else.
struct Deployed {
    kubectl: Kubectl,
    bot: Bot,
    _token: tempfile::TempDir,
}

impl Deployed {
    async fn start(admin: &Path) -> Self {
        let kubectl = Kubectl(admin.to_owned());
        kubectl.must(&["apply", "-f", "deploy/manifests/"]);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, service_account_kubeconfig(&kubectl))
            .expect("the temporary folder can be written");
        let bot = Bot::start(&kubeconfig, POLICY);
        bot.api.wait_ready().await;
        Self { kubectl, bot, _token: folder }
    }

    fn api(&self) -> &Api {
        &self.bot.api
    }
}

/// One approval is enough for each risk, so that one person can drive the scenarios.
const POLICY: &str = "\
gate:
  roles:
    admin:
      grants: [{actions: ['*'], maxRisk: high}]
      rights: [pause, silence, audit]
  approvals:
    high: {approvals: 1, requesterCounts: true, lives: 1h, typedConfirmation: true}
incidents: {holdOffPercent: 10, settleSeconds: 5}
";

/// A kubeconfig that holds the token of kubemend's own ServiceAccount.
fn service_account_kubeconfig(kubectl: &Kubectl) -> String {
    let config: Value = kubectl.json(&["config", "view", "--raw", "--minify"]);
    let cluster = &config["clusters"][0]["cluster"];
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}});
    let path = "/api/v1/namespaces/kubemend/serviceaccounts/kubemend/token";
    let answer = kubectl_create_raw(kubectl, path, &request);
    let token = answer["status"]["token"].as_str().expect("the API server issues tokens");
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "real",
        "clusters": [{"name": "real", "cluster": cluster}],
        "users": [{"name": "kubemend", "user": {"token": token}}],
        "contexts": [{"name": "real", "context": {"cluster": "real", "user": "kubemend"}}],
    })
    .to_string()
}

fn kubectl_create_raw(kubectl: &Kubectl, path: &str, body: &Value) -> Value {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), body.to_string()).expect("the temporary file can be written");
    let text = kubectl.must(&["create", "--raw", path, "-f", &file.path().display().to_string()]);
    serde_json::from_str(&text).expect("the API server answers with JSON")
}

/// From first sight to fixed: incident, proposal with that action, approval, verdict, resolution.
async fn mend(api: &Api, condition: &str, namespace: &str, action: &str) -> Value {
    let incident = api.incident(condition, namespace, LONG).await;
    let id = incident["id"].as_str().expect("an incident has an id").to_owned();
    eprintln!("{id}: {} — {}", incident["condition"], incident["cause"]);
    let proposal = api.proposal(&id, action, LONG).await;
    eprintln!(
        "{}: {} (risk {})\n{}",
        proposal["id"],
        proposal["remedy"]["title"],
        proposal["plan"]["risk"],
        proposal["preview"]["diff"].as_str().unwrap_or_default()
    );
    for command in proposal["preview"]["kubectl"].as_array().into_iter().flatten() {
        eprintln!("  $ {}", command.as_str().unwrap_or_default());
    }
    assert_eq!(
        proposal["missingRights"],
        json!([]),
        "deploy/ gives every right that the enabled actions need"
    );
    let (status, answer) = api.approve(&proposal).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(api.verdict(&proposal, LONG).await, "fixed");
    api.resolved(&id, LONG).await;
    eprintln!("{id}: fixed and resolved");
    proposal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_that_lack_a_pull_secret_come_up_after_the_service_account_is_patched() {
    let Some(admin) = cluster() else { return };
    let deployed = Deployed::start(&admin).await;
    deployed.kubectl.fresh("pull-secret");
    grant_pull_secrets(&deployed.kubectl, "real-pull-secret");
    deployed.kubectl.apply("pull-secret");
    mend(deployed.api(), "image.auth-missing", "real-pull-secret", "pull-secrets.add").await;
    let pods = deployed.kubectl.ready_pods("real-pull-secret", 2).await;
    for pod in pods {
        assert_eq!(pod["spec"]["imagePullSecrets"], json!([{"name": "harbor-pull"}]));
    }
}

/// Reading pull secrets is a right of its own, per namespace; `deploy/` shows how to grant it.
fn grant_pull_secrets(kubectl: &Kubectl, namespace: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_kubemend"))
        .args(["deploy", "pull-secrets", "--namespace", namespace])
        .output()
        .expect("the binary under test starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = tempfile::NamedTempFile::with_suffix(".yaml").expect("a temporary file");
    std::fs::write(file.path(), output.stdout).expect("the temporary file can be written");
    kubectl.must(&["apply", "-f", &file.path().display().to_string()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_held_by_a_finalizer_goes_when_the_finalizer_is_stripped() {
    let Some(admin) = cluster() else { return };
    let deployed = Deployed::start(&admin).await;
    deployed.kubectl.fresh("finalizers");
    deployed.kubectl.apply("finalizers");
    deployed.kubectl.ready_pods("real-finalizers", 1).await;
    deployed.kubectl.must(&["-n", "real-finalizers", "delete", "pod", "worker", "--wait=false"]);
    mend(deployed.api(), "terminate.finalizers", "real-finalizers", "finalizers.strip").await;
    assert!(
        deployed
            .kubectl
            .run(&["-n", "real-finalizers", "get", "pod", "worker"])
            .is_err_and(|error| error.contains("not found"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_that_outlives_its_cause_ends_with_a_rollout_restart() {
    let Some(admin) = cluster() else { return };
    let deployed = Deployed::start(&admin).await;
    deployed.kubectl.fresh("restart");
    deployed.kubectl.apply("restart");
    let incident = deployed.api().incident("crash.app-exit", "real-restart", LONG).await;
    eprintln!("{}: {}", incident["id"], incident["cause"]);
    deployed.kubectl.must(&[
        "-n",
        "real-restart",
        "patch",
        "configmap",
        "mode",
        "--type=merge",
        "-p",
        r#"{"data":{"MODE":"good"}}"#,
    ]);
    mend(deployed.api(), "crash.app-exit", "real-restart", "workloads.restart").await;
    deployed.kubectl.ready_pods("real-restart", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_to_an_image_that_does_not_exist_is_rolled_back() {
    let Some(admin) = cluster() else { return };
    let deployed = Deployed::start(&admin).await;
    deployed.kubectl.fresh("undo");
    deployed.kubectl.apply("undo");
    deployed.kubectl.ready_pods("real-undo", 2).await;
    deployed.kubectl.must(&[
        "-n",
        "real-undo",
        "set",
        "image",
        "deployment/checkout-api",
        "api=harbor.example.com/payments/api:9.9.9",
    ]);
    mend(deployed.api(), "image.not-found", "real-undo", "workloads.undo").await;
    let image = deployed.kubectl.json(&["-n", "real-undo", "get", "deployment", "checkout-api"]);
    assert_eq!(image["spec"]["template"]["spec"]["containers"][0]["image"], "docker.io/library/busybox:1.35");
    deployed.kubectl.ready_pods("real-undo", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stateful_pod_on_a_lost_node_is_replaced_after_a_force_delete() {
    let Some(admin) = cluster() else { return };
    let deployed = Deployed::start(&admin).await;
    let node = FakeNode::start(&deployed.kubectl, "lost-1");
    deployed.kubectl.fresh("node-lost");
    deployed.kubectl.apply("node-lost");
    let pod = eventually("the pod is bound to lost-1", LONG, || async {
        let pod = deployed.kubectl.run(&["-n", "real-node-lost", "get", "pod", "ledger-0", "-o", "json"])?;
        let pod: Value = serde_json::from_str(&pod).map_err(|error| error.to_string())?;
        if pod["spec"]["nodeName"] == "lost-1" { Ok(pod) } else { Err(pod["spec"]["nodeName"].to_string()) }
    })
    .await;
    // No kubelet stands behind the node, so the test writes what one would have written.
    let running =
        json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    node.patch_status("namespaces/real-node-lost/pods/ledger-0", &running);
    node.fall_silent();
    mend(deployed.api(), "terminate.node-lost", "real-node-lost", "pods.force-delete").await;
    let replaced = deployed.kubectl.ready_pods("real-node-lost", 1).await;
    assert_ne!(replaced[0]["metadata"]["uid"], pod["metadata"]["uid"]);
    assert_ne!(replaced[0]["spec"]["nodeName"], "lost-1");
}

/// A Node that is kept ready by renewing its lease, with no kubelet behind it.
struct FakeNode {
    kubectl: PathBuf,
    name: &'static str,
    alive: std::sync::Arc<std::sync::atomic::AtomicBool>,
    beat: Option<std::thread::JoinHandle<()>>,
}

impl FakeNode {
    fn start(kubectl: &Kubectl, name: &'static str) -> Self {
        let _ = kubectl.run(&["delete", "node", name, "--ignore-not-found"]);
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}}});
        apply(kubectl, &node);
        let alive = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let (beating, admin) = (alive.clone(), Kubectl(kubectl.0.clone()));
        heartbeat(&admin, name);
        let beat = std::thread::spawn(move || {
            while beating.load(std::sync::atomic::Ordering::Relaxed) {
                heartbeat(&admin, name);
                std::thread::sleep(Duration::from_secs(2));
            }
        });
        Self { kubectl: kubectl.0.clone(), name, alive, beat: Some(beat) }
    }

    fn fall_silent(&self) {
        self.alive.store(false, std::sync::atomic::Ordering::Relaxed);
    }

    fn patch_status(&self, path: &str, body: &Value) {
        patch_status(&Kubectl(self.kubectl.clone()), path, body);
    }
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        self.fall_silent();
        if let Some(beat) = self.beat.take() {
            let _ = beat.join();
        }
        let _ = Kubectl(self.kubectl.clone()).run(&["delete", "node", self.name, "--ignore-not-found"]);
    }
}

fn apply(kubectl: &Kubectl, object: &Value) {
    let file = tempfile::NamedTempFile::with_suffix(".json").expect("a temporary file");
    std::fs::write(file.path(), object.to_string()).expect("the temporary file can be written");
    kubectl.must(&["apply", "-f", &file.path().display().to_string()]);
}

fn heartbeat(kubectl: &Kubectl, name: &str) {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let room = json!({"cpu": "4", "memory": "8Gi", "pods": "110"});
    let ready = json!({"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status", "lastHeartbeatTime": now, "lastTransitionTime": now});
    patch_status(
        kubectl,
        &format!("nodes/{name}"),
        &json!({"status": {"capacity": room, "allocatable": room, "conditions": [ready]}}),
    );
    let renewed = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string();
    apply(
        kubectl,
        &json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "namespace": "kube-node-lease"},
                "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": renewed}}),
    );
}

/// Writes a status as a kubelet would: with a plain client, since `kubectl` of that age cannot.
fn patch_status(kubectl: &Kubectl, path: &str, body: &Value) {
    let admin = kubectl.0.clone();
    let (path, body) = (format!("/api/v1/{path}/status"), body.to_string());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let file =
                kube::config::Kubeconfig::read_from(&admin).expect("the admin's kubeconfig can be read");
            let config =
                kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await;
            let client =
                kube::Client::try_from(config.expect("the kubeconfig is complete")).expect("a client");
            let request = http::Request::patch(path)
                .header("content-type", "application/strategic-merge-patch+json")
                .body(body.into_bytes());
            client
                .request::<Value>(request.expect("a valid request"))
                .await
                .expect("the API server takes the status");
        });
    })
    .join()
    .expect("the status was written");
}
