//! The shipped playbooks compile, and each holds its own tests beside all the others.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of the tests, not of the product: it fails by panicking and talks to a terminal"
)]

use kubemend::diagnosis::run;
use kubemend::playbook::Book;

#[test]
fn every_shipped_playbook_compiles() {
    let problems = Book::load(&[], &[]).map(drop).unwrap_err_or_default();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_shipped_playbook_holds_its_tests() {
    let book = Book::shipped();
    let failures: Vec<String> =
        book.iter().flat_map(|playbook| run(&book, playbook)).map(|f| f.to_string()).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert_eq!(book.len(), 16);
}

trait Told {
    fn unwrap_err_or_default(self) -> Vec<String>;
}

impl Told for Result<(), Vec<kubemend::playbook::Problem>> {
    fn unwrap_err_or_default(self) -> Vec<String> {
        self.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }
}
