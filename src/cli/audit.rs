//! `kubemend audit`: the records of what was seen, decided and done.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::failure::{Exit, Failure, note, print};
use crate::config::Config;
use crate::incident::IncidentId;
use crate::incident::chain::{Audited, BrokenChain, Record, Verified, Verifier};
use crate::store::{AuditFilter, Order, Store, StoreError};

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Show records, the newest last.
    List(List),
    /// Write all records as JSON lines, byte for byte as `verify` needs them.
    Export(Export),
    /// Check that no record was changed, removed or put in between. Exit status 1 if one was.
    Verify(Verify),
}

/// Which store.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct From {
    /// A configuration file; its store is meant.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store's own file.
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    from: From,
    /// Only records of this incident.
    #[arg(long, value_name = "ID")]
    incident: Option<String>,
    /// Only records of this type, such as `decided` or `changeDone`.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// How many at most; the newest.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Args, Debug)]
pub(super) struct Export {
    #[command(flatten)]
    from: From,
    /// Only records after this number.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct Verify {
    /// A configuration file; its store is meant.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store's own file.
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// What `audit export` wrote.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Output {
    /// One line a record.
    Text,
    /// One JSON object a line.
    Json,
}

pub(super) async fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::List(asked) => list(asked).await,
        Command::Export(asked) => export(asked).await,
        Command::Verify(asked) => verify(asked).await,
    }
}

async fn list(asked: List) -> Result<Exit, Failure> {
    let store = open(asked.from.config, asked.from.store).await?;
    let incident = asked.incident.as_deref().map(IncidentId::from);
    let filter = AuditFilter { incident, kind: asked.kind, ..AuditFilter::default() };
    let mut records =
        store.audit(&filter, Order::NewestFirst, asked.limit).await.map_err(|error| failed(&error))?;
    records.reverse();
    let lines = records.iter().map(|record| line(record, asked.output));
    print(&lines.fold(String::new(), |text, line| text + &line + "\n"))
}

async fn export(asked: Export) -> Result<Exit, Failure> {
    let store = open(asked.from.config, asked.from.store).await?;
    let mut after = asked.after;
    loop {
        let page = store.export(after).await.map_err(|error| failed(&error))?;
        let Some(last) = page.last() else { return Ok(Exit::Good) };
        after = last.seq;
        let mut text = String::new();
        for record in &page {
            let json = serde_json::to_string(record);
            let json = json.map_err(|error| {
                Failure::new(format!("record {} cannot be written: {error}", record.seq), "")
            })?;
            let _ = writeln!(text, "{json}");
        }
        print(&text)?;
    }
}

async fn verify(asked: Verify) -> Result<Exit, Failure> {
    if let Some(file) = asked.file {
        return conclude(verify_file(&file)?, &file);
    }
    let path = place(asked.config, asked.store)?;
    match Store::open(&path).await.map_err(|error| failed(&error))?.verify().await {
        Ok(verified) => conclude(Ok(verified), &path),
        Err(StoreError::Broken(broken)) => conclude(Err(broken), &path),
        Err(error) => Err(failed(&error)),
    }
}

fn verify_file(file: &Path) -> Result<Result<Verified, BrokenChain>, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(
            format!("{} cannot be read: {error}", file.display()),
            "give a file that `kubemend audit export` wrote",
        )
    };
    let open = std::fs::File::open(file).map_err(|error| unreadable(&error))?;
    let mut verifier = Verifier::default();
    for (index, line) in BufReader::new(open).lines().enumerate() {
        let line = line.map_err(|error| unreadable(&error))?;
        let record: Record = serde_json::from_str(&line)
            .map_err(|error| unreadable(&format!("line {}: {error}", index + 1)))?;
        if let Err(broken) = verifier.take(&record) {
            return Ok(Err(broken));
        }
    }
    Ok(verifier.finish())
}

fn conclude(verified: Result<Verified, BrokenChain>, what: &Path) -> Result<Exit, Failure> {
    match verified {
        Ok(Verified { records, head }) => print(&format!(
            "{}: {records} records, unbroken; the last is {} {}\n",
            what.display(),
            head.seq,
            head.hash
        )),
        Err(broken) => {
            note(&format!("{}: {broken}", what.display()));
            Ok(Exit::Found)
        }
    }
}

