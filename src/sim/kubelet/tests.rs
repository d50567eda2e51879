//! The kubelet over time, without an API: what it writes, when, and what heals.

mod life;
mod pulls;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::sim::registry::{Account, Auth, Registry};
use crate::sim::tempo::later;

/// A pod on a node, and the time.
struct Bench {
    pod: Value,
    world: World,
    around: Around,
    images: HashSet<String>,
    worker: Worker,
    now: Timestamp,
    wake: Option<Timestamp>,
    events: Vec<(Timestamp, Draft)>,
    statuses: Vec<(Timestamp, Value)>,
    logs: Vec<LogLine>,
    gone: bool,
}

const IMAGE: &str = "harbor.example.com/payments/api:1.4.11";

impl Bench {
    fn new(pod: Value) -> Self {
        let mut world = World::default();
        world.registries.add(
            Registry::new(
                "harbor.example.com",
                Auth::Private { accounts: vec![Account::new("robot", "pw")] },
            )
            .with("payments/api", &["1.4.11"]),
        );
        world.registries.add(
            Registry::new("registry.example.com", Auth::Public).with("app", &["1"]).with("init", &["1"]),
        );
        Self {
            worker: Worker::new(&pod, "10.244.0.2".into()),
            pod,
            world,
            around: Around::default(),
            images: HashSet::new(),
            now: Timestamp::UNIX_EPOCH,
            wake: None,
            events: Vec::new(),
            statuses: Vec::new(),
            logs: Vec::new(),
            gone: false,
        }
    }

    fn step(&mut self) {
        let step = self.worker.step(&Look {
            pod: &self.pod,
            world: &self.world,
            around: &self.around,
            node_images: &self.images,
            node_ip: "10.200.0.11",
            tempo: Tempo::new(1.0),
            now: self.now,
        });
        self.events.extend(step.events.into_iter().map(|draft| (self.now, draft)));
        self.images.extend(step.pulled);
        self.logs.extend(step.logs);
        self.gone |= step.gone;
        self.wake = step.wake;
        if let Some(status) = step.status {
            self.pod["status"] = status.clone();
            self.statuses.push((self.now, status));
        }
    }

    /// Lets time pass, looking whenever the worker asked to.
    fn pass(&mut self, secs: u64) {
        let end = later(self.now, Duration::from_secs(secs));
        self.step();
        while let Some(wake) = self.wake
            && wake <= end
        {
            assert!(wake > self.now, "a worker that wakes in the past would spin");
            self.now = wake;
            self.step();
        }
        self.now = end;
    }

    fn told(&self, reason: &str) -> Vec<&str> {
        self.events
            .iter()
            .filter(|(_, draft)| draft.reason == reason)
            .map(|(_, draft)| draft.message.as_str())
            .collect()
    }

    fn times(&self, reason: &str) -> Vec<Timestamp> {
        self.events.iter().filter(|(_, draft)| draft.reason == reason).map(|(at, _)| *at).collect()
    }

    fn container(&self) -> &Value {
        &self.pod["status"]["containerStatuses"][0]
    }

    fn waiting(&self) -> &str {
        self.container()["state"]["waiting"]["reason"].as_str().unwrap_or_default()
    }

    fn delete(&mut self, grace: u64) {
        self.pod["metadata"]["deletionTimestamp"] = json!("1970-01-01T00:10:00Z");
        self.pod["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
    }
}

fn pod(image: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "checkout-api-1", "namespace": "payments", "uid": "b9e45e4a-f4dd-4449-a97a-9df1ba44ce13"},
        "spec": {
            "nodeName": "worker-1", "restartPolicy": "Always",
            "containers": [{"name": "api", "image": image, "imagePullPolicy": "IfNotPresent"}],
        },
    })
}

fn harbor_secret() -> Arc<Value> {
    let engine = base64::engine::general_purpose::STANDARD;
    let config = json!({"auths": {"harbor.example.com": {"auth": engine.encode("robot:pw")}}}).to_string();
    Arc::new(json!({
        "type": "kubernetes.io/dockerconfigjson", "metadata": {"name": "harbor-pull", "namespace": "payments"},
        "data": {".dockerconfigjson": engine.encode(config)},
    }))
}

fn config_map(version: &str, data: &Value) -> Arc<Value> {
    Arc::new(
        json!({"metadata": {"name": "settings", "namespace": "payments", "resourceVersion": version}, "data": data}),
    )
}
