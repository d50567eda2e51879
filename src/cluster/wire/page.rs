//! A page of a list: where it ends, how it goes on, and its items, each still as it stands in the body, so
//! that one bad item does not cost its neighbours and no second copy of the page is made.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::DecodeError;
use super::lenient::nullable;

/// A page of a list, borrowed from its body.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Page<'a> {
    #[serde(borrow)]
    metadata: ListMeta<'a>,
    #[serde(borrow, deserialize_with = "nullable")]
    pub items: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListMeta<'a> {
    #[serde(borrow)]
    resource_version: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "continue")]
    more: Option<Cow<'a, str>>,
}

impl Page<'_> {
    /// Where a watch goes on from.
    pub fn resource_version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }

    /// The token of the next page.
    pub fn more(&self) -> Option<&str> {
        self.metadata.more.as_deref().filter(|token| !token.is_empty())
    }
}

/// The page in that body.
pub fn page(body: &[u8]) -> Result<Page<'_>, DecodeError> {
    serde_json::from_slice(body).map_err(|error| DecodeError::not_json(&error))
}
