//! The tasks of one platform: they run until they are stopped, and end in an order in which nothing is lost.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::owed::Keeper;

/// How long what was begun may take to end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// The tasks of one platform.
pub(super) struct Tasks {
    /// For the log.
    platform: &'static str,
    stop: CancellationToken,
    running: JoinSet<()>,
    /// What is owed is written down until everybody who answers has ended.
    keeping: JoinSet<()>,
    end: CancellationToken,
}

impl Tasks {
    /// Only the one that writes down what is owed.
    pub(super) fn new(platform: &'static str, keeper: Keeper, stop: &CancellationToken) -> Self {
        let (mut keeping, end) = (JoinSet::new(), CancellationToken::new());
        keeping.spawn(keeper.run(end.clone()));
        Self { platform, stop: stop.clone(), running: JoinSet::new(), keeping, end }
    }

    /// One more, which ends only when it is told to.
    pub(super) fn add(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(task);
    }

    /// Until they are stopped. One that ends by itself is a fault, and stops all of kubemend.
    pub(super) async fn run(self) {
        let Self { platform, stop, mut running, mut keeping, end } = self;
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            Some(ended) = running.join_next() => {
                tracing::error!(
                    ?ended,
                    "a part of the link to {platform} broke off; kubemend stops, so that it is started anew"
                );
                stop.cancel();
            }
        }
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_ANSWERS, all).await.is_err() {
            running.shutdown().await;
        }
        end.cancel();
        if tokio::time::timeout(LAST_ANSWERS, keeping.join_next()).await.is_err() {
            tracing::warn!("what is owed on {platform} could not be written down to the end");
        }
    }
}
