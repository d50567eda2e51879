//! What the API received: every request over HTTP that would change something, in a bounded ring. Tests
//! compare it with what should have been sent.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// Requests kept.
const MOST: usize = 2048;

/// One request as it came and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    /// `PATCH`, …
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// The query, as sent.
    pub query: String,
    /// `Content-Type`, empty if there was none.
    pub content_type: String,
    /// The body, as sent.
    pub body: String,
    /// Who asked, after impersonation.
    pub user: String,
    /// HTTP code of the answer; 0 if the connection was cut.
    pub code: u16,
}

#[derive(Default)]
pub(super) struct Recorder(Mutex<VecDeque<RecordedRequest>>);

impl Recorder {
    pub(super) fn add(&self, request: RecordedRequest) {
        let mut ring = self.0.lock();
        if ring.len() == MOST {
            ring.pop_front();
        }
        ring.push_back(request);
    }

    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.0.lock().iter().cloned().collect()
    }
}
