//! What can go wrong at Discord's side, on purpose.

use std::time::{Duration, Instant};

use super::FakeDiscord;

/// How far a rate limit reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    User,
    Global,
    Shared,
}

impl Scope {
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Global => "global",
            Self::Shared => "shared",
        }
    }
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// 429; nothing is done.
    RateLimited(Duration, Scope),
    /// 429 by what stands before Discord: a page instead of JSON, and no word of how long but Retry-After.
    ShutOut(u64),
    /// That status with a page; nothing is done.
    Status(u16),
    /// Done, but later.
    Slow(Duration),
    /// The connection ends; nothing is done.
    Cut,
    /// Done, and the connection ends without an answer.
    DoneAndCut,
    /// Done, and no answer ever comes.
    DoneUnanswered,
    /// Done, and the answer is a 502.
    DoneAnd502,
}

pub struct Rule {
    /// `POST /channels/{channel_id}/messages`; all where it is empty.
    pub route: String,
    pub fault: Fault,
    pub left: usize,
    pub until: Option<Instant>,
}

impl FakeDiscord {
    /// The next `times` requests of a route (`""`: of any) go wrong.
    pub fn fail(&self, route: &str, fault: Fault, times: usize) {
        let rule = Rule { route: route.to_owned(), fault, left: times, until: None };
        self.with(|state| state.rules.push(rule));
    }

    /// All requests of a route (`""`: of any) go wrong for some time.
    pub fn fail_for(&self, route: &str, fault: Fault, time: Duration) {
        let until = Some(Instant::now() + time);
        let rule = Rule { route: route.to_owned(), fault, left: usize::MAX, until };
        self.with(|state| state.rules.push(rule));
    }

    /// What is to happen to this request.
    pub fn fault_for(&self, route: &str) -> Option<Fault> {
        self.with(|state| {
            state.rules.retain(|rule| rule.left > 0 && rule.until.is_none_or(|until| Instant::now() < until));
            let rule = state.rules.iter_mut().find(|rule| rule.route.is_empty() || rule.route == route)?;
            rule.left = rule.left.saturating_sub(1);
            Some(rule.fault.clone())
        })
    }

    /// How often a route was called, whatever came of it.
    pub fn called(&self, route: &str) -> usize {
        self.with(|state| state.calls.iter().filter(|call| call.route == route).count())
    }

    /// What was refused for its form, or as a mistake of the caller's: nothing of that is good manners.
    pub fn mistakes(&self) -> Vec<String> {
        let mistaken = [40060, 50005, 50006, 50008, 50035, 50109, 40333];
        self.with(|state| {
            let wrong = state
                .calls
                .iter()
                .filter(|call| mistaken.contains(&call.code) || call.status == 404 && call.code == 0);
            wrong.map(|call| format!("{}: {}\n  {}", call.route, call.answer, call.body)).collect()
        })
    }
}
