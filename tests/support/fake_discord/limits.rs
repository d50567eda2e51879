//! Rate limits: buckets by route and channel, and the global one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::faults::Scope;
use super::state::State;

/// How many in which time.
pub type Limit = (u32, Duration);

/// All requests of a bot, interactions aside.
pub const GLOBAL: usize = 50;
const OTHERS: Limit = (50, Duration::from_secs(1));

/// Where Discord is stricter than elsewhere.
pub fn usual() -> BTreeMap<String, Limit> {
    let five = (5, Duration::from_secs(5));
    [
        ("POST /channels/{channel_id}/messages", five),
        ("PATCH /channels/{channel_id}/messages/{message_id}", five),
        ("PATCH /channels/{channel_id}", five),
        ("POST /webhooks/{webhook_id}/{webhook_token}", (5, Duration::from_secs(2))),
        ("PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original", (5, Duration::from_secs(2))),
    ]
    .map(|(route, limit)| (route.to_owned(), limit))
    .into()
}

pub struct Bucket {
    pub left: u32,
    pub ends: Duration,
}

/// What a request finds in its bucket.
pub struct Found {
    pub name: String,
    pub limit: u32,
    pub left: u32,
    pub resets: Duration,
    /// How long to wait, where the bucket is empty, and how far that reaches.
    pub over: Option<(Duration, Scope)>,
}

/// Takes one out of the bucket of that route and place.
pub fn take(state: &mut State, route: &str, place: &str) -> Found {
    let now = state.now();
    let (limit, time) = state.limits.get(route).copied().unwrap_or(OTHERS);
    let key = format!("{route}:{place}");
    let bucket = state.buckets.entry(key).or_insert(Bucket { left: limit, ends: now + time });
    if bucket.ends <= now {
        *bucket = Bucket { left: limit, ends: now + time };
    }
    let resets = bucket.ends - now;
    let name = name(route);
    if bucket.left == 0 {
        return Found { name, limit, left: 0, resets, over: Some((resets, Scope::User)) };
    }
    bucket.left -= 1;
    let left = bucket.left;
    let exempt = route.contains("/interactions/") || route.contains("/webhooks/");
    let over = if exempt { None } else { global(state, now) };
    Found { name, limit, left, resets, over: over.map(|wait| (wait, Scope::Global)) }
}

fn global(state: &mut State, now: Duration) -> Option<Duration> {
    let second = Duration::from_secs(1);
    while state.global.front().is_some_and(|at| *at + second <= now) {
        state.global.pop_front();
    }
    if state.global.len() >= GLOBAL {
        return state.global.front().map(|at| *at + second - now);
    }
    state.global.push_back(now);
    None
}

/// A bucket's name as Discord gives it: the same for the same route, and says nothing.
fn name(route: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(route.as_bytes()).iter().take(8).fold(String::new(), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl Found {
    /// The headers that every answer has.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let now = jiff::Timestamp::now().as_millisecond() as f64 / 1000.0;
        let after = self.resets.as_secs_f64();
        vec![
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.left.to_string()),
            ("x-ratelimit-reset", format!("{:.3}", now + after)),
            ("x-ratelimit-reset-after", format!("{after:.3}")),
            ("x-ratelimit-bucket", self.name.clone()),
        ]
    }
}

/// The headers and the body of a 429.
pub fn refusal(wait: Duration, scope: Scope) -> (Vec<(&'static str, String)>, Value) {
    let mut headers = vec![
        ("retry-after", wait.as_secs_f64().ceil().max(1.0).to_string()),
        ("x-ratelimit-scope", scope.name().to_owned()),
    ];
    if scope == Scope::Global {
        headers.push(("x-ratelimit-global", "true".to_owned()));
    }
    let message = match scope {
        Scope::Shared => "The resource is being rate limited.",
        Scope::User | Scope::Global => "You are being rate limited.",
    };
    let wait = (wait.as_secs_f64() * 1000.0).ceil() / 1000.0;
    (headers, json!({"message": message, "retry_after": wait, "global": scope == Scope::Global}))
}
