//! What is stored: one revision counter, and per resource a map of objects and a bounded history of
//! changes. Owns reading, committing and looking back; refuses to judge what is committed.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::gvr::Gvr;
use super::meta;

/// Namespace and name; the namespace is empty for cluster-scoped objects.
pub(super) type Key = (String, String);

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchType {
    /// It is new.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
    /// Nothing happened; the object carries only a resource version.
    Bookmark,
    /// The watch is over; the object is a `Status`.
    Error,
}

impl WatchType {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
            Self::Bookmark => "BOOKMARK",
            Self::Error => "ERROR",
        }
    }
}

/// One committed change.
pub(super) struct Change {
    pub(super) rv: u64,
    pub(super) kind: WatchType,
    pub(super) object: Arc<Value>,
    pub(super) previous: Option<Arc<Value>>,
    line: OnceLock<Bytes>,
}

impl Change {
    /// The line a plain watch of the stored version sends: made once, shared by all watchers.
    pub(super) fn line(&self) -> Bytes {
        self.line.get_or_init(|| event_line(self.kind, &self.object)).clone()
    }
}

/// One watch event as it goes over the wire.
pub(super) fn event_line(kind: WatchType, object: &Value) -> Bytes {
    let mut line = format!("{{\"type\":\"{}\",\"object\":", kind.text()).into_bytes();
    // Writing a Value into memory has no way to fail.
    let _ = serde_json::to_writer(&mut line, object);
    line.extend_from_slice(b"}\n");
    Bytes::from(line)
}

/// Objects of one resource and what happened to them lately.
pub(super) struct Shelf {
    pub(super) objects: BTreeMap<Key, Arc<Value>>,
    history: VecDeque<Arc<Change>>,
    /// Changes up to and including this revision are forgotten.
    forgotten: u64,
    wake: watch::Sender<u64>,
}

impl Shelf {
    fn new(revision: u64) -> Self {
        Self {
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            forgotten: 0,
            wake: watch::channel(revision).0,
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }

    /// Objects of a namespace, or of all.
    pub(super) fn range(&self, ns: Option<&str>) -> Vec<Arc<Value>> {
        match ns {
            None => self.objects.values().cloned().collect(),
            Some(ns) => self
                .objects
                .range((ns.to_owned(), String::new())..)
                .take_while(|(key, _)| key.0 == ns)
                .map(|(_, object)| Arc::clone(object))
                .collect(),
        }
    }

    /// Changes behind `since`, oldest first; the oldest known revision if some are forgotten.
    pub(super) fn changes(&self, since: u64, most: usize) -> Result<Vec<Arc<Change>>, u64> {
        if since < self.forgotten {
            return Err(self.forgotten);
        }
        let start = self.history.partition_point(|change| change.rv <= since);
        Ok(self.history.iter().skip(start).take(most).cloned().collect())
    }

    /// The objects as they were at `revision`; None if that is forgotten.
    pub(super) fn at(&self, revision: u64) -> Option<BTreeMap<Key, Arc<Value>>> {
        if revision < self.forgotten {
            return None;
        }
        let mut then = self.objects.clone();
        for change in self.history.iter().rev().take_while(|change| change.rv > revision) {
            let key = meta::key(&change.object);
            match &change.previous {
                Some(before) => then.insert(key, Arc::clone(before)),
                None => then.remove(&key),
            };
        }
        Some(then)
    }

    fn forget(&mut self, keep: usize) {
        while self.history.len() > keep {
            if let Some(old) = self.history.pop_front() {
                self.forgotten = old.rv;
            }
        }
    }
}

/// All shelves and the revision they share.
pub(super) struct Store {
    pub(super) revision: u64,
    shelves: HashMap<Gvr, Shelf>,
    keep: usize,
}

impl Store {
    pub(super) fn new() -> Self {
        Self { revision: 1, shelves: HashMap::new(), keep: 4096 }
    }

    /// How many changes each resource remembers.
    pub(super) fn keep(&mut self, changes: usize) {
        self.keep = changes;
    }

    /// Forgets all history: watches and tokens from before answer 410.
    pub(super) fn compact(&mut self) {
        let now = self.revision;
        for shelf in self.shelves.values_mut() {
            shelf.forget(0);
            shelf.forgotten = now;
        }
    }

    pub(super) fn shelf(&mut self, gvr: Gvr) -> &mut Shelf {
        let revision = self.revision;
        self.shelves.entry(gvr).or_insert_with(|| Shelf::new(revision))
    }

    pub(super) fn peek(&self, gvr: &Gvr) -> Option<&Shelf> {
        self.shelves.get(gvr)
    }

    pub(super) fn get(&self, gvr: &Gvr, ns: &str, name: &str) -> Option<Arc<Value>> {
        self.peek(gvr)?.objects.get(&(ns.to_owned(), name.to_owned())).cloned()
    }

    pub(super) fn all(&self, gvr: &Gvr, ns: Option<&str>) -> Vec<Arc<Value>> {
        self.peek(gvr).map(|shelf| shelf.range(ns)).unwrap_or_default()
    }

    pub(super) fn shelves(&self) -> impl Iterator<Item = (&Gvr, &Shelf)> {
        self.shelves.iter()
    }

    /// Stores an object under a new revision.
    pub(super) fn put(&mut self, gvr: Gvr, mut object: Value) -> Arc<Value> {
        self.revision += 1;
        object["metadata"]["resourceVersion"] = json!(self.revision.to_string());
        let object = Arc::new(object);
        let key = meta::key(&object);
        let previous = self.shelf(gvr).objects.insert(key, Arc::clone(&object));
        let kind = if previous.is_some() { WatchType::Modified } else { WatchType::Added };
        self.record(gvr, kind, Arc::clone(&object), previous);
        object
    }

    /// Removes an object; what watchers see last carries the revision of the removal.
    pub(super) fn take(&mut self, gvr: Gvr, key: &Key) -> Option<Arc<Value>> {
        let previous = self.shelf(gvr).objects.remove(key)?;
        self.revision += 1;
        let mut last = (*previous).clone();
        last["metadata"]["resourceVersion"] = json!(self.revision.to_string());
        let last = Arc::new(last);
        self.record(gvr, WatchType::Deleted, Arc::clone(&last), Some(previous));
        Some(last)
    }

    fn record(&mut self, gvr: Gvr, kind: WatchType, object: Arc<Value>, previous: Option<Arc<Value>>) {
        let (rv, keep) = (self.revision, self.keep);
        let shelf = self.shelf(gvr);
        shelf.history.push_back(Arc::new(Change { rv, kind, object, previous, line: OnceLock::new() }));
        shelf.forget(keep);
        shelf.wake.send_replace(rv);
    }
}
