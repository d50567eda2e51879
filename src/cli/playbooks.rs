//! `kubemend playbooks`: list them, show one, check files of one's own, run their tests, print the schema.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::failure::{Exit, Failure, note, print};
use crate::diagnosis::run as run_tests;
use crate::incident::ConditionId;
use crate::playbook::{Book, Problem, nearest, schema};

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// The playbooks that are in force.
    List(Files),
    /// One playbook as it is written.
    Show {
        /// Its condition, such as `image.auth-missing`.
        id: String,
        #[command(flatten)]
        files: Files,
    },
    /// Say every mistake, with file, line and column.
    Lint(Files),
    /// Run the tests of all playbooks, or of one, each beside all the others.
    Test {
        /// A condition, such as `image.auth-missing`.
        id: Option<String>,
        #[command(flatten)]
        files: Files,
    },
    /// Print the JSON Schema of a playbook, for editors.
    Schema,
}

/// Folders of playbooks of one's own.
#[derive(ClapArgs, Debug, Default)]
pub(super) struct Files {
    /// A folder with playbooks that stand beside the shipped ones, or in their place where they have their names.
    #[arg(long = "dir", value_name = "FOLDER")]
    dirs: Vec<PathBuf>,
    /// A shipped playbook to leave out.
    #[arg(long = "off", value_name = "CONDITION")]
    off: Vec<String>,
}

pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Schema => print(&format!("{:#}\n", schema())),
        Command::List(files) => with_book(files, |book| print(&list(book))),
        Command::Show { id, files } => with_book(files, |book| print(&book_entry(book, id)?.source)),
        Command::Lint(files) => {
            with_book(files, |book| print(&format!("{} playbooks, no mistakes\n", book.len())))
        }
        Command::Test { id, files } => with_book(files, |book| test(book, id.as_deref())),
    }
}

/// Mistakes in playbooks are what was asked for: they are printed, and the exit status says that there are some.
fn with_book(files: &Files, work: impl FnOnce(&Book) -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    let off: Vec<ConditionId> = files.off.iter().map(|id| ConditionId::from(id.as_str())).collect();
    match Book::load(&files.dirs, &off) {
        Ok(book) => work(&book),
        Err(problems) => {
            note(&problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"));
            Ok(Exit::Found)
        }
    }
}

fn list(book: &Book) -> String {
    let line = |playbook: &crate::playbook::Playbook| {
        let severity = format!("{:?}", playbook.severity).to_lowercase();
        format!("{:<28} {severity:<9} {}\n", playbook.id, playbook.title)
    };
    book.iter().map(line).collect()
}

fn book_entry<'b>(book: &'b Book, id: &str) -> Result<&'b crate::playbook::Playbook, Failure> {
    book.get(&ConditionId::from(id)).ok_or_else(|| {
        let hint = match nearest(id, book.iter().map(|playbook| playbook.id.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`kubemend playbooks list` names them".to_owned(),
        };
        Failure::new(format!("there is no playbook `{id}`"), hint)
    })
}

fn test(book: &Book, id: Option<&str>) -> Result<Exit, Failure> {
    let wanted = match id {
        Some(id) => vec![book_entry(book, id)?],
        None => book.iter().collect(),
    };
    let (mut report, mut failed, mut tests) = (String::new(), 0, 0);
    for playbook in wanted {
        let failures = run_tests(book, playbook);
        let count = playbook.trials().count();
        // Writing to a String cannot fail.
        let _ = writeln!(report, "{:<28} {} of {count} hold", playbook.id, count - failures.len());
        for failure in &failures {
            let _ = writeln!(report, "  {failure}");
        }
        failed += failures.len();
        tests += count;
    }
    let _ = writeln!(report, "{tests} tests, {failed} failed");
    print(&report)?;
    Ok(if failed == 0 { Exit::Good } else { Exit::Found })
}
