//! Where templates come from, whether all of them can be used, and how a mistake in one is told.

use std::fmt;
use std::path::Path;

use super::console::pages::Pages;
use super::layout::{self, Layouts};
use super::samples;
use super::words::{LOCALES, Words};

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

/// All of them, for people.
pub fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// How much was read and found good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checked {
    pub layouts: usize,
    pub pages: usize,
    pub locales: usize,
}

/// Reads all templates, those of a folder in the place of the shipped ones, and renders every sample with the
/// layouts, in the shipped locales and in `further` ones; or every mistake.
pub fn check(folder: Option<&Path>, further: &[String]) -> Result<Checked, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let layouts = Layouts::load(folder).map_err(|found| mistakes.extend(found)).ok();
    let further = further.iter().map(String::as_str).filter(|locale| !LOCALES.contains(locale));
    let locales: Vec<&str> = LOCALES.iter().copied().chain(further).collect();
    for locale in &locales {
        match (Words::load(locale, folder), &layouts) {
            (Err(found), _) => mistakes.extend(found),
            (Ok(words), Some(layouts)) => {
                let (cards, forms) = (samples::cards(&words), samples::forms());
                mistakes.extend(layout::lint(layouts, &words, &cards, &forms));
            }
            (Ok(_), None) => {}
        }
    }
    let pages = Pages::load(folder).map_err(|found| mistakes.extend(found)).ok();
    mistakes.sort();
    mistakes.dedup();
    match (layouts, pages) {
        (Some(layouts), Some(_)) if mistakes.is_empty() => Ok(Checked {
            layouts: layouts.files().count(),
            pages: Pages::templates(),
            locales: locales.len(),
        }),
        _ => Err(mistakes),
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
