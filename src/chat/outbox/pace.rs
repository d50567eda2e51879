//! How fast: what a platform said about waiting, and back-off where it does not answer.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use rand::Rng as _;
use tokio::time::Instant;

use super::platform::Scope;
use crate::engine::PostKey;
use crate::incident::Text;

const LONGEST: Duration = Duration::from_mins(1);
/// No more keys are remembered; the oldest waits are over by then.
const MOST: usize = 10_000;

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Method {
    Post,
    Edit,
    Reply,
    Find,
}

/// What a wait holds: nothing named is everything.
type Reach = (Option<Method>, Option<Text>);

/// Waits in force.
#[derive(Default)]
pub(super) struct Pace {
    held: Mutex<HashMap<Reach, Instant>>,
    tries: Mutex<HashMap<PostKey, u32>>,
}

impl Pace {
    /// How long a request must wait; nothing if it may go.
    pub(super) fn wait(&self, method: Method, channel: &Text) -> Option<Duration> {
        let (held, now) = (self.held.lock(), Instant::now());
        let keys = [(None, None), (Some(method), None), (Some(method), Some(channel.clone()))];
        let until = keys.iter().filter_map(|key| held.get(key)).max()?;
        until.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// The platform says to wait. A longer wait is never shortened.
    pub(super) fn hold(&self, method: Method, channel: &Text, scope: Scope, after: Duration) {
        let key = match scope {
            Scope::Channel => (Some(method), Some(channel.clone())),
            Scope::Method => (Some(method), None),
            Scope::Everything => (None, None),
        };
        let (mut held, now) = (self.held.lock(), Instant::now());
        if held.len() >= MOST {
            held.retain(|_, until| *until > now);
        }
        let until = held.entry(key).or_insert(now);
        *until = (*until).max(now + after);
    }

    /// How long to wait after another try without an answer: longer each time, and never the same for all.
    pub(super) fn back_off(&self, key: &PostKey) -> Duration {
        let mut tries = self.tries.lock();
        if tries.len() >= MOST {
            tries.clear();
        }
        let count = tries.entry(key.clone()).or_insert(0);
        *count = count.saturating_add(1);
        let full = Duration::from_millis(500).saturating_mul(1 << (*count).min(8)).min(LONGEST);
        full.mul_f64(rand::rng().random_range(0.5..1.0))
    }

    /// It was answered.
    pub(super) fn answered(&self, key: &PostKey) {
        self.tries.lock().remove(key);
    }
}
