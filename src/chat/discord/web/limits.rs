//! Rate limits, as Discord's answers tell them: which request may be made now, and how long others wait.
//!
//! Spares requests that would be refused: a route's bucket that is empty, more than the global limit, and
//! anything at all when so many were refused that Discord would ban this address (10,000 in ten minutes).
//! Refuses to wait: whoever asks is told for how long.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;
use serde_json::Value;

use super::error::Scope;
use super::route::{Lane, Route};

/// Requests in a second, a little below Discord's 50.
const A_SECOND: usize = 45;
/// Refusals in ten minutes, well below Discord's 10,000.
const MOST_REFUSED: usize = 4_000;
const REFUSED_WITHIN: Duration = Duration::from_mins(10);
/// So long nothing is sent with a token that Discord does not take.
const LOCKED_OUT: Duration = Duration::from_secs(30);
/// How long to wait where a 429 does not say.
const USUAL_WAIT: Duration = Duration::from_secs(5);
/// No wait is believed to be longer.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// No more buckets are remembered; the oldest are over by then.
const MOST: usize = 10_000;

/// What is counted together.
type Counted = (Shared, u64);

/// A bucket by Discord's name for it, or a route whose bucket is not known yet.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Shared {
    Bucket(String),
    Route(Method, &'static str),
}

#[derive(Default)]
pub(super) struct Limits(Mutex<State>);

#[derive(Default)]
struct State {
    names: HashMap<(Method, &'static str), String>,
    buckets: HashMap<Counted, Bucket>,
    /// When the requests of the last second were made.
    sent: VecDeque<Instant>,
    held: Option<Instant>,
    locked_out: Option<Instant>,
    refused: VecDeque<Instant>,
}

#[derive(Clone, Copy)]
struct Bucket {
    remaining: u64,
    resets: Instant,
}

/// Why a request must not be made now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Denied {
    Wait(Duration, Scope),
    /// The token is refused.
    LockedOut,
}

impl Limits {
    /// Takes a place for a request, if there is one.
    pub(super) fn enter(&self, route: &Route, now: Instant) -> Result<(), Denied> {
        let mut state = self.0.lock();
        let state = &mut *state;
        let ours = route.lane == Lane::Bot;
        if ours {
            state.is_open(now)?;
        }
        let counted = state.counted(route);
        if let Some(bucket) = state.buckets.get_mut(&counted).filter(|bucket| bucket.resets > now) {
            let left = bucket.remaining.checked_sub(1);
            bucket.remaining = left.ok_or(Denied::Wait(bucket.resets - now, Scope::Route))?;
        }
        if ours {
            state.sent.push_back(now);
        }
        Ok(())
    }

    /// Learns from an answer.
    pub(super) fn learn(&self, route: &Route, status: StatusCode, headers: &HeaderMap, now: Instant) {
        let mut state = self.0.lock();
        if let Some(name) = text(headers, "x-ratelimit-bucket") {
            state.names.insert((route.method.clone(), route.template), name.to_owned());
        }
        let remaining = text(headers, "x-ratelimit-remaining").and_then(|text| text.parse().ok());
        let after = text(headers, "x-ratelimit-reset-after").and_then(seconds);
        if let (Some(remaining), Some(after)) = (remaining, after) {
            state.fill(route, remaining, now + after, now);
        }
        if status == StatusCode::UNAUTHORIZED && route.lane == Lane::Bot {
            state.locked_out = Some(now + LOCKED_OUT);
        }
        let shared = text(headers, "x-ratelimit-scope") == Some("shared");
        let counts = matches!(status.as_u16(), 401 | 403) || (status.as_u16() == 429 && !shared);
        if counts && state.refused.len() < MOST_REFUSED {
            state.refused.push_back(now);
            if state.refused.len() == MOST_REFUSED {
                tracing::error!(
                    "Discord refused {MOST_REFUSED} requests in ten minutes; nothing is sent for a while"
                );
            }
        }
    }

    /// Learns from a 429: how long to wait, and what waits.
    pub(super) fn limited(
        &self,
        route: &Route,
        headers: &HeaderMap,
        body: &Value,
        now: Instant,
    ) -> (Duration, Scope) {
        let mut state = self.0.lock();
        let said = body["retry_after"].as_f64().and_then(duration);
        let after = said.or_else(|| text(headers, "retry-after").and_then(seconds)).unwrap_or(USUAL_WAIT);
        let scope = text(headers, "x-ratelimit-scope");
        // Without JSON it was not Discord's API that answered, but what stands before all of it.
        let everything = body["global"] == true || scope == Some("global") || body.is_null();
        if everything {
            state.held = Some(state.held.map_or(now + after, |held| held.max(now + after)));
            return (after, Scope::Global);
        }
        state.fill(route, 0, now + after, now);
        (after, if scope == Some("shared") { Scope::Shared } else { Scope::Route })
    }
}

impl State {
    /// Whether anything may be sent at all.
    fn is_open(&mut self, now: Instant) -> Result<(), Denied> {
        if self.locked_out.is_some_and(|until| until > now) {
            return Err(Denied::LockedOut);
        }
        if let Some(until) = self.held.filter(|until| *until > now) {
            return Err(Denied::Wait(until - now, Scope::Global));
        }
        forget(&mut self.refused, now, REFUSED_WITHIN);
        if self.refused.len() >= MOST_REFUSED
            && let Some(oldest) = self.refused.front()
        {
            let wait = REFUSED_WITHIN.saturating_sub(now - *oldest).max(Duration::from_secs(1));
            return Err(Denied::Wait(wait, Scope::Global));
        }
        forget(&mut self.sent, now, Duration::from_secs(1));
        match self.sent.front() {
            Some(oldest) if self.sent.len() >= A_SECOND => {
                let wait = Duration::from_secs(1).saturating_sub(now - *oldest);
                Err(Denied::Wait(wait.max(Duration::from_millis(1)), Scope::Global))
            }
            _ => Ok(()),
        }
    }

    fn counted(&self, route: &Route) -> Counted {
        let own = (route.method.clone(), route.template);
        let shared = match self.names.get(&own) {
            Some(name) => Shared::Bucket(name.clone()),
            None => Shared::Route(own.0, own.1),
        };
        (shared, route.major)
    }

    /// What is left in a bucket. Answers may come in another order than they were made, so within one
    /// window only the smaller number is believed.
    fn fill(&mut self, route: &Route, remaining: u64, resets: Instant, now: Instant) {
        if self.buckets.len() >= MOST {
            self.buckets.retain(|_, bucket| bucket.resets > now);
        }
        if self.buckets.len() >= MOST {
            self.buckets.clear();
        }
        let counted = self.counted(route);
        let known = self.buckets.get(&counted).filter(|known| known.resets > now).copied();
        let bucket = match known {
            Some(known) => Bucket {
                remaining: known.remaining.min(remaining),
                resets: if remaining == 0 { known.resets.max(resets) } else { known.resets },
            },
            None => Bucket { remaining, resets },
        };
        self.buckets.insert(counted, bucket);
    }
}

fn forget(times: &mut VecDeque<Instant>, now: Instant, within: Duration) {
    while times.front().is_some_and(|oldest| now.duration_since(*oldest) >= within) {
        times.pop_front();
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().and_then(duration)
}

fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().map(|told| told.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
