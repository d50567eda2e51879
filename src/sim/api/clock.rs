//! The time of the simulated cluster. Owns the one place where it reads the wall clock; tests step a clock
//! of their own instead. Everything else takes `now` as a value.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// What time it is in the simulated cluster.
#[derive(Clone)]
pub struct SimClock(Arc<Face>);

enum Face {
    Real,
    Stepped(watch::Sender<Timestamp>),
}

impl SimClock {
    /// The wall clock.
    pub fn real() -> Self {
        Self(Arc::new(Face::Real))
    }

    /// A clock that stands still until somebody advances it.
    pub fn stepped(start: Timestamp) -> Self {
        Self(Arc::new(Face::Stepped(watch::channel(start).0)))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Face::Real => Timestamp::now(),
            Face::Stepped(now) => *now.borrow(),
        }
    }

    /// Steps a stepped clock and wakes its sleepers; a real clock goes by itself and ignores this.
    pub fn advance(&self, by: Duration) {
        if let Face::Stepped(now) = &*self.0 {
            let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
            now.send_modify(|at| *at = at.saturating_add(by).unwrap_or(Timestamp::MAX));
        }
    }

    /// Returns once the clock shows `until` or later.
    pub async fn sleep_until(&self, until: Timestamp) {
        match &*self.0 {
            Face::Real => {
                let left = until.duration_since(Timestamp::now());
                tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
            }
            Face::Stepped(now) => {
                let mut seen = now.subscribe();
                // The sender lives as long as this clock, so waiting cannot fail.
                let _ = seen.wait_for(|at| *at >= until).await;
            }
        }
    }

    /// Returns once `by` has passed on this clock.
    pub async fn sleep(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        let until = self.now().saturating_add(by).unwrap_or(Timestamp::MAX);
        self.sleep_until(until).await;
    }
}

/// As Kubernetes writes `metav1.Time`: whole seconds, UTC.
pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// As Kubernetes writes `metav1.MicroTime`.
pub fn micro_stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stepped_clock_wakes_its_sleepers_when_advanced() {
        let clock = SimClock::stepped(Timestamp::UNIX_EPOCH);
        let until = Timestamp::from_second(10).unwrap();
        let mut sleeper = Box::pin(clock.sleep_until(until));
        assert!(futures::poll!(&mut sleeper).is_pending());
        clock.advance(Duration::from_secs(4));
        assert!(futures::poll!(&mut sleeper).is_pending());
        clock.advance(Duration::from_mins(1));
        sleeper.await;
        assert_eq!(stamp(clock.now()), "1970-01-01T00:01:04Z");
    }
}
