//! How long to wait before the next try: nothing at first, then longer and longer with jitter, and as long
//! as the platform says where it says so.

use std::time::Duration;

/// The first pause after a failure.
const FIRST: Duration = Duration::from_millis(500);

pub(in crate::chat) struct Pause {
    longest: Duration,
    failures: u32,
    /// What the platform asked for.
    asked: Duration,
}

impl Pause {
    pub(in crate::chat) fn new(longest: Duration) -> Self {
        Self { longest, failures: 0, asked: Duration::ZERO }
    }

    /// The wait before the next link is opened.
    pub(in crate::chat) fn before_next(&self) -> Duration {
        self.asked + jittered(self.grown(), rand::random::<f64>())
    }

    /// Learns from how a link ended: how long the platform asked to wait, and whether it `lived`: was up for a
    /// while, or was to be renewed.
    pub(in crate::chat) fn after(&mut self, asked: Duration, lived: bool) {
        self.asked = asked;
        if lived {
            self.failures = 0;
        } else {
            self.failures = self.failures.saturating_add(1);
        }
    }

    fn grown(&self) -> Duration {
        let doubled = |failures: u32| FIRST.saturating_mul(1_u32 << failures.min(16));
        self.failures.checked_sub(1).map_or(Duration::ZERO, doubled).min(self.longest)
    }
}

/// Between half and all of it.
fn jittered(pause: Duration, dice: f64) -> Duration {
    pause.mul_f64(0.5 + dice / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_start_anew_after_a_steady_link() {
        let mut pause = Pause::new(Duration::from_secs(8));
        assert_eq!(pause.before_next(), Duration::ZERO, "the first try is made at once");
        let mut most = Vec::new();
        for _ in 0..7 {
            pause.after(Duration::ZERO, false);
            most.push(pause.grown().as_millis());
            let wait = pause.before_next();
            assert!(wait >= pause.grown() / 2 && wait <= pause.grown(), "{wait:?}");
        }
        assert_eq!(most, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
        pause.after(Duration::ZERO, true);
        assert_eq!(pause.before_next(), Duration::ZERO);
    }

    #[test]
    fn what_the_platform_asks_for_is_waited() {
        let mut pause = Pause::new(Duration::from_secs(8));
        pause.after(Duration::from_secs(20), false);
        assert!(pause.before_next() >= Duration::from_secs(20));
    }
}
