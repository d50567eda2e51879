//! The messages: every event and every troubled container of the recorded failures, and the messages and
//! events of the playbooks' tests; then as many copies as wanted with other names, digests and numbers.

use std::path::Path;

use kubemend::cluster::dump::Dump;
use kubemend::incident::objects::{ContainerState, Event, Pod};
use kubemend::playbook::Book;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// The texts as recorded, one JSON object each.
pub(crate) fn recorded(book: &Book) -> Vec<Value> {
    let mut found = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recorded");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the recordings are there")
        .map(|entry| entry.expect("they can be listed").path())
        .filter(|path| path.file_name().is_some_and(|name| name != "expected.json"))
        .collect();
    files.sort();
    for file in files {
        let mut dump = Dump::default();
        dump.read(&std::fs::read(file).expect("they can be read"));
        found.extend(dump.events.iter().map(of_event));
        found.extend(dump.pods.iter().flat_map(of_pod));
    }
    for trial in book.iter().flat_map(kubemend::playbook::Playbook::trials) {
        found.extend(trial.message.cloned());
        let seen = trial.evidence.into_iter();
        found.extend(seen.clone().flat_map(|seen| seen.events.iter().map(of_event)));
        found.extend(seen.flat_map(|seen| seen.pod.iter().flat_map(of_pod)));
    }
    found
}

fn of_event(event: &Event) -> Value {
    json!({"kind": event.regarding.kind, "type": event.kind, "reason": event.reason,
        "component": event.component, "message": event.message, "context": null})
}

/// What a person sees of a container that does not run, with what `explain` may be told besides.
fn of_pod(pod: &Pod) -> Vec<Value> {
    let waiting = pod.containers.iter().filter_map(|container| match &container.state {
        ContainerState::Waiting { reason, message } => {
            let last = container.last.as_ref().map(|ended| {
                json!({"terminated": {"reason": ended.reason, "exitCode": ended.exit_code, "message": ended.message}})
            });
            let states = json!({"state": {"waiting": {"reason": reason, "message": message}}, "lastState": last,
                "restartCount": container.restarts});
            Some(json!({"kind": "Pod", "type": "", "reason": reason, "component": "kubelet", "message": message,
                "context": {"container_state": states, "pod_phase": pod.phase, "has_pull_secret": !pod.pull_secrets.is_empty(),
                    "secret_covers_registry": null, "log_tail": "", "memory_limit": container.memory_limit}}))
        }
        ContainerState::Unknown | ContainerState::Running { .. } | ContainerState::Terminated(_) => None,
    });
    waiting.collect()
}

/// So many lines as `explain --batch` reads them. The same seed gives the same lines.
pub(crate) fn lines(texts: &[Value], count: usize) -> Vec<u8> {
    let mut dice = SmallRng::seed_from_u64(2);
    let mut out = Vec::with_capacity(count * 500);
    for number in 0..count {
        let mut message = texts[dice.random_range(0..texts.len())].clone();
        vary(&mut message, &mut dice);
        message["id"] = json!(format!("m-{number}"));
        serde_json::to_writer(&mut out, &message).expect("a value can be written");
        out.push(b'\n');
    }
    out
}

/// The lines over and over, until there are at least so many.
pub(crate) fn repeated(lines: &[u8], least: usize) -> Vec<u8> {
    let mut once = lines.to_vec();
    if !once.ends_with(b"\n") {
        once.push(b'\n');
    }
    let count = once.iter().filter(|byte| **byte == b'\n').count();
    once.repeat(least.div_ceil(count))
}

fn vary(value: &mut Value, dice: &mut SmallRng) {
    match value {
        Value::String(text) => *text = varied(text, dice),
        Value::Object(fields) => fields.values_mut().for_each(|field| vary(field, dice)),
        Value::Array(items) => items.iter_mut().for_each(|item| vary(item, dice)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Other teams and services; other digits in random names, digests and long numbers. Status codes, exit codes
/// and versions stay, because they are what is explained.
fn varied(text: &str, dice: &mut SmallRng) -> String {
    let text = text
        .replace("checkout-api", &format!("service-{}", dice.random_range(0..500)))
        .replace("payments", &format!("team-{}", dice.random_range(0..50)));
    let word = |c: char| c.is_ascii_alphanumeric();
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !word(c)) {
        let letters = part.trim_end_matches(|c: char| !word(c));
        let is_random = letters.len() >= 5 && letters.bytes().any(|b| b.is_ascii_digit());
        if is_random {
            out.extend(
                part.chars()
                    .map(|c| if c.is_ascii_digit() { char::from(dice.random_range(b'0'..=b'9')) } else { c }),
            );
        } else {
            out.push_str(part);
        }
    }
    out
}
