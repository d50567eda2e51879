//! A simulated cluster and a kubemend that watches it as a user of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use http::StatusCode;
use kubemend::sim::api::{Fault, Match, Options, RecordedRequest, User, What};
use kubemend::sim::scenario::{self, Scenario};
use kubemend::sim::{Sim, SimOptions};
use serde_json::Value;
use tempfile::TempDir;

use super::api::{Api, id};
use super::bot::{Bot, Launch};
use super::eventually;

/// Longer than anything takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(240);

/// The user that kubemend is on the simulated cluster.
pub const USER: &str = "kubemend";

/// Everybody with `admin` may do everything; one approval is enough. Seconds instead of minutes.
pub const POLICY: &str = "\
gate:
  roles:
    viewer: {}
    admin:
      grants: [{actions: ['*'], maxRisk: high}]
      rights: [pause, silence, audit]
  approvals:
    low: {approvals: 1, lives: 8h}
    medium: {approvals: 1, lives: 8h}
    high: {approvals: 1, lives: 8h, typedConfirmation: true}
incidents: {holdOffPercent: 10, settleSeconds: 2}
";

/// How the cluster and kubemend are to be.
pub struct Setup<'a> {
    pub pace: f64,
    /// Whether a waiting pod starts by itself once its image was pulled to its node for another one. Where it
    /// does, a plan may find one of its pods well by its turn.
    pub shares_images: bool,
    /// Whether healthy workloads run as well.
    pub background: bool,
    pub policy: &'a str,
    pub people: &'a [(&'a str, &'a str)],
    pub flags: &'a [&'a str],
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            pace: 20.0,
            shares_images: false,
            background: false,
            policy: POLICY,
            people: &[("alice", "admin")],
            flags: &[],
        }
    }
}

/// Both, running.
pub struct Stage {
    pub sim: Sim,
    pub bot: Bot,
    admin: PathBuf,
    _folder: TempDir,
}

impl Stage {
    /// Starts both, and waits until kubemend is ready.
    pub async fn start(setup: &Setup<'_>) -> Self {
        let sim = simulated(setup).await;
        Self::around(sim, setup).await
    }

    /// Starts kubemend at a cluster that is there already.
    pub async fn around(sim: Sim, setup: &Setup<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let token = sim.api().mint_token(User::new(USER, &["system:masters"]), None);
        let (own, admin) = (folder.path().join("kubemend"), folder.path().join("admin"));
        std::fs::write(&own, sim.kubeconfig_for(USER, &token)).expect("the temporary folder can be written");
        std::fs::write(&admin, sim.kubeconfig()).expect("the temporary folder can be written");
        let Setup { policy, people, flags, .. } = *setup;
        let bot = Bot::launch(&Launch { cluster: "sim", kubeconfig: &own, people, extra: policy, flags });
        bot.api.wait_ready().await;
        Self { sim, bot, admin, _folder: folder }
    }

    pub fn api(&self) -> &Api {
        &self.bot.api
    }

    /// Plays a scenario until it is broken.
    pub async fn play(&self, name: &str) -> &'static Scenario {
        self.sim.play(name).await.unwrap_or_else(|error| panic!("{name} plays: {error}"));
        scenario::find(name).expect("it was played")
    }

    /// What kubemend sent to the cluster in order to change something, successful or not.
    pub fn sent(&self) -> Vec<RecordedRequest> {
        let asks = |request: &RecordedRequest| {
            request.path.contains("subjectaccessreviews")
                || request.query.contains("dryRun")
                || request.body.contains("\"dryRun\"")
        };
        let mut sent = self.sim.api().requests();
        sent.retain(|request| request.user == USER && request.method != "GET" && !asks(request));
        sent
    }

    /// What changed something. A request whose answer was cut has code 0 whether or not it was carried out.
    pub fn written(&self) -> Vec<RecordedRequest> {
        let mut sent = self.sent();
        sent.retain(|request| (200..300).contains(&request.code));
        sent
    }

    /// Waits for an open proposal with that action and that many changes.
    pub async fn proposal(&self, incident: &Value, action: &str, changes: usize) -> Value {
        self.api().proposal_with(id(incident), action, changes, LONG).await
    }

    /// Approves; where the proposal was replaced at that moment, approves the one that took its place.
    pub async fn approve(&self, incident: &Value, action: &str, changes: usize) -> Value {
        eventually("an approval that counts", LONG, || async {
            let proposal = self.proposal(incident, action, changes).await;
            match self.api().approve(&proposal).await {
                (StatusCode::OK, _) => Ok(proposal),
                (StatusCode::CONFLICT | StatusCode::GONE, answer) => Err(answer.to_string()),
                (status, answer) => panic!("approving {}: {status}: {answer}", proposal["id"]),
            }
        })
        .await
    }

    /// Waits until the cluster itself shows the scenario repaired.
    pub async fn repaired(&self, scenario: &Scenario) {
        eventually(&format!("{} is repaired", scenario.name), LONG, || async {
            if (scenario.fixed)(self.sim.api()) { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
    }

    /// Every incident there is or was.
    pub async fn incidents(&self) -> Vec<Value> {
        let page = self.api().get("/api/v1/incidents?limit=500").await;
        page["incidents"].as_array().cloned().unwrap_or_default()
    }

    /// The records of an incident.
    pub async fn records(&self, incident: &Value) -> Vec<Value> {
        let path = format!("/api/v1/audit?incident={}&limit=500", id(incident));
        self.api().get(&path).await["entries"].as_array().cloned().unwrap_or_default()
    }

    /// A pod of the scenario `bad-release` whose program ends; its logs take so long to be read from now on.
    pub fn slow_logs(&self, delay: Duration) -> String {
        let pods = self.kubectl(&["get", "pods", "-n", "orders", "--no-headers"]);
        let broken = pods.lines().find(|line| line.contains("0/1")).expect("one is broken");
        let when = Match { user: Some(USER.into()), ..Match::on("get", "pods/log") };
        self.sim.api().faults().add(Fault { when, what: What::Delay(delay), times: u32::MAX });
        broken.split_whitespace().next().expect("it has a name").to_owned()
    }

    /// `kubectl` as `demo-admin`.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let run = || Command::new("kubectl").arg("--kubeconfig").arg(&self.admin).args(arguments).output();
        let output = tokio::task::block_in_place(run).expect("kubectl is on the PATH");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text + &String::from_utf8_lossy(&output.stderr)
    }

    /// Ends both, and holds the chain of records against itself.
    pub async fn end(mut self) {
        self.bot.kill();
        verify_audit(&self.bot.database());
        self.sim.stop().await;
    }
}

/// A simulated cluster without kubemend.
pub async fn simulated(setup: &Setup<'_>) -> Sim {
    let options = SimOptions { pace: setup.pace, background: setup.background, ..SimOptions::default() };
    let sim = Sim::start(options).await.expect("loopback has free ports");
    sim.api().set_options(Options { always_pull_images: !setup.shares_images, ..Options::default() });
    sim
}

/// `kubemend audit verify` on the store.
pub fn verify_audit(database: &Path) {
    let run = || {
        let mut verify = Command::new(env!("CARGO_BIN_EXE_kubemend"));
        verify.args(["audit", "verify", "--store"]).arg(database).output()
    };
    let output = tokio::task::block_in_place(run).expect("the binary under test starts");
    assert!(output.status.success(), "the chain is broken: {}", String::from_utf8_lossy(&output.stderr));
}
