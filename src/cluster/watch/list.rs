//! The initial listing: streamed (`sendInitialEvents`) where the server can, paged where it cannot.
//!
//! Whether it can is tried once per server, on a short collection and with a deadline: versions do not tell,
//! and a server too old to know the parameter answers with a watch that never says where the listing ends.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::timeout;

use super::lines::{Line, Lines};
use super::open::{open, query};
use super::trouble::Trouble;
use super::{Shared, Stage, Watch, next_chunk};
use crate::cluster::cache::Delivery;
use crate::cluster::kind::Watched;
use crate::cluster::wire::{self, Frame, frame};

/// Objects per page. A page is held as text while it is read: 100 pods are about a mebibyte.
pub(super) const PAGE: usize = 100;
/// When tokens expire between pages, pages grow up to this.
const LARGEST_PAGE: usize = 5_000;
/// A page beyond this is no page.
const LONGEST_BODY: usize = 1 << 30;

/// Whether the server streams listings.
pub(super) struct Streaming(AtomicBool);

impl Shared {
    /// Whether to ask for a streamed listing. Tried on first use.
    async fn streams(&self) -> Result<&Streaming, Trouble> {
        self.streaming
            .get_or_try_init(|| async {
                let able = self.timing.stream_lists && probe(self).await?;
                tracing::debug!(able, "whether the server streams listings");
                Ok(Streaming(AtomicBool::new(able)))
            })
            .await
    }
}

/// Whether a small collection is streamed to its end. What the server refuses or forbids is a no.
async fn probe(shared: &Shared) -> Result<bool, Trouble> {
    let namespaced =
        shared.progress.iter().find(|p| p.kind == Watched::ServiceAccount && p.namespace.is_some());
    let (kind, namespace) = match namespaced {
        Some(progress) => (progress.kind, progress.namespace.as_deref()),
        None => (Watched::Namespace, None),
    };
    let uri = streamed(&kind.path(namespace), "10");
    let ended = async {
        let mut body = open(shared, &uri).await?;
        let (mut lines, mut end) = (Lines::default(), None);
        while let Some(chunk) = next_chunk(&mut body, shared.timing.probe).await? {
            lines.feed(&chunk, |line| {
                if let Line::Whole(line) = line {
                    match frame(line, kind.form()) {
                        Ok(Frame::Bookmark { initial_events_end: true, .. }) => end = Some(true),
                        Ok(Frame::Failed(_)) => end = Some(false),
                        Ok(_) | Err(_) => {}
                    }
                }
            });
            if let Some(end) = end {
                return Ok(end);
            }
        }
        Ok(false)
    };
    match timeout(shared.timing.probe, ended).await {
        Err(_) | Ok(Err(Trouble::Silent | Trouble::Refused(_) | Trouble::Forbidden(_) | Trouble::Absent)) => {
            Ok(false)
        }
        Ok(result) => result,
    }
}

fn streamed(path: &str, seconds: &str) -> String {
    query(
        path,
        &[
            ("watch", "true"),
            ("sendInitialEvents", "true"),
            ("resourceVersionMatch", "NotOlderThan"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", seconds),
        ],
    )
}

impl Watch {
    /// Lists everything, then watches on.
    pub(super) async fn list(&mut self) -> Result<Infallible, Trouble> {
        let shared = std::sync::Arc::clone(&self.shared);
        let streaming = shared.streams().await?;
        if !streaming.0.load(Ordering::Relaxed) {
            self.list_paged().await?;
            return self.resume().await;
        }
        let trouble = self.list_streamed().await;
        // Only a listing that never got through puts the way in doubt.
        if self.version.is_none() && matches!(trouble, Trouble::Silent | Trouble::Refused(_)) {
            streaming.0.store(false, Ordering::Relaxed);
        }
        Err(trouble)
    }

    async fn list_streamed(&mut self) -> Trouble {
        let seconds = self.shared.timing.watch.as_secs().to_string();
        self.next_epoch();
        match open(&self.shared, &streamed(&self.path(), &seconds)).await {
            Ok(body) => self.read(body, Stage::Listing).await,
            Err(trouble) => trouble,
        }
    }

    async fn list_paged(&mut self) -> Result<(), Trouble> {
        let shared = std::sync::Arc::clone(&self.shared);
        let _turn = shared.listings.acquire().await.expect("the semaphore is never closed");
        self.next_epoch();
        let (mut more, mut version) = (None, None);
        loop {
            let page = self.page(more.as_deref()).await;
            if page == Err(Trouble::Expired) {
                self.page = (self.page * 5).min(LARGEST_PAGE);
            }
            let (first_version, next) = page?;
            // All pages are of one version.
            let version = version.get_or_insert(first_version);
            more = next;
            if more.is_none() {
                self.body = Vec::new();
                self.listed(&version.clone());
                return Ok(());
            }
        }
    }

    /// Reads one page into the cache: its version, and the token of the next.
    async fn page(&mut self, more: Option<&str>) -> Result<(String, Option<String>), Trouble> {
        let limit = self.page.to_string();
        let mut parameters = vec![("limit", limit.as_str())];
        parameters.extend(more.map(|token| ("continue", token)));
        let mut body = open(&self.shared, &query(&self.path(), &parameters)).await?;
        self.body.clear();
        while let Some(chunk) = next_chunk(&mut body, self.shared.timing.answer).await? {
            if self.body.len() + chunk.len() > LONGEST_BODY {
                return Err(Trouble::Broken("a page that does not end".to_owned()));
            }
            self.body.extend_from_slice(&chunk);
        }
        let now = self.shared.clock.now();
        let kind = self.progress.kind;
        let page = wire::page(&self.body).map_err(|error| Trouble::Broken(format!("a page is {error}")))?;
        for item in &page.items {
            match wire::decode_as(item.get().as_bytes(), kind.form()) {
                Ok(object) => {
                    self.shared.cache.apply(kind, object, self.epoch, Delivery::Listed, now);
                }
                Err(error) => self.progress.unparsed(&error),
            }
        }
        self.progress.heard(now);
        Ok((page.resource_version().to_owned(), page.more().map(str::to_owned)))
    }

    /// The listing is complete, as of that version.
    pub(super) fn listed(&mut self, version: &str) {
        let now = self.shared.clock.now();
        let Self { shared, progress, epoch, .. } = self;
        shared.cache.sweep(progress.kind, progress.namespace.as_deref(), *epoch, now);
        if progress.is_settled() {
            // Between the two listings something may have come and gone.
            shared.cache.changes().everything();
        }
        progress.listed(now);
        shared.settled.notify_waiters();
        tracing::debug!(kind = progress.kind.name(), "listed");
        self.page = PAGE;
        self.version = Some(version.to_owned());
    }
}
