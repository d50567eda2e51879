//! `kubemend doctor`: is everything set up at the chat platforms' side, and if not, what to click.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::failure::{Exit, Failure, print};
use crate::chat::card::Mention;
use crate::chat::check::Check;
use crate::chat::layout::Platform;
use crate::chat::route::Routes;
use crate::chat::settings::Settings;
use crate::chat::{discord, slack};
use crate::config::{Config, Environment, Loaded};
use crate::incident::Text;

#[derive(ClapArgs, Debug)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) async fn run(arguments: Args, environment: &Environment) -> Result<Exit, Failure> {
    let loaded = Config::load(&arguments.config, environment).map_err(|report| {
        Failure::new(format!("the configuration has mistakes\n{report}"), "put them right first")
    })?;
    let checks = examine(&loaded).await;
    if checks.is_empty() {
        return Err(Failure::new(
            "no chat platform is configured",
            "add a section `chat.slack` or `chat.discord`; docs/slack.md and docs/discord.md go through it step by step",
        ));
    }
    print(&told(&checks))?;
    Ok(if checks.iter().any(|check| check.wrong.is_some()) { Exit::Found } else { Exit::Good })
}

/// Everything that was looked at, on each platform that is configured.
async fn examine(loaded: &Loaded) -> Vec<Check> {
    let chat = &loaded.config.chat;
    let named = |platform| Routes::new(chat).map(|routes| routes.channels(platform)).unwrap_or_default();
    let mut checks = Vec::new();
    if let (Some(settings), Some(secrets)) = (&chat.slack, &loaded.secrets.slack) {
        let channels = named(Platform::Slack);
        checks.extend(slack::doctor::examine(settings, secrets, &channels).await);
        checks.extend(leads_somewhere(&channels, "Slack", "slack"));
    }
    if let (Some(settings), Some(secrets)) = (&chat.discord, &loaded.secrets.discord) {
        let (channels, mentions) = (named(Platform::Discord), mentions(chat));
        let now = now();
        let wanted = discord::doctor::Wanted { channels: &channels, mentions: &mentions, now };
        checks.extend(discord::doctor::examine(settings, secrets, &wanted).await);
        checks.extend(leads_somewhere(&channels, "Discord", "discord"));
    }
    checks
}

#[expect(clippy::disallowed_methods, reason = "a program that runs once has no other clock")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn mentions(chat: &Settings) -> Vec<Mention> {
    chat.routes.iter().flat_map(|route| route.mentions.discord.iter().cloned()).collect()
}

fn leads_somewhere(channels: &[Text], platform: &str, key: &str) -> Option<Check> {
    channels.is_empty().then(|| Check {
        what: format!("the channels of {platform}"),
        wrong: Some((
            format!("no route and no fallback names a {platform} channel"),
            format!("name one under `chat.fallback.{key}`"),
        )),
    })
}

fn told(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        // Writing to a String cannot fail.
        let _ = match &check.wrong {
            None => writeln!(text, "good   {}", check.what),
            Some((why, way_out)) => {
                writeln!(text, "wrong  {}\n       {why}\n       help: {way_out}", check.what)
            }
        };
    }
    text
}
