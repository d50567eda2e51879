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

mod acks;
#[path = "../tests/support/fake_discord/mod.rs"]
mod fake_discord;
#[expect(dead_code, reason = "each benchmark uses its part")]
mod judge;

use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use acks::{EVERY, INCIDENTS, SLOW, Took, due, engine, fill, stalled, until};
use fake_discord::guild::Kind;
use fake_discord::{APPLICATION, BOT_TOKEN, FakeDiscord, Fault, GUILD};
use judge::Judge;
use kubemend::chat::discord::settings::{Secret, Secrets, Settings};
use kubemend::chat::discord::{self, Discord};
use kubemend::engine::Handle;
use kubemend::store::Store;
use tokio_util::sync::CancellationToken;

const INTERACTIONS: usize = 1_000;
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
    let took = Took::new(took);
    println!(
        "| interactions | messages posted meanwhile | p50 ms | p90 ms | p99 ms | slowest ms | memory without MiB | with MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    println!("| {} | {posted} | {} | {without:.1} | {with:.1} |", took.len(), took.columns());
    let mut judge = Judge::default();
    judge.at_most("answered first, p99 in ms", 100.0, took.at(0.99));
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
        due(started, number).await;
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
    let engine = engine(store, &stalled, "discord", ANN).await;
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

fn built(url: &str, handle: &Handle) -> Discord {
    let own = Settings {
        api_url: url.to_owned(),
        application_id: APPLICATION.into(),
        guilds: vec![GUILD.into()],
        ..Settings::default()
    };
    let secrets = Secrets { bot: Secret::parse(BOT_TOKEN, &own.source()).expect("a token") };
    let (desk, paper, routes) = acks::parts(handle, "discord", CHANNEL);
    Discord::new(discord::Parts { settings: &own, secrets: &secrets, desk, paper, routes }).expect("a client")
}
