//! What was delivered already: a bounded memory of names.
//!
//! Platforms deliver again what they hold for lost, and over HTTP anybody on the way could send a signed
//! request twice. What is remembered here is only the last few thousand; behind it decisions are taken once
//! by the store, however often they are asked for.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;

/// Names, the newest `most` of them.
pub(in crate::chat) struct Seen {
    most: usize,
    names: Mutex<(HashSet<String>, VecDeque<String>)>,
}

impl Seen {
    pub(in crate::chat) fn new(most: usize) -> Self {
        Self { most, names: Mutex::default() }
    }

    /// Remembers a name; says whether it is new.
    pub(in crate::chat) fn add(&self, name: &str) -> bool {
        let mut names = self.names.lock();
        let (known, order) = &mut *names;
        if !known.insert(name.to_owned()) {
            return false;
        }
        order.push_back(name.to_owned());
        if order.len() > self.most
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
        true
    }

    /// Whether a name was seen.
    pub(in crate::chat) fn knows(&self, name: &str) -> bool {
        self.names.lock().0.contains(name)
    }

    /// Forgets a name that turned out not to be taken.
    pub(in crate::chat) fn forget(&self, name: &str) {
        let mut names = self.names.lock();
        let (known, order) = &mut *names;
        if known.remove(name) {
            order.retain(|held| held != name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_new_once_and_memory_is_bounded() {
        let seen = Seen::new(3);
        assert!(seen.add("a") && !seen.add("a"));
        assert!(["b", "c", "d"].iter().all(|name| seen.add(name)));
        assert!(seen.add("a"), "the oldest is forgotten");
        assert_eq!(seen.names.lock().0.len(), 3);
        seen.forget("a");
        assert!(seen.add("a"));
    }
}
