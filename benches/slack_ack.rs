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

mod acks;
#[path = "../tests/support/fake_slack/mod.rs"]
mod fake_slack;
#[expect(dead_code, reason = "each benchmark uses its part")]
mod judge;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use acks::{INCIDENTS, SLOW, Took, due, engine, fill, stalled, until};
use fake_slack::people::Kind;
use fake_slack::{APP_TOKEN, BOT_TOKEN, FakeSlack, Fault};
use judge::Judge;
use kubemend::chat::slack::settings::{Secret, Secrets, Settings, WayIn};
use kubemend::chat::slack::{self, Slack};
use kubemend::engine::Handle;
use kubemend::store::Store;
use tokio_util::sync::CancellationToken;

const ENVELOPES: usize = 1_000;
/// While the disk is stalled; SQLite gives up waiting for a lock after five seconds.
const STALLED: usize = 200;

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
    let engine = engine(store, &stalled, "slack", "U1").await;
    let handle = engine.handle();
    let stop = CancellationToken::new();
    let running = tokio::spawn(engine.run(stop.clone()));
    let chat = tokio::spawn(built(&slack, &handle).run(stop.clone()));
    until(|| slack.links().len() == 2 && slack.posted("C1").len() >= 10).await;
    let posted_before = slack.posted("C1").len();
    let started = Instant::now();
    let mut ids = Vec::new();
    for number in 0..ENVELOPES {
        due(started, number).await;
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
    let took = Took::new(took);
    println!("| envelopes | messages posted meanwhile | p50 ms | p90 ms | p99 ms | slowest ms |");
    println!("|---|---|---|---|---|---|");
    println!("| {} | {} | {} |", took.len(), posted - posted_before, took.columns());
    let mut judge = Judge::default();
    judge.at_most("acknowledged, p99 in ms", 100.0, took.at(0.99));
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
        due(started, number).await;
        ids.push(slack.command("U1", "C1", "incidents").await);
    }
    let mut took: Vec<Duration> = Vec::new();
    for id in &ids {
        took.push(slack.acknowledged(id).await);
    }
    lock.rollback().await.expect("released");
    Took::new(took).at(0.99)
}

fn built(fake: &FakeSlack, handle: &Handle) -> Slack {
    let own = Settings { api_url: fake.api_url(), ..Settings::default() };
    let [bot, app] = own.sources();
    let secrets = Secrets {
        bot: Secret::parse(BOT_TOKEN, &bot).expect("a token"),
        way_in: WayIn::Socket(Secret::parse(APP_TOKEN, &app).expect("a token")),
    };
    let (desk, paper, routes) = acks::parts(handle, "slack", "C1");
    Slack::new(slack::Parts { settings: &own, secrets: &secrets, desk, paper, routes }).expect("a client")
}
