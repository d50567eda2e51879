//! Answers that are owed: what was acknowledged and is not answered yet, on the disk until it is.
//!
//! Shared by all platforms; what a platform writes down (who, what, where to answer) is text here. The order is
//! write-ahead within a bound: an acknowledgement waits for the disk, but no longer than [`PATIENCE`]. On a sound
//! disk whatever was acknowledged survives `kill -9`; on a stalled one people are still acknowledged in time, and
//! only what comes within the stall is lost with the process; the work on it begins after it is written. Writes are gathered, so a storm of clicks is a few
//! transactions. What could not be shown yet is taken up again now and then, and after a restart.
//!
//! Refuses to repeat anything itself: that a decision is taken once is the gate's and the store's.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::engine::{Handle, Owed};

/// The longest that an acknowledgement waits for the disk.
pub(in crate::chat) const PATIENCE: Duration = Duration::from_millis(50);
/// The longest that work waits for the disk.
const WORK_PATIENCE: Duration = Duration::from_secs(2);
/// So long somebody may wait for an answer: the ways to give it last no longer.
pub(in crate::chat) const LIVES: SignedDuration = SignedDuration::from_mins(30);
/// How many orders can wait for the disk, and how many are written together.
const ORDERS: usize = 4_000;
const TOGETHER: usize = 500;
/// What could not be shown is tried again so often.
const AGAIN: Duration = Duration::from_secs(30);

/// What is owed on one platform. Clones are one list.
#[derive(Clone)]
pub(in crate::chat) struct Owing {
    engine: Option<Handle>,
    platform: &'static str,
    orders: Option<mpsc::Sender<Order>>,
    /// Being answered right now.
    busy: Arc<Mutex<HashSet<String>>>,
}

/// Where what is owed is taken up again.
pub(in crate::chat) trait TakesUp: Send + Sync {
    /// Takes it as if it had just come; should the platform deliver it once more, it was seen before.
    fn take_up(&self, owed: Owed) -> impl Future<Output = ()> + Send;
}

enum Order {
    Keep {
        owed: Owed,
        kept: oneshot::Sender<()>,
    },
    Answered {
        key: String,
    },
    /// All before it is written.
    Written(oneshot::Sender<()>),
}

/// Writes down what is owed.
pub(in crate::chat) struct Keeper {
    engine: Handle,
    platform: &'static str,
    orders: mpsc::Receiver<Order>,
    busy: Arc<Mutex<HashSet<String>>>,
}

/// Resolves when something is on the disk.
#[derive(Debug, Default)]
pub(in crate::chat) struct Kept(Option<oneshot::Receiver<()>>);

impl Owing {
    /// A list, and what must run for it to be kept.
    pub(in crate::chat) fn new(platform: &'static str, engine: &Handle) -> (Self, Keeper) {
        let (send, orders) = mpsc::channel(ORDERS);
        let busy = Arc::<Mutex<HashSet<String>>>::default();
        let keeper = Keeper { engine: engine.clone(), platform, orders, busy: Arc::clone(&busy) };
        let engine = Some(engine.clone());
        (Self { engine, platform, orders: Some(send), busy }, keeper)
    }

    /// A list that is forgotten with the process: for a link that stands alone.
    pub(in crate::chat) fn unkept(platform: &'static str) -> Self {
        Self { engine: None, platform, orders: None, busy: Arc::default() }
    }

    /// Begins to write something down. It counts as being answered from now on.
    pub(in crate::chat) fn keep(&self, key: &str, body: String) -> Kept {
        self.busy.lock().insert(key.to_owned());
        let (Some(orders), Some(engine)) = (&self.orders, &self.engine) else { return Kept(None) };
        let since = engine.now();
        let ends = since.checked_add(LIVES).unwrap_or(since);
        let (kept, told) = oneshot::channel();
        let order = Order::Keep { owed: Owed { key: key.to_owned(), since, ends, body }, kept };
        if orders.try_send(order).is_err() {
            metrics::counter!("kubemend_chat_unkept_total", "platform" => self.platform).increment(1);
            return Kept(None);
        }
        Kept(Some(told))
    }

    /// Waits until all that was kept so far is on the disk, but not for ever: what is done about it shall not be
    /// there without it.
    pub(in crate::chat) async fn written(&self) {
        let Some(orders) = &self.orders else { return };
        let (told, written) = oneshot::channel();
        let asked = async { orders.send(Order::Written(told)).await.is_ok() && written.await.is_ok() };
        if tokio::time::timeout(WORK_PATIENCE, asked).await.is_err() {
            tracing::warn!("the disk is slow; work on {} goes on without it", self.platform);
        }
    }

    /// It was answered, or nobody can be reached.
    pub(in crate::chat) async fn answered(&self, key: &str) {
        let told = match &self.orders {
            Some(orders) => orders.send(Order::Answered { key: key.to_owned() }).await.is_ok(),
            None => false,
        };
        // The keeper does it once it is forgotten; before, it would be taken up again.
        if !told {
            self.busy.lock().remove(key);
        }
    }

    /// It could not be answered yet.
    pub(in crate::chat) fn put_off(&self, key: &str) {
        self.busy.lock().remove(key);
    }

    /// Hands over what waits for an answer and nobody is working on.
    pub(in crate::chat) async fn hand_over(&self, to: &impl TakesUp, stop: &CancellationToken) {
        for owed in self.take_up().await {
            tokio::select! {
                () = stop.cancelled() => return,
                () = to.take_up(owed) => {}
            }
        }
    }

