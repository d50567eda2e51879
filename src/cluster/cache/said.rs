//! What is said of objects, and when that is news.
//!
//! Events about watched kinds, and warnings about all others (autoscalers, CronJobs, custom resources), which
//! have a room of their own, so that none of them costs a pod its events.

use jiff::Timestamp;

use super::events::{Events, MOST};
use super::ids::Uid;
use super::tables::Tables;
use super::{Delivery, EVENTS_LAST, Out};
use crate::cluster::kind::Watched;
use crate::cluster::wire::{api_kind, last_seen};
use crate::incident::ObjectRef;
use crate::incident::objects::{Event, Regarding};

const MOST_FOREIGN: usize = 2_048;

pub(super) struct Said {
    watched: Events,
    foreign: Events,
}

impl Default for Said {
    fn default() -> Self {
        Self::with_room_for(MOST)
    }
}

impl Said {
    pub(super) fn with_room_for(events: usize) -> Self {
        Self { watched: Events::with_room_for(events), foreign: Events::with_room_for(MOST_FOREIGN) }
    }

    /// Where events about objects of that kind are.
    pub(super) fn of(&self, kind: &str) -> &Events {
        if Watched::of(kind).is_some() { &self.watched } else { &self.foreign }
    }

    fn record(&mut self, event: Event) -> bool {
        self.of_mut(&event.regarding.kind).record(event)
    }

    pub(super) fn remove(&mut self, event: &Event) {
        self.of_mut(&event.regarding.kind).remove(event);
    }

    /// An object of a watched kind is gone for good.
    pub(super) fn forget(&mut self, uid: Uid) {
        self.watched.forget(uid);
    }

    /// Drops what last happened before `since`.
    pub(super) fn expire(&mut self, since: Timestamp) {
        self.watched.expire(since);
        self.foreign.expire(since);
    }

    pub(super) fn len(&self) -> usize {
        self.watched.len() + self.foreign.len()
    }

    fn of_mut(&mut self, kind: &str) -> &mut Events {
        if Watched::of(kind).is_some() { &mut self.watched } else { &mut self.foreign }
    }
}

impl Tables {
    /// An event is news if it happened just now; and what it is about is worth a look if it is a warning or
    /// about a suspect: decisive ones are often `Normal`.
    pub(super) fn apply_event(&mut self, event: Event, how: Delivery, now: Timestamp, out: &mut Out<'_>) {
        let old = how == Delivery::Listed && now.duration_since(last_seen(&event)) > EVENTS_LAST;
        if old {
            return;
        }
        let Some(kind) = Watched::of(&event.regarding.kind) else {
            return self.apply_foreign(event, how, out);
        };
        let regarding = event.regarding.clone();
        let warning = event.kind == "Warning";
        let known = self.is_suspect(kind, &regarding.namespace, &regarding.name, &regarding.uid);
        if how == Delivery::Listed && !known && !warning {
            return;
        }
        let news = self.events.record(event) && how == Delivery::Watched;
        if news && (known || warning) {
            out.changes.changed(ObjectRef {
                cluster: out.cluster.clone(),
                api: kind.api().clone(),
                uid: self.uid_of(kind, &regarding.name, &regarding.uid),
                namespace: regarding.namespace,
                name: regarding.name,
            });
        }
    }

    /// Nothing is known of the object but what is said of it, and only a warning is worth that.
    fn apply_foreign(&mut self, event: Event, how: Delivery, out: &Out<'_>) {
        let Regarding { api_version, kind, namespace, name, uid, .. } = event.regarding.clone();
        if event.kind != "Warning" || kind.is_empty() || name.is_empty() {
            return;
        }
        if self.events.record(event) && how == Delivery::Watched {
            let api = api_kind(&api_version, &kind);
            out.changes.changed(ObjectRef { cluster: out.cluster.clone(), api, namespace, name, uid });
        }
    }
}
