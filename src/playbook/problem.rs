//! What is wrong with a playbook, where it stands, and the way out.

use std::fmt;

use serde::Serialize;
use serde_saphyr::Location;

use super::nearest::nearest;

/// One mistake in a playbook file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    pub file: String,
    /// From 1; 0 where the place is not known.
    pub line: u64,
    pub column: u64,
    pub message: String,
}

impl Problem {
    pub(super) fn new(file: &str, at: Option<Location>, message: impl Into<String>) -> Self {
        let (line, column) = at.map_or((0, 0), |at| (at.line(), at.column()));
        Self { file: file.to_owned(), line, column, message: message.into() }
    }

    /// A mistake that the YAML reader found, with a near name where a key or value is not known.
    pub(super) fn of_yaml(file: &str, error: &serde_saphyr::Error) -> Self {
        let bare = error.without_snippet();
        let message = bare.to_string();
        let message = match near_name(&message) {
            Some(name) => format!("{message}; did you mean `{name}`?"),
            None => message,
        };
        Self::new(file, bare.location(), message)
    }
}

/// The backquoted names of an "unknown …, expected one of …" error: the first is wrong, the others are right.
fn near_name(message: &str) -> Option<&str> {
    if !message.contains("unknown") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let wrong = quoted.next()?;
    nearest(wrong, quoted.collect::<Vec<_>>())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)
        } else {
            write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
        }
    }
}
