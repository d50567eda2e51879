//! How often a session may be begun: Discord allows so many a day and one in five seconds, and takes the token
//! away from bots that begin too many.

use std::time::{Duration, Instant};

use serenity::model::gateway::SessionStartLimit;

/// Between two beginnings.
const APART: Duration = Duration::from_secs(5);
/// So many a day are left for other programs with the same token.
const SPARE: u64 = 5;

/// Beginnings of sessions.
#[derive(Default)]
pub(super) struct Starts {
    last: Option<Instant>,
    /// None are left until then.
    none_until: Option<Instant>,
}

impl Starts {
    /// What Discord says is left.
    pub(super) fn learn(&mut self, limit: &SessionStartLimit, now: Instant) {
        let left = limit.remaining > SPARE.min(limit.total / 2);
        let resets = Duration::from_millis(limit.reset_after);
        self.none_until = (!left).then(|| now + resets);
    }

    /// How long to wait before the next session may be begun.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let apart = self.last.map(|last| last + APART);
        let until = apart.into_iter().chain(self.none_until).max();
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// None are left for now.
    pub(super) fn is_spent(&self, now: Instant) -> bool {
        self.none_until.is_some_and(|until| until > now)
    }

    /// One was begun.
    pub(super) fn begun(&mut self, now: Instant) {
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(remaining: u64, reset_after: u64) -> SessionStartLimit {
        let told = serde_json::json!({"total": 1000, "remaining": remaining, "reset_after": reset_after,
            "max_concurrency": 1});
        serde_json::from_value(told).expect("a limit")
    }

    #[test]
    fn sessions_begin_five_seconds_apart() {
        let (mut starts, now) = (Starts::default(), Instant::now());
        starts.learn(&limit(900, 1_000), now);
        assert_eq!(starts.wait(now), Duration::ZERO);
        starts.begun(now);
        assert_eq!(starts.wait(now), APART);
        assert_eq!(starts.wait(now + APART), Duration::ZERO);
    }

    #[test]
    fn when_none_are_left_the_reset_is_waited_for() {
        let (mut starts, now) = (Starts::default(), Instant::now());
        starts.learn(&limit(0, 60_000), now);
        assert!(starts.is_spent(now));
        assert_eq!(starts.wait(now), Duration::from_mins(1));
        starts.learn(&limit(1_000, 60_000), now);
        assert!(!starts.is_spent(now));
    }
}
