//! Memory and speed of watching: `cargo bench --bench watch [-- PODS…]`.
//!
//! A load server in one process; in another, fresh for each variant, either our watch (listing in pages, or
//! streamed) or the plain kube reflector of full `Pod` objects. Memory is what the kernel says of the whole
//! process. Throughput is events by processor time of the watching process: per core.

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
#![expect(clippy::disallowed_methods, reason = "its processes are short, and own their clocks and tasks")]
#![expect(clippy::format_push_string, reason = "the load server builds text")]

mod load;

use std::time::{Duration, Instant};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kubemend::cluster::{Access, Cluster, ClusterConfig};
use load::Role;
use serde_json::{Value, json};

const FLOOD: usize = 60_000;
const REFLECTOR_FLOOD: usize = 15_000;
const VARIANTS: [(&str, usize); 3] =
    [("ours-paged", FLOOD), ("ours-streamed", FLOOD), ("reflector", REFLECTOR_FLOOD)];

fn main() {
    match load::role() {
        Some(arguments) => play(&arguments),
        None => compare(),
    }
}

fn compare() {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 50_000] } else { sizes };
    let mut template = String::new();
    load::pods::Template::new().write(&mut template, 1, 1);
    println!("pod: {} bytes of JSON\n", template.len());
    println!(
        "| variant | pods | listed in s | resident MiB | peak MiB | peak/resident | bytes/pod | µs CPU/event | events/s/core | events/s wall |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (variant, flood) in VARIANTS {
        for pods in &sizes {
            let row = measure(variant, *pods, flood);
            println!("{row}");
        }
    }
}

fn measure(variant: &str, pods: usize, flood: usize) -> String {
    let mut server = Role::start(&["server", &pods.to_string()]);
    let address = server.line();
    let mut watching = Role::start(&[variant, &address, &pods.to_string(), &flood.to_string()]);
    let told: Value =
        serde_json::from_str(&watching.line()).unwrap_or_else(|_| panic!("{variant} told nothing"));
    let number = |name: &str| told[name].as_f64().unwrap_or(f64::NAN);
    let (resident, peak) = (number("resident"), number("peak"));
    #[expect(clippy::cast_precision_loss, reason = "small numbers for people")]
    let (pods_f, flood_f) = (pods as f64, flood as f64);
    format!(
        "| {variant} | {pods} | {:.1} | {:.1} | {:.1} | {:.2} | {:.0} | {:.1} | {:.0} | {:.0} |",
        number("listed"),
        resident / 1024.0,
        peak / 1024.0,
        peak / resident,
        resident * 1024.0 / pods_f,
        number("processor") * 1e6 / flood_f,
        flood_f / number("processor"),
        flood_f / number("wall"),
    )
}

fn play(arguments: &[String]) {
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or_default();
    let runtime = |threads: usize| {
        let mut builder = if threads == 1 {
            tokio::runtime::Builder::new_current_thread()
        } else {
            tokio::runtime::Builder::new_multi_thread()
        };
        builder.enable_all().build().expect("a runtime can be built")
    };
    match arguments[0].as_str() {
        "server" => runtime(2).block_on(load::server::serve(number(1))),
        "reflector" => runtime(1).block_on(reflect(&arguments[1], number(2), number(3))),
        ours => runtime(1).block_on(watch(&arguments[1], number(2), number(3), ours == "ours-streamed")),
    }
}

fn direct(address: &str) -> kube::Config {
    kube::Config::new(format!("http://{address}").parse().expect("an address is a URL"))
}

/// What is told once the listing is held, and what is added after the flood.
struct Report {
    listed: f64,
    resident: usize,
    peak: usize,
}

impl Report {
    fn listed(began: Instant) -> Self {
        let listed = began.elapsed().as_secs_f64();
        Self { listed, resident: load::memory("VmRSS"), peak: load::memory("VmHWM") }
    }

    fn tell(&self, processor: f64, flood: Instant) {
        let Self { listed, resident, peak } = self;
        let wall = flood.elapsed().as_secs_f64();
        println!(
            "{}",
            json!({"listed": listed, "resident": resident, "peak": peak,
            "processor": load::processor() - processor, "wall": wall})
        );
    }
}

async fn flood(address: &str, events: usize) {
    let request =
        http::Request::get(format!("/flood?events={events}")).body(Vec::new()).expect("a plain path");
    let client = kube::Client::try_from(direct(address)).expect("a plain client");
    client.request_text(request).await.expect("the server floods");
}

async fn watch(address: &str, pods: usize, events: usize, streamed: bool) {
    let began = Instant::now();
    let mut config = ClusterConfig::new("bench", Access::Direct(Box::new(direct(address))));
    config.timing.settle = Duration::from_mins(10);
    config.timing.stream_lists = streamed;
    config.timing.probe = Duration::from_secs(1);
    let cluster = Cluster::connect(config).await.expect("a client can be made");
    cluster.settled().await;
    assert_eq!(cluster.status().pods, pods, "all pods are held");
    let report = Report::listed(began);
    let processor = load::processor();
    let start = Instant::now();
    flood(address, events).await;
    // The flood ends with the deletion of the last pod.
    while cluster.cache().count(kubemend::cluster::kind::Watched::Pod) == pods {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    report.tell(processor, start);
}

async fn reflect(address: &str, pods: usize, events: usize) {
    let began = Instant::now();
    let client = kube::Client::try_from(direct(address)).expect("a plain client");
    let (reader, writer) = reflector::store::<Pod>();
    let stream = watcher(kube::Api::<Pod>::all(client), watcher::Config::default());
    let task = tokio::spawn(reflector(writer, stream).default_backoff().for_each(|_| async {}));
    reader.wait_until_ready().await.expect("the writer lives");
    assert_eq!(reader.len(), pods, "all pods are held");
    let report = Report::listed(began);
    let processor = load::processor();
    let start = Instant::now();
    flood(address, events).await;
    while reader.len() == pods {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    report.tell(processor, start);
    task.abort();
}
