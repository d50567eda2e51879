//! `kubemend doctor`: is everything set up at the chat platform's side, and if not, what to click.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::failure::{Exit, Failure, print};
use crate::chat::layout::Platform;
use crate::chat::route::Routes;
use crate::chat::slack::doctor::{Check, examine};
use crate::config::{Config, Environment};

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
    let chat = &loaded.config.chat;
    let (Some(settings), Some(secrets)) = (&chat.slack, &loaded.secrets.slack) else {
        return Err(Failure::new(
            "no chat platform is configured",
            "add a section `chat.slack`; docs/slack.md goes through it step by step",
        ));
    };
    let channels = Routes::new(chat).map(|routes| routes.channels(Platform::Slack)).unwrap_or_default();
    let mut checks = examine(settings, secrets, &channels).await;
    if channels.is_empty() {
        checks.push(Check {
            what: "the channels".to_owned(),
            wrong: Some((
                "no route and no fallback names a Slack channel".to_owned(),
                "name one under `chat.fallback.slack`".to_owned(),
            )),
        });
    }
    print(&told(&checks))?;
    Ok(if checks.iter().any(|check| check.wrong.is_some()) { Exit::Found } else { Exit::Good })
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
