//! Events about the subject: those of the cache; and where the cache had no room for all of them, the API
//! server's own, asked for once.
//!
//! A pod is asked for only when something is read for it anyway: in a storm most of them are looked at with
//! what the cache has, and their state says the same as their events.

use super::{Gatherer, Miss, gap};
use crate::cluster::cache::merged;
use crate::cluster::kind;
use crate::cluster::wire::{self, AnyObject};
use crate::incident::objects::Event;
use crate::incident::{Gathered, ObjectRef, Wants};

/// Records that are read: a server hands them out by name, which is from old to new for one object.
const MOST: usize = 500;
/// Events that are kept of those, the newest.
const NEWEST: usize = 24;
/// Where events about objects without a namespace stand.
const OF_THE_CLUSTER: &str = "default";

impl Gatherer {
    /// Fills `seen.events`.
    pub(super) async fn events(&self, seen: &mut Gathered, wants: Wants) {
        let subject = &seen.subject;
        let asks = (wants != Wants::default() || subject.api.kind != "Pod")
            && self.cache.is_short_of_events(subject);
        let told = if asks { Some(self.read_events(subject).await) } else { None };
        let read = match told {
            Some(Ok(events)) => events,
            Some(Err(miss)) => {
                seen.gaps.push(gap(&format!("older events of {}", seen.subject), miss));
                Vec::new()
            }
            None => Vec::new(),
        };
        // The server forgets after an hour, the cache later.
        let said = if read.is_empty() { self.cache.events(&seen.subject) } else { read };
        seen.events.extend(said);
    }

    /// What the API server has, oldest first, repetitions put together.
    async fn read_events(&self, subject: &ObjectRef) -> Result<Vec<Event>, Miss> {
        let namespace = if subject.namespace.is_empty() { OF_THE_CLUSTER } else { &subject.namespace };
        let collection = kind::collection(&super::known("Event"), Some(namespace));
        let path = format!("{collection}?fieldSelector={}&limit={MOST}", kind::segment(&selector(subject)));
        let body = self.reach.get(&path).await?;
        let events = wire::decode_all(&body).into_iter().filter_map(|read| match read {
            Ok(AnyObject::Event(event)) => Some(event),
            Ok(_) | Err(_) => None,
        });
        let mut events = merged(events);
        let surplus = events.len().saturating_sub(NEWEST);
        events.drain(..surplus);
        Ok(events)
    }
}

/// Components disagree on a node's uid; everything else is told apart from its namesakes by it.
fn selector(subject: &ObjectRef) -> String {
    let ObjectRef { api, name, uid, .. } = subject;
    let names = format!("involvedObject.kind={},involvedObject.name={name}", api.kind);
    if uid.is_empty() || api.kind == "Node" { names } else { format!("{names},involvedObject.uid={uid}") }
}
