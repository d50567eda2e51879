//! How patient, how busy and how thrifty the engine is.

use std::time::Duration;

use jiff::SignedDuration;

use super::failpoint::CrashAt;
use crate::incident::grouping::Rules;

/// The engine's settings. The defaults suit a cluster of any size.
#[derive(Clone, Debug)]
pub struct Options {
    /// When incidents open, change and end.
    pub rules: Rules,
    /// How often everything that looks unhealthy is looked at again.
    pub reconcile_every: Duration,
    /// How many subjects are looked at at once.
    pub looks_at_once: usize,
    /// How many incidents are worked on at once.
    pub steps_at_once: usize,
    /// How many subjects may wait for a look; beyond, the next reconciliation finds them.
    pub most_waiting: usize,
    /// How many updates a slow subscriber may be behind before it must read the store.
    pub updates_kept: usize,
    /// How often the checks of an execution are looked at.
    pub verify_every: Duration,
    /// How long all checks must hold before they count.
    pub steady: SignedDuration,
    /// How often an open proposal is held against the live objects.
    pub refresh_every: SignedDuration,
    /// How long what was read for one pod serves for its siblings with the same symptom.
    pub share_for: SignedDuration,
    /// How long ended incidents are kept.
    pub retention: SignedDuration,
    /// How often what is older is removed.
    pub sweep_every: Duration,
    /// Where to end the process; for tests.
    pub crash_at: Option<CrashAt>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            reconcile_every: Duration::from_secs(30),
            looks_at_once: 4,
            steps_at_once: 8,
            most_waiting: 100_000,
            updates_kept: 1024,
            verify_every: Duration::from_secs(1),
            steady: SignedDuration::from_secs(5),
            refresh_every: SignedDuration::from_secs(60),
            share_for: SignedDuration::from_secs(30),
            retention: SignedDuration::from_hours(90 * 24),
            sweep_every: Duration::from_hours(1),
            crash_at: None,
        }
    }
}
