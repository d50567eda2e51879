//! What is due for one message: a question to its state and to what should be shown. Pure.

use crate::engine::{PostState, Posting};
use crate::incident::Digest;

/// The one thing to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Store that it is being sent, and send it.
    Post,
    /// It may have arrived: ask the platform by the nonce.
    Ask,
    Edit,
    /// Store which entries are being told, and tell them in the thread.
    Note,
    /// The reply may have arrived: ask.
    AskNote,
    Nothing,
}

/// What is due, when `wanted` should be shown and the entries up to `version` told.
pub(super) fn next(posting: &Posting, wanted: &Digest, version: u64) -> Step {
    match &posting.state {
        PostState::Wanted => Step::Post,
        PostState::Sending => Step::Ask,
        PostState::Posted { .. } if posting.shown.as_ref() != Some(wanted) => Step::Edit,
        PostState::Posted { .. } if posting.notes.sending.is_some() => Step::AskNote,
        PostState::Posted { .. } if posting.notes.told < version => Step::Note,
        PostState::Posted { .. } | PostState::Gathered { .. } | PostState::Abandoned { .. } => Step::Nothing,
    }
}
