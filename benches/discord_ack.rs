//! How fast Discord is answered, and what memory that takes: `cargo bench --bench discord_ack`.
//!
//! A thousand incidents are being posted to a slow Discord while the cluster's API takes connections and never
//! answers. Meanwhile people click and type. Measured is the time from sending an interaction over the gateway
//! to its first answer, both at the fake Discord. kubemend's side runs in a process of its own, twice: with and
//! without Discord. The difference of what both keep in memory is Discord's side.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]
#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    unreachable_pub,
    reason = "a program of the tests, not of the product: it fails by panicking"
)]

#[path = "../tests/support/fake_discord/mod.rs"]
mod fake_discord;
#[expect(dead_code, reason = "each benchmark uses its part")]
mod judge;

use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_discord::guild::Kind;
use fake_discord::{APPLICATION, BOT_TOKEN, FakeDiscord, Fault, GUILD};
use judge::Judge;
use kubemend::chat::desk::Desk;
use kubemend::chat::discord::settings::{Secret, Secrets, Settings};
use kubemend::chat::discord::{self, Discord};
use kubemend::chat::layout::Layouts;
use kubemend::chat::paper::Paper;
use kubemend::chat::route::Routes;
use kubemend::chat::words::Words;
use kubemend::chat::{samples, settings};
use kubemend::cluster::{Access, Cluster, ClusterConfig};
use kubemend::engine::{Engine, Handle, Options, Parts, Post};
use kubemend::gate::{GateConfig, Policy};
use kubemend::incident::{Entry, Evidence, IncidentId, Text, apply};
use kubemend::playbook::Book;
use kubemend::store::{Append, Store};
use tokio_util::sync::CancellationToken;

const INCIDENTS: usize = 1_000;
const INTERACTIONS: usize = 1_000;
/// One each.
const EVERY: Duration = Duration::from_millis(20);
/// How slow Discord takes a message.
const SLOW: Duration = Duration::from_millis(150);
const CHANNEL: &str = "440000000000000001";
const ANN: &str = "550000000000000001";
const POST: &str = "POST /channels/{channel_id}/messages";
/// Says to the process that is started which Discord it is to talk to, if any.
const SIDE: &str = "KUBEMEND_BENCH_DISCORD";

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    match std::env::var(SIDE) {
        Ok(url) => runtime.block_on(side(&url)),
        Err(_) => runtime.block_on(measure()),
    }
}

async fn measure() -> ExitCode {
    let without = {
        let side = Side::start("none");
        side.wait_ready();
        tokio::time::sleep(EVERY * INTERACTIONS as u32).await;
        side.memory()
    };
    let discord = FakeDiscord::start(&[(CHANNEL, "alerts")]).await;
    discord.add_user(ANN, "ann", Kind::Member, &[]);
    discord.with(|state| state.limits.insert(POST.to_owned(), (1_000, Duration::from_secs(1))));
    discord.fail_for(POST, Fault::Slow(SLOW), Duration::from_secs(600));
    let side = Side::start(&discord.api_url());
    until(|| discord.linked() == 1 && discord.knows("mend show") && discord.posted(CHANNEL).len() >= 10)
        .await;
    let posted_before = discord.posted(CHANNEL).len();
    let ids = act(&discord).await;
    let mut took: Vec<Duration> = Vec::new();
    for id in &ids {
        took.push(discord.acknowledged(id).await);
    }
    let (with, posted) = (side.memory(), discord.posted(CHANNEL).len() - posted_before);
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    println!(
        "| interactions | messages posted meanwhile | p50 ms | p90 ms | p99 ms | slowest ms | memory without MiB | with MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    println!(
        "| {} | {posted} | {:.2} | {:.2} | {:.2} | {:.2} | {without:.1} | {with:.1} |",
        took.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    let mut judge = Judge::default();
    judge.at_most("answered first, p99 in ms", 100.0, at(0.99));
    judge.at_most("memory of Discord's side in MiB", 15.0, with - without);
    judge.count("messages were being posted meanwhile", "≥ 50".to_owned(), posted, posted >= 50);
    let late = discord.with(|state| state.interactions.values().filter(|i| i.answer.is_none()).count());
    judge.count("interactions that nobody answered", "0".to_owned(), late, late == 0);
    judge.conclude()
}

/// People click and type.
async fn act(discord: &FakeDiscord) -> Vec<String> {
    let (started, mut ids) = (Instant::now(), Vec::new());
    for number in 0..INTERACTIONS {
        let at = started + EVERY * u32::try_from(number).unwrap_or_default();
        tokio::time::sleep_until(at.into()).await;
        let incident = format!("i-{}", number % INCIDENTS + 1);
        let object = [("object", "pod/web-0"), ("namespace", "shop")];
        ids.push(match number % 4 {
            0 => discord.command(ANN, CHANNEL, "mend show", &[("incident", &incident)]).await,
            1 => discord.command(ANN, CHANNEL, "mend diagnose", &object).await,
            2 => discord.command(ANN, CHANNEL, "mend incidents", &[]).await,
            _ => {
                let message = discord.posted(CHANNEL).last().cloned().unwrap_or_default();
                discord.click(ANN, CHANNEL, message["id"].as_str().unwrap_or_default(), "Details").await
            }
        });
    }
    ids
}

/// kubemend's side in a process of its own; ends with this.
struct Side(Child);

impl Side {
    fn start(discord: &str) -> Self {
        let own = std::env::current_exe().expect("this program is there");
        let mut command = Command::new(own);
        command.env(SIDE, discord).stdin(Stdio::piped()).stdout(Stdio::null());
        Self(command.spawn().expect("it starts once more"))
    }

    /// Waits until its memory has stopped growing: everything is stored and running.
    fn wait_ready(&self) {
        let (mut before, started) = (0.0, Instant::now());
        loop {
            std::thread::sleep(Duration::from_secs(3));
            let now = self.memory();
            if now > 1.0 && (now - before).abs() < 0.2 {
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(300), "it does not come to rest");
            before = now;
        }
    }

    /// What it keeps in memory, in MiB, files aside.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("Linux says it");
        line.trim().trim_end_matches(" kB").trim().parse::<f64>().expect("a number") / 1024.0
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The process that is measured: the engine with its incidents, and Discord where it is wanted.
async fn side(url: &str) -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("state.db")).await.expect("a new database");
    fill(&store).await;
    let stalled = stalled().await;
    let engine = engine(store, &stalled).await;
    let (handle, stop) = (engine.handle(), CancellationToken::new());
    let running = tokio::spawn(engine.run(stop.clone()));
    if url != "none" {
        tokio::spawn(built(url, &handle).run(stop.clone()));
    }
    // It ends when whoever started it does.
    let over = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    tokio::select! { _ = over => {}, _ = running => {} }
    stop.cancel();
    ExitCode::SUCCESS
}

