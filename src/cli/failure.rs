//! How a command ends, and how it prints.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

/// A command that was carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Nothing is wrong.
    Good,
    /// Something was found.
    Found,
}

/// A command that could not be carried out: what, where, and the way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    what: String,
    way_out: String,
}

impl Failure {
    /// What could not be done, and what to do about it (`""` where the first says it all).
    pub fn new(what: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { what: what.into(), way_out: way_out.into() }
    }
}

/// The exit status, after saying what went wrong.
pub(super) fn conclude(outcome: Result<Exit, Failure>) -> ExitCode {
    match outcome {
        Ok(Exit::Good) => ExitCode::SUCCESS,
        Ok(Exit::Found) => ExitCode::from(1),
        Err(failure) => {
            complain(&failure);
            ExitCode::from(2)
        }
    }
}

/// Writes to standard output. Whoever reads may stop reading (`| head`); that is no failure.
pub(super) fn print(text: &str) -> Result<Exit, Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(Exit::Good),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Good),
        Err(error) => Err(Failure::new(format!("standard output cannot be written: {error}"), "")),
    }
}

/// Writes to standard error; where that fails, nobody is left to tell.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn complain(failure: &Failure) {
    note(&format!("error: {}", failure.what));
    if !failure.way_out.is_empty() {
        note(&format!("  help: {}", failure.way_out));
    }
}
