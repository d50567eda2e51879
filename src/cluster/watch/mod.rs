//! Follows one kind, in one namespace or all: lists, watches, and starts again where it left off.
//!
//! Owns every way a watch can end. Refuses to interpret resource versions: they are text that is given back.
//! The initial list is streamed where the server can, and paged where it cannot, so that no more than a page
//! is ever held twice.

mod lines;
mod list;
mod open;
mod status;
mod trouble;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use kube::client::Body;
use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use self::lines::{Line, Lines};
use self::list::Streaming;
use self::open::{open, query};
pub use self::status::KindStatus;
pub(super) use self::status::Progress;
use self::trouble::Backoff;
pub(super) use self::trouble::Trouble;
use super::cache::{Cache, Delivery, Order};
use super::config::{Clock, Timing};
use super::kind::Watched;
use super::link::Link;
use super::wire::{Frame, frame};
use crate::incident::Text;

/// What the watches of one cluster share.
pub(super) struct Shared {
    pub(super) link: Link,
    pub(super) cache: Arc<Cache>,
    pub(super) clock: Clock,
    pub(super) timing: Timing,
    pub(super) progress: Vec<Arc<Progress>>,
    /// Some watch has settled.
    pub(super) settled: Notify,
    streaming: OnceCell<Streaming>,
    /// So many listings at a time: pages are the largest thing held.
    listings: Semaphore,
    epochs: AtomicU32,
}

impl Shared {
    pub(super) fn new(
        link: Link,
        cache: Arc<Cache>,
        clock: Clock,
        timing: Timing,
        namespaces: &[Text],
    ) -> Self {
        let scopes = |kind: Watched| -> Vec<Option<Text>> {
            let all = namespaces.is_empty() || !kind.is_namespaced();
            if all { vec![None] } else { namespaces.iter().cloned().map(Some).collect() }
        };
        let watches =
            Watched::ALL.into_iter().flat_map(|kind| scopes(kind).into_iter().map(move |ns| (kind, ns)));
        Self {
            link,
            cache,
            clock,
            timing,
            progress: watches.map(|(kind, namespace)| Arc::new(Progress::new(kind, namespace))).collect(),
            settled: Notify::new(),
            streaming: OnceCell::new(),
            listings: Semaphore::new(2),
            epochs: AtomicU32::new(0),
        }
    }

    /// Returns once all watches but those of `except` have settled, or the time for that is up.
    pub(super) async fn settle(&self, except: Option<Watched>) {
        let deadline = Instant::now() + self.timing.settle;
        loop {
            let news = self.settled.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let waits = |progress: &&Arc<Progress>| Some(progress.kind) != except && !progress.is_settled();
            if self.progress.iter().find(waits).is_none()
                || tokio::time::timeout_at(deadline, news).await.is_err()
            {
                return;
            }
        }
    }
}

/// Follows one kind for as long as it is polled.
pub(super) async fn follow(shared: Arc<Shared>, progress: Arc<Progress>) {
    if progress.kind == Watched::Event {
        // Events are worth keeping according to what they are about.
        shared.settle(Some(Watched::Event)).await;
    }
    let Timing { backoff, backoff_most, .. } = shared.timing;
    let mut watch = Watch {
        shared,
        progress,
        version: None,
        epoch: 0,
        page: list::PAGE,
        backoff: Backoff::new(backoff, backoff_most),
        body: Vec::new(),
        began: Instant::now(),
    };
    loop {
        let trouble = watch.round().await;
        watch.pause(trouble).await;
    }
}

struct Watch {
    shared: Arc<Shared>,
    progress: Arc<Progress>,
    /// Where to go on from; `None`: list first.
    version: Option<String>,
    epoch: u32,
    page: usize,
    backoff: Backoff,
    /// The page that is being read; kept from page to page, not from listing to listing.
    body: Vec<u8>,
    began: Instant,
}

/// Whether a stream of frames is still the initial listing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Listing,
    Watching,
}

impl Watch {
    /// Lists if need be, then watches until something ends it.
    async fn round(&mut self) -> Trouble {
        self.began = Instant::now();
        let result = match self.version {
            Some(_) => self.resume().await,
            None => self.list().await,
        };
        match result {
            Ok(never) => match never {},
            Err(trouble) => trouble,
        }
    }

    async fn resume(&mut self) -> Result<std::convert::Infallible, Trouble> {
        let version = self.version.clone().unwrap_or_default();
        let seconds = self.shared.timing.watch.as_secs().to_string();
        let uri = query(
            &self.path(),
            &[
                ("watch", "true"),
                ("allowWatchBookmarks", "true"),
                ("resourceVersion", &version),
                ("timeoutSeconds", &seconds),
            ],
        );
        let body = open(&self.shared, &uri).await?;
        // The server goes on from what was seen last: that is level, also where nothing ever changes.
        self.progress.heard(self.shared.clock.now());
        Err(self.read(body, Stage::Watching).await)
    }

    /// Reads frames until something ends them.
    async fn read(&mut self, mut body: Body, mut stage: Stage) -> Trouble {
        let mut lines = Lines::default();
        loop {
            let patience = match stage {
                Stage::Listing => self.shared.timing.answer,
                Stage::Watching => self.shared.timing.idle,
            };
            let chunk = match next_chunk(&mut body, patience).await {
                Ok(Some(chunk)) => chunk,
                Ok(None) if stage == Stage::Listing => {
                    return Trouble::Broken("the listing ended in the middle".to_owned());
                }
                Ok(None) => return Trouble::Ended,
                Err(trouble) => return trouble,
            };
            if let Err(trouble) = self.take(&chunk, &mut lines, &mut stage) {
                return trouble;
            }
        }
    }

