//! What may be sent: the bodies of the POST routes and the queries of the GET routes.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::incident::{Digest, IncidentId, Text};

/// A decision about a proposal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Decide {
    /// The digest of the proposal that was seen; what is decided about is exactly that.
    #[schemars(with = "String", regex(pattern = "^[0-9a-f]{64}$"))]
    pub digest: String,
    /// A reason.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub note: String,
    /// The text that the proposal's policy wants typed.
    #[serde(default)]
    pub confirmation: Option<String>,
}

/// How long an incident stays silent. Exactly one of `until` and `minutes` is given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Silence {
    #[serde(default)]
    pub until: Option<Timestamp>,
    #[serde(default)]
    #[schemars(range(min = 1, max = 525_600))]
    pub minutes: Option<u32>,
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub note: String,
}

/// What became of a change whose answer was lost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settle {
    /// The number of the change in the plan, from 0.
    pub index: u32,
    /// Whether it happened.
    pub applied: bool,
}

/// `{}`: there is nothing to say.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Which part of the audit log.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuditQuery {
    pub incident: Option<IncidentId>,
    /// Only entries after this `seq`.
    pub after: Option<u64>,
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<usize>,
}

/// Where an event stream begins.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EventsQuery {
    /// Begin after this `seq`; `0` is the beginning. Without it (and without `Last-Event-ID`) the stream
    /// begins with what happens next.
    pub after: Option<u64>,
}

impl Decide {
    /// The digest, if it is one.
    pub fn digest(&self) -> Option<Digest> {
        Digest::parse(&self.digest)
    }

    /// The note, cut to its longest.
    pub fn note(&self) -> Text {
        cut(&self.note)
    }
}

impl Silence {
    /// Until when, if exactly one way of saying so was used and it lies ahead.
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let end = match (self.until, self.minutes) {
            (Some(until), None) => Some(until),
            (None, Some(minutes)) => {
                now.checked_add(jiff::SignedDuration::from_mins(i64::from(minutes))).ok()
            }
            (Some(_), Some(_)) | (None, None) => None,
        };
        end.filter(|end| *end > now)
    }

    /// The note, cut to its longest.
    pub fn note(&self) -> Text {
        cut(&self.note)
    }
}

fn cut(note: &str) -> Text {
    Text::from(note.chars().take(1000).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_has_one_end_and_it_lies_ahead() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let ask = |json: &str| serde_json::from_str::<Silence>(json).expect("readable").end(now);
        assert_eq!(ask(r#"{"minutes": 60}"#), "2026-01-01T01:00:00Z".parse().ok());
        assert_eq!(ask(r#"{"until": "2026-01-02T00:00:00Z"}"#), "2026-01-02T00:00:00Z".parse().ok());
        assert_eq!(ask(r#"{"until": "2025-01-02T00:00:00Z"}"#), None);
        assert_eq!(ask(r#"{"until": "2026-01-02T00:00:00Z", "minutes": 5}"#), None);
        assert_eq!(ask("{}"), None);
    }
}
