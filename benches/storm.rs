//! A storm: `cargo bench --bench storm [-- PODS…]`.
//!
//! The simulated cluster in one process, the engine with its store on disk in another. Twenty Deployments whose
//! pods all fail appear at once; measured is what becomes of it: incidents, pods counted, memory, time.

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
#![expect(clippy::print_stdout, clippy::panic, reason = "a benchmark prints its table, or stops")]
#![expect(
    clippy::disallowed_methods,
    clippy::format_push_string,
    reason = "its processes are short, and own their clocks and tasks"
)]

#[expect(dead_code, reason = "each benchmark uses its part")]
mod judge;
#[expect(dead_code, reason = "each benchmark uses its part")]
mod load;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use judge::Judge;
use kubemend::cluster::{Access, Cluster, ClusterConfig};
use kubemend::engine::{Engine, Handle, IncidentFilter, Options, Parts, Post};
use kubemend::gate::{GateConfig, Policy};
use kubemend::incident::{Incident, Status};
use kubemend::playbook::Book;
use kubemend::sim::api::gvr;
use kubemend::sim::{Sim, SimOptions};
use kubemend::store::Store;
use load::Role;
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const WORKLOADS: usize = 20;
const MOST_INCIDENTS: usize = 40;
const LOOK: Duration = Duration::from_millis(200);
/// The count must stay complete for so long.
const STAYS: Duration = Duration::from_secs(20);
/// Then it is given up, and what is there is told.
const LONGEST: Duration = Duration::from_mins(8);
/// Our own bound on memory: so much by failing pod, at the highest, above what an empty cluster takes.
const MOST_KIB_A_POD: f64 = 24.0;
/// Below that many pods, what does not grow with them weighs more than what does.
const ENOUGH_PODS: usize = 5_000;

fn main() -> ExitCode {
    match load::role() {
        Some(arguments) => play(&arguments),
        None => return compare(),
    }
    ExitCode::SUCCESS
}

fn compare() -> ExitCode {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000] } else { sizes };
    println!(
        "| failing pods | suspects in s | first incident in s | all counted in s | open incidents | incidents ever | pods counted | RSS before MiB | peak MiB | after MiB | KiB/pod at peak | CPU s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let mut judge = Judge::default();
    for size in sizes {
        let mut server = Role::start(&["sim", &size.to_string()]);
        let (url, token) = (server.line(), server.line());
        let mut bot = Role::start(&["bot", &url, &token, &size.to_string()]);
        let line = bot.line();
        let told: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("the engine told nothing: {line}"));
        let row = Row { size, told };
        row.print();
        row.judge(&mut judge);
    }
    judge.conclude()
}

struct Row {
    size: usize,
    told: Value,
}

impl Row {
    fn number(&self, name: &str) -> f64 {
        self.told[name].as_f64().unwrap_or(f64::NAN)
    }

    fn count(&self, name: &str) -> usize {
        self.told[name].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
    }

    /// KiB of memory by failing pod, at the highest.
    fn each(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let pods = self.size as f64;
        (self.number("peak") - self.number("before")) / pods
    }

    fn print(&self) {
        let mib = |name: &str| self.number(name) / 1024.0;
        println!(
            "| {} | {:.1} | {:.1} | {:.1} | {} | {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} |",
            self.size,
            self.number("suspects"),
            self.number("first"),
            self.number("complete"),
            self.count("open"),
            self.count("ever"),
            self.count("pods"),
            mib("before"),
            mib("peak"),
            mib("after"),
            self.each(),
            self.number("processor"),
        );
        println!("\n{}\n", self.told["incidents"].as_str().unwrap_or_default());
    }

    fn judge(&self, judge: &mut Judge) {
        let (size, ever, pods, lost) =
            (self.size, self.count("ever"), self.count("pods"), self.count("left_out"));
        judge.count(
            &format!("{size} pods: incidents"),
            format!("≤ {MOST_INCIDENTS}"),
            ever,
            ever > 0 && ever <= MOST_INCIDENTS,
        );
        judge.count(&format!("{size} pods: pods counted"), size.to_string(), pods, pods == size);
        judge.count(&format!("{size} pods: left out of a queue"), "0".to_owned(), lost, lost == 0);
        if size >= ENOUGH_PODS {
            judge.at_most(&format!("{size} pods: KiB a pod, at the peak"), MOST_KIB_A_POD, self.each());
        }
    }
}

fn play(arguments: &[String]) {
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or_default();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().build().expect("a runtime can be built");
    match arguments[0].as_str() {
        "sim" => runtime.block_on(simulate(number(1))),
        _ => runtime.block_on(endure(&arguments[1], &arguments[2], number(3))),
    }
}

