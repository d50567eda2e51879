//! The last events about each object, bounded for each and in all. The oldest make room, those that are no
//! warnings first: in a storm of ten thousand pods every one keeps the warnings that tell why. Of whom
//! something was dropped for lack of room is remembered, so that it can be read when it is needed.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::ids::Uid;
use crate::cluster::wire::last_seen;
use crate::incident::objects::{Event, Regarding};
use crate::incident::{ObjectRef, Text};

const MOST_EACH: usize = 24;
/// Events of all objects together, unless told otherwise.
pub const MOST: usize = 32_768;
/// Objects that are remembered for having lost some; more of them, and all count as such.
const MOST_SHORT: usize = 65_536;

/// Under what an object's events are found.
///
/// Components disagree on the uid of what has none that they know: the kubelet writes a node's name there.
/// So nodes, and everything without a proper uid, go by kind, namespace and name.
fn key(kind: &str, namespace: &str, name: &str, uid: &str) -> Uid {
    match Uid::exact(uid) {
        Some(uid) if kind != "Node" => uid,
        _ => Uid::of(&format!("{kind} {namespace}/{name}")),
    }
}

pub(super) struct Events {
    most: usize,
    by_object: HashMap<Uid, Vec<Arc<Event>>>,
    /// Objects and names of events in order of arrival; some may be gone already.
    normal: VecDeque<(Uid, Text)>,
    warnings: VecDeque<(Uid, Text)>,
    total: usize,
    short: Short,
}

/// Of whom events were dropped for lack of room.
#[derive(Default)]
struct Short {
    of: HashSet<Uid>,
    everybody: bool,
}

impl Default for Events {
    fn default() -> Self {
        Self::with_room_for(MOST)
    }
}

impl Events {
    pub(super) fn with_room_for(most: usize) -> Self {
        Self {
            most,
            by_object: HashMap::new(),
            normal: VecDeque::new(),
            warnings: VecDeque::new(),
            total: 0,
            short: Short::default(),
        }
    }

    /// Whether events about the object were dropped for lack of room.
    pub(super) fn is_short_of(&self, subject: &ObjectRef) -> bool {
        self.short.everybody || keys(subject).iter().any(|key| self.short.of.contains(key))
    }

    /// Keeps the event. Whether it is news: a new one, or one that has happened again.
    pub(super) fn record(&mut self, event: Event) -> bool {
        let about = regarding(&event.regarding);
        let known = self.by_object.entry(about).or_default();
        if let Some(held) = known.iter_mut().find(|held| held.meta.name == event.meta.name) {
            let again = event.count > held.count || last_seen(&event) > last_seen(held);
            *held = Arc::new(event);
            return again;
        }
        let arrivals = if event.kind == "Warning" { &mut self.warnings } else { &mut self.normal };
        arrivals.push_back((about, event.meta.name.clone()));
        known.push(Arc::new(event));
        self.total += 1;
        if known.len() > MOST_EACH {
            drop_oldest(known);
            self.total -= 1;
        }
        self.make_room();
        true
    }

    /// The events about an object, oldest first, repetitions under different names put together.
    pub(super) fn about(&self, subject: &ObjectRef) -> Vec<Event> {
        let keys = keys(subject);
        let both = if keys[0] == keys[1] { &keys[..1] } else { &keys[..] };
        let found = both.iter().filter_map(|key| self.by_object.get(key)).flatten();
        merged(found.map(|event| Event::clone(event)))
    }

    pub(super) fn remove(&mut self, event: &Event) {
        let _ = self.take_out(regarding(&event.regarding), &event.meta.name);
    }

    /// The object is gone for good.
    pub(super) fn forget(&mut self, uid: Uid) {
        self.total -= self.by_object.remove(&uid).map_or(0, |events| events.len());
        self.short.of.remove(&uid);
    }

    /// Drops what last happened before `since`.
    pub(super) fn expire(&mut self, since: Timestamp) {
        self.by_object.retain(|_, events| {
            events.retain(|event| last_seen(event) >= since);
            !events.is_empty()
        });
        self.total = self.by_object.values().map(Vec::len).sum();
        self.tidy();
    }

    pub(super) fn len(&self) -> usize {
        self.total
    }

    fn make_room(&mut self) {
        while self.total > self.most {
            let oldest = self.normal.pop_front().or_else(|| self.warnings.pop_front());
            let Some((about, name)) = oldest else { return };
            if self.take_out(about, &name) {
                self.short.add(about);
            }
        }
        if self.normal.len() + self.warnings.len() > 2 * self.most {
            self.tidy();
        }
    }

    /// Whether it was there.
    fn take_out(&mut self, about: Uid, name: &str) -> bool {
        let Some(events) = self.by_object.get_mut(&about) else { return false };
        let before = events.len();
        events.retain(|event| event.meta.name != *name);
        let taken = before - events.len();
        self.total -= taken;
        if events.is_empty() {
            self.by_object.remove(&about);
        }
        taken > 0
    }

    fn tidy(&mut self) {
        let held = &self.by_object;
        let is_held = |(about, name): &(Uid, Text)| {
            held.get(about).is_some_and(|events| events.iter().any(|event| event.meta.name == *name))
        };
        self.normal.retain(is_held);
        self.warnings.retain(is_held);
    }
}

impl Short {
    fn add(&mut self, about: Uid) {
        if self.of.len() >= MOST_SHORT {
            self.everybody = true;
            self.of = HashSet::new();
        }
        if !self.everybody {
            self.of.insert(about);
        }
    }
}

