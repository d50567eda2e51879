//! A simulated cluster behind a real HTTP API. Owns the assembly: the API server (`api`), the kubelets
//! (`kubelet`), the controllers (`controllers`), the registries (`registry`) and the failures that play out
//! on them (`scenario`). Refuses to know anything of kubemend: it is the far side of the wire.
//!
//! Everything runs in one process on its own tasks. [`Sim::start`] brings it up, [`Sim::stop`] takes it down
//! and leaves nothing behind.

#![expect(
    clippy::disallowed_methods,
    reason = "the far side has a clock and delays of its own: it simulates them"
)]

pub mod api;
mod controllers;
mod events;
pub mod kubelet;
pub mod objects;
pub mod registry;
pub mod scenario;
pub mod tempo;

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use api::{ApiServer, SimClock, Status, User};
use controllers::{Controllers, Roster, watch_over_nodes};
use kubelet::{Command, Kubelets, NodeSpec, World};
use scenario::{PlayError, SCENARIOS, Scenario};
use tempo::Tempo;

/// How soon after a change the collector looks, in a small cluster.
const SWEEP_REST: Duration = Duration::from_millis(25);

/// How a simulated cluster is to be.
#[derive(Clone)]
pub struct SimOptions {
    /// Where the API listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Divides the delays of real life: 1 is life, 8 a demo, 100 a test.
    pub pace: f64,
    pub clock: SimClock,
    /// Whether healthy workloads run beside the scenarios.
    pub background: bool,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            pace: 8.0,
            clock: SimClock::real(),
            background: true,
        }
    }
}

/// A running simulated cluster.
pub struct Sim {
    stage: Stage,
    address: SocketAddr,
    token: String,
    stop: CancellationToken,
    tasks: Mutex<JoinSet<()>>,
}

/// What scenarios act upon.
#[derive(Clone)]
pub(in crate::sim) struct Stage {
    pub(in crate::sim) api: ApiServer,
    pub(in crate::sim) world: Arc<RwLock<World>>,
    pub(in crate::sim) tempo: Tempo,
    roster: Arc<Mutex<Roster>>,
    commands: mpsc::Sender<Command>,
}

/// The nodes every simulated cluster has.
fn nodes() -> Vec<NodeSpec> {
    let mut nodes = vec![NodeSpec::control_plane("control-plane-1", "10.200.0.10")];
    nodes.extend(
        (1..=3).map(|number| {
            NodeSpec::worker(&format!("worker-{number}"), &format!("10.200.0.{}", 10 + number))
        }),
    );
    nodes
}

impl Stage {
    /// A node joins the cluster; joining twice is joining once.
    pub(in crate::sim) async fn join(&self, spec: NodeSpec) {
        self.command(Command::Join { spec: spec.clone() }).await;
        kubelet::register(&self.api, &spec);
        self.roster.lock().nodes.insert(spec.name.clone(), spec);
    }

    /// The node's kubelet falls silent.
    pub(in crate::sim) async fn lose_node(&self, node: &str) {
        self.roster.lock().silent.insert(node.to_owned());
        self.command(Command::Stop { node: node.to_owned() }).await;
    }

    /// The kubelets of all silent nodes whose names begin so are back.
    pub(in crate::sim) async fn return_nodes(&self, prefix: &str) {
        let back: Vec<String> = {
            let mut roster = self.roster.lock();
            let back =
                roster.silent.iter().filter(|node| node.starts_with(prefix)).cloned().collect::<Vec<_>>();
            roster.silent.retain(|node| !back.contains(node));
            back
        };
        for node in back {
            self.command(Command::Start { node }).await;
        }
    }

    pub(in crate::sim) async fn command(&self, command: Command) {
        // The kubelets end only when the whole cluster stops; then nothing needs doing.
        let _ = self.commands.send(command).await;
    }
}

