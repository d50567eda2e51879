//! The simulated cluster, and what is played on it.

use clap::builder::PossibleValuesParser;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::super::failure::Failure;
use crate::sim::scenario::Scenario;
use crate::sim::{Sim, SimOptions};

/// A running simulated cluster and its programme.
pub(super) struct Stage {
    sim: Sim,
    programme: Vec<&'static Scenario>,
    /// How many of the programme have been played.
    played: Mutex<usize>,
}

/// The names that `--scenario` takes.
pub(super) fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(Sim::scenarios().iter().map(|scenario| scenario.name))
}

impl Stage {
    /// Brings the cluster up. Nothing fails on it before [`Self::play`].
    pub(super) async fn start(names: &[String]) -> Result<Self, Failure> {
        let wanted =
            |scenario: &&Scenario| names.is_empty() || names.iter().any(|name| name == scenario.name);
        let programme = Sim::scenarios().iter().filter(wanted).collect();
        let sim = Sim::start(SimOptions::default()).await;
        let sim = sim
            .map_err(|error| Failure::new(format!("the simulated cluster cannot be started: {error}"), ""))?;
        Ok(Self { sim, programme, played: Mutex::new(0) })
    }

    pub(super) fn kubeconfig(&self) -> String {
        self.sim.kubeconfig()
    }

    /// Plays the programme, one failure after the other, until `stop`.
    pub(super) async fn play(&self, stop: CancellationToken) -> Result<(), Failure> {
        for scenario in &self.programme {
            let played = stop.run_until_cancelled(self.sim.play(scenario.name)).await;
            match played {
                None => return Ok(()),
                Some(Ok(())) => *self.played.lock() += 1,
                Some(Err(error)) => {
                    stop.cancel();
                    return Err(Failure::new(
                        format!("scenario {} cannot be played: {error}", scenario.name),
                        "",
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether everything was played and the cluster itself shows it repaired.
    pub(super) fn is_repaired(&self) -> bool {
        *self.played.lock() == self.programme.len()
            && self.programme.iter().all(|scenario| (scenario.fixed)(self.sim.api()))
    }

    /// Takes the cluster down.
    pub(super) async fn stop(self) {
        self.sim.stop().await;
    }
}
