//! The command line: one file per subcommand.
//!
//! Owns arguments, what is printed, and the exit status. Refuses to know how anything works: each subcommand
//! reads its arguments, calls a room, and writes the answer.
//!
//! # Exit status
//!
//! | status | means |
//! |---|---|
//! | 0 | done, and nothing is wrong |
//! | 1 | done, and something was found: findings, mistakes in a file, a broken chain |
//! | 2 | could not be done; standard error says what, where, and the way out |

mod audit;
mod config;
mod demo;
mod deploy;
pub mod diagnose;
mod discord;
mod doctor;
pub mod explain;
mod failure;
pub mod playbooks;
mod run;
mod signals;
mod slack;
mod templates;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

pub use failure::{Exit, Failure};

use crate::config::Environment;

/// Explains what is broken in Kubernetes clusters, and repairs it when someone approves.
#[derive(Parser, Debug)]
#[command(name = "kubemend", version, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 done; 1 something was found (findings, mistakes); 2 could not be done."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Watch clusters, explain incidents, propose remedies, serve the HTTP API.
    Run(run::Args),
    /// Try it with nothing: a simulated cluster, failures, and approvals by keyboard.
    Demo(demo::Args),
    /// Look once at a cluster, or at files of one, and say what is broken and why.
    Diagnose(diagnose::Args),
    /// Name the condition that a failure message tells of.
    Explain(explain::Args),
    /// List, show, check and test playbooks.
    #[command(subcommand)]
    Playbooks(playbooks::Command),
    /// Show, export or verify the records of what was seen, decided and done.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Check a configuration file, or print its JSON Schema.
    #[command(subcommand)]
    Config(config::Command),
    /// List, check and look at the templates of chat messages.
    #[command(subcommand)]
    Templates(templates::Command),
    /// Print what a cluster needs to let kubemend work: roles for reading pull secrets and for remedies.
    #[command(subcommand)]
    Deploy(deploy::Command),
    /// Look whether the chat platforms are set up: tokens, rights, channels, commands; and say what to click.
    Doctor(doctor::Args),
    /// Tell Discord about kubemend's commands, and print where to invite the bot.
    #[command(subcommand)]
    Discord(discord::Command),
    /// Print what Slack must be told about kubemend.
    #[command(subcommand)]
    Slack(slack::Command),
    /// Print a completion script for a shell.
    Completions { shell: clap_complete::Shell },
}

/// Runs one command line; what it returns is the process's exit status.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => failure::conclude(dispatch(arguments.command, &Environment::read())),
        Err(wrong) => {
            // clap writes help to standard output and mistakes to standard error; nothing is left to do if
            // that fails.
            let _ = wrong.print();
            ExitCode::from(u8::try_from(wrong.exit_code()).unwrap_or(2))
        }
    }
}

fn dispatch(command: Command, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        Command::Run(arguments) => block_on(run::run(arguments, environment)),
        Command::Diagnose(arguments) if arguments.is_from_files() => diagnose::run(&arguments),
        Command::Diagnose(arguments) => block_on(diagnose::live(&arguments)),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Playbooks(command) => playbooks::run(&command),
        Command::Demo(arguments) => block_on(demo::run(arguments, environment)),
        Command::Audit(command) => block_on(audit::run(command)),
        Command::Config(command) => config::run(command, environment),
        Command::Templates(command) => block_on(templates::run(command)),
        Command::Deploy(command) => deploy::run(command),
        Command::Doctor(arguments) => block_on(doctor::run(arguments, environment)),
        Command::Discord(command) => block_on(discord::run(command, environment)),
        Command::Slack(command) => slack::run(&command),
        Command::Completions { shell } => completions(shell),
    }
}

fn block_on(work: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(format!("no threads could be started: {error}"), ""))?;
    runtime.block_on(work)
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "kubemend", &mut script);
    failure::print(&String::from_utf8_lossy(&script))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_shell_gets_a_script() {
        for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "kubemend", &mut script);
            let script = String::from_utf8(script).expect("text");
            assert!(script.contains("completions") && script.contains("demo"), "{shell}");
        }
    }
}
