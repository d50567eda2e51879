//! What was found so far, for somebody who waits: which part, and how much of it. Counts only: what is gathered
//! is redacted at the end, and nothing of it leaves before.

/// A part of the evidence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Piece {
    Object,
    Events,
    Secrets,
    References,
    Logs,
    Revisions,
}

/// A part that is there now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    pub piece: Piece,
    pub count: usize,
}

/// Who is told.
pub type Tell<'t> = &'t (dyn Fn(Found) + Send + Sync);

/// Nobody.
pub(in crate::cluster) fn nobody(_: Found) {}
