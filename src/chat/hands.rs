//! Hands for what was taken in: so many at once, and what was acknowledged before a stop is still done.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// How many are worked on at once, for each platform.
const AT_ONCE: usize = 64;

/// Does `each` with everything that comes until `stop`, and finishes what was begun. `platform` is for the log.
pub(super) async fn work<T, Each, Done>(
    platform: &'static str,
    taken: mpsc::Receiver<T>,
    stop: CancellationToken,
    each: Each,
) where
    Each: Fn(T) -> Done,
    Done: Future<Output = ()> + Send + 'static,
{
    work_many(AT_ONCE, platform, taken, stop, each).await;
}

/// The same with so many at once.
pub(super) async fn work_many<T, Each, Done>(
    at_once: usize,
    platform: &'static str,
    mut taken: mpsc::Receiver<T>,
    stop: CancellationToken,
    each: Each,
) where
    Each: Fn(T) -> Done,
    Done: Future<Output = ()> + Send + 'static,
{
    let (places, mut tasks) = (Arc::new(Semaphore::new(at_once)), JoinSet::new());
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = tasks.join_next() => { said(platform, ended); continue }
            next = taken.recv() => next,
        };
        let Some(next) = next else { break };
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let done = each(next);
        tasks.spawn(async move {
            done.await;
            drop(place);
        });
    }
    taken.close();
    while let Ok(next) = taken.try_recv() {
        tasks.spawn(each(next));
    }
    while let Some(ended) = tasks.join_next().await {
        said(platform, ended);
    }
}

fn said(platform: &'static str, ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "answering something from {platform} broke off");
    }
}
