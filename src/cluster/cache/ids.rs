//! Small numbers for long names: a uid as 128 bits, and counted ids for names that many pods share.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use crate::incident::Text;

/// A uid, as 128 bits. Uids are UUIDs wherever Kubernetes made them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Uid(u128);

impl Uid {
    /// The uid in that text; a text that is no UUID is hashed.
    pub fn of(text: &str) -> Self {
        Self::exact(text).unwrap_or_else(|| {
            let hash = Sha256::digest(text.as_bytes());
            Self(hash.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte)))
        })
    }

    /// The uid, if the text can be told again from it.
    pub fn exact(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return None;
        }
        let mut value: u128 = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let digit = match (at, byte) {
                (8 | 13 | 18 | 23, b'-') => continue,
                (8 | 13 | 18 | 23, _) => return None,
                (_, b'0'..=b'9') => byte - b'0',
                (_, b'a'..=b'f') => byte - b'a' + 10,
                _ => return None,
            };
            value = value << 4 | u128::from(digit);
        }
        Some(Self(value))
    }

    /// The text of a uid that was [`exact`](Self::exact).
    pub fn text(self) -> Text {
        let hex = format!("{:032x}", self.0);
        let uuid = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        Text::unpooled(&uuid)
    }
}

/// An id given out by [`Ids`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Id(u32);

impl Id {
    /// For what a pod does not have.
    pub(super) const NONE: Self = Self(u32::MAX);
}

/// Names with counted uses, and a value for each. A name that nobody uses any more is forgotten.
pub(super) struct Ids<T> {
    by_name: HashMap<Text, u32>,
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

struct Entry<T> {
    name: Text,
    uses: u32,
    value: T,
}

impl<T> Default for Ids<T> {
    fn default() -> Self {
        Self { by_name: HashMap::new(), entries: Vec::new(), free: Vec::new() }
    }
}

impl<T: Default> Ids<T> {
    /// The id of the name, used once more.
    pub(super) fn take(&mut self, name: &Text) -> Id {
        if name.is_empty() {
            return Id::NONE;
        }
        if let Some(&at) = self.by_name.get(name) {
            self.entries[at as usize].uses += 1;
            return Id(at);
        }
        let entry = Entry { name: name.clone(), uses: 1, value: T::default() };
        let at = if let Some(at) = self.free.pop() {
            self.entries[at as usize] = entry;
            at
        } else {
            self.entries.push(entry);
            u32::try_from(self.entries.len() - 1).expect("fewer names than memory holds")
        };
        self.by_name.insert(name.clone(), at);
        Id(at)
    }

    /// One use less.
    pub(super) fn give_back(&mut self, id: Id) {
        let Some(entry) = self.entries.get_mut(id.0 as usize) else { return };
        entry.uses -= 1;
        if entry.uses == 0 {
            let name = std::mem::take(&mut entry.name);
            entry.value = T::default();
            self.by_name.remove(&name);
            self.free.push(id.0);
        }
    }

    pub(super) fn name(&self, id: Id) -> Text {
        self.entries.get(id.0 as usize).map(|entry| entry.name.clone()).unwrap_or_default()
    }

    pub(super) fn find(&self, name: &str) -> Option<Id> {
        self.by_name.get(name).copied().map(Id)
    }

    pub(super) fn value(&self, id: Id) -> Option<&T> {
        self.entries.get(id.0 as usize).map(|entry| &entry.value)
    }

    pub(super) fn value_mut(&mut self, id: Id) -> Option<&mut T> {
        self.entries.get_mut(id.0 as usize).map(|entry| &mut entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_told_again_and_anything_else_is_still_one_uid() {
        let text = "a7cb1089-daa7-4121-8708-fb89168a701a";
        assert_eq!(Uid::exact(text).unwrap().text(), text);
        for odd in ["node-1", "A7CB1089-DAA7-4121-8708-FB89168A701A", "a7cb1089+daa7-4121-8708-fb89168a701a"]
        {
            assert_eq!(Uid::exact(odd), None, "{odd}");
            assert_eq!(Uid::of(odd), Uid::of(odd));
        }
        assert_ne!(Uid::of("u-1"), Uid::of("u-2"));
    }

    #[test]
    fn a_name_lives_as_long_as_it_is_used() {
        let mut ids: Ids<u32> = Ids::default();
        let (a, b) = (ids.take(&Text::new("a")), ids.take(&Text::new("a")));
        assert_eq!(a, b);
        *ids.value_mut(a).unwrap() = 7;
        ids.give_back(a);
        assert_eq!(ids.value(b), Some(&7));
        ids.give_back(b);
        assert_eq!(ids.find("a"), None);
        let c = ids.take(&Text::new("c"));
        assert_eq!((ids.name(c).as_str(), ids.value(c)), ("c", Some(&0)));
        assert_eq!(ids.take(&Text::default()), Id::NONE);
    }
}
