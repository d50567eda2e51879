//! kubemend with its console in this process, before a simulated cluster; stopped and started again at will.

use std::net::SocketAddr;
use std::path::PathBuf;

use kubemend::app::App;
use kubemend::config::{Config, Environment};
use kubemend::engine::Options;
use kubemend::sim::{Sim, SimOptions};
use kubemend::store::Store;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::api::Api;

pub const ALICE: &str = "alice-0123456789abcdef";
pub const VIEWER: &str = "viewer-0123456789abcdef";
pub const NOBODY: &str = "nobody-0123456789abcdef";

pub struct House {
    pub sim: Sim,
    pub options: Options,
    config: Value,
    running: Option<Running>,
    folder: tempfile::TempDir,
}

struct Running {
    address: SocketAddr,
    link: String,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl House {
    /// Everything set up, nothing running yet.
    pub async fn new(console: Value) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let options = SimOptions { pace: 100.0, background: false, ..SimOptions::default() };
        let sim = Sim::start(options).await.unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, sim.kubeconfig()).unwrap();
        let rights = ["pause", "silence", "audit"];
        let config = json!({
            "clusters": [{"name": "sim", "source": {"kubeconfig": {"path": kubeconfig}}}],
            "api": {"listen": "127.0.0.1:0", "tokens": [
                {"id": "alice", "name": "Alice", "roles": ["admin"], "tokenEnv": "ALICE"},
                {"id": "viewer", "roles": ["viewer"], "tokenEnv": "VIEWER"},
                {"id": "nobody", "tokenEnv": "NOBODY"},
            ]},
            "gate": {"roles": {
                "admin": {"grants": [{"actions": ["*"], "maxRisk": "high"}], "rights": rights},
                "viewer": {},
            }},
            "console": console,
            "incidents": {"holdOffPercent": 5, "settleSeconds": 2},
            "store": {"path": folder.path().join("kubemend.db")},
        });
        Self { sim, options: Options::default(), config, running: None, folder }
    }

    pub async fn started(console: Value) -> Self {
        let mut house = Self::new(console).await;
        house.start().await;
        house
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("kubemend.db")
    }

    /// The store, while nothing runs.
    pub async fn store(&self) -> Store {
        assert!(self.running.is_none(), "kubemend has the store");
        Store::open(&self.database()).await.unwrap()
    }

    pub fn configure(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.config);
    }

    pub async fn start(&mut self) {
        self.begin().await;
        self.api(ALICE).wait_ready().await;
    }

    /// The same for clusters that cannot be seen: it is not waited until they are.
    pub async fn begin(&mut self) {
        let file = self.folder.path().join("kubemend.yaml");
        std::fs::write(&file, self.config.to_string()).unwrap();
        let environment: Environment = [
            ("ALICE", ALICE),
            ("VIEWER", VIEWER),
            ("NOBODY", NOBODY),
            ("OIDC_SECRET", "a-secret-of-the-tests"),
        ]
        .into_iter()
        .collect();
        let loaded = Config::load(&file, &environment).map_err(|report| report.to_string()).unwrap();
        let app = App::build_demo(loaded, self.options.clone()).await.unwrap();
        let link = app.console().map(|console| console.link(pass())).unwrap_or_default();
        let (address, stop) = (app.address(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        let stopped = stop.clone();
        tasks.spawn(async move { app.run(stopped).await.unwrap() });
        self.running = Some(Running { address, link, stop, tasks });
    }

    pub async fn stop(&mut self) {
        let Running { stop, mut tasks, .. } = self.running.take().expect("it runs");
        stop.cancel();
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    }

    pub async fn end(mut self) {
        if self.running.is_some() {
            self.stop().await;
        }
        self.sim.stop().await;
    }

    pub fn address(&self) -> SocketAddr {
        self.running.as_ref().expect("it runs").address
    }

    /// The link that signs Alice in once.
    pub fn link(&self) -> &str {
        &self.running.as_ref().expect("it runs").link
    }

    pub fn api(&self, token: &str) -> Api {
        Api::at(&format!("http://{}", self.address()), token)
    }
}

fn pass() -> kubemend::chat::console::Pass {
    use kubemend::incident::{Actor, Digest, Via};
    let who = Actor { via: Via::Console, id: "alice".into(), name: "Alice".into() };
    kubemend::chat::console::Pass { who, roles: Vec::new(), credential: Digest::of_bytes(b"link") }
}
