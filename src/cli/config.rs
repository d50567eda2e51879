//! `kubemend config`: is this file right, and what may stand in it.

use std::path::PathBuf;

use clap::Subcommand;

use super::failure::{Exit, Failure, note, print};
use crate::config::{Config, Environment};

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Say every mistake of a configuration file, with line and column.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Look at the file alone: do not read the tokens that it refers to.
        #[arg(long)]
        without_secrets: bool,
    },
    /// Print the JSON Schema of the file, for editors.
    Schema,
}

pub(super) fn run(command: Command, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        Command::Check { config, without_secrets } => check(&config, without_secrets, environment),
        Command::Schema => print(&format!("{:#}\n", Config::schema())),
    }
}

fn check(file: &std::path::Path, without_secrets: bool, environment: &Environment) -> Result<Exit, Failure> {
    let checked = if without_secrets {
        Config::load_text(file).map(drop)
    } else {
        Config::load(file, environment).map(drop)
    };
    match checked {
        Ok(()) => print(&format!("{}: no mistakes\n", file.display())),
        Err(report) if report.is_unreadable() => Err(Failure::new(report.to_string(), "")),
        Err(report) => {
            note(&report.to_string());
            Ok(Exit::Found)
        }
    }
}