async fn fill(store: &Store) {
    let sample = samples::incident();
    for number in 1..=INCIDENTS {
        let id = IncidentId::from(format!("i-{number}").as_str());
        let mut finding = sample.finding.clone();
        finding.key.cluster = "stalled".into();
        finding.subject.cluster = "stalled".into();
        finding.key.place.name = Text::from(format!("Deployment shop/web-{number}"));
        let entry = Entry::Opened {
            finding: Box::new(finding),
            evidence: Box::new(Evidence::default()),
            members: sample.members.clone(),
        };
        let now = jiff::Timestamp::now();
        let state = apply(None, &id, now, &entry).expect("an incident opens");
        store.append(&Append { state, entries: vec![(now, entry)] }).await.expect("it is stored");
    }
}

/// An API server that takes connections and says nothing.
async fn stalled() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    url
}

async fn engine(store: Store, url: &str) -> Engine {
    let config = kube::Config::new(url.parse().expect("a URL"));
    let access = Access::Direct(Box::new(config));
    let cluster = Cluster::connect(ClusterConfig::new("stalled", access)).await.expect("a client");
    let policy: GateConfig = serde_json::from_value(serde_json::json!({
        "roles": {"viewer": {}},
        "people": {"ann": {"roles": ["viewer"], "identities": [{"via": "discord", "id": ANN}]}},
    }))
    .expect("a policy");
    let parts = Parts {
        options: Options::default(),
        store,
        book: Book::shipped(),
        policy: Policy::new(policy).expect("no mistakes"),
        posts: vec![Post { cluster, context: "stalled".to_owned(), impersonation: None }],
    };
    Engine::new(parts).await.expect("the store works")
}

fn built(url: &str, handle: &Handle) -> Discord {
    let own = Settings {
        api_url: url.to_owned(),
        application_id: APPLICATION.into(),
        guilds: vec![GUILD.into()],
        ..Settings::default()
    };
    let secrets = Secrets { bot: Secret::parse(BOT_TOKEN, &own.source()).expect("a token") };
    let routes = serde_json::from_value(serde_json::json!([
        {"name": "all", "to": {"discord": [CHANNEL]}, "budget": {"messages": 1000, "perMinutes": 10}}
    ]))
    .expect("a route");
    let chat = settings::Settings { routes, ..settings::Settings::default() };
    let words = Arc::new(Words::shipped("en"));
    let paper = Paper { layouts: Arc::new(Layouts::shipped()), words: Arc::clone(&words) };
    let desk = Desk::new(handle.clone(), words);
    let routes = Arc::new(Routes::new(&chat).expect("no mistakes"));
    Discord::new(discord::Parts { settings: &own, secrets: &secrets, desk, paper, routes }).expect("a client")
}

async fn until(is: impl Fn() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < Duration::from_secs(300), "it does not begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
