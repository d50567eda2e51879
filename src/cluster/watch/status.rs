//! How each watch is doing, for `status` and for people: one record per watched kind and namespace.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::trouble::Trouble;
use crate::cluster::kind::Watched;
use crate::cluster::wire::DecodeError;
use crate::incident::Text;

/// The record of one watch.
pub(in crate::cluster) struct Progress {
    pub(in crate::cluster) kind: Watched,
    pub(in crate::cluster) namespace: Option<Text>,
    settled: AtomicBool,
    unparsed: AtomicU64,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    synced: bool,
    trouble: Option<Trouble>,
    last_unparsed: Option<String>,
    contact: Option<Timestamp>,
}

/// How one watch is doing.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KindStatus {
    pub kind: &'static str,
    /// `None`: all namespaces.
    pub namespace: Option<Text>,
    /// The first listing is complete.
    pub synced: bool,
    /// There is no right to list or watch it; the rest works without.
    pub forbidden: bool,
    /// Why the last attempt failed, if it did.
    pub trouble: Option<String>,
    /// Objects that could not be read, and what was wrong with the last one.
    pub unparsed: u64,
    pub last_unparsed: Option<String>,
    /// When the server last said anything about it.
    pub contact: Option<Timestamp>,
}

impl Progress {
    pub(in crate::cluster) fn new(kind: Watched, namespace: Option<Text>) -> Self {
        Self {
            kind,
            namespace,
            settled: AtomicBool::new(false),
            unparsed: AtomicU64::new(0),
            told: Mutex::default(),
        }
    }

    pub(in crate::cluster) fn report(&self) -> KindStatus {
        let told = self.told.lock();
        KindStatus {
            kind: self.kind.name(),
            namespace: self.namespace.clone(),
            synced: told.synced,
            forbidden: matches!(told.trouble, Some(Trouble::Forbidden(_))),
            trouble: told.trouble.as_ref().map(Trouble::text),
            unparsed: self.unparsed.load(Ordering::Relaxed),
            last_unparsed: told.last_unparsed.clone(),
            contact: told.contact,
        }
    }

    /// Whether it is clear what this watch brings at the start: its listing, or nothing.
    pub(in crate::cluster) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    pub(super) fn listed(&self, now: Timestamp) {
        let mut told = self.told.lock();
        (told.synced, told.trouble, told.contact) = (true, None, Some(now));
        self.settled.store(true, Ordering::Release);
    }

    pub(super) fn heard(&self, now: Timestamp) {
        let mut told = self.told.lock();
        (told.trouble, told.contact) = (None, Some(now));
    }

    /// Notes the trouble; whether it is another one than before, and so worth saying.
    pub(super) fn failed(&self, trouble: &Trouble) -> bool {
        let mut told = self.told.lock();
        let new = told.trouble.as_ref().is_none_or(|known| known.label() != trouble.label());
        if matches!(trouble, Trouble::Forbidden(_) | Trouble::Absent) {
            told.synced = false;
            self.settled.store(true, Ordering::Release);
        }
        told.trouble = Some(trouble.clone());
        new
    }

    /// Counts what could not be read, and names it in the log: each time a little less often.
    pub(super) fn unparsed(&self, error: &DecodeError) {
        let count = self.unparsed.fetch_add(1, Ordering::Relaxed) + 1;
        metrics::counter!("kubemend_objects_unparsed_total", "kind" => self.kind.name()).increment(1);
        if count.is_power_of_two() {
            tracing::warn!(kind = self.kind.name(), count, "cannot read an object and skips it: {error}");
        }
        self.told.lock().last_unparsed = Some(error.to_string());
    }
}
