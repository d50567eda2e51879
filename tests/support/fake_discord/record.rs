//! What went over the wire, written down as lines of JSON where `KUBEMEND_DISCORD_RECORD` names a file.
//!
//! tests/discord_openapi.rs reads them. A line is written at once, so that programs may write side by side.

use std::io::Write as _;
use std::sync::OnceLock;

use serde_json::{Value, json};

/// A request to the REST API and what it was answered.
pub fn request(method: &str, path: &str, query: &str, body: &Value, (status, answer): (u16, &Value)) {
    write(&json!({"what": "request", "method": method, "path": path, "query": query, "body": body,
        "status": status, "answer": answer}));
}

/// What an HTTP endpoint answered an interaction.
pub fn answered(kind: u64, answer: &Value) {
    write(&json!({"what": "answer", "kind": kind, "answer": answer}));
}

fn write(line: &Value) {
    static FILE: OnceLock<Option<std::path::PathBuf>> = OnceLock::new();
    let file = FILE.get_or_init(|| std::env::var_os("KUBEMEND_DISCORD_RECORD").map(Into::into));
    let Some(path) = file else { return };
    let mut text = line.to_string();
    text.push('\n');
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.unwrap_or_else(|error| panic!("{} can be written: {error}", path.display()));
}
