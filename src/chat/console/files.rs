//! What a browser fetches beside the pages: embedded, packed once, cached for ever where the name says which
//! content it is. Refuses every name that is not in the list; no name becomes a path.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use parking_lot::Mutex;

use super::Console;
use super::answer::{self, Failure};
use super::pages::asset;
use super::visit::Visit;

/// Files packed so far. There are only as many as are embedded.
#[derive(Default)]
pub(super) struct Packed(Mutex<HashMap<&'static [u8], Bytes>>);

impl Packed {
    fn of(&self, bytes: &'static [u8]) -> Bytes {
        let mut packed = self.0.lock();
        packed.entry(bytes).or_insert_with(|| answer::packed(bytes, Compression::best())).clone()
    }
}

/// `GET /assets/NAME`
pub(super) async fn file(
    State(console): State<Console>,
    visit: Visit,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let asset = asset(&name).ok_or_else(Failure::not_found)?;
    let plain = Bytes::from_static(asset.bytes);
    let mut response =
        answer::ready(asset.content_type, &plain, &console.0.packed.of(asset.bytes), &visit.headers);
    let cached = if asset.forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    Ok(response)
}
