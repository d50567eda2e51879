//! Watching the simulated cluster while pods come, change and go at random and everything that can go wrong
//! with watches does: once it is over, the cache is at the level of the server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "states are polled with a deadline")]

use std::time::{Duration, Instant};

use kubemend::cluster::{Access, Cluster, ClusterConfig};
use kubemend::incident::{ApiKind, ObjectRef};
use kubemend::sim::api::{ApiServer, Fault, Match, Options, SimClock, User, What, gvr};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const TOKEN: &str = "storm-token";

struct Storm {
    api: ApiServer,
    url: String,
    random: StdRng,
    _server: JoinSet<()>,
}

impl Storm {
    async fn start(seed: u64, watch_list: bool) -> Self {
        let api = ApiServer::new(SimClock::real());
        api.add_token(TOKEN, User::new("kubemend", &["system:masters"]));
        api.set_options(Options {
            watch_list,
            bookmark_every: Duration::from_millis(100),
            ..Options::default()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = api.router();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { api, url, random: StdRng::seed_from_u64(seed), _server: server }
    }

    async fn watched(&self) -> Cluster {
        let mut config = kube::Config::new(self.url.parse().unwrap());
        config.auth_info.token = Some(TOKEN.to_owned().into());
        let mut config = ClusterConfig::new("storm", Access::Direct(Box::new(config)));
        let millis = Duration::from_millis;
        config.timing.idle = millis(400);
        config.timing.backoff = millis(5);
        config.timing.backoff_most = millis(50);
        config.timing.patience = millis(100);
        Cluster::connect(config).await.unwrap()
    }

    /// One pod is made, made ill or well, or removed.
    fn change(&mut self) {
        let who = User::system("storm");
        let name = format!("p{}", self.random.random_range(0..40));
        let known = self.api.get(&gvr::PODS, Some("default"), &name).is_some();
        if !known {
            self.api.create(&who, &gvr::PODS, Some("default"), pod(&name)).unwrap();
        } else if self.random.random_bool(0.2) {
            let now = kubemend::sim::api::DeleteOptions::now();
            self.api.delete(&who, &gvr::PODS, Some("default"), &name, &now).unwrap();
        } else {
            let ill = self.random.random_bool(0.5);
            let modify = |object: &mut Value| object["status"] = status(ill);
            self.api.modify(&who, &gvr::PODS, Some("status"), Some("default"), &name, modify).unwrap();
        }
    }

    fn trouble(&mut self) {
        let what = match self.random.random_range(0..9) {
            0 => What::CutBefore,
            1 => What::CutAfter,
            2 => What::Status(500, 0),
            3 => What::Status(429, 1),
            4 => What::Gone,
            5 => What::Duplicate,
            6 => What::Reorder,
            7 => What::SilentWatch,
            _ => return self.api.compact(),
        };
        let verb = if self.random.random_bool(0.8) { "watch" } else { "list" };
        self.api.faults().add(Fault { when: Match::on(verb, "pods"), what, times: 1 });
    }

    fn pods(&self) -> Vec<(String, bool)> {
        let is_ill = |pod: &Value| pod["status"] == status(true);
        let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap().to_owned();
        self.api.list(&gvr::PODS, Some("default")).iter().map(|pod| (name(pod), is_ill(pod))).collect()
    }

    fn is_level(&self, cluster: &Cluster) -> bool {
        let pods = self.pods();
        let suspects: Vec<ObjectRef> =
            cluster.suspects().into_iter().filter(|subject| subject.api.kind == "Pod").collect();
        let held = |name: &str| {
            let api = ApiKind::known("Pod").unwrap();
            let subject =
                ObjectRef { api, namespace: "default".into(), name: name.into(), ..ObjectRef::default() };
            cluster.cache().pod(&subject).is_some()
        };
        cluster.status().pods == pods.len()
            && suspects.len() == pods.iter().filter(|(_, ill)| *ill).count()
            && pods.iter().all(|(name, ill)| {
                held(name) && *ill == suspects.iter().any(|subject| subject.name == name.as_str())
            })
    }
}

fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
        "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "i"}]}, "status": status(false)})
}

fn status(ill: bool) -> Value {
    let state = if ill { json!({"waiting": {"reason": "ErrImagePull"}}) } else { json!({"running": {}}) };
    json!({"phase": "Running", "containerStatuses": [{"name": "c", "state": state, "ready": !ill}]})
}

async fn weather(seed: u64, watch_list: bool) {
    let mut storm = Storm::start(seed, watch_list).await;
    let cluster = storm.watched().await;
    for round in 0..60 {
        for _ in 0..storm.random.random_range(1..12) {
            storm.change();
        }
        storm.trouble();
        if round % 6 == 0 {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        tokio::task::yield_now().await;
    }
    storm.api.faults().clear();
    let deadline = Instant::now() + Duration::from_secs(180);
    while !storm.is_level(&cluster) {
        assert!(Instant::now() < deadline, "seed {seed}: {:?} {:?}", storm.pods(), cluster.suspects());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn after_every_storm_the_cache_is_level_with_the_server() {
    for seed in 0..6 {
        weather(seed, seed % 2 == 0).await;
    }
}
