//! Modals and the app's home, as Slack takes them.

use serde_json::{Value, json};

/// What a modal shows while its answer is made.
pub(super) fn working() -> Value {
    json!({
        "type": "modal",
        "title": {"type": "plain_text", "text": "kubemend"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "Working on it …"}}],
    })
}
