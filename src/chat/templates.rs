//! Where templates come from, and how a mistake in one is told.

use std::fmt;
use std::path::Path;

/// A mistake in a template: where, what, and the way out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mistake {
    pub file: String,
    /// From 1; 0 for the file as a whole.
    pub line: usize,
    pub what: String,
    pub way_out: String,
}

impl Mistake {
    /// A mistake at a line of a file.
    pub fn new(file: &str, line: usize, what: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into(), way_out: way_out.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.what)?;
        if self.way_out.is_empty() { Ok(()) } else { write!(f, "\n  help: {}", self.way_out) }
    }
}

/// The largest template that is read.
const LARGEST: u64 = 256 * 1024;

/// A file of the operator's folder, if it is there: its name and its text.
pub(super) fn overriding(
    folder: Option<&Path>,
    name: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<(String, String)> {
    let path = folder?.join(name);
    let shown = path.display().to_string();
    let size = match std::fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            mistakes.push(Mistake::new(&shown, 0, format!("it cannot be read: {error}"), ""));
            return None;
        }
    };
    if size > LARGEST {
        let way_out = format!("a template has at most {LARGEST} bytes");
        mistakes.push(Mistake::new(&shown, 0, "it is too large", way_out));
        return None;
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => Some((shown, text)),
        Err(error) => {
            mistakes.push(Mistake::new(&shown, 0, format!("it cannot be read: {error}"), ""));
            None
        }
    }
}

/// The first line that begins with `start`; 0 if none does.
pub(super) fn line_of(text: &str, start: &str) -> usize {
    text.lines().position(|line| line.trim_start().starts_with(start)).map_or(0, |at| at + 1)
}
