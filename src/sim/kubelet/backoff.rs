//! The kubelet's back-off: 10 s, doubling to 300 s, forgotten after ten quiet minutes.
//! Owns the numbers; refuses to know what is being tried.

use std::time::Duration;

use jiff::Timestamp;

use crate::sim::tempo::Tempo;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_mins(5);

/// The back-off of one thing that keeps failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backoff {
    /// The delay as a node words it (real life).
    pub(super) delay: Duration,
    /// When the next try is due.
    pub(super) until: Timestamp,
}

impl Backoff {
    /// The back-off after another failure at `now`.
    pub(super) fn after_failure(last: Option<Self>, now: Timestamp, tempo: Tempo) -> Self {
        let delay = match last {
            Some(last) if !last.is_forgotten(now, tempo) => (last.delay * 2).min(LONGEST),
            Some(_) | None => FIRST,
        };
        Self { delay, until: tempo.after(now, delay) }
    }

    /// Whether nothing failed for so long that the next failure counts as the first.
    pub(super) fn is_forgotten(self, now: Timestamp, tempo: Tempo) -> bool {
        now >= tempo.after(self.until, LONGEST * 2)
    }

    /// `10s`, `1m20s`, `5m0s`: as Go prints a duration.
    pub(super) fn words(self) -> String {
        let secs = self.delay.as_secs();
        if secs < 60 { format!("{secs}s") } else { format!("{}m{}s", secs / 60, secs % 60) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_from_ten_seconds_to_five_minutes_and_starts_over_after_ten_quiet_minutes() {
        let tempo = Tempo::new(1.0);
        let mut now = Timestamp::UNIX_EPOCH;
        let mut last = None;
        let mut words = Vec::new();
        for _ in 0..7 {
            let next = Backoff::after_failure(last, now, tempo);
            words.push(next.words());
            now = next.until;
            last = Some(next);
        }
        assert_eq!(words, ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
        let much_later = tempo.after_secs(now, 601);
        assert_eq!(Backoff::after_failure(last, much_later, tempo).words(), "10s");
    }
}
