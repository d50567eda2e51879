//! What messages are written with: the layouts and the words of the configured locale.

use std::sync::Arc;

use serde_json::Value;

use crate::chat::card::Card;
use crate::chat::layout::{LayoutError, Layouts, Platform};
use crate::chat::words::Words;

/// Layouts and words.
#[derive(Clone)]
pub struct Paper {
    pub layouts: Arc<Layouts>,
    pub words: Arc<Words>,
}

impl Paper {
    /// A card as a message's body, for calls that take no unfurl flags.
    pub(super) fn message(&self, card: &Card) -> Result<Value, LayoutError> {
        let mut body = self.layouts.card(Platform::Slack, card, &self.words)?;
        without_unfurls(&mut body);
        Ok(body)
    }
}

/// Only `chat.postMessage` knows them.
pub(super) fn without_unfurls(body: &mut Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("unfurl_links");
        fields.remove("unfurl_media");
    }
}