    /// All lines of a chunk; the hot path.
    fn take(&mut self, chunk: &Bytes, lines: &mut Lines, stage: &mut Stage) -> Result<(), Trouble> {
        let now = self.shared.clock.now();
        let mut result = Ok(());
        lines.feed(chunk, |line| {
            if result.is_ok() {
                result = match line {
                    Line::Whole(line) => self.line(line, stage, now),
                    Line::TooLong => {
                        self.progress.unparsed(&super::wire::DecodeError::NotJson {
                            problem: "a line longer than any object".to_owned(),
                        });
                        Ok(())
                    }
                };
            }
        });
        self.progress.heard(now);
        if result.is_ok() && *stage == Stage::Watching {
            self.backoff.reset();
        }
        result
    }

    fn line(&mut self, line: &[u8], stage: &mut Stage, now: jiff::Timestamp) -> Result<(), Trouble> {
        let kind = self.progress.kind;
        match frame(line, kind.form()) {
            Ok(Frame::Applied(object)) => {
                let how = match stage {
                    Stage::Listing => Delivery::Listed,
                    Stage::Watching => Delivery::Watched,
                };
                if how == Delivery::Watched {
                    self.reached(&object.meta().resource_version);
                }
                match self.shared.cache.apply(kind, object, self.epoch, how, now) {
                    Order::Kept => {}
                    Order::Broken => return Err(Trouble::OutOfOrder),
                }
            }
            Ok(Frame::Deleted(object)) => {
                if *stage == Stage::Watching {
                    self.reached(&object.meta().resource_version);
                }
                self.shared.cache.delete(kind, &object, now);
            }
            Ok(Frame::Bookmark { resource_version, initial_events_end }) => {
                if *stage == Stage::Listing && initial_events_end {
                    *stage = Stage::Watching;
                    self.listed(&resource_version);
                } else if *stage == Stage::Watching {
                    self.reached(&resource_version);
                }
            }
            Ok(Frame::Failed(status)) => return Err(Trouble::of(status, None)),
            Err(error) => self.progress.unparsed(&error),
        }
        Ok(())
    }

    /// Everything up to this version has been seen.
    fn reached(&mut self, version: &str) {
        if version.is_empty() {
            return;
        }
        let held = self.version.get_or_insert_default();
        held.clear();
        held.push_str(version);
    }

    fn path(&self) -> String {
        self.progress.kind.path(self.progress.namespace.as_deref())
    }

    /// Says what happened, decides what is still known, and waits as long as that asks for.
    #[expect(clippy::disallowed_methods, reason = "a pause between two tries")]
    async fn pause(&mut self, trouble: Trouble) {
        let kind = self.progress.kind.name();
        metrics::counter!("kubemend_watch_ends_total", "kind" => kind, "why" => trouble.label()).increment(1);
        if self.is_orderly(&trouble) {
            self.backoff.reset();
            return;
        }
        if trouble != Trouble::Ended && self.progress.failed(&trouble) {
            tracing::warn!(kind, namespace = self.progress.namespace.as_deref(), "watch: {}", trouble.text());
            self.shared.settled.notify_waiters();
        }
        let wait = self.wait_after(trouble).await;
        sleep(wait).await;
    }

    /// A watch that ends by its time, or in which nothing came because nothing changed (older servers send no
    /// bookmarks then), is no trouble: it is opened anew. One that ends at once is slowed down.
    fn is_orderly(&self, trouble: &Trouble) -> bool {
        let in_order = match trouble {
            Trouble::Ended => true,
            Trouble::Silent => self.version.is_some(),
            Trouble::Server(_)
            | Trouble::Broken(_)
            | Trouble::Expired
            | Trouble::OutOfOrder
            | Trouble::Refused(_)
            | Trouble::Forbidden(_)
            | Trouble::Absent
            | Trouble::Unauthorized
            | Trouble::Throttled(_) => false,
        };
        in_order && self.began.elapsed() > self.shared.timing.backoff
    }

    async fn wait_after(&mut self, trouble: Trouble) -> Duration {
        let due = self.backoff.next(rand::random());
        match trouble {
            Trouble::Ended | Trouble::Server(_) | Trouble::Broken(_) | Trouble::Silent => due,
            Trouble::Expired | Trouble::OutOfOrder | Trouble::Refused(_) => {
                self.version = None;
                due
            }
            Trouble::Forbidden(_) | Trouble::Absent => {
                self.version = None;
                self.shared.timing.forbidden.mul_f64(1.0 + rand::random::<f64>() / 4.0)
            }
            Trouble::Unauthorized => {
                self.shared.link.renew().await;
                due
            }
            Trouble::Throttled(after) => due.max(after.unwrap_or_default().min(self.shared.timing.patience)),
        }
    }

    fn next_epoch(&mut self) {
        self.epoch = self.shared.epochs.fetch_add(1, Ordering::Relaxed) + 1;
    }
}

/// The next chunk of data; `None` at the end.
async fn next_chunk(body: &mut Body, patience: Duration) -> Result<Option<Bytes>, Trouble> {
    loop {
        match timeout(patience, body.frame()).await {
            Err(_) => return Err(Trouble::Silent),
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => return Err(Trouble::Broken(error.to_string())),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
