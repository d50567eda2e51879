//! From event to finding: `cargo bench --bench finding [-- PODS…]`.
//!
//! A cluster of so many pods is watched from a load server; then deliveries about its unhealthy pods go one
//! thread's way: bytes, slim object, cache, change, evidence from the cache, findings. Secrets were read before,
//! as the engine holds them for siblings. Open loop: deliveries are due at their times, whether or not the one
//! before is done, and latency counts from then on. After that, as fast as one core goes.

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
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]
#![expect(
    clippy::disallowed_methods,
    clippy::format_push_string,
    reason = "its processes are short, and own their clocks and tasks"
)]

#[path = "finding/events.rs"]
mod events;
#[expect(dead_code, reason = "each benchmark uses its part")]
mod judge;
#[expect(dead_code, reason = "each benchmark uses its part")]
mod load;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use events::Delivery;
use jiff::Timestamp;
use judge::Judge;
use kubemend::cluster::cache::Delivery as How;
use kubemend::cluster::{Access, Cluster, ClusterChange, ClusterConfig, wire};
use kubemend::diagnosis::{assemble, diagnose};
use kubemend::incident::{Finding, ObjectRef, PullSecret, Wants};
use kubemend::playbook::Book;
use load::Role;
use serde_json::Value;

const RATE: u32 = 5_000;
const PACED: Duration = Duration::from_secs(10);
const TARGET_MS: f64 = 5.0;
/// Deliveries as fast as they go.
const FLAT_OUT: usize = 50_000;
/// No more unhealthy pods take part.
const MOST_SICK: usize = 2_500;

fn main() -> ExitCode {
    match load::role() {
        Some(arguments) => play(&arguments),
        None => return compare(),
    }
    ExitCode::SUCCESS
}

fn compare() -> ExitCode {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 50_000] } else { sizes };
    println!(
        "| pods | unhealthy | events/s offered | findings | p50 µs | p90 µs | p99 µs | p99.9 µs | max µs | busy | events/s, one core, flat out |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let mut judge = Judge::default();
    for size in sizes {
        let mut server = Role::start(&["server", &size.to_string()]);
        let address = server.line();
        let mut role = Role::start(&["watch", &address, &size.to_string()]);
        let told: Value = serde_json::from_str(&role.line()).expect("the watching process tells");
        let number = |name: &str| told[name].as_f64().unwrap_or(f64::NAN);
        println!(
            "| {size} | {} | {RATE} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} % | {:.0} |",
            told["unhealthy"],
            told["findings"],
            number("p50"),
            number("p90"),
            number("p99"),
            number("p999"),
            number("max"),
            number("busy") * 100.0,
            number("flat_out"),
        );
        judge.at_most(&format!("event to finding, p99 in ms, {size} pods"), TARGET_MS, number("p99") / 1e3);
    }
    judge.conclude()
}

fn play(arguments: &[String]) {
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or_default();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime can be built");
    match arguments[0].as_str() {
        "server" => runtime.block_on(load::server::serve(number(1))),
        _ => runtime.block_on(measure(&arguments[1], number(2))),
    }
}

async fn measure(address: &str, pods: usize) {
    let direct = kube::Config::new(format!("http://{address}").parse().expect("an address is a URL"));
    let mut config = ClusterConfig::new("bench", Access::Direct(Box::new(direct)));
    config.timing.settle = Duration::from_mins(10);
    let cluster = Cluster::connect(config).await.expect("a client can be made");
    cluster.settled().await;
    let mut way = Way::new(cluster, events::deliveries(pods, MOST_SICK));
    way.drain().await;
    // Patterns compile when they are first needed; that is a matter of the start.
    for _ in 0..way.deliveries.len() {
        way.deliver().await;
    }
    way.findings = 0;
    let (mut late, busy) = paced(&mut way).await;
    late.sort_unstable();
    let findings = way.findings;
    let flat_out = flat_out(&mut way).await;
    let percentile = |of_thousand: usize| late[(late.len() - 1) * of_thousand / 1_000] as f64 / 1e3;
    println!(
        "{}",
        serde_json::json!({"unhealthy": way.cluster.suspects().len(), "findings": findings, "p50": percentile(500),
            "p90": percentile(900), "p99": percentile(990), "p999": percentile(999), "max": percentile(1_000),
            "busy": busy, "flat_out": flat_out})
    );
}

/// Nanoseconds from when each was due to its findings, and the share of the time that was spent working.
async fn paced(way: &mut Way) -> (Vec<u64>, f64) {
    let count = u64::from(RATE) * PACED.as_secs();
    let mut late = Vec::with_capacity(usize::try_from(count).expect("few"));
    let (gap, begun) = (Duration::from_secs(1) / RATE, Instant::now());
    let mut busy = Duration::ZERO;
    for n in 0..u32::try_from(count).expect("few") {
        let due = begun + gap * n;
        while Instant::now() < due {
            tokio::task::yield_now().await;
        }
        let taken_up = Instant::now();
        way.deliver().await;
        busy += taken_up.elapsed();
        late.push(u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    (late, busy.as_secs_f64() / begun.elapsed().as_secs_f64())
}

/// Events by second of processor time.
async fn flat_out(way: &mut Way) -> f64 {
    let begun = load::processor();
    for _ in 0..FLAT_OUT {
        way.deliver().await;
    }
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let events = FLAT_OUT as f64;
    events / (load::processor() - begun)
}

/// All that is on the way from an event to a finding.
struct Way {
    cluster: Cluster,
    book: Book,
    deliveries: Vec<Delivery>,
    secrets: Vec<PullSecret>,
    sent: usize,
    findings: usize,
}

impl Way {
    fn new(cluster: Cluster, deliveries: Vec<Delivery>) -> Self {
        let secret =
            PullSecret { name: "registry-pull".into(), exists: Some(false), ..PullSecret::default() };
        Self { cluster, book: Book::shipped(), deliveries, secrets: vec![secret], sent: 0, findings: 0 }
    }

    async fn deliver(&mut self) {
        // A prime step: neighbours in time are not neighbours in memory.
        let at = self.sent.wrapping_mul(7_919) % self.deliveries.len();
        let delivery = &mut self.deliveries[at];
        let kind = delivery.kind;
        let object = wire::decode_as(delivery.at(self.sent), kind.form()).expect("made by this program");
        self.sent += 1;
        let now = Timestamp::now();
        self.cluster.cache().apply(kind, object, 1, How::Watched, now);
        self.drain().await;
    }

    /// What changed is looked at, as the engine does.
    async fn drain(&mut self) {
        while !self.cluster.changes().is_empty() {
            match self.cluster.changes().next().await {
                ClusterChange::Changed(subject) => self.findings += self.look(&subject).await.len(),
                ClusterChange::Gone(_) | ClusterChange::Everything => {}
            }
        }
    }

    async fn look(&self, subject: &ObjectRef) -> Vec<Finding> {
        let mut gathered = self.cluster.gather(subject, Wants::default(), Timestamp::now()).await;
        gathered.secrets.clone_from(&self.secrets);
        diagnose(&self.book, &assemble(gathered))
    }
}