/// Under what an object's events may stand: its uid, and its names.
fn keys(subject: &ObjectRef) -> [Uid; 2] {
    let ObjectRef { api, namespace, name, uid, .. } = subject;
    [key(&api.kind, namespace, name, uid), key(&api.kind, namespace, name, "")]
}

fn regarding(regarding: &Regarding) -> Uid {
    let Regarding { kind, namespace, name, uid, .. } = regarding;
    key(kind, namespace, name, uid)
}

fn drop_oldest(events: &mut Vec<Arc<Event>>) {
    let oldest = events.iter().enumerate().min_by_key(|(_, event)| last_seen(event)).map(|(at, _)| at);
    if let Some(at) = oldest {
        events.remove(at);
    }
}

/// One event for each thing said, oldest first: the same words about the same part of the same object are
/// one event however many records they were spread over.
pub fn merged(events: impl Iterator<Item = Event>) -> Vec<Event> {
    let mut merged: Vec<Event> = Vec::new();
    for event in events {
        match merged.iter_mut().find(|held| is_same(held, &event)) {
            None => merged.push(event),
            Some(held) => {
                held.count = held.count.saturating_add(event.count);
                held.first = [held.first, event.first].into_iter().flatten().min();
                held.last = [held.last, event.last].into_iter().flatten().max();
            }
        }
    }
    merged.sort_by_key(last_seen);
    merged
}

fn is_same(a: &Event, b: &Event) -> bool {
    a.reason == b.reason
        && a.kind == b.kind
        && a.component == b.component
        && a.regarding.name == b.regarding.name
        && a.regarding.field_path == b.regarding.field_path
        && normalised(&a.message, &a.regarding.name) == normalised(&b.message, &b.regarding.name)
}

/// A message without what differs each time it is said: random ends of pod names (`pods "api-7d9f-x2x5b"
/// is forbidden`) and long numbers. For comparing only.
fn normalised(message: &str, subject: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for word in message.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')) {
        match word.strip_prefix(subject).filter(|_| !subject.is_empty()) {
            Some(rest) if rest.starts_with('-') => {
                out.push_str(subject);
                out.push_str(&rest[rest.len() - usize::from(!rest.ends_with(char::is_alphanumeric))..]);
            }
            _ => out.push_str(word),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, regarding: &str, message: &str, count: u32) -> Event {
        let mut event = Event { message: message.into(), reason: "R".into(), count, ..Event::default() };
        event.meta.name = name.into();
        event.regarding =
            Regarding { kind: "ReplicaSet".into(), name: regarding.into(), ..Regarding::default() };
        event.last = Some(Timestamp::from_second(i64::from(count)).unwrap());
        event
    }

    fn replica_set(name: &str) -> ObjectRef {
        ObjectRef {
            api: crate::incident::ApiKind::known("ReplicaSet").unwrap(),
            name: name.into(),
            ..ObjectRef::default()
        }
    }

    #[test]
    fn an_update_is_news_only_if_it_happened_again() {
        let mut events = Events::default();
        assert!(events.record(event("e", "rs", "m", 1)));
        assert!(!events.record(event("e", "rs", "m", 1)));
        assert!(events.record(event("e", "rs", "m", 2)));
        assert_eq!(events.about(&replica_set("rs"))[0].count, 2);
    }

    #[test]
    fn random_names_in_messages_do_not_hide_a_repetition() {
        let mut events = Events::default();
        events.record(event("a", "api-7d9f", "pods \"api-7d9f-x2x5b\" is forbidden", 1));
        events.record(event("b", "api-7d9f", "pods \"api-7d9f-9k2lm\" is forbidden", 2));
        events.record(event("c", "api-7d9f", "pods \"api-7d9f-9k2lm\" is late", 3));
        let about = events.about(&replica_set("api-7d9f"));
        assert_eq!(about.iter().map(|e| e.count).collect::<Vec<_>>(), [3, 3]);
        assert_eq!(about[0].last, Some(Timestamp::from_second(2).unwrap()));
    }

    #[test]
    fn each_object_and_all_together_are_bounded() {
        let mut events = Events::default();
        for n in 0..100 {
            events.record(event(&format!("e{n}"), "one", &n.to_string(), n));
        }
        assert_eq!(events.len(), MOST_EACH);
        assert_eq!(events.about(&replica_set("one")).last().unwrap().count, 99);
        for n in 0..MOST {
            events.record(event("e", &format!("rs{n}"), "m", 1));
        }
        assert_eq!(events.len(), MOST);
        assert!(events.about(&replica_set("one")).is_empty(), "the oldest made room");
        assert!(events.is_short_of(&replica_set("one")), "and that is known");
        assert!(!events.is_short_of(&replica_set("rs1")));
    }

    #[test]
    fn warnings_outlive_what_is_normal() {
        let mut events = Events::default();
        let mut warning = event("w", "one", "why", 1);
        warning.kind = "Warning".into();
        events.record(warning);
        for n in 0..=MOST {
            events.record(event("e", &format!("rs{n}"), "m", 1));
        }
        assert_eq!(events.len(), MOST);
        assert_eq!(events.about(&replica_set("one")).len(), 1);
    }

    #[test]
    fn what_the_kubelet_says_about_a_node_is_found_under_the_node() {
        let mut events = Events::default();
        let mut said = event("e", "node-1", "m", 1);
        said.regarding =
            Regarding { kind: "Node".into(), name: "node-1".into(), uid: "node-1".into(), ..said.regarding };
        events.record(said);
        let mut node = replica_set("node-1");
        node.api = crate::incident::ApiKind::known("Node").unwrap();
        node.uid = "a7cb1089-daa7-4121-8708-fb89168a701a".into();
        assert_eq!(events.about(&node).len(), 1);
    }
}
