//! The clock: the one place of the engine that asks what time it is. Everybody else is told.

use jiff::Timestamp;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// How long to wait until `at`; nothing if it is past.
pub(super) fn until(at: Timestamp) -> std::time::Duration {
    at.duration_since(now()).try_into().unwrap_or_default()
}