/// The far side: waits for the namespace `storm`, then lets the storm loose. Ends when it is killed.
async fn simulate(pods: usize) {
    let options = SimOptions { background: false, ..SimOptions::default() };
    let sim = Sim::start(options).await.expect("the simulated cluster starts");
    println!("{}\n{}", sim.url(), sim.token());
    while sim.api().get(&gvr::NAMESPACES, None, "storm").is_none() {
        sleep(LOOK).await;
    }
    sim.storm(WORKLOADS, pods / WORKLOADS).await.expect("the storm breaks loose");
    std::future::pending::<()>().await;
}

/// The engine before the storm.
async fn endure(url: &str, token: &str, pods: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&folder.path().join("state.db")).await.expect("a new database");
    let mut config = kube::Config::new(url.parse().expect("a URL"));
    config.auth_info.token = Some(token.to_owned().into());
    let cluster = Cluster::connect(ClusterConfig::new("storm", Access::Direct(Box::new(config)))).await;
    let cluster = cluster.expect("a client can be made");
    cluster.settled().await;
    let post = Post { cluster: cluster.clone(), context: "storm".to_owned(), impersonation: None };
    let parts = Parts {
        options: Options::default(),
        store: store.clone(),
        book: Book::shipped(),
        policy: Policy::new(GateConfig::default()).expect("nobody may do anything"),
        posts: vec![post],
    };
    let engine = Engine::new(parts).await.expect("the store works");
    let (handle, stop) = (engine.handle(), CancellationToken::new());
    let running = tokio::spawn(engine.run(stop.clone()));
    sleep(Duration::from_secs(2)).await;
    let before = load::memory("VmRSS");
    let processor = load::processor();
    break_loose(&cluster).await;
    let course = watch(&handle, &cluster, pods).await;
    let (peak, after) = (load::memory("VmHWM"), load::memory("VmRSS"));
    let all = handle.incidents(&IncidentFilter::default(), 200).await.expect("the store works");
    let status = handle.status();
    stop.cancel();
    running.await.expect("ends in order");
    store.verify().await.expect("the records are whole");
    println!(
        "{}",
        json!({"before": before, "peak": peak, "after": after, "processor": load::processor() - processor,
            "suspects": course.suspects, "first": course.first, "complete": course.complete, "open": open(&all).count(),
            "ever": all.len(), "pods": counted(&all), "left_out": status.left_out, "incidents": list(&all)})
    );
}

async fn break_loose(cluster: &Cluster) {
    let namespace: k8s_openapi::api::core::v1::Namespace =
        serde_json::from_value(json!({"metadata": {"name": "storm"}})).expect("a namespace");
    let api = kube::Api::all(cluster.sending_once());
    api.create(&kube::api::PostParams::default(), &namespace).await.expect("the far side takes it");
}

/// When what was reached, in seconds; NaN: not at all.
struct Course {
    suspects: f64,
    first: f64,
    complete: f64,
}

async fn watch(handle: &Handle, cluster: &Cluster, pods: usize) -> Course {
    let mut course = Course { suspects: f64::NAN, first: f64::NAN, complete: f64::NAN };
    let begun = Instant::now();
    let mut since: Option<Instant> = None;
    while begun.elapsed() < LONGEST && since.is_none_or(|since| since.elapsed() < STAYS) {
        sleep(LOOK).await;
        let passed = begun.elapsed().as_secs_f64();
        if course.suspects.is_nan() && cluster.unhealthy_pods().len() >= pods {
            course.suspects = passed;
        }
        let all = handle.incidents(&IncidentFilter::default(), 200).await.expect("the store works");
        if course.first.is_nan() && !all.is_empty() {
            course.first = passed;
        }
        since = if counted(&all) == pods { since.or_else(|| Some(Instant::now())) } else { None };
        course.complete = since.map_or(f64::NAN, |since| since.duration_since(begun).as_secs_f64());
    }
    course
}

fn open(all: &[Incident]) -> impl Iterator<Item = &Incident> {
    all.iter().filter(|incident| matches!(incident.status, Status::Open))
}

/// The members of all open incidents. Those of an absorbed one are counted where it went.
fn counted(all: &[Incident]) -> usize {
    open(all).map(|incident| usize::try_from(incident.members.now).unwrap_or(usize::MAX)).sum()
}

fn list(all: &[Incident]) -> String {
    let told = all.iter().map(|incident| {
        let Incident { id, status, finding, members, version, .. } = incident;
        let status = match status {
            Status::Open => "open",
            Status::Absorbed { .. } => "absorbed",
            Status::Resolved { .. } => "resolved",
        };
        format!(
            "{id} {status} {} {} now {} peak {} entries {version}",
            finding.condition, finding.key.place.name, members.now, members.peak
        )
    });
    told.collect::<Vec<_>>().join("\n")
}
