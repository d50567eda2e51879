//! `kubemend templates`: list the templates in use, and check them against what the platforms take.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::failure::{Exit, Failure, note, print};
use crate::chat::layout::{Layouts, lint};
use crate::chat::samples;
use crate::chat::templates::Mistake;
use crate::chat::words::{FALLBACK, LOCALES, Words};

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// The files in use, and the keys of all phrases.
    List(Files),
    /// Render every template with sample data, in every locale, against each platform's limits.
    Lint(Files),
}

/// Templates of one's own.
#[derive(ClapArgs, Debug, Default)]
pub(super) struct Files {
    /// A folder whose templates take the place of the shipped ones: `slack/card.json.hbs`, `en/card.yaml`.
    #[arg(long = "dir", value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// A further locale, whose words are in the folder.
    #[arg(long = "locale", value_name = "LOCALE")]
    locales: Vec<String>,
}

pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::List(files) => list(files),
        Command::Lint(files) => check(files),
    }
}

fn list(files: &Files) -> Result<Exit, Failure> {
    let loaded = Layouts::load(files.dir.as_deref())
        .and_then(|layouts| Words::load(FALLBACK, files.dir.as_deref()).map(|words| (layouts, words)));
    let (layouts, words) = match loaded {
        Ok(loaded) => loaded,
        Err(mistakes) => return Ok(report(&mistakes)),
    };
    let mut text = String::new();
    for file in layouts.files() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{file}");
    }
    for (key, file) in words.keys() {
        let _ = writeln!(text, "{key:<28} {file}");
    }
    print(&text)
}

fn check(files: &Files) -> Result<Exit, Failure> {
    let mut mistakes = Vec::new();
    let layouts = Layouts::load(files.dir.as_deref()).map_err(|found| mistakes.extend(found)).ok();
    let mut checked = 0;
    for locale in locales(files) {
        let words = match Words::load(&locale, files.dir.as_deref()) {
            Ok(words) => words,
            Err(found) => {
                mistakes.extend(found);
                continue;
            }
        };
        if let Some(layouts) = &layouts {
            mistakes.extend(lint(layouts, &words, &samples::cards(&words), &samples::forms()));
            checked += 1;
        }
    }
    mistakes.sort();
    mistakes.dedup();
    if !mistakes.is_empty() {
        return Ok(report(&mistakes));
    }
    let count = layouts.map_or(0, |layouts| layouts.files().count());
    print(&format!("{count} layouts in {checked} locales, no mistakes\n"))
}

fn locales(files: &Files) -> Vec<String> {
    let mut all: Vec<String> = LOCALES.iter().map(|locale| (*locale).to_owned()).collect();
    all.extend(files.locales.iter().filter(|locale| !LOCALES.contains(&locale.as_str())).cloned());
    all
}

/// Mistakes are what was asked for: they are printed, and the exit status says that there are some.
fn report(mistakes: &[Mistake]) -> Exit {
    note(&mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    Exit::Found
}
