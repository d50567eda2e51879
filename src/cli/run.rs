//! `kubemend run`: the bot itself.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use tokio_util::sync::CancellationToken;

use super::failure::{Exit, Failure};
use super::signals;
use crate::app::{App, StartError};
use crate::config::{Config, Environment};
use crate::engine::{CrashAt, Options};
use crate::ops;

#[derive(ClapArgs, Debug)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// For tests: end the process at this point of an execution, as if power had failed.
    #[arg(long, value_name = "POINT", hide = true)]
    crash_at: Option<CrashAt>,
}

pub(super) async fn run(arguments: Args, environment: &Environment) -> Result<Exit, Failure> {
    let way_out = "`kubemend config check --config FILE` says the same; `kubemend config schema` says what may stand there";
    let loaded = Config::load(&arguments.config, environment);
    let loaded = loaded
        .map_err(|report| Failure::new(format!("the configuration has mistakes\n{report}"), way_out))?;
    ops::start_log(&loaded.config.log, std::io::stderr).map_err(|error| Failure::new(error, way_out))?;
    let retention = jiff::SignedDuration::from_hours(24 * i64::from(loaded.config.store.retention_days));
    let rules = loaded.config.incidents.rules();
    let options = Options { rules, crash_at: arguments.crash_at, retention, ..Options::default() };
    let stop = CancellationToken::new();
    let run = async {
        let app = App::build(loaded, options).await?;
        app.run(stop.clone()).await
    };
    Box::pin(signals::stopping(&stop, run)).await.map_err(|error| failed(&error))?;
    Ok(Exit::Good)
}

/// A failed start, for whoever started it.
pub(super) fn failed(error: &StartError) -> Failure {
    Failure::new(error.chain(), error.way_out())
}
