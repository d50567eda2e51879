//! `kubemend discord`: what Discord must be told, and where to invite the bot.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::failure::{self, Exit, Failure};
use crate::chat::discord::permissions::{NEEDS, invitation};
use crate::chat::discord::register::{Registered, Where, register, unregister, wanted};
use crate::chat::discord::settings::{Secrets, Settings};
use crate::chat::discord::web::{Web, WebError};
use crate::config::{Config, Environment};
use crate::incident::Text;

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Register `/mend` and the message command, where Discord has them not or otherwise. kubemend does so by
    /// itself when it starts; this is for looking, and for registering everywhere.
    Register(Register),
    /// Print where to invite the bot, with exactly the rights that it needs.
    InviteUrl(InviteUrl),
}

#[derive(ClapArgs, Debug)]
pub(super) struct Register {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only in this server; in all of `chat.discord.guilds` where it is left out.
    #[arg(long, value_name = "ID", conflicts_with = "global")]
    guild: Option<String>,
    /// In every server that the app is in, instead of in the configured ones.
    #[arg(long)]
    global: bool,
    /// Print what would be registered, and whether it differs; write nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(ClapArgs, Debug)]
pub(super) struct InviteUrl {
    /// The configuration file, for the application's id and the server.
    #[arg(long, value_name = "FILE", required_unless_present = "application")]
    config: Option<PathBuf>,
    /// The application's id, where there is no configuration yet.
    #[arg(long, value_name = "ID")]
    application: Option<String>,
    /// The server that is offered first.
    #[arg(long, value_name = "ID")]
    guild: Option<String>,
}

pub(super) async fn run(command: Command, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        Command::Register(arguments) => registering(arguments, environment).await,
        Command::InviteUrl(arguments) => invite(&arguments),
    }
}

fn invite(arguments: &InviteUrl) -> Result<Exit, Failure> {
    let InviteUrl { config, application, guild } = arguments;
    let settings = match config {
        Some(file) => {
            let config = Config::load_text(file).map_err(|report| mistaken(&report))?;
            Some(config.chat.discord.ok_or_else(not_configured)?)
        }
        None => None,
    };
    let of_settings = |read: fn(&Settings) -> Option<Text>| settings.as_ref().and_then(read);
    let application = application
        .clone()
        .or_else(|| of_settings(|settings| Some(settings.application_id.clone())).map(|id| id.to_string()));
    let guild = guild.clone().or_else(|| {
        // With several there is none to offer first.
        of_settings(|settings| settings.guilds.first().filter(|_| settings.guilds.len() == 1).cloned())
            .map(|id| id.to_string())
    });
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    let application = application.filter(is_id).ok_or_else(|| {
        Failure::new(
            "there is no application id",
            "copy it from discord.com/developers/applications → your app → General Information",
        )
    })?;
    let mut text = format!(
        "{}\n\nIt asks for these rights and no others:\n",
        invitation(&application, guild.as_deref())
    );
    for need in NEEDS {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:<26} {}", need.name, need.why);
    }
    failure::print(&text)
}

async fn registering(arguments: Register, environment: &Environment) -> Result<Exit, Failure> {
    let Register { config, guild, global, dry_run } = arguments;
    let loaded = Config::load(&config, environment).map_err(|report| mistaken(&report))?;
    let (Some(settings), Some(secrets)) = (&loaded.config.chat.discord, &loaded.secrets.discord) else {
        return Err(not_configured());
    };
    let places = match (guild, global) {
        (_, true) => vec![Where::Everywhere],
        (Some(guild), false) => vec![Where::Guild(guild.as_str().into())],
        (None, false) => settings.guilds.iter().cloned().map(Where::Guild).collect(),
    };
    let web = client(settings, secrets)?;
    if dry_run {
        return look(&web, settings, &places).await;
    }
    let mut text = String::new();
    for place in &places {
        let outcome = register(&web, &settings.application_id, place, true).await;
        let _ = writeln!(text, "{}", told(outcome.map_err(|error| failed(&error))?, place));
    }
    if global {
        // Both would show.
        for guild in &settings.guilds {
            let place = Where::Guild(guild.clone());
            if unregister(&web, &settings.application_id, &place).await.map_err(|error| failed(&error))? {
                let _ = writeln!(text, "taken away {place}, since they are there now anyhow");
            }
        }
    }
    failure::print(&text)
}

async fn look(web: &Web, settings: &Settings, places: &[Where]) -> Result<Exit, Failure> {
    let (mut text, mut differs) = (String::new(), false);
    for place in places {
        let outcome = register(web, &settings.application_id, place, false).await;
        let outcome = outcome.map_err(|error| failed(&error))?;
        differs |= outcome == Registered::Differs;
        let _ = writeln!(text, "{}", told(outcome, place));
    }
    if let Some(place) = places.first() {
        let (_, all) = wanted(place);
        let _ = writeln!(text, "{}", serde_json::to_string_pretty(&all).unwrap_or_default());
    }
    failure::print(&text)?;
    Ok(if differs { Exit::Found } else { Exit::Good })
}

fn told(outcome: Registered, place: &Where) -> String {
    match outcome {
        Registered::Already => format!("registered already {place}"),
        Registered::Anew => format!("registered {place}"),
        Registered::Differs => format!("would be registered anew {place}"),
    }
}

fn client(settings: &Settings, secrets: &Secrets) -> Result<Web, Failure> {
    Web::new(settings, secrets)
        .map_err(|error| Failure::new(error.to_string(), "install the package `ca-certificates`"))
}

fn failed(error: &WebError) -> Failure {
    Failure::new(error.to_string(), "`kubemend doctor` says what to click")
}

fn mistaken(report: &crate::config::Report) -> Failure {
    Failure::new(format!("the configuration has mistakes\n{report}"), "put them right first")
}

fn not_configured() -> Failure {
    let way_out = "add a section `chat.discord`; docs/discord.md goes through it step by step";
    Failure::new("Discord is not configured", way_out)
}
