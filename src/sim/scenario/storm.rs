//! A storm: many pods of a few workloads failing at once, for tests of load. Owns the manifests it makes.

use serde_json::{Value, json};

use crate::sim::Stage;
use crate::sim::api::{Status, User, gvr};
use crate::sim::kubelet::NodeSpec;

/// Pods a storm node takes.
const ROOM: usize = 500;
/// Every other workload crashes; the rest cannot pull.
const IMAGES: [&str; 2] = ["registry.example.com/storm/crashing:1.0", "harbor.example.com/storm/private:1.0"];

/// Makes the nodes and the Deployments; the pods follow by themselves.
pub(in crate::sim) async fn storm(stage: &Stage, workloads: usize, pods_each: usize) -> Result<(), Status> {
    let nodes = (workloads * pods_each).div_ceil(ROOM);
    for number in 1..=nodes {
        let spec = NodeSpec::worker(
            &format!("storm-{number:03}"),
            &format!("10.202.{}.{}", number / 250, number % 250),
        );
        let pods = u32::try_from(ROOM + 50).unwrap_or(u32::MAX);
        stage.join(NodeSpec { pods, cpu: 256, memory_gib: 2048, ..spec }).await;
    }
    let who = User::system("masters");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "storm"}});
    if stage.api.get(&gvr::NAMESPACES, None, "storm").is_none() {
        stage.api.create(&who, &gvr::NAMESPACES, None, namespace)?;
    }
    for number in 0..workloads {
        stage.api.create(&who, &gvr::DEPLOYMENTS, Some("storm"), deployment(number, pods_each))?;
    }
    Ok(())
}

fn deployment(number: usize, pods: usize) -> Value {
    let name = format!("storm-{number:02}");
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "storm"},
        "spec": {
            "replicas": pods, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{
                    "name": "app", "image": IMAGES[number % IMAGES.len()], "imagePullPolicy": "IfNotPresent",
                    "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
                }]},
            },
        },
    })
}
