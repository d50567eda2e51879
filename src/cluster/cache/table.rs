//! Objects of one kind other than pods, by namespace and name: slim, whole, and shared with whoever reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::health::{Health, account_health, claim_health, namespace_health, node_health, workload_health};
use crate::incident::Text;
use crate::incident::objects::{Claim, Meta, Namespace, Node, ServiceAccount, Workload};

/// What a table can hold.
pub(super) trait Judged: PartialEq {
    fn meta(&self) -> &Meta;
    fn judge(&self, now: Timestamp) -> Health;
}

macro_rules! judged {
    ($($kind:ty => $judge:path),+ $(,)?) => {$(
        impl Judged for $kind {
            fn meta(&self) -> &Meta {
                &self.meta
            }
            fn judge(&self, now: Timestamp) -> Health {
                $judge(self, now)
            }
        }
    )+};
}

judged! {
    Node => node_health,
    Workload => workload_health,
    Claim => claim_health,
    ServiceAccount => account_health,
    Namespace => namespace_health,
}

type Key = (Text, Text);

pub(super) struct Table<T> {
    held: BTreeMap<Key, Held<T>>,
}

struct Held<T> {
    object: Arc<T>,
    epoch: u32,
    suspect: bool,
    due: Option<Timestamp>,
}

/// What an application did.
pub(super) struct Applied<T> {
    /// What was there before under that name, if it was another object or looked different.
    pub(super) before: Option<Arc<T>>,
    /// Nothing differs from what was known.
    pub(super) same: bool,
    pub(super) was_suspect: bool,
    pub(super) is_suspect: bool,
    /// When to look again, if that is sooner than what is planned.
    pub(super) due: Option<Timestamp>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { held: BTreeMap::new() }
    }
}

impl<T: Judged> Table<T> {
    pub(super) fn apply(&mut self, object: T, epoch: u32, now: Timestamp) -> Applied<T> {
        let key = key(object.meta());
        if let Some(held) = self.held.get_mut(&key)
            && *held.object == object
        {
            held.epoch = epoch;
            let suspect = held.suspect;
            return Applied {
                before: None,
                same: true,
                was_suspect: suspect,
                is_suspect: suspect,
                due: None,
            };
        }
        let health = object.judge(now);
        let (is_suspect, due) = (health.is_suspect(), health.look_again());
        let before =
            self.held.insert(key, Held { object: Arc::new(object), epoch, suspect: is_suspect, due });
        let sooner = due.filter(|at| before.as_ref().and_then(|b| b.due).is_none_or(|planned| *at < planned));
        Applied {
            same: false,
            was_suspect: before.as_ref().is_some_and(|held| held.suspect),
            before: before.map(|held| held.object),
            is_suspect,
            due: sooner,
        }
    }

    /// Judges again what was due at `due`; `None` if it was put off or is gone.
    pub(super) fn look_again(
        &mut self,
        namespace: &Text,
        name: &Text,
        due: Timestamp,
        now: Timestamp,
    ) -> Option<Applied<T>> {
        let held = self.held.get_mut(&(namespace.clone(), name.clone()))?;
        if held.due != Some(due) {
            return None;
        }
        let health = held.object.judge(now);
        let was_suspect = std::mem::replace(&mut held.suspect, health.is_suspect());
        held.due = health.look_again();
        Some(Applied { before: None, same: false, was_suspect, is_suspect: held.suspect, due: held.due })
    }

    /// Takes the object out. One of the same name and another uid stays.
    pub(super) fn remove(&mut self, meta: &Meta) -> Option<(Arc<T>, bool)> {
        let key = key(meta);
        let is_it = self.held.get(&key).is_some_and(|held| held.object.meta().uid == meta.uid);
        let held = if is_it { self.held.remove(&key) } else { None }?;
        Some((held.object, held.suspect))
    }

    /// Takes out what the listing of that epoch did not name.
    pub(super) fn sweep(&mut self, namespace: Option<&str>, epoch: u32) -> Vec<(Arc<T>, bool)> {
        let old: Vec<Key> = self
            .held
            .iter()
            .filter(|(key, held)| held.epoch != epoch && namespace.is_none_or(|only| key.0 == only))
            .map(|(key, _)| key.clone())
            .collect();
        old.iter().filter_map(|key| self.held.remove(key)).map(|held| (held.object, held.suspect)).collect()
    }

    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        let key = (Text::unpooled(namespace), Text::unpooled(name));
        self.held.get(&key).map(|held| Arc::clone(&held.object))
    }

    pub(super) fn in_namespace<'a>(
        &'a self,
        namespace: &Text,
    ) -> impl Iterator<Item = &'a Arc<T>> + use<'a, T> {
        let namespace = namespace.clone();
        self.held
            .range((namespace.clone(), Text::default())..)
            .take_while(move |(key, _)| key.0 == namespace)
            .map(|(_, held)| &held.object)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<T>> {
        self.held.values().map(|held| &held.object)
    }

    pub(super) fn suspects(&self) -> impl Iterator<Item = &Arc<T>> {
        self.held.values().filter(|held| held.suspect).map(|held| &held.object)
    }

    pub(super) fn is_suspect(&self, namespace: &str, name: &str) -> bool {
        let key = (Text::unpooled(namespace), Text::unpooled(name));
        self.held.get(&key).is_some_and(|held| held.suspect)
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }
}

fn key(meta: &Meta) -> Key {
    (meta.namespace.clone(), meta.name.clone())
}