async fn open(config: Option<PathBuf>, store: Option<PathBuf>) -> Result<Store, Failure> {
    Store::open(&place(config, store)?).await.map_err(|error| failed(&error))
}

/// The store's file, which must be there: looking at records never makes one.
fn place(config: Option<PathBuf>, store: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let path = match (config, store) {
        (Some(file), _) => {
            let config = Config::load_text(&file);
            config.map_err(|report| Failure::new(report.to_string(), ""))?.store.path
        }
        (None, Some(path)) => path,
        (None, None) => return Err(Failure::new("no store is named", "give --config or --store")),
    };
    if path.is_file() {
        Ok(path)
    } else {
        Err(Failure::new(
            format!("there is no store at {}", path.display()),
            "store.path in the configuration says where it is",
        ))
    }
}

fn failed(error: &StoreError) -> Failure {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    Failure::new(text, "")
}

fn line(record: &Audited, output: Output) -> String {
    let json = serde_json::to_value(record).unwrap_or(Value::Null);
    if output == Output::Json {
        return json.to_string();
    }
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let entry = &json["entry"];
    format!(
        "{:>6}  {}  {:8} {}{}",
        json["seq"],
        text(&json["at"]),
        text(&json["incident"]),
        text(&entry["type"]),
        details(entry)
    )
}

/// The few words of an entry that tell what it was about and who was behind it.
fn details(entry: &Value) -> String {
    let places = [
        "/finding/condition",
        "/proposal/id",
        "/proposal",
        "/decision/kind",
        "/decision/by/id",
        "/execution",
        "/index",
        "/outcome/is",
        "/verdict",
        "/into",
        "/by/id",
        "/incident",
        "/why",
        "/text",
    ];
    let found = places.iter().filter_map(|place| entry.pointer(place)).filter_map(|value| match value {
        Value::String(text) => Some(text.escape_debug().to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    found.fold(String::new(), |line, word| line + " " + &word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::chain::{Head, Upkeep, link};
    use crate::incident::{Actor, Digest};

    fn exported(count: u64) -> String {
        let mut head = Head::start();
        let mut text = String::new();
        for _ in 0..count {
            let body =
                serde_json::value::to_raw_value(&Upkeep::Paused { by: Actor::auto() }).expect("plain data");
            let record = link(&head, 0, jiff::Timestamp::UNIX_EPOCH, &"".into(), body);
            head = record.head();
            text += &(serde_json::to_string(&record).expect("plain data") + "\n");
        }
        text
    }

    fn verify_text(text: &str) -> Result<Verified, BrokenChain> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("it can be written");
        verify_file(file.path()).expect("it can be read")
    }

    #[test]
    fn an_export_verifies_by_itself() {
        assert_eq!(verify_text(&exported(3)).expect("unbroken").records, 3);
    }

    #[test]
    fn a_changed_or_missing_line_is_found() {
        let text = exported(3);
        let changed = text.replacen("kubemend", "somebody", 1);
        assert_eq!(verify_text(&changed).expect_err("changed").seq, 1);
        let without_second: String =
            text.lines().enumerate().filter(|(at, _)| *at != 1).map(|(_, l)| l.to_owned() + "\n").collect();
        assert_eq!(verify_text(&without_second).expect_err("missing").seq, 3);
    }

    #[test]
    fn a_record_is_one_line_that_cannot_command_the_terminal() {
        let what = Upkeep::Paused { by: Actor { id: "x\u{1b}[2J\ny".into(), ..Actor::auto() } };
        let hash = Digest::of_bytes(b"");
        let general = crate::incident::chain::General {
            seq: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            prev: hash.clone(),
            hash,
            what,
        };
        let shown = line(&Audited::General(general), Output::Text);
        assert!(shown.contains("paused") && !shown.contains('\u{1b}') && !shown.contains('\n'), "{shown}");
    }
}
