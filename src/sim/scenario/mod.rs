//! Scenarios: failures that play out on the simulated cluster as they do on real ones. Owns the list of them,
//! their manifests (the YAML files beside this one) and how one sees that each is broken or fixed. Refuses to
//! repair: that is what the bot, or a person with kubectl, is for.

mod apply;
mod list;
mod play;
pub mod states;
mod storm;
#[cfg(test)]
mod tests;
mod world;

use std::time::Duration;

use super::api::ApiServer;
use super::kubelet::Exit;

pub use list::SCENARIOS;
pub use play::PlayError;
pub(in crate::sim) use play::{aftermath, play, play_background};
pub(in crate::sim) use storm::storm;
pub(in crate::sim) use world::base_world;

/// One failure with its beginning, its signs and its end.
#[derive(Debug)]
pub struct Scenario {
    /// The name on the command line.
    pub name: &'static str,
    /// One sentence for people.
    pub title: &'static str,
    /// Where it happens.
    pub namespace: &'static str,
    /// The condition that should be found.
    pub condition: &'static str,
    /// Conditions that are rightly found beside it.
    pub also: &'static [&'static str],
    /// What repairs it, in words.
    pub remedy: &'static str,
    /// How it comes about, in order.
    pub acts: &'static [Act],
    /// The failing state, as the API shows it.
    pub broken: fn(&ApiServer) -> bool,
    /// The healthy state.
    pub fixed: fn(&ApiServer) -> bool,
    /// What happens once it is broken, without anybody's doing.
    pub aftermath: &'static [Act],
}

/// One thing that happens in a scenario.
#[derive(Debug)]
pub enum Act {
    /// Somebody applies manifests.
    Apply(&'static str),
    /// Somebody applies the manifest once for every index from 1 (`{index}` is replaced, two digits).
    ApplyMany(&'static str, usize),
    /// Time passes until the cluster is in that state.
    Until(fn(&ApiServer) -> bool),
    /// Time passes (real life).
    Rest(Duration),
    /// Somebody deletes a pod.
    DeletePod { namespace: &'static str, name: &'static str },
    /// The main containers of these pods end.
    Strike { namespace: &'static str, pod_prefix: &'static str, exit: fn() -> Exit },
    /// Nodes of a pool of their own join, named `<pool>-1` and so on.
    Join { pool: &'static str, nodes: usize },
    /// The kubelet of the node under that pod falls silent.
    LoseNodeOf { namespace: &'static str, pod: &'static str },
    /// Every silent node of the pool is repaired.
    Return { pool: &'static str },
    /// A registry answers 503 for a while (real life).
    Outage { host: &'static str, lasts: Duration },
    /// A registry limits those who do not log in.
    LimitAnonymous { host: &'static str },
}

/// The scenario of that name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
