//! What can go wrong with the database: which operation, on what, and the way out where there is one.

use std::path::PathBuf;

use thiserror::Error;

use crate::incident::{BrokenChain, IncidentId};

/// A failed operation of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error("cannot open the database file {}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("cannot open the database {}", path.display())]
    Open { path: PathBuf, source: sqlx::Error },
    #[error(
        "the database {path} has form {found}, and this program knows forms up to {known}: it was written by \
         a newer kubemend; run that version, or point this one at another file"
    )]
    Newer { path: String, found: i64, known: i64 },
    /// Somebody else wrote to the incident in between; read it again and decide anew.
    #[error("incident {incident} is at version {found}, not {expected}: somebody else changed it")]
    Conflict { incident: IncidentId, expected: u64, found: u64 },
    /// The caller's entries and state do not belong together.
    #[error("{entries} entries cannot take incident {incident} from version {expected} to {version}")]
    Mismatch { incident: IncidentId, entries: usize, expected: u64, version: u64 },
    #[error("cannot {operation} {object}")]
    Failed { operation: &'static str, object: String, source: sqlx::Error },
    #[error("{what} in the database cannot be read; was it edited?")]
    Unreadable { what: String, source: serde_json::Error },
    #[error("{what} in the database cannot be read: {why}")]
    Malformed { what: String, why: String },
    #[error(transparent)]
    Broken(#[from] BrokenChain),
}

/// Names the operation and its object when a statement fails.
pub(super) fn failed<O: Into<String>>(
    operation: &'static str,
    object: O,
) -> impl FnOnce(sqlx::Error) -> StoreError {
    let object = object.into();
    move |source| StoreError::Failed { operation, object, source }
}
