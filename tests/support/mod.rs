//! What whole-scenario tests share: a client for `/api/v1`, kubemend as a child process, a simulated cluster
//! for it, and waiting for states.
//!
//! Nothing here knows how kubemend works inside: it sees what a person with a token sees.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]

pub mod api;
pub mod bot;
pub mod browser;
pub mod chat;
pub mod house;
pub mod plain;
pub mod seed;
pub mod sent;
pub mod stage;
pub mod story;

use std::time::{Duration, Instant};

/// Asks until `probe` gives something, at most `limit`. Fails with what was last seen.
pub async fn eventually<T, F, Fut>(what: &str, limit: Duration, mut probe: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, String>>,
{
    let started = Instant::now();
    loop {
        let seen = match probe().await {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(started.elapsed() < limit, "{what}: not within {limit:?}; last seen: {seen}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
