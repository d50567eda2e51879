//! Setting Discord up, against a strict fake: what the doctor says to click, and when commands are registered.

use crate::fake_discord::{APPLICATION, BOT_TOKEN, FakeDiscord, GUILD, endpoint, permissions};
use kubemend::chat::card::Mention;
use kubemend::chat::discord::doctor::{Wanted, examine};
use kubemend::chat::discord::register::{Registered, Where, held, register, unregister};
use kubemend::chat::discord::settings::{Mode, Secret, Secrets, Settings};
use kubemend::chat::discord::web::Web;
use kubemend::incident::Text;
use serde_json::json;

const ALERTS: &str = "440000000000000001";
const HIDDEN: &str = "440000000000000002";
const NARROW: &str = "440000000000000003";
const FORUM: &str = "440000000000000004";
const ONCALL: &str = "330000000000000001";

fn settings(discord: &FakeDiscord) -> Settings {
    Settings {
        application_id: APPLICATION.into(),
        guilds: vec![GUILD.into()],
        api_url: discord.api_url(),
        ..Settings::default()
    }
}

fn secrets() -> Secrets {
    Secrets { bot: Secret::parse(BOT_TOKEN, &Settings::default().source()).unwrap() }
}

fn web(discord: &FakeDiscord) -> Web {
    Web::new(&settings(discord), &secrets()).unwrap()
}

async fn server() -> FakeDiscord {
    let discord = FakeDiscord::start(&[(ALERTS, "alerts"), (HIDDEN, "hidden"), (NARROW, "narrow")]).await;
    discord.add_forum(FORUM, "posts", &["open", "over"]);
    discord.add_role(ONCALL, "oncall", false);
    discord
}

/// All that the doctor says.
async fn told(
    discord: &FakeDiscord,
    settings: &Settings,
    channels: &[&str],
    mentions: &[Mention],
) -> Vec<String> {
    let channels: Vec<Text> = channels.iter().map(|id| (*id).into()).collect();
    let wanted = Wanted { channels: &channels, mentions, now: jiff::Timestamp::now() };
    let checks = examine(settings, &secrets(), &wanted).await;
    let url = discord.api_url();
    let line = |check: &kubemend::chat::check::Check| match &check.wrong {
        None => format!("good: {}", check.what),
        Some((why, way_out)) => format!("wrong: {}: {why}\n  {way_out}", check.what).replace(&url, "API"),
    };
    checks.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_is_well_the_doctor_finds_nothing() {
    let discord = server().await;
    let guild = Where::Guild(GUILD.into());
    assert_eq!(register(&web(&discord), APPLICATION, &guild, true).await.unwrap(), Registered::Anew);
    let said = told(&discord, &settings(&discord), &[ALERTS, FORUM], &[]).await;
    assert!(said.iter().all(|line| line.starts_with("good: ")), "{said:#?}");
    assert_eq!(said.len(), 8, "{said:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_says_what_to_click() {
    let discord = server().await;
    discord.forbid(HIDDEN, permissions::VIEW);
    discord.forbid(NARROW, permissions::EMBED | permissions::CREATE_THREADS);
    discord.with(|state| {
        state.endpoint = Some("https://other.example.com/discord/interactions".to_owned());
        state.starts_left = 3;
    });
    let settings = Settings {
        application_id: "7".into(),
        guilds: vec![GUILD.into(), "220000000000000009".into()],
        ..settings(&discord)
    };
    let calls = [Mention::Group(ONCALL.to_owned())];
    let said = told(&discord, &settings, &[ALERTS, HIDDEN, NARROW, "440000000000000009"], &calls).await;
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_refused_is_said_first_and_alone() {
    let discord = server().await;
    let wrong = Secrets { bot: Secret::parse("MTIz.abc.def", &Settings::default().source()).unwrap() };
    let wanted = Wanted { channels: &[], mentions: &[], now: jiff::Timestamp::now() };
    let checks = examine(&settings(&discord), &wrong, &wanted).await;
    assert_eq!(checks.len(), 1);
    let (why, way_out) = checks[0].wrong.clone().expect("wrong");
    assert!(why.contains("401") && way_out.contains("Reset Token"), "{why} {way_out}");
    assert!(!why.contains("abc"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_the_key_and_the_address_are_looked_at() {
    let discord = server().await;
    let http = |key: String| Settings { mode: Mode::Http, public_key: Some(key), ..settings(&discord) };
    let said = told(&discord, &http("00".repeat(32)), &[], &[]).await.join("\n");
    assert!(said.contains(&endpoint::public_key()) && said.contains("Interactions Endpoint URL"), "{said}");
    let url = "https://kubemend.example.com/discord/interactions".to_owned();
    discord.with(|state| state.endpoint = Some(url));
    let said = told(&discord, &http(endpoint::public_key().to_uppercase()), &[], &[]).await;
    let wrong: Vec<&String> = said.iter().filter(|line| line.starts_with("wrong")).collect();
    assert_eq!(wrong.len(), 1, "the commands alone: {wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_written_once_and_again_only_when_they_differ() {
    let (discord, guild) = (server().await, Where::Guild(GUILD.into()));
    let web = web(&discord);
    let outcome = async |write| register(&web, APPLICATION, &guild, write).await.unwrap();
    assert_eq!(outcome(false).await, Registered::Differs);
    assert_eq!(outcome(true).await, Registered::Anew);
    let versions = || async {
        held(&web, APPLICATION, &guild)
            .await
            .unwrap()
            .iter()
            .map(|c| c["version"].clone())
            .collect::<Vec<_>>()
    };
    let first = versions().await;
    assert_eq!(outcome(true).await, Registered::Already);
    assert_eq!(versions().await, first, "nothing was written");
    discord.with(|state| {
        let held = state.commands.get_mut(&Some(GUILD.to_owned())).expect("registered");
        held[0]["options"][0]["description"] = json!("what an older version said");
    });
    assert_eq!(outcome(true).await, Registered::Anew);
    assert_ne!(versions().await, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_registered_everywhere_and_in_a_server_is_told_and_can_be_taken_away() {
    let (discord, guild) = (server().await, Where::Guild(GUILD.into()));
    let web = web(&discord);
    for place in [&guild, &Where::Everywhere] {
        register(&web, APPLICATION, place, true).await.unwrap();
    }
    let said = told(&discord, &settings(&discord), &[], &[]).await.join("\n");
    assert!(said.contains("people see it twice"), "{said}");
    assert!(unregister(&web, APPLICATION, &guild).await.unwrap());
    assert!(!unregister(&web, APPLICATION, &guild).await.unwrap(), "there was nothing left");
    let said = told(&discord, &settings(&discord), &[], &[]).await.join("\n");
    assert!(!said.contains("wrong"), "{said}");
}
