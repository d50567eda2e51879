//! Every mistake of a configuration, as one text that an operator can work through.

use std::fmt;

use super::shape::Mistake;
use super::tree::Position;

/// The mistakes of one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    file: String,
    mistakes: Vec<Mistake>,
    unreadable: bool,
}

impl Report {
    /// The mistakes of `file`, in the order of its lines.
    pub fn new(file: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort();
        mistakes.dedup();
        Self { file: file.to_owned(), mistakes, unreadable: false }
    }

    pub(super) fn unreadable(file: &str, error: &std::io::Error) -> Self {
        let mistake = Mistake {
            at: Position::default(),
            path: String::new(),
            what: format!("the file cannot be read: {error}"),
            way_out:
                "give the path of a configuration file with --config; deploy/config.example.yaml shows one"
                    .to_owned(),
        };
        Self { file: file.to_owned(), mistakes: vec![mistake], unreadable: true }
    }

    /// Whether the file could not be read at all.
    pub fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// What is wrong.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl std::error::Error for Report {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            self.write(mistake, f)?;
        }
        Ok(())
    }
}

impl Report {
    fn write(&self, mistake: &Mistake, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if mistake.at.line > 0 {
            write!(f, ":{}:{}", mistake.at.line, mistake.at.column)?;
        }
        if !mistake.path.is_empty() {
            write!(f, ": {}", mistake.path)?;
        }
        write!(f, ": {}", mistake.what)?;
        if !mistake.way_out.is_empty() {
            write!(f, "\n  help: {}", mistake.way_out)?;
        }
        Ok(())
    }
}

/// What the YAML reader says, in our form.
pub(super) fn from_yaml(error: &serde_saphyr::Error) -> Mistake {
    let at = error.location().map(|l| Position { line: l.line(), column: l.column() }).unwrap_or_default();
    let plain = error.without_snippet().to_string();
    let plain = plain.split(" at line ").next().unwrap_or_default();
    Mistake {
        at,
        path: String::new(),
        what: plain.lines().next().unwrap_or("this is not valid YAML").to_owned(),
        way_out: String::new(),
    }
}
