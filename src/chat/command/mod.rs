//! The command `/mend`: from a line to a wish. Pure.
//!
//! Owns what can be typed, what it is called, and what is said about a slip. Refuses to look anything up: a
//! wish names incidents and objects by what was typed, in their right form.

mod parse;
mod words;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use thiserror::Error;

use crate::incident::{ExecutionId, IncidentId, ProposalId, Severity, Text};

pub use parse::{MOST, parse};
pub use words::{ALL, Place, Spec, Take, Thing, spec};
pub use write::{Value, write};

/// A line that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    pub wish: Wish,
    /// Whether everybody in the channel shall see the answer.
    pub here: bool,
}

/// What somebody wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    Help { about: Option<String> },
    Status,
    Incidents(Which),
    Show { incident: IncidentId },
    Diagnose { kind: String, name: Text, namespace: Option<Text>, cluster: Option<Text> },
    Actions { incident: IncidentId },
    Run { incident: IncidentId, remedy: Text, parameters: BTreeMap<Text, Text> },
    Approve { proposal: ProposalId },
    Deny { proposal: ProposalId, note: Text },
    Undo { execution: ExecutionId },
    Silence { incident: IncidentId, lasting: SignedDuration, note: Text },
    Pause,
    Resume,
    Audit { incident: Option<IncidentId> },
    WhoAmI,
}

/// Which incidents.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Which {
    pub cluster: Option<Text>,
    pub namespace: Option<Text>,
    pub severity: Option<Severity>,
    /// Those that are over, too.
    pub all: bool,
    pub text: Option<String>,
    pub limit: u32,
}

/// Why a line was not understood.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Slip {
    #[error("nothing was said")]
    Empty,
    #[error("the line is too long")]
    TooLong,
    #[error("there is no command {word}")]
    Unknown { word: String, near: Option<&'static str> },
    #[error("{command} needs more")]
    Missing { command: &'static str, what: What },
    #[error("{word} is too much for {command}")]
    Extra { command: &'static str, word: String },
    #[error("{command} takes no {flag}")]
    Flag { command: &'static str, flag: String, near: Option<&'static str> },
    #[error("{flag} needs a value")]
    Value { flag: &'static str },
    #[error("{value} is not what was expected")]
    Bad { value: String, what: What },
}

/// What was expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Incident,
    Proposal,
    Execution,
    Object,
    Remedy,
    Duration,
    Parameter,
    Severity,
    Number,
}
