//! `explain --batch`: `cargo bench --bench explain [-- MESSAGES…] [FILE.jsonl…]`.
//!
//! Messages per second on one core, line in to line out, by processor time: once in this process, on one thread,
//! and once as the whole command between a file and a pipe. Two mixes: everything that recorded clusters said,
//! most of which is no failure, and failures alone. Allocations are counted per message. A file of JSON lines is
//! measured as it is, repeated until it is long enough.

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
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

#[expect(dead_code, reason = "each benchmark uses its part")]
mod judge;
#[path = "explain/messages.rs"]
mod messages;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use judge::Judge;
use kubemend::diagnosis::{Explanation, Message, explain};
use kubemend::playbook::Book;
use serde::Serialize;
use serde_json::Value;

const TARGET: f64 = 50_000.0;
/// Each way is measured so often; the median counts.
const TIMES: usize = 3;

fn main() -> ExitCode {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 50_000, 200_000] } else { sizes };
    let begun = Instant::now();
    let book = Book::shipped();
    println!("{} playbooks compiled in {:.0} ms", book.len(), begun.elapsed().as_secs_f64() * 1e3);
    let mut judge = Judge::default();
    for (mix, texts) in mixes(&book) {
        spread(&book, mix, &messages::lines(&texts, 20_000));
        println!(
            "| {mix} | messages | B/message | messages/s | µs/message | by the clock/s | allocations/message | B allocated/message |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        for size in &sizes {
            let lines = messages::lines(&texts, *size);
            let (alone, whole) = measure(&book, &lines, *size);
            if Some(size) == sizes.iter().max() {
                judge.at_least(&format!("messages/s in process, {mix}"), TARGET, 1.0 / alone);
                judge.at_least(&format!("messages/s of the command, {mix}"), TARGET, 1.0 / whole);
            }
        }
    }
    for file in std::env::args().filter(|argument| argument.ends_with(".jsonl")) {
        let lines =
            messages::repeated(&std::fs::read(&file).expect("the file can be read"), sizes[sizes.len() - 1]);
        let count = lines.iter().filter(|byte| **byte == b'\n').count();
        spread(&book, &file, &lines);
        measure(&book, &lines, count);
    }
    judge.conclude()
}

/// All that was recorded, and failures alone.
fn mixes(book: &Book) -> [(&'static str, Vec<Value>); 2] {
    let all = messages::recorded(book);
    let failures = all.iter().filter(|message| message["type"] != "Normal").cloned().collect();
    [("as recorded", all), ("failures alone", failures)]
}

/// Prints both ways; the seconds by message of each.
fn measure(book: &Book, lines: &[u8], count: usize) -> (f64, f64) {
    let bytes = lines.len() / count;
    let Figures { cpu, wall, blocks, allocated } = in_process(book, lines, count);
    let row = |way: &str, cpu: f64, wall: f64, heap: String| {
        println!(
            "| {way} | {count} | {bytes} | {:.0} | {:.2} | {:.0} | {heap} |",
            1.0 / cpu,
            cpu * 1e6,
            1.0 / wall
        );
    };
    row("in process, one thread", cpu, wall, format!("{blocks:.1} | {allocated:.0}"));
    let (whole, whole_wall) = command(lines, count);
    row("the command, start included", whole, whole_wall, "– | –".to_owned());
    (cpu, whole)
}

/// What one message takes: seconds, allocations, bytes allocated.
struct Figures {
    cpu: f64,
    wall: f64,
    blocks: f64,
    allocated: f64,
}

/// The shape of an answer of `explain --batch`.
#[derive(Serialize)]
struct Answer<'a> {
    id: &'a str,
    #[serde(flatten)]
    explained: &'a Explanation,
}

/// Every line answered, as the command does it.
fn answer_all(book: &Book, mut lines: &[u8], output: &mut impl Write) {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).expect("memory can be read") > 0 {
        let message: Message = serde_json::from_slice(&line).expect("made by this program");
        let explained = explain(book, &message);
        serde_json::to_writer(&mut *output, &Answer { id: &message.id, explained: &explained })
            .expect("it can be written");
        output.write_all(b"\n").expect("it can be written");
        line.clear();
    }
}

/// The first round warms the patterns up.
fn in_process(book: &Book, lines: &[u8], count: usize) -> Figures {
    let mut out = Vec::with_capacity(lines.len());
    let few: Vec<u8> = lines.split_inclusive(|byte| *byte == b'\n').take(5_000).collect::<Vec<_>>().concat();
    answer_all(book, &few, &mut out);
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        out.clear();
        let (before, begun) = (processor(), Instant::now());
        answer_all(book, lines, &mut out);
        wall.push(begun.elapsed().as_secs_f64());
        cpu.push(processor() - before);
    }
    out.clear();
    let told = allocation_counter::measure(|| answer_all(book, lines, &mut out));
    let answers = out.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(answers, count, "every line is answered");
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let by = |total: f64| total / count as f64;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (blocks, allocated) = (by(told.count_total as f64), by(told.bytes_total as f64));
    Figures { cpu: by(median(&mut cpu)), wall: by(median(&mut wall)), blocks, allocated }
}

/// Seconds of processor time and of the clock by message, the start of the command included.
fn command(lines: &[u8], count: usize) -> (f64, f64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("messages.jsonl");
    std::fs::write(&file, lines).expect("it can be written");
    let mut cpu = Vec::new();
    let mut wall = Vec::new();
    for _ in 0..TIMES {
        let input = std::fs::File::open(&file).expect("it was just written");
        let (before, begun) = (children(), Instant::now());
        let ended = Command::new(env!("CARGO_BIN_EXE_kubemend"))
            .args(["explain", "--batch"])
            .stdin(input)
            .stdout(Stdio::piped())
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .expect("the command runs");
        assert!(ended.status.success(), "the command succeeds");
        assert_eq!(
            ended.stdout.iter().filter(|byte| **byte == b'\n').count(),
            count,
            "every line is answered"
        );
        wall.push(begun.elapsed().as_secs_f64());
        cpu.push(children() - before);
    }
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let each = |times: &mut Vec<f64>| median(times) / count as f64;
    (each(&mut cpu), each(&mut wall))
}

/// Seconds of processor time of this process.
fn processor() -> f64 {
    ticks(11)
}

/// Seconds of processor time of the children that have ended.
fn children() -> f64 {
    ticks(13)
}

/// Two neighbouring fields of `/proc/self/stat`, user and system, counted after the name.
fn ticks(at: usize) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells about processes");
    let after_name = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = after_name.skip(at).take(2).filter_map(|value| value.parse::<f64>().ok()).sum();
    // USER_HZ is 100 on every Linux that Kubernetes runs on.
    ticks / 100.0
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn percent(part: usize, total: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let share = part as f64 / total as f64;
    share * 100.0
}

/// What the messages are about: a benchmark in which nothing is found would measure nothing.
fn spread(book: &Book, mix: &str, mut lines: &[u8]) {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).expect("memory can be read") > 0 {
        let message: Message = serde_json::from_slice(&line).expect("made by this program");
        let condition = explain(book, &message).condition;
        *found.entry(condition.map_or("none".to_owned(), |id| id.to_string())).or_default() += 1;
        line.clear();
    }
    let total: usize = found.values().sum();
    let told: Vec<String> = found.iter().map(|(id, n)| format!("{id} {:.1} %", percent(*n, total))).collect();
    println!("\n{mix}: {}\n", told.join(", "));
    assert!(found.len() > 5, "the messages are of many conditions");
}
