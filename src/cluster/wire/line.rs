//! One line of a watch, decoded in place: servers write `type` before `object`, so the object is read
//! straight into its slim type without being looked at twice. A line in another order is read again, slowly.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::lenient::nullable;
use super::{AnyObject, DecodeError, Form, error, from};

/// What a line of a watch says.
#[derive(Debug)]
pub enum Frame {
    /// The object is there, or has changed.
    Applied(AnyObject),
    /// The object is gone; this is how it last was.
    Deleted(AnyObject),
    /// Nothing happened up to this resource version.
    Bookmark { resource_version: String, initial_events_end: bool },
    /// The server gives up this watch.
    Failed(Status),
}

/// A `Status` object: why a request failed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Status {
    #[serde(deserialize_with = "nullable")]
    pub code: u16,
    #[serde(deserialize_with = "nullable")]
    pub reason: String,
    #[serde(deserialize_with = "nullable")]
    pub message: String,
    #[serde(deserialize_with = "nullable")]
    pub details: Said,
}

/// What a failing server asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Said {
    pub retry_after_seconds: Option<u64>,
}

/// The frame in one line, without its line break.
pub fn frame(line: &[u8], form: Form) -> Result<Frame, DecodeError> {
    let mut reader = serde_json::Deserializer::from_slice(line);
    match reader.deserialize_map(Line(form)) {
        Ok(frame) => Ok(frame),
        Err(problem) => slow(line, form, &problem),
    }
}

/// After a failure: finds out what the line was about, and reads one whose `object` came first.
fn slow(line: &[u8], form: Form, problem: &serde_json::Error) -> Result<Frame, DecodeError> {
    #[derive(Deserialize)]
    struct Parts<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
        #[serde(borrow)]
        object: &'a RawValue,
    }
    let parts: Parts<'_> = serde_json::from_slice(line).map_err(|_| DecodeError::not_json(problem))?;
    let object = parts.object.get();
    What::of(&parts.kind)
        .ok_or(None)
        .and_then(|what| what.read(&mut serde_json::Deserializer::from_str(object), form).map_err(Some))
        .map_err(|problem: Option<serde_json::Error>| match problem {
            Some(problem) => DecodeError::shape(form.kind(), object.as_bytes(), &problem),
            None => DecodeError::Shape {
                object: error::named(form.kind(), object.as_bytes()),
                problem: "the type of the watch event is unknown".to_owned(),
            },
        })
}

#[derive(Clone, Copy)]
enum What {
    Applied,
    Deleted,
    Bookmark,
    Failed,
}

impl What {
    fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "ADDED" | "MODIFIED" => Self::Applied,
            "DELETED" => Self::Deleted,
            "BOOKMARK" => Self::Bookmark,
            "ERROR" => Self::Failed,
            _ => return None,
        })
    }

    fn read<'de, D: Deserializer<'de>>(self, reader: D, form: Form) -> Result<Frame, D::Error> {
        Ok(match self {
            Self::Applied => Frame::Applied(from(reader, form)?),
            Self::Deleted => Frame::Deleted(from(reader, form)?),
            Self::Bookmark => BookmarkShape::deserialize(reader)?.into(),
            Self::Failed => Frame::Failed(Status::deserialize(reader)?),
        })
    }
}

struct Line(Form);

impl<'de> Visitor<'de> for Line {
    type Value = Frame;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of a watch")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Frame, A::Error> {
        let (mut what, mut frame) = (None, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match (&*key, what) {
                ("type", _) => what = What::of(&map.next_value::<Cow<'de, str>>()?),
                ("object", Some(what)) => {
                    frame = Some(map.next_value_seed(Object(what, self.0, PhantomData))?);
                }
                ("object", None) => return Err(A::Error::custom("`object` before a known `type`")),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        frame.ok_or_else(|| A::Error::missing_field("object"))
    }
}

struct Object<'de>(What, Form, PhantomData<&'de ()>);

impl<'de> DeserializeSeed<'de> for Object<'de> {
    type Value = Frame;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Frame, D::Error> {
        self.0.read(deserializer, self.1)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BookmarkShape {
    #[serde(deserialize_with = "nullable")]
    metadata: BookmarkMeta,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BookmarkMeta {
    #[serde(deserialize_with = "nullable")]
    resource_version: String,
    #[serde(deserialize_with = "nullable")]
    annotations: End,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct End {
    #[serde(rename = "k8s.io/initial-events-end", deserialize_with = "nullable")]
    initial_events_end: String,
}

impl From<BookmarkShape> for Frame {
    fn from(shape: BookmarkShape) -> Self {
        Self::Bookmark {
            resource_version: shape.metadata.resource_version,
            initial_events_end: shape.metadata.annotations.initial_events_end == "true",
        }
    }
}
