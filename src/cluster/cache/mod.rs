//! What is known of one cluster: written through one door (the write methods of `Cache`, one lock), read cheaply.
//!
//! Owns which objects are suspects, and says so twice: as a level ([`Cache::suspects`]) and as coalesced
//! changes. Refuses clients and clocks: time comes in with every call. A watch that delivers twice or in the
//! wrong order, a relist and a restart all end at the same level.

mod changes;
mod due;
mod events;
pub mod health;
mod ids;
mod names;
mod pods;
mod read;
mod said;
mod table;
mod tables;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;
use tokio::sync::Notify;

pub use changes::{Changes, ClusterChange};
pub use events::{MOST as MOST_EVENTS, merged};
pub use ids::Uid;
pub use read::PodFound;

use self::tables::Tables;
use super::kind::Watched;
use super::wire::AnyObject;
use crate::incident::Text;

/// How an object came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// In a listing: it is there now, but it is no news.
    Listed,
    /// By a watch: it is there now, and somebody touched it just now.
    Watched,
}

/// What the watch should do about a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Kept,
    /// An older version came after a newer one: a new listing tells what is true.
    Broken,
}

/// The cache of one cluster.
pub struct Cache {
    cluster: Text,
    tables: RwLock<Tables>,
    changes: Changes,
    sooner: Notify,
}

impl Cache {
    pub fn new(cluster: &Text) -> Self {
        Self::with_room_for(cluster, MOST_EVENTS)
    }

    /// With room for so many events.
    pub fn with_room_for(cluster: &Text, events: usize) -> Self {
        Self {
            cluster: cluster.clone(),
            tables: RwLock::new(Tables::with_room_for(events)),
            changes: Changes::default(),
            sooner: Notify::new(),
        }
    }

    /// The queue of subjects worth a diagnosis.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The object is there.
    pub fn apply(
        &self,
        kind: Watched,
        object: AnyObject,
        epoch: u32,
        how: Delivery,
        now: Timestamp,
    ) -> Order {
        self.write(|tables, out| tables.apply(kind, object, epoch, how, now, out))
    }

    /// The object is gone.
    pub fn delete(&self, kind: Watched, object: &AnyObject, now: Timestamp) {
        self.write(|tables, out| tables.delete(kind, object, now, out));
    }

    /// A listing is complete: what it did not name is gone.
    pub fn sweep(&self, kind: Watched, namespace: Option<&str>, epoch: u32, now: Timestamp) {
        self.write(|tables, out| tables.sweep(kind, namespace, epoch, now, out));
        Text::sweep();
    }

    /// Judges again what is due; when the next is.
    pub fn tick(&self, now: Timestamp) -> Option<Timestamp> {
        self.write(|tables, out| tables.tick(now, out))
    }

    /// Returns once something is due sooner than [`tick`](Self::tick) said.
    pub async fn sooner(&self) {
        self.sooner.notified().await;
    }

    fn write<R>(&self, work: impl FnOnce(&mut Tables, &mut Out<'_>) -> R) -> R {
        let mut out = Out { cluster: &self.cluster, changes: &self.changes, sooner: false };
        let result = work(&mut self.tables.write(), &mut out);
        if out.sooner {
            self.sooner.notify_one();
        }
        result
    }
}

/// Where a writer says what changed.
struct Out<'a> {
    cluster: &'a Text,
    changes: &'a Changes,
    sooner: bool,
}

/// How long an event is kept after it last happened; a server keeps them for an hour by default.
const EVENTS_LAST: SignedDuration = SignedDuration::from_hours(2);