impl Sim {
    /// Brings a cluster up: API, nodes, controllers, and the background workloads if wanted.
    pub async fn start(options: SimOptions) -> std::io::Result<Self> {
        let SimOptions { listen, pace, clock, background } = options;
        let (api, tempo, stop) = (ApiServer::new(clock), Tempo::new(pace), CancellationToken::new());
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let world = Arc::new(RwLock::new(scenario::base_world()));
        let (commands, obeyed) = mpsc::channel(64);
        let stage =
            Stage { api: api.clone(), world: Arc::clone(&world), tempo, roster: Arc::default(), commands };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, api.clone(), stop.clone()));
        tasks.spawn(Kubelets::new(&api, world, tempo).run(obeyed, stop.clone()));
        tasks.spawn(Controllers::new(&api, tempo).run(stop.clone()));
        tasks.spawn(collect(api.clone(), stop.clone()));
        tasks.spawn(watch_over_nodes(api, Arc::clone(&stage.roster), tempo, stop.clone()));
        for node in nodes() {
            stage.join(node).await;
        }
        let token = stage.api.mint_token(User::new("demo-admin", &["system:masters"]), None);
        let sim = Self { stage, address, token, stop, tasks: Mutex::new(tasks) };
        if background {
            scenario::play_background(&sim.stage).await.map_err(std::io::Error::other)?;
        }
        Ok(sim)
    }

    /// What can be played.
    pub fn scenarios() -> &'static [Scenario] {
        SCENARIOS
    }

    /// Plays a scenario until its failing state is there; what follows by itself goes on in the background.
    pub async fn play(&self, name: &str) -> Result<(), PlayError> {
        let scenario = scenario::find(name).ok_or_else(|| PlayError::Unknown(name.to_owned()))?;
        scenario::play(&self.stage, scenario).await?;
        if !scenario.aftermath.is_empty() {
            let (stage, stop) = (self.stage.clone(), self.stop.clone());
            self.tasks.lock().spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    ended = scenario::aftermath(stage, scenario) => {
                        if let Err(error) = ended {
                            tracing::warn!(scenario = scenario.name, error = %error, "the scenario's aftermath broke off");
                        }
                    }
                }
            });
        }
        Ok(())
    }

    /// Many failing pods at once: `workloads` Deployments of `pods_each`, on nodes of their own, in the
    /// namespace `storm`. Returns when the Deployments are there; the pods follow.
    pub async fn storm(&self, workloads: usize, pods_each: usize) -> Result<(), Status> {
        scenario::storm(&self.stage, workloads, pods_each).await
    }

    /// The API, for callers in this process.
    pub fn api(&self) -> &ApiServer {
        &self.stage.api
    }

    /// Where the API answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bearer token of `demo-admin`, who may do everything.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A kubeconfig for `demo-admin`.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig_for("demo-admin", &self.token)
    }

    /// A kubeconfig for a user with that token. The server's path carries the token as well, because kubectl
    /// sends none over plain HTTP.
    pub fn kubeconfig_for(&self, user: &str, token: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: kubemend-sim\n  cluster:\n    server: {}\nusers:\n- name: {user}\n  user:\n    token: {token}\ncontexts:\n- name: kubemend-sim\n  context:\n    cluster: kubemend-sim\n    user: {user}\ncurrent-context: kubemend-sim\n",
            format_args!("{}/token/{token}", self.url())
        )
    }

    /// The node's kubelet falls silent, as when the machine dies.
    pub async fn lose_node(&self, node: &str) {
        self.stage.lose_node(node).await;
    }

    /// The node's kubelet is back.
    pub async fn return_node(&self, node: &str) {
        self.stage.return_nodes(node).await;
    }

    /// Changes what lies outside the API: registries and programs.
    pub fn change_world(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.stage.world.write());
    }

    /// Ends everything, and waits until it has ended.
    pub async fn stop(self) {
        self.stop.cancel();
        let mut tasks = self.tasks.into_inner();
        while tasks.join_next().await.is_some() {}
    }
}

/// Collects what has no owner any more until told to stop. A sweep looks at everything, so it rests ten
/// times as long as it took: a large cluster is swept seldom rather than slowed down.
async fn collect(api: ApiServer, stop: CancellationToken) {
    let (mut swept, mut rest) = (0, SWEEP_REST);
    while stop.run_until_cancelled(tokio::time::sleep(rest)).await.is_some() {
        if api.revision() == swept {
            continue;
        }
        let begun = std::time::Instant::now();
        while api.collect() {
            tokio::task::yield_now().await;
        }
        swept = api.revision();
        rest = (begun.elapsed() * 10).max(SWEEP_REST);
    }
}

/// Serves the API until told to stop.
async fn serve(listener: TcpListener, api: ApiServer, stop: CancellationToken) {
    let served = axum::serve(listener, api.router()).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        // Watches never end by themselves, so whoever still listens is cut off.
        () = stop.cancelled() => {}
        ended = served.into_future() => {
            if let Err(error) = ended {
                tracing::error!(error = %error, "the simulated API server stopped serving");
            }
        }
    }
}
