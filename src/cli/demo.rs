//! `kubemend demo`: a simulated cluster, failures that play out on it, and approvals by keyboard.
//!
//! Everything real is in it: the engine, a store (in a folder that is removed at the end), the HTTP API, and
//! a Kubernetes API that plain `kubectl` can use. Only the cluster is not.

mod board;
mod house;
mod keys;
mod paint;
mod stage;
mod tell;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use tokio_util::sync::CancellationToken;

use super::failure::{Exit, Failure, print};
use super::signals;
use crate::config::Environment;
use crate::ops;
use board::Board;
use house::House;
use paint::Paint;
use stage::Stage;
use tell::Teller;

#[derive(ClapArgs, Debug)]
pub(super) struct Args {
    /// Where the HTTP API listens; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where to write the kubeconfig of the simulated cluster.
    #[arg(long, value_name = "FILE")]
    kubeconfig_out: Option<PathBuf>,
    /// A failure to play; may be given several times. All of them, one after the other, where it is left out.
    #[arg(long = "scenario", value_name = "NAME", value_parser = stage::names())]
    scenarios: Vec<String>,
    /// Approve what is proposed, one remedy of an incident at a time.
    #[arg(long)]
    auto_approve: bool,
    /// End when everything that was played is repaired.
    #[arg(long)]
    exit_when_done: bool,
}

pub(super) async fn run(arguments: Args, environment: &Environment) -> Result<Exit, Failure> {
    let on_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let colour = std::io::stdout().is_terminal() && environment.get("NO_COLOR").is_none();
    let log = ops::Settings { format: ops::Format::Text, filter: "warn".to_owned() };
    ops::start_log(&log, std::io::stderr).map_err(|error| Failure::new(error, ""))?;
    let teller = Teller { paint: if colour { Paint::Colour } else { Paint::Plain }, keys: on_terminal };

    let stop = CancellationToken::new();
    signals::stopping(&stop, Box::pin(play(arguments, teller, on_terminal, stop.clone()))).await?;
    print("the demo is over; nothing of it is left\n")
}

async fn play(
    arguments: Args,
    teller: Teller,
    on_terminal: bool,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let stage = Stage::start(&arguments.scenarios).await?;
    let house = House::build(&arguments, &stage).await?;
    print(&house.welcome())?;
    let board = Board::new(house.handle(), teller, arguments.auto_approve);
    let ended = CancellationToken::new();
    let (running, playing, talking) =
        tokio::join!(house.run(ended.clone()), stage.play(ended.clone()), async {
            let talked = board.attend(&stage, on_terminal, arguments.exit_when_done, &stop).await;
            ended.cancel();
            talked
        });
    stage.stop().await;
    running.and(playing).and(talking)
}
