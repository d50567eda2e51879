//! What messages are written with: the layouts and the words of the configured locale.

use std::sync::Arc;

use super::layout::Layouts;
use super::words::Words;

/// Layouts and words.
#[derive(Clone)]
pub struct Paper {
    pub layouts: Arc<Layouts>,
    pub words: Arc<Words>,
}
