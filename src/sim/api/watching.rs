//! Following a resource. Owns the cursor over the history of one shelf, for callers in this process and
//! for HTTP watches alike.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use super::ApiServer;
use super::gvr::Gvr;
use super::meta;
use super::status::Status;
use super::store::{Change, WatchType};

/// Changes taken from the history at a time.
const BATCH: usize = 256;

/// A cursor in the history of one resource.
pub(super) struct Feed {
    api: ApiServer,
    shelf: Gvr,
    pub(super) cursor: u64,
    wake: watch::Receiver<u64>,
}

impl Feed {
    pub(super) fn new(api: &ApiServer, shelf: Gvr, cursor: u64) -> Self {
        let wake = api.inner.state.lock().store.shelf(shelf).subscribe();
        Self { api: api.clone(), shelf, cursor, wake }
    }

    /// What happened since the last call; 410 if it is forgotten.
    pub(super) fn pull(&mut self) -> Result<Vec<Arc<Change>>, Status> {
        self.wake.mark_unchanged();
        let state = self.api.inner.state.lock();
        let Some(shelf) = state.store.peek(&self.shelf) else {
            return Ok(Vec::new());
        };
        let changes =
            shelf.changes(self.cursor, BATCH).map_err(|oldest| Status::too_old(self.cursor, oldest))?;
        if changes.len() < BATCH {
            self.cursor = self.cursor.max(state.store.revision);
        } else if let Some(last) = changes.last() {
            self.cursor = last.rv;
        }
        if changes.len() == BATCH {
            self.wake.mark_changed();
        }
        Ok(changes)
    }

    /// Returns when there may be something to pull.
    pub(super) async fn wait(&mut self) {
        if self.wake.changed().await.is_err() {
            // The shelf is gone with its CustomResourceDefinition: nothing will ever come.
            std::future::pending::<()>().await;
        }
    }
}

/// A watch of a caller in this process.
pub struct Watch {
    feed: Feed,
    ns: Option<String>,
    queue: VecDeque<(WatchType, Arc<Value>)>,
}

impl Watch {
    pub(super) fn new(api: &ApiServer, shelf: Gvr, ns: Option<&str>, since: Option<u64>) -> Self {
        let mut watch = Self {
            feed: Feed::new(api, shelf, since.unwrap_or_default()),
            ns: ns.map(str::to_owned),
            queue: VecDeque::new(),
        };
        if since.is_none() {
            watch.start_over();
        }
        watch
    }

    /// The next event. Without `since` the objects of now come first, as `Added`. After an `Error` the
    /// watch starts over in the same way: forget what you knew.
    pub async fn next(&mut self) -> (WatchType, Arc<Value>) {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            match self.feed.pull() {
                Ok(changes) => self.take(&changes),
                Err(expired) => {
                    self.start_over();
                    return (WatchType::Error, Arc::new(expired.to_value()));
                }
            }
            if self.queue.is_empty() {
                self.feed.wait().await;
            }
        }
    }

    fn take(&mut self, changes: &[Arc<Change>]) {
        for change in changes {
            if self.ns.as_deref().is_none_or(|ns| ns == meta::namespace(&change.object)) {
                self.queue.push_back((change.kind, Arc::clone(&change.object)));
            }
        }
    }

    fn start_over(&mut self) {
        let state = self.feed.api.inner.state.lock();
        let now = state.store.all(&self.feed.shelf, self.ns.as_deref());
        self.feed.cursor = state.store.revision;
        self.queue = now.into_iter().map(|object| (WatchType::Added, object)).collect();
    }
}
