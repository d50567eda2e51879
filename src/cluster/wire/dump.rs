//! Dumps: what `kubectl get -o json` writes. One object, a List of them, a JSON array, several documents one
//! after another, or the lines of a watch.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{AnyObject, DecodeError, decode_or};

/// Lists may hold lists (`kubectl get a,b -o json` of some versions); nobody nests them further.
const DEEPEST: usize = 4;

/// Every object of the dump, in its order; each that does not parse is an error in its place.
pub fn decode_all(json: &[u8]) -> Vec<Result<AnyObject, DecodeError>> {
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let mut found = Vec::new();
    for document in serde_json::Deserializer::from_slice(json).into_iter::<&RawValue>() {
        match document {
            Ok(document) => open(document, ("", ""), 0, &mut found),
            Err(error) => {
                found.push(Err(DecodeError::not_json(&error)));
                break;
            }
        }
    }
    found
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wrapper<'a> {
    #[serde(borrow)]
    api_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
    /// Of a watch's line.
    #[serde(borrow)]
    object: Option<&'a RawValue>,
}

/// `expected`: apiVersion and kind of items that do not say theirs.
fn open(
    document: &RawValue,
    expected: (&str, &str),
    depth: usize,
    found: &mut Vec<Result<AnyObject, DecodeError>>,
) {
    if depth > DEEPEST {
        found.push(Err(DecodeError::TooDeep(DEEPEST)));
        return;
    }
    if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(document.get()) {
        for item in items {
            open(item, expected, depth + 1, found);
        }
        return;
    }
    let wrapper: Wrapper<'_> = serde_json::from_str(document.get()).unwrap_or_default();
    let kind = wrapper.kind.as_deref().unwrap_or_default();
    match (wrapper.items, wrapper.object) {
        (Some(items), _) if kind.ends_with("List") => {
            let inner = (wrapper.api_version.as_deref().unwrap_or_default(), kind.trim_end_matches("List"));
            for item in items {
                open(item, inner, depth + 1, found);
            }
        }
        (_, Some(object)) if kind.is_empty() => open(object, expected, depth + 1, found),
        _ => found.push(decode_or(document.get().as_bytes(), expected.0, expected.1)),
    }
}
