//! `kubemend slack`: what Slack must be told.

use clap::{Subcommand, ValueEnum};

use super::failure::{self, Exit, Failure};
use crate::chat::slack::manifest::manifest;
use crate::chat::slack::settings::Mode;

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Print the app manifest: paste it at api.slack.com/apps → Create New App → From a manifest (JSON).
    Manifest {
        /// How Slack is to reach kubemend; the same as `chat.slack.mode`.
        #[arg(long, value_enum, default_value_t = ModeArg::Socket)]
        mode: ModeArg,
        /// For mode `http`: where Slack reaches kubemend, such as `https://kubemend.example.com`.
        #[arg(long, value_name = "URL", required_if_eq("mode", "http"))]
        url: Option<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum ModeArg {
    Socket,
    Http,
}

pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    let Command::Manifest { mode, url } = command;
    let mode = match mode {
        ModeArg::Socket => Mode::Socket,
        ModeArg::Http => Mode::Http,
    };
    if let Some(url) = url.as_ref().filter(|url| !url.starts_with("https://")) {
        return Err(Failure::new(
            format!("{url} is not https"),
            "Slack calls only addresses that begin with https://",
        ));
    }
    let text = serde_json::to_string_pretty(&manifest(mode, url.as_deref())).unwrap_or_default();
    failure::print(&format!("{text}\n"))
}
