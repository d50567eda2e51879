//! What is shown to somebody who waits, and how often: at once what is looked at, then what is there so far, and
//! never so often that no way is left for the answer.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::inbound::What;
use crate::chat::card::Card;

/// After so long somebody is shown that it is being worked on; a modal can be opened for three seconds only.
const PATIENCE: Duration = Duration::from_millis(1_200);
/// What is there so far changes no more often than this.
const EVERY: Duration = Duration::from_millis(700);
/// By then an acknowledgement has reached Slack, whatever the disk did.
pub(super) const ACKNOWLEDGED: Duration = Duration::from_millis(250);
/// A response URL takes five answers: these, the last one, and one in reserve.
const BY_RESPONSE: u32 = 3;
/// A message can be edited as often as one likes; nobody reads more.
const BY_EDIT: u32 = 10;

/// What is due.
pub(super) enum Meanwhile {
    /// Nothing is there so far, and it takes long.
    Patience,
    SoFar(Card),
}

/// Somebody who waits.
pub(super) struct Waiting {
    patience: Option<tokio::time::Instant>,
    next: tokio::time::Instant,
    left: u32,
    /// Something is there that was not shown yet.
    pending: bool,
}

impl Waiting {
    /// From when it was taken in.
    pub(super) fn new(taken: Instant, what: &What) -> Self {
        let left = match what {
            What::Commanded { .. } | What::Shortcut { .. } => BY_RESPONSE,
            What::Mentioned { .. } => BY_EDIT,
            What::Pressed { .. } | What::Filled { .. } | What::HomeOpened | What::Nothing => 0,
        };
        let now = tokio::time::Instant::now();
        let patience = now + PATIENCE.saturating_sub(taken.elapsed());
        Self { patience: Some(patience), next: now, left, pending: false }
    }

    /// Waits until something is due.
    pub(super) async fn next(&mut self, news: &mut watch::Receiver<Option<Card>>) -> Meanwhile {
        loop {
            let patience = self.patience;
            tokio::select! {
                () = until(Some(self.next)), if self.pending => {
                    self.pending = false;
                    if let Some(card) = news.borrow_and_update().clone() {
                        (self.patience, self.left) = (None, self.left - 1);
                        self.next = tokio::time::Instant::now() + EVERY;
                        return Meanwhile::SoFar(card);
                    }
                }
                changed = news.changed(), if self.left > 0 && !self.pending => match changed {
                    Ok(()) => self.pending = true,
                    Err(_) => self.left = 0,
                },
                () = until(patience) => {
                    self.patience = None;
                    return Meanwhile::Patience;
                }
            }
        }
    }
}

pub(super) async fn until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
