//! `kubemend explain`: names the condition that a failure message tells of. Needs no cluster.
//!
//! One message with words for a person, or with `--batch` one JSON object a line in and one a line out, in the
//! same order, nothing left out. What is printed of a message is redacted as evidence is.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};

use clap::Args as ClapArgs;
use serde::Serialize;
use serde_json::json;

use super::failure::{Exit, Failure, note, print};
use crate::diagnosis::{Explanation, Message, States, cause, explain};
use crate::incident::{Text, redact};
use crate::playbook::Book;

/// Longer lines are answered with an error and not held in memory.
const LONGEST_LINE: u64 = 4 << 20;
/// A message read from standard input is not longer.
const LONGEST_MESSAGE: u64 = 1 << 20;
const BUFFER: usize = 1 << 16;

#[derive(ClapArgs, Debug)]
pub(super) struct Args {
    /// The message; standard input where it is missing.
    message: Option<String>,
    /// The reason of the event or of the container's state, such as `Failed` or `CrashLoopBackOff`.
    #[arg(long, default_value = "")]
    reason: String,
    /// The kind of the object it is about.
    #[arg(long, default_value = "")]
    kind: String,
    /// How to print it.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Read JSON lines (id, kind, type, reason, component, message, context) and answer each with one.
    #[arg(long, conflicts_with_all = ["message", "reason", "kind"])]
    batch: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Output {
    Text,
    Json,
}

pub(super) fn run(arguments: &Args) -> Result<Exit, Failure> {
    let book = Book::shipped();
    if arguments.batch {
        let out = std::io::BufWriter::with_capacity(BUFFER, std::io::stdout().lock());
        return batch(&book, BufReader::with_capacity(BUFFER, std::io::stdin().lock()), out);
    }
    let text = match &arguments.message {
        Some(text) if text != "-" => text.clone(),
        Some(_) | None => read_message()?,
    };
    let message = message(&arguments.kind, &arguments.reason, &text);
    let explained = explain(&book, &message);
    let exit = if explained.condition.is_some() { Exit::Found } else { Exit::Good };
    match arguments.output {
        Output::Json => print(&format!("{}\n", json!(Answer { id: None, explained: &explained })))?,
        Output::Text => print(&in_words(&book, &explained, &cause(&book, &message)))?,
    };
    Ok(exit)
}

fn message(kind: &str, reason: &str, text: &str) -> Message {
    let message = redact(text.trim()).into_owned();
    Message { kind: Text::new(kind), reason: Text::new(reason), message, ..Message::default() }
}

fn read_message() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST_MESSAGE).read_to_string(&mut text);
    read.map_err(|error| Failure::new(format!("standard input cannot be read: {error}"), ""))?;
    if text.trim().is_empty() {
        return Err(Failure::new("there is no message", "give it as an argument or on standard input"));
    }
    Ok(text)
}

fn in_words(book: &Book, explained: &Explanation, cause: &str) -> String {
    let Some(playbook) = explained.condition.as_ref().and_then(|id| book.get(id)) else {
        return "No playbook knows this message. That is no proof that nothing is wrong: give --kind and --reason, or \
                use `kubemend diagnose`, which looks at the objects too.\n"
            .to_owned();
    };
    // Writing to a String cannot fail.
    let mut words = format!("{} ({})\n\n{cause}\n", playbook.title, playbook.id);
    if !explained.also_possible.is_empty() {
        let rivals: Vec<&str> =
            explained.also_possible.iter().map(crate::incident::ConditionId::as_str).collect();
        let _ = writeln!(words, "\nAlso possible: {}", rivals.join(", "));
    }
    if !explained.variables.is_empty() {
        words.push('\n');
        for (name, value) in &explained.variables {
            let _ = writeln!(words, "  {name:<14} {value}");
        }
    }
    let _ = writeln!(words, "\n{}", playbook.explanation.trim());
    words
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Text>,
    #[serde(flatten)]
    explained: &'a Explanation,
}

