//! The small readers that all kinds share: `null` for absent, shared and single strings, times, quantities.
//!
//! Refuses to guess: a field of a wrong type is an error, only `null` and absence are forgiven.

use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::incident::Text;

/// `null` counts as absent: Go writes it for empty slices and unset times.
pub(super) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A string that no other object repeats; kept out of the pool.
#[derive(Default)]
pub(super) struct Unique(pub(super) Text);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Single;
        impl Visitor<'_> for Single {
            type Value = Unique;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E>(self, text: &str) -> Result<Unique, E> {
                Ok(Unique(Text::unpooled(text)))
            }
        }
        deserializer.deserialize_str(Single)
    }
}

/// A time in RFC 3339, parsed where it stands.
pub(super) struct Time(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rfc3339;
        impl Visitor<'_> for Rfc3339 {
            type Value = Time;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time in RFC 3339")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
                text.parse().map(Time).map_err(|_| E::custom("not a time in RFC 3339"))
            }
        }
        deserializer.deserialize_str(Rfc3339)
    }
}

/// The time in it, if there was one.
pub(super) fn at(time: Option<Time>) -> Option<Timestamp> {
    time.map(|Time(at)| at)
}

/// A quantity: text, or a plain number as people write it by hand.
#[derive(Default)]
pub(super) struct Quantity(pub(super) Text);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;
        impl Visitor<'_> for TextOrNumber {
            type Value = Quantity;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity")
            }
            fn visit_str<E>(self, text: &str) -> Result<Quantity, E> {
                Ok(Quantity(Text::new(text)))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Quantity, E> {
                Ok(Quantity(Text::from(number.to_string())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity(Text::from(number.to_string())))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Quantity, E> {
                Ok(Quantity(Text::from(number.to_string())))
            }
        }
        deserializer.deserialize_any(TextOrNumber)
    }
}

/// A count that is never negative here, whatever was sent.
#[derive(Default, Clone, Copy)]
pub(super) struct Count(pub(super) u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        Ok(Self(u32::try_from(number.max(0)).unwrap_or(u32::MAX)))
    }
}

/// Something with a `name`; the rest is not looked at.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Named {
    #[serde(deserialize_with = "nullable")]
    pub(super) name: Text,
}

/// The names, without empty ones.
pub(super) fn names(list: Vec<Named>) -> Vec<Text> {
    list.into_iter().map(|item| item.name).filter(|name| !name.is_empty()).collect()
}

/// The keys of a map, in order; the values are skipped unread.
#[derive(Default)]
pub(super) struct Keys(pub(super) Vec<Text>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyKeys;
        impl<'de> Visitor<'de> for OnlyKeys {
            type Value = Keys;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some(key) = map.next_key::<Text>()? {
                    map.next_value::<IgnoredAny>()?;
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(OnlyKeys)
    }
}

/// A list of which only some items are kept, without a second list in between.
pub(super) trait Sift<'de> {
    type Item: Deserialize<'de>;
    type Kept: Default;
    fn sift(item: Self::Item, kept: &mut Self::Kept);
}

/// For `deserialize_with`: reads a list (or `null`) through a [`Sift`].
pub(super) fn sifted<'de, S, D>(deserializer: D) -> Result<S::Kept, D::Error>
where
    S: Sift<'de>,
    D: Deserializer<'de>,
{
    struct Items<S>(PhantomData<S>);
    impl<'de, S: Sift<'de>> Visitor<'de> for Items<S> {
        type Value = S::Kept;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_unit<E>(self) -> Result<S::Kept, E> {
            Ok(S::Kept::default())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<S::Kept, A::Error> {
            let mut kept = S::Kept::default();
            while let Some(item) = seq.next_element()? {
                S::sift(item, &mut kept);
            }
            Ok(kept)
        }
    }
    deserializer.deserialize_any(Items::<S>(PhantomData))
}
