//! When a platform was last heard, kept over a restart; and the gap that a restart was.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::hearing::{Gap, Hearing};
use crate::engine::Handle;

/// So often it is noted that the platform is heard.
const EVERY: Duration = Duration::from_secs(10);
/// A restart within this time is no gap that anybody needs to hear of.
const SHORT: SignedDuration = SignedDuration::from_secs(60);
/// What happened longer ago is nobody's question any more.
const LONG: SignedDuration = SignedDuration::from_hours(24);
/// How often it is looked whether a link is up.
const LOOK: Duration = Duration::from_millis(200);

/// Notes when the platform is heard, until `stop`, and once more at the end.
pub(super) async fn keep(hearing: Hearing, engine: Handle, stop: CancellationToken) {
    let mut look = tokio::time::interval(LOOK);
    while !hearing.was_heard() {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => {}
        }
    }
    let mut every = tokio::time::interval(EVERY);
    loop {
        let stopped = tokio::select! {
            () = stop.cancelled() => true,
            _ = every.tick() => false,
        };
        if hearing.deaf().is_none()
            && let Err(refused) = engine.put_heard(hearing.platform(), engine.now()).await
        {
            let chain: &dyn std::error::Error = &refused;
            tracing::warn!(error = chain, "when {} was heard is not noted", hearing.platform());
        }
        if stopped {
            return;
        }
    }
}

/// Waits until the platform is heard for the first time: the time since the last kubemend heard it, with `why`.
/// `None` where none ever did.
pub(super) async fn since_the_last(
    hearing: &Hearing,
    last: Option<Timestamp>,
    now: impl Fn() -> Timestamp,
    why: String,
) -> Option<Gap> {
    let mut every = tokio::time::interval(LOOK);
    while !hearing.was_heard() {
        every.tick().await;
    }
    let to = now();
    let from = last?.max(to.checked_sub(LONG).unwrap_or(to));
    (from < to).then_some(Gap { from, to, why })
}

/// Whether a restart was long enough to be told.
pub(super) fn is_long(gap: &Gap) -> bool {
    gap.lasted() >= SHORT
}