    /// The same now and then, until `stop`.
    pub(in crate::chat) async fn hand_over_again(self, to: Arc<impl TakesUp>, stop: CancellationToken) {
        let mut every = tokio::time::interval(AGAIN);
        every.tick().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = every.tick() => self.hand_over(&*to, &stop).await,
            }
        }
    }

    /// What waits for an answer and nobody is working on; from now on somebody is.
    async fn take_up(&self) -> Vec<Owed> {
        let Some(engine) = &self.engine else { return Vec::new() };
        let mut owed = match engine.owed(self.platform).await {
            Ok(owed) => owed,
            Err(refused) => {
                let chain: &dyn std::error::Error = &refused;
                tracing::warn!(error = chain, "what is owed on {} cannot be read", self.platform);
                return Vec::new();
            }
        };
        let mut busy = self.busy.lock();
        owed.retain(|owed| busy.insert(owed.key.clone()));
        owed
    }
}

impl Kept {
    /// Waits for the disk, but not for long.
    pub(in crate::chat) async fn in_time(self) {
        let Some(told) = self.0 else { return };
        if tokio::time::timeout(PATIENCE, told).await.is_err() {
            metrics::counter!("kubemend_chat_late_writes_total").increment(1);
        }
    }
}

impl Keeper {
    /// Writes until `stop`, and what waits then. Whoever answers is to be stopped before.
    pub(in crate::chat) async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::new();
        loop {
            let count = tokio::select! {
                biased;
                count = self.orders.recv_many(&mut batch, TOGETHER) => count,
                () = stop.cancelled() => break,
            };
            if count == 0 {
                return stop.cancelled().await;
            }
            self.write(std::mem::take(&mut batch)).await;
        }
        self.orders.close();
        while self.orders.recv_many(&mut batch, TOGETHER).await > 0 {
            self.write(std::mem::take(&mut batch)).await;
        }
    }

    async fn write(&self, orders: Vec<Order>) {
        let (mut owed, mut answered, mut waiting) = (Vec::<Owed>::new(), Vec::new(), Vec::new());
        for order in orders {
            match order {
                Order::Keep { owed: new, kept } => {
                    owed.push(new);
                    waiting.push(kept);
                }
                Order::Answered { key } => {
                    owed.retain(|owed| owed.key != key);
                    answered.push(key);
                }
                Order::Written(told) => waiting.push(told),
            }
        }
        let written = if owed.is_empty() && answered.is_empty() {
            Ok(())
        } else {
            self.engine.change_owed(self.platform, &owed, &answered).await
        };
        {
            let mut busy = self.busy.lock();
            for key in &answered {
                busy.remove(key);
            }
        }
        match written {
            Ok(()) => waiting.into_iter().for_each(|kept| kept.send(()).unwrap_or_default()),
            Err(refused) => {
                let chain: &dyn std::error::Error = &refused;
                tracing::warn!(error = chain, "what is owed on {} cannot be written down", self.platform);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::task::JoinSet;

    use super::*;
    use crate::engine::rig;
    use crate::store::Store;

    async fn keys(owing: &Owing) -> Vec<String> {
        owing.take_up().await.into_iter().map(|owed| owed.key).collect()
    }

    #[tokio::test]
    async fn what_was_not_answered_is_taken_up_after_a_restart_and_once() {
        let store = Store::memory().await.expect("memory");
        let engine = rig::engine(&store).await.handle();
        let (owing, keeper) = Owing::new("slack", &engine);
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(keeper.run(stop.clone()));
        for key in ["a", "b", "c"] {
            owing.keep(key, format!("about {key}")).in_time().await;
        }
        owing.answered("b").await;
        owing.put_off("c");
        stop.cancel();
        drop(owing);
        running.join_all().await;
        let (again, _keeper) = Owing::new("slack", &engine);
        assert_eq!(keys(&again).await, ["a", "c"]);
        assert_eq!(keys(&again).await, [] as [String; 0], "somebody is working on them");
        again.put_off("a");
        assert_eq!(keys(&again).await, ["a"]);
        assert_eq!(keys(&Owing::new("discord", &engine).0).await, [] as [String; 0]);
    }

    #[tokio::test]
    async fn work_begins_after_what_it_is_about_was_written() {
        let store = Store::memory().await.expect("memory");
        let engine = rig::engine(&store).await.handle();
        let (owing, keeper) = Owing::new("slack", &engine);
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(keeper.run(stop.clone()));
        for number in 0..50 {
            let key = number.to_string();
            drop(owing.keep(&key, String::new()));
            owing.written().await;
            let kept = engine.owed("slack").await.expect("readable");
            assert!(kept.iter().any(|owed| owed.key == key), "{key} is not written");
        }
        stop.cancel();
        running.join_all().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn with_a_stalled_disk_acknowledgements_wait_no_longer_than_they_may() {
        let store = Store::memory().await.expect("memory");
        let engine = rig::engine(&store).await.handle();
        // The keeper never runs: to those who wait, that is a disk that takes nothing.
        let (owing, _keeper) = Owing::new("slack", &engine);
        let waits = (0..1_000).map(|number| {
            let kept = owing.keep(&number.to_string(), String::new());
            async move {
                let started = Instant::now();
                kept.in_time().await;
                started.elapsed()
            }
        });
        let mut took = futures::future::join_all(waits).await;
        took.sort();
        assert!(took[989] < Duration::from_millis(100), "p99 is {:?}", took[989]);
        assert!(took[0] >= PATIENCE, "and the disk was waited for");
    }
}
