//! The console: `cargo bench --bench console`.
//!
//! `kubemend run` in a process of its own with 500 open incidents in its store; this process is the browsers.
//! Measured: server time by page, bytes of the first page, and what 200 open pages that keep themselves up to
//! date cost while 50 changes a second happen, above what the changes alone cost. With `serve` as its argument
//! it starts that server, says where it is, and stops when its input ends: for a real browser
//! (`.ci/browser-test paint`).

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

#[path = "../tests/support/browser.rs"]
#[allow(dead_code, unreachable_pub, reason = "the benchmark uses its part")]
mod browser;
#[expect(dead_code, reason = "each benchmark uses its part")]
mod judge;
#[path = "../tests/support/seed.rs"]
mod seed;

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use browser::Browser;
use bytes::Bytes;
use http::Method;
use judge::Judge;
use kubemend::sim::{Sim, SimOptions};
use kubemend::store::Store;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

const INCIDENTS: usize = 500;
const OPEN_PAGES: usize = 200;
const CHANGES_PER_SECOND: u64 = 50;
const LASTS: Duration = Duration::from_secs(20);
const LOOKS: usize = 300;
const TOKEN: &str = "a-token-of-the-benchmark";

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let sim = Sim::start(SimOptions { background: false, ..SimOptions::default() }).await.unwrap();
    let server = Server::start(folder.path(), &sim).await;
    if std::env::args().any(|argument| argument == "serve") {
        println!("open http://{} token {TOKEN}", server.address);
        let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
        drop(server);
        sim.stop().await;
        return ExitCode::SUCCESS;
    }
    let mut judge = Judge::default();
    pages(&server, &mut judge).await;
    first_page(&server, &mut judge).await;
    open_pages(&server, &mut judge).await;
    drop(server);
    sim.stop().await;
    judge.conclude()
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    async fn start(folder: &std::path::Path, sim: &Sim) -> Self {
        let (database, kubeconfig) = (folder.join("kubemend.db"), folder.join("kubeconfig"));
        std::fs::write(&kubeconfig, sim.kubeconfig()).unwrap();
        let store = Store::open(&database).await.unwrap();
        seed::incidents(&store, INCIDENTS, "registry.example.com/shop/checkout", jiff::Timestamp::now())
            .await;
        store.close().await;
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = json!({
            "clusters": [{"name": "sim", "source": {"kubeconfig": {"path": kubeconfig}}}],
            "api": {
                "listen": address.to_string(),
                "tokens": [{"id": "bench", "roles": ["admin"], "tokenEnv": "TOKEN"}],
                "limits": {"requestsAtOnce": 2000},
            },
            "gate": {"roles": {"admin": {"grants": [{"actions": ["*"], "maxRisk": "high"}], "rights": ["silence", "audit"]}}},
            "store": {"path": database},
            "log": {"format": "text", "filter": "error"},
        });
        let file = folder.join("kubemend.yaml");
        std::fs::write(&file, config.to_string()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_kubemend"))
            .args(["run", "--config"])
            .arg(&file)
            .env("TOKEN", TOKEN)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "the server does not come up");
            sleep(Duration::from_millis(50)).await;
        }
        Self { child, address }
    }

    /// Memory that is its own, in MiB.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Seconds of processor time so far.
    fn time(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn pages(server: &Server, judge: &mut Judge) {
    let mut browser = Browser::signed_in(server.address, TOKEN).await;
    for path in [
        "/incidents",
        "/incidents?text=checkout&severity=critical",
        "/incidents/i-250",
        "/proposals/i-250.p1",
        "/playbooks",
        "/playbooks/image.auth-missing",
        "/audit",
        "/status",
    ] {
        let mut took = Vec::with_capacity(LOOKS);
        for _ in 0..LOOKS {
            let started = Instant::now();
            let page = browser.send(Method::GET, path, Bytes::new(), &[("accept-encoding", "gzip")]).await;
            took.push(started.elapsed());
            assert_eq!(page.status, 200, "{path}");
        }
        took.sort();
        judge.at_most(&format!("{path}: p99, ms"), 10.0, took[LOOKS * 99 / 100].as_secs_f64() * 1000.0);
    }
}

/// The list and everything it makes a browser fetch, as it is sent.
async fn first_page(server: &Server, judge: &mut Judge) {
    let mut browser = Browser::signed_in(server.address, TOKEN).await;
    let plain = browser.get("/incidents").await;
    let named = regex::Regex::new("(?:src|href)=\"(/assets/[^\"]+)\"").unwrap();
    let mut paths: Vec<&str> =
        named.captures_iter(&plain.text).map(|found| found.get(1).unwrap().as_str()).collect();
    paths.push("/incidents");
    let mut bytes = 0;
    for path in paths {
        let answer = browser.send(Method::GET, path, Bytes::new(), &[("accept-encoding", "gzip")]).await;
        let head: usize =
            answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        bytes += answer.header("content-length").parse::<usize>().unwrap() + head;
    }
    judge.at_most("first page with all it needs, KiB", 100.0, bytes as f64 / 1024.0);
}

async fn open_pages(server: &Server, judge: &mut Judge) {
    let (alone, _) = changes(server).await;
    let before = server.memory();
    let mut browser = Browser::signed_in(server.address, TOKEN).await;
    let (mut pages, fetched) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for number in 0..OPEN_PAGES {
        let cookie = browser.cookies["kubemend-session"].clone();
        let (on, fetches) = if number % 2 == 0 {
            ("list".to_owned(), "/incidents?part=live".to_owned())
        } else {
            (format!("incident:i-{number}"), format!("/incidents/i-{number}?part=live"))
        };
        pages.spawn(page(server.address, cookie, on, fetches, Arc::clone(&fetched)));
    }
    assert_eq!(browser.get("/incidents").await.status, 200);
    sleep(Duration::from_secs(2)).await;
    let before_changes = fetched.load(Ordering::Relaxed);
    let (with, made) = changes(server).await;
    let fetched = (fetched.load(Ordering::Relaxed) - before_changes) as f64 / LASTS.as_secs_f64();
    judge.at_least("changes made a second", CHANGES_PER_SECOND as f64, made.round());
    // The list is told of at most once in five beats of 250 ms: 80 of a hundred lists, and ten incidents.
    judge.at_least("parts fetched by open pages a second", 80.0, fetched);
    println!("the changes alone take {:.1} % of a core", alone * 100.0);
    judge.at_most("200 open pages: memory, MiB", 20.0, server.memory() - before);
    judge.at_most("200 open pages, 50 changes/s: % of a core", 10.0, (with - alone) * 100.0);
    pages.shutdown().await;
}

/// An open page: hears, and fetches its part, at most once a second.
async fn page(address: SocketAddr, cookie: String, on: String, fetches: String, fetched: Arc<AtomicUsize>) {
    let mut events = TcpStream::connect(address).await.unwrap();
    let ask = format!("GET /live?on={on} HTTP/1.1\r\nHost: x\r\nCookie: kubemend-session={cookie}\r\n\r\n");
    events.write_all(ask.as_bytes()).await.unwrap();
    let mut browser = Browser::at(address);
    browser.cookies.insert("kubemend-session".to_owned(), cookie);
    let (mut bytes, mut last) = ([0; 4096], Instant::now());
    loop {
        let read = events.read(&mut bytes).await.unwrap();
        assert!(read > 0, "the stream ended");
        if String::from_utf8_lossy(&bytes[..read]).contains("event: ") {
            sleep(Duration::from_secs(1).saturating_sub(last.elapsed())).await;
            last = Instant::now();
            let part =
                browser.send(Method::GET, &fetches, Bytes::new(), &[("accept-encoding", "gzip")]).await;
            assert_eq!(part.status, 200);
            fetched.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Changes for a while; what share of a core the server took, and how many were made a second.
async fn changes(server: &Server) -> (f64, f64) {
    let mut browser = Browser::at(server.address);
    let token = format!("Bearer {TOKEN}");
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let mut clock = interval(Duration::from_millis(1000 / CHANGES_PER_SECOND));
    let (started, before) = (Instant::now(), server.time());
    let mut number = 0;
    while started.elapsed() < LASTS {
        clock.tick().await;
        number += 1;
        let path = format!("/api/v1/incidents/i-{}/silence", number % INCIDENTS + 1);
        let body = Bytes::from_static(b"{\"minutes\": 60}");
        let answer = browser.send(Method::POST, &path, body, &headers).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let took = started.elapsed().as_secs_f64();
    ((server.time() - before) / took, number as f64 / took)
}
