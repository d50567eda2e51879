//! Strings that many objects repeat (namespaces, nodes, images, reasons), held once.
//!
//! [`Text`] is an immutable shared string. Short ones come from a process-wide pool, so that ten thousand
//! pods of one workload hold one copy of its image. The pool holds no meaning: two equal texts are equal
//! whether or not they share memory.

use std::borrow::{Borrow, Cow};
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// Longer strings (event messages, log lines) are seldom repeated and are not pooled.
const LONGEST_POOLED: usize = 96;
const SHARDS: usize = 16;

/// An immutable, cheaply cloned string.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<str>);

type Shard = Mutex<HashSet<Arc<str>>>;
static POOL: LazyLock<[Shard; SHARDS]> = LazyLock::new(|| std::array::from_fn(|_| Shard::default()));
static EMPTY: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));

impl Text {
    /// The shared copy of `text`.
    pub fn new(text: &str) -> Self {
        if text.is_empty() {
            return Self(Arc::clone(&EMPTY));
        }
        if text.len() > LONGEST_POOLED {
            return Self(Arc::from(text));
        }
        let mut pool = shard(text);
        if let Some(held) = pool.get(text) {
            return Self(Arc::clone(held));
        }
        let made: Arc<str> = Arc::from(text);
        pool.insert(Arc::clone(&made));
        Self(made)
    }

    /// A copy of its own: for strings that no other object repeats (names, uids, resource versions), which
    /// would only fill the pool.
    pub fn unpooled(text: &str) -> Self {
        if text.is_empty() { Self::default() } else { Self(Arc::from(text)) }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Drops pooled strings that nobody holds any more; called after each full listing.
    pub fn sweep() {
        for shard in POOL.iter() {
            let mut pool = unpoisoned(shard);
            pool.retain(|held| Arc::strong_count(held) > 1);
            pool.shrink_to_fit();
        }
    }
}

fn shard(text: &str) -> MutexGuard<'static, HashSet<Arc<str>>> {
    let bytes = text.as_bytes();
    let last = bytes.last().copied().unwrap_or_default();
    unpoisoned(&POOL[(bytes.len() ^ usize::from(last)) % SHARDS])
}

/// A set of strings has no half-done state, so a panic elsewhere while the lock was held does not matter.
fn unpoisoned(shard: &Shard) -> MutexGuard<'_, HashSet<Arc<str>>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Text {
    fn default() -> Self {
        Self::new("")
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::new(text)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Share;
        impl Visitor<'_> for Share {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text::new(text))
            }
        }
        deserializer.deserialize_str(Share)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_short_texts_share_one_allocation() {
        let (a, b) = (Text::new("registry.example.com"), Text::new("registry.example.com"));
        assert!(Arc::ptr_eq(&a.0, &b.0));
    }

    #[test]
    fn sweeping_keeps_what_is_held() {
        let held = Text::new("held-by-the-sweep-test");
        Text::sweep();
        assert!(Arc::ptr_eq(&held.0, &Text::new("held-by-the-sweep-test").0));
    }
}
