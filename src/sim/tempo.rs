//! How fast the simulated cluster lives. Owns the one division of real-life delays by the pace; texts keep
//! the real-life numbers, because that is what a node writes. Refuses to read a clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Divides delays: pace 1 is real life, 8 a demo, 100 a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tempo(f64);

impl Tempo {
    /// A tempo; anything not above zero counts as real life.
    pub fn new(pace: f64) -> Self {
        Self(if pace.is_finite() && pace > 0.0 { pace } else { 1.0 })
    }

    /// What a real-life delay becomes here.
    pub fn of(self, real: Duration) -> Duration {
        real.div_f64(self.0)
    }

    /// The moment a real-life delay after `from`.
    pub fn after(self, from: Timestamp, real: Duration) -> Timestamp {
        later(from, self.of(real))
    }

    /// Seconds of real life, as [`Tempo::after`].
    pub fn after_secs(self, from: Timestamp, secs: u64) -> Timestamp {
        self.after(from, Duration::from_secs(secs))
    }
}

/// `from` plus `by`, saturating.
pub fn later(from: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    from.saturating_add(by).unwrap_or(Timestamp::MAX)
}
