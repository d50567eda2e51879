//! How fast Slack is answered: `cargo bench --bench slack_ack`.
//!
//! A thousand incidents are being posted to a slow Slack while the cluster's API takes connections and never
//! answers. Meanwhile people click and type. Measured is the time from sending an envelope to its
//! acknowledgement, both at the fake Slack, over real WebSockets. Then the same while the disk takes nothing:
//! another connection holds the database's lock.

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

#[path = "../tests/support/fake_slack/mod.rs"]
mod fake_slack;
#[expect(dead_code, reason = "each benchmark uses its part")]
mod judge;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_slack::people::Kind;
use fake_slack::{APP_TOKEN, BOT_TOKEN, FakeSlack, Fault};
use judge::Judge;
use kubemend::chat::desk::Desk;
use kubemend::chat::layout::Layouts;
use kubemend::chat::paper::Paper;
use kubemend::chat::route::Routes;
use kubemend::chat::slack::settings::{Secret, Secrets, Settings, WayIn};
use kubemend::chat::slack::{self, Slack};
use kubemend::chat::words::Words;
use kubemend::chat::{samples, settings};
use kubemend::cluster::{Access, Cluster, ClusterConfig};
use kubemend::engine::{Engine, Options, Parts, Post};
use kubemend::gate::{GateConfig, Policy};
use kubemend::incident::{Entry, Evidence, IncidentId, Text, apply};
use kubemend::playbook::Book;
use kubemend::store::{Append, Store};
use tokio_util::sync::CancellationToken;

const INCIDENTS: usize = 1_000;
const ENVELOPES: usize = 1_000;
/// While the disk is stalled; SQLite gives up waiting for a lock after five seconds.
const STALLED: usize = 200;
/// One each.
const EVERY: Duration = Duration::from_millis(20);
/// How slow Slack takes a message.
const SLOW: Duration = Duration::from_millis(150);

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    runtime.block_on(measure())
}

async fn measure() -> ExitCode {
    let slack = FakeSlack::start(&[("C1", "alerts")]).await;
    slack.add_user("U1", "ann", Kind::Member);
    slack.fail_for("chat.postMessage", Fault::Slow(SLOW), Duration::from_secs(600));
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("state.db");
    let store = Store::open(&database).await.expect("a new database");
    fill(&store).await;
    let stalled = stalled().await;
    let engine = engine(store, &stalled).await;
    let handle = engine.handle();
    let stop = CancellationToken::new();
    let running = tokio::spawn(engine.run(stop.clone()));
    let chat = tokio::spawn(built(&slack, &handle).run(stop.clone()));
    until(|| slack.links().len() == 2 && slack.posted("C1").len() >= 10).await;
    let posted_before = slack.posted("C1").len();
    let started = Instant::now();
    let mut ids = Vec::new();
    for number in 0..ENVELOPES {
        let at = started + EVERY * u32::try_from(number).unwrap_or_default();
        tokio::time::sleep_until(at.into()).await;
        ids.push(match number % 4 {
            0 => slack.command("U1", "C1", &format!("show i-{}", number % INCIDENTS + 1)).await,
            1 => slack.command("U1", "C1", "diagnose pod/web-0 -n shop").await,
            2 => slack.command("U1", "C1", "incidents").await,
            _ => {
                let message = slack.posted("C1").last().cloned().unwrap_or_default();
                slack.click("U1", "C1", message["ts"].as_str().unwrap_or_default(), "Details").await
            }
        });
    }
    let mut took: Vec<Duration> = Vec::new();
    for id in &ids {
        took.push(slack.acknowledged(id).await);
    }
    let posted = slack.posted("C1").len();
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    println!("| envelopes | messages posted meanwhile | p50 ms | p90 ms | p99 ms | slowest ms |");
    println!("|---|---|---|---|---|---|");
    println!(
        "| {} | {} | {:.2} | {:.2} | {:.2} | {:.2} |",
        took.len(),
        posted - posted_before,
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    let mut judge = Judge::default();
    judge.at_most("acknowledged, p99 in ms", 100.0, at(0.99));
    judge.count(
        "messages were being posted meanwhile",
        "≥ 50".to_owned(),
        posted - posted_before,
        posted - posted_before >= 50,
    );
    let stalled = while_the_disk_is_stalled(&slack, &database).await;
    println!("with a stalled disk: {} envelopes, p99 {stalled:.2} ms", STALLED);
    judge.at_most("acknowledged while the disk is stalled, p99 in ms", 100.0, stalled);
    stop.cancel();
    let _ = tokio::time::timeout(Duration::from_secs(30), async { (running.await, chat.await) }).await;
    judge.conclude()
}

/// The p99 of acknowledgements while nobody can write the database, in milliseconds.
async fn while_the_disk_is_stalled(slack: &FakeSlack, database: &std::path::Path) -> f64 {
    let url = format!("sqlite:{}", database.display());
    let other = sqlx::SqlitePool::connect(&url).await.expect("another connection");
    let lock = other.begin_with("BEGIN IMMEDIATE").await.expect("the lock");
    let started = Instant::now();
    let mut ids = Vec::new();
    for number in 0..STALLED {
        let at = started + EVERY * u32::try_from(number).unwrap_or_default();
        tokio::time::sleep_until(at.into()).await;
        ids.push(slack.command("U1", "C1", "incidents").await);
    }
    let mut took: Vec<Duration> = Vec::new();
    for id in &ids {
        took.push(slack.acknowledged(id).await);
    }
    lock.rollback().await.expect("released");
    took.sort();
    took[(took.len() - 1) * 99 / 100].as_secs_f64() * 1_000.0
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
        "people": {"ann": {"roles": ["viewer"], "identities": [{"via": "slack", "id": "U1"}]}},
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

fn built(fake: &FakeSlack, handle: &kubemend::engine::Handle) -> Slack {
    let own = Settings { api_url: fake.api_url(), ..Settings::default() };
    let [bot, app] = own.sources();
    let secrets = Secrets {
        bot: Secret::parse(BOT_TOKEN, &bot).expect("a token"),
        way_in: WayIn::Socket(Secret::parse(APP_TOKEN, &app).expect("a token")),
    };
    let routes = serde_json::from_value(serde_json::json!([
        {"name": "all", "to": {"slack": ["C1"]}, "budget": {"messages": 1000, "perMinutes": 10}}
    ]))
    .expect("a route");
    let chat = settings::Settings { routes, ..settings::Settings::default() };
    let words = Arc::new(Words::shipped("en"));
    let paper = Paper { layouts: Arc::new(Layouts::shipped()), words: Arc::clone(&words) };
    let desk = Desk::new(handle.clone(), words);
    let routes = Arc::new(Routes::new(&chat).expect("no mistakes"));
    Slack::new(slack::Parts { settings: &own, secrets: &secrets, desk, paper, routes }).expect("a client")
}

async fn until(is: impl Fn() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < Duration::from_secs(120), "it does not begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
