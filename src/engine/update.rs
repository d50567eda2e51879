//! What subscribers hear: an entry was made, and what the incident is by now.

use std::sync::Arc;

use crate::incident::{Incident, Recorded};

/// One entry, as soon as it is stored. Whoever missed some reads them from the store, by `recorded.seq`.
#[derive(Clone, Debug)]
pub struct Update {
    pub recorded: Arc<Recorded>,
    pub incident: Arc<Incident>,
}