/// Answers every line. A line that cannot be read gets an error in its place, and the whole ends as failed.
pub(super) fn batch(book: &Book, mut input: impl BufRead, mut output: impl Write) -> Result<Exit, Failure> {
    let (mut line, mut number, mut bad) = (Vec::new(), 0_u64, 0_u64);
    loop {
        line.clear();
        let read = input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        let read =
            read.map_err(|error| Failure::new(format!("standard input cannot be read: {error}"), ""))?;
        if read == 0 {
            break;
        }
        number += 1;
        let complete = line.ends_with(b"\n");
        if !complete && line.len() as u64 == LONGEST_LINE {
            skip_line(&mut input)?;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let wrong = answer(book, &line, number, &mut output).map_err(|error| unwritable(&error))?;
        bad += u64::from(wrong == Line::Bad);
    }
    output.flush().map_err(|error| unwritable(&error))?;
    if bad > 0 {
        let what = format!("{bad} of {number} lines could not be read; each has an error in its place");
        return Err(Failure::new(what, "every line is one JSON object with at least `message` or `context`"));
    }
    Ok(Exit::Good)
}

#[derive(PartialEq, Eq)]
enum Line {
    Good,
    Bad,
}

fn answer(book: &Book, line: &[u8], number: u64, output: &mut impl Write) -> std::io::Result<Line> {
    match serde_json::from_slice::<Message>(line) {
        Ok(mut message) => {
            let mut explained = explain(book, &message);
            // Only captured texts are printed of a message, and most of them hold none.
            if !explained.variables.is_empty() && clean(&mut message) {
                explained = explain(book, &message);
            }
            serde_json::to_writer(&mut *output, &Answer { id: Some(&message.id), explained: &explained })?;
            output.write_all(b"\n")?;
            Ok(Line::Good)
        }
        Err(error) => {
            // The id may still be there to be found.
            let id = serde_json::from_slice::<serde_json::Value>(line).ok().map(|value| value["id"].clone());
            let answer = json!({"id": id, "line": number, "error": redact(&error.to_string())});
            writeln!(output, "{answer}")?;
            Ok(Line::Bad)
        }
    }
}

/// Redacts what may be captured from; whether there was anything to redact.
fn clean(message: &mut Message) -> bool {
    let mut found = false;
    for text in [&mut message.message, &mut message.context.log_tail] {
        if let Cow::Owned(clean) = redact(text) {
            *text = clean;
            found = true;
        }
    }
    clean_states(&mut message.context.container_state) | found
}

fn clean_states(states: &mut States) -> bool {
    let mut found = false;
    for told in states.waiting.iter_mut().chain(&mut states.terminated) {
        if let Cow::Owned(clean) = redact(&told.message) {
            told.message = Text::unpooled(&clean);
            found = true;
        }
    }
    for inner in states.state.iter_mut().chain(&mut states.last_state) {
        found |= clean_states(inner);
    }
    found
}

fn skip_line(input: &mut impl BufRead) -> Result<(), Failure> {
    input
        .skip_until(b'\n')
        .map(drop)
        .map_err(|error| Failure::new(format!("standard input cannot be read: {error}"), ""))
}

fn unwritable(error: &std::io::Error) -> Failure {
    note("standard output was closed before the last answer");
    Failure::new(format!("standard output cannot be written: {error}"), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "references non-existent config key: password=s3cr3t-word";

    fn answers(input: &str) -> (Result<Exit, Failure>, Vec<serde_json::Value>) {
        let mut output = Vec::new();
        let exit = batch(&Book::shipped(), input.as_bytes(), &mut output);
        let lines = String::from_utf8(output).unwrap();
        (exit, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn every_line_is_answered_in_its_place() {
        let (exit, lines) = answers(concat!(
            r#"{"id":"a","kind":"Pod","reason":"BackOff","message":"Back-off restarting failed container"}"#,
            "\n",
            r#"{"id":"b","message":"Container image \"busybox\" already present on machine","reason":"Pulled","context":null}"#,
        ));
        assert_eq!(exit, Ok(Exit::Good));
        assert_eq!((&lines[0]["id"], &lines[0]["condition"]), (&json!("a"), &json!("crash.app-exit")));
        assert_eq!((&lines[1]["id"], &lines[1]["condition"]), (&json!("b"), &json!(null)));
        assert!(lines[1]["also_possible"].is_array() && lines[1]["variables"].is_object());
    }

    #[test]
    fn what_is_captured_of_a_message_is_redacted() {
        let (_, lines) =
            answers(&format!(r#"{{"id":"a","kind":"Pod","reason":"FailedMount","message":"{TOLD}"}}"#));
        assert_eq!(lines[0]["condition"], "config.missing-reference");
        assert_eq!(lines[0]["variables"]["key"], "password=[redacted]", "{}", lines[0]);
    }

    #[test]
    fn what_is_said_of_one_message_is_redacted() {
        let (book, message) = (Book::shipped(), message("Pod", "FailedMount", &format!(" {TOLD}\n")));
        let words = in_words(&book, &explain(&book, &message), &cause(&book, &message));
        assert!(words.contains("password=[redacted]") && !words.contains("s3cr3t"), "{words}");
    }

    #[test]
    fn a_bad_line_gets_an_error_and_the_next_ones_their_answers() {
        let (exit, lines) =
            answers("{\"id\":\"a\",\"message\":[]}\nnot json\n{\"id\":\"c\",\"message\":\"\"}\n");
        assert!(exit.is_err());
        assert_eq!(lines[0]["id"], "a");
        assert!(lines[0]["error"].is_string() && lines[1]["error"].is_string());
        assert_eq!((&lines[2]["id"], &lines[2]["condition"]), (&json!("c"), &json!(null)));
    }
}
