//! What can go wrong at Slack's side, on purpose.

use std::time::{Duration, Instant};

use super::FakeSlack;

/// What happens to a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// 429 with Retry-After; nothing is done.
    RateLimited(u64),
    /// That status; nothing is done.
    Status(u16),
    /// Done, but later.
    Slow(Duration),
    /// Done, and no answer ever comes.
    DoneUnanswered,
    /// Done, and the answer is a 502.
    DoneAnd502,
}

pub struct Rule {
    /// All methods where it is empty.
    pub method: String,
    pub fault: Fault,
    pub left: usize,
    pub until: Option<Instant>,
}

impl FakeSlack {
    /// The next `times` calls of a method (`""`: of any) go wrong.
    pub fn fail(&self, method: &str, fault: Fault, times: usize) {
        let rule = Rule { method: method.to_owned(), fault, left: times, until: None };
        self.with(|state| state.rules.push(rule));
    }

    /// All calls of a method (`""`: of any) go wrong for some time.
    pub fn fail_for(&self, method: &str, fault: Fault, time: Duration) {
        let until = Some(Instant::now() + time);
        let rule = Rule { method: method.to_owned(), fault, left: usize::MAX, until };
        self.with(|state| state.rules.push(rule));
    }

    /// What is to happen to this call.
    pub fn fault_for(&self, method: &str) -> Option<Fault> {
        self.with(|state| {
            state.rules.retain(|rule| rule.left > 0 && rule.until.is_none_or(|until| Instant::now() < until));
            let fits = |rule: &&mut Rule| rule.method.is_empty() || rule.method == method;
            let rule = state.rules.iter_mut().find(fits)?;
            rule.left = rule.left.saturating_sub(1);
            Some(rule.fault.clone())
        })
    }

    /// How often a method was called, whatever came of it.
    pub fn called(&self, method: &str) -> usize {
        self.with(|state| state.calls.iter().filter(|call| call.method == method).count())
    }
}
