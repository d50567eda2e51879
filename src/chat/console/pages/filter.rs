//! What a visitor asked a list for: read from a query, written back into links and fields.

use std::fmt::Write as _;

use super::row::{Row, Stage};
use crate::incident::Severity;

/// The longest value that is taken from a query.
const LONGEST: usize = 200;

/// Which incidents. What is empty does not restrict.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Filter {
    pub cluster: String,
    pub namespace: String,
    /// A condition, or its family followed by a dot: `image.`.
    pub condition: String,
    /// Exactly this severity.
    pub severity: Option<Severity>,
    pub state: Option<StateFilter>,
    pub text: String,
    /// From 1.
    pub page: u32,
}

/// Which states of incidents.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StateFilter {
    /// Not resolved.
    Open,
    /// Open, and a person must decide or settle something.
    Awaiting,
    /// A remedy is being carried out or verified.
    Repairing,
    Silenced,
    Resolved,
}

impl StateFilter {
    /// All there are, as forms list them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Awaiting, Self::Repairing, Self::Silenced, Self::Resolved];

    /// As queries name it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Awaiting => "awaiting",
            Self::Repairing => "repairing",
            Self::Silenced => "silenced",
            Self::Resolved => "resolved",
        }
    }

    fn holds(self, row: &Row) -> bool {
        match self {
            Self::Open => row.stage != Stage::Resolved,
            Self::Awaiting => row.stage == Stage::Awaiting,
            Self::Repairing => row.stage == Stage::Repairing,
            Self::Silenced => row.silenced_until.is_some() && row.stage != Stage::Resolved,
            Self::Resolved => row.stage == Stage::Resolved,
        }
    }
}

impl Filter {
    /// Reads a query's names and values. What is unknown or unreadable does not restrict.
    pub fn of<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut filter = Self { page: 1, ..Self::default() };
        for (name, value) in pairs {
            let value = cut(value.as_ref());
            match name.as_ref() {
                "cluster" => filter.cluster = value,
                "namespace" => filter.namespace = value,
                "condition" => filter.condition = value,
                "severity" => filter.severity = severity(&value),
                "state" => filter.state = StateFilter::ALL.into_iter().find(|state| state.tag() == value),
                "text" => filter.text = value,
                "page" => filter.page = value.parse().unwrap_or(1).max(1),
                _ => {}
            }
        }
        filter
    }

    /// Whether it restricts anything.
    pub fn is_on(&self) -> bool {
        let Self { cluster, namespace, condition, severity, state, text, page: _ } = self;
        [cluster, namespace, condition, text].into_iter().any(|value| !value.is_empty())
            || severity.is_some()
            || state.is_some()
    }

    /// Whether an incident is meant.
    pub fn holds(&self, row: &Row) -> bool {
        let Self { cluster, namespace, condition, severity, state, text, page: _ } = self;
        let family = condition.ends_with('.') && row.condition.as_str().starts_with(condition.as_str());
        (cluster.is_empty() || row.cluster == cluster.as_str())
            && (namespace.is_empty() || row.namespace == namespace.as_str())
            && (condition.is_empty() || family || row.condition.as_str() == condition)
            && severity.is_none_or(|severity| row.severity == severity)
            && state.is_none_or(|state| state.holds(row))
            && (text.is_empty() || row.says(&text.to_lowercase()))
    }

    /// As a query, with another page.
    pub fn query(&self, page: u32) -> String {
        let Self { cluster, namespace, condition, severity, state, text, page: _ } = self;
        let number = if page > 1 { page.to_string() } else { String::new() };
        query(&[
            ("cluster", cluster),
            ("namespace", namespace),
            ("condition", condition),
            ("severity", severity.map_or("", severity_tag)),
            ("state", state.map_or("", StateFilter::tag)),
            ("text", text),
            ("page", &number),
        ])
    }
}

/// Which records. What is empty does not restrict.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditQuery {
    pub incident: String,
    pub kind: String,
    pub actor: String,
    /// A day, `2026-01-31`, or a timestamp.
    pub since: String,
    pub until: String,
    /// Only records with a smaller number: where the page before ended.
    pub before: Option<u64>,
    /// Whether the whole chain is to be verified.
    pub check: bool,
}

impl AuditQuery {
    /// Reads a query's names and values.
    pub fn of<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut asked = Self::default();
        for (name, value) in pairs {
            let value = cut(value.as_ref());
            match name.as_ref() {
                "incident" => asked.incident = value,
                "kind" => asked.kind = value,
                "actor" => asked.actor = value,
                "since" => asked.since = value,
                "until" => asked.until = value,
                "before" => asked.before = value.parse().ok(),
                "check" => asked.check = value == "1",
                _ => {}
            }
        }
        asked
    }

    /// As a query, from another record on.
    pub fn query(&self, before: Option<u64>) -> String {
        let Self { incident, kind, actor, since, until, before: _, check: _ } = self;
        let before = before.map(|seq| seq.to_string()).unwrap_or_default();
        query(&[
            ("incident", incident),
            ("kind", kind),
            ("actor", actor),
            ("since", since),
            ("until", until),
            ("before", &before),
        ])
    }
}

/// A severity as queries name it.
pub(super) fn severity_tag(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

fn severity(tag: &str) -> Option<Severity> {
    [Severity::Info, Severity::Warning, Severity::Critical].into_iter().find(|s| severity_tag(*s) == tag)
}

fn cut(value: &str) -> String {
    value.trim().chars().take(LONGEST).collect()
}

fn query(pairs: &[(&str, &str)]) -> String {
    let mut written = String::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        let glue = if written.is_empty() { '?' } else { '&' };
        let _ = write!(written, "{glue}{name}={}", encoded(value));
    }
    written
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub(super) fn encoded(value: &str) -> String {
    let mut written = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_reads_back_what_it_wrote() {
        let filter = Filter::of([
            ("cluster", "prod-eu"),
            ("severity", "critical"),
            ("state", "awaiting"),
            ("text", "a&b=\"c\" 磁盘"),
            ("page", "3"),
            ("unknown", "x"),
        ]);
        let written = filter.query(3);
        assert_eq!(
            written,
            "?cluster=prod-eu&severity=critical&state=awaiting&text=a%26b%3D%22c%22%20%E7%A3%81%E7%9B%98&page=3"
        );
        assert!(filter.is_on());
    }

    #[test]
    fn nonsense_in_a_query_does_not_restrict() {
        let filter = Filter::of([("severity", "bogus"), ("state", "../.."), ("page", "-1")]);
        assert!(!filter.is_on());
        assert_eq!((filter.page, filter.query(1)), (1, String::new()));
    }
}
