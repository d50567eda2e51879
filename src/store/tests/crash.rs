//! Killed at any moment, the store keeps every entry it acknowledged, and its chain is whole.
//!
//! The test starts itself again as a child that appends without end and says after each commit what it
//! wrote, kills it with SIGKILL somewhere in between, and looks.

#![expect(
    clippy::disallowed_methods,
    reason = "the child is told its file by the environment, and the parent kills at odd moments"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;

const DATABASE: &str = "KUBEMEND_TEST_DATABASE";
const KILLS: u64 = 12;

#[tokio::test]
#[ignore = "the child half of the crash test below, which starts it"]
async fn child() {
    let path = std::env::var_os(DATABASE).expect("started by the crash test");
    let store = Store::open(Path::new(&path)).await.expect("open");
    let id = store.new_incident().await.expect("id");
    let mut state = apply(None, &id, at(0), &opened()).expect("legal");
    store.append(&Append { state: state.clone(), entries: vec![(at(0), opened())] }).await.expect("append");
    loop {
        let entry = noted(&format!("entry {}", state.version));
        state = apply(Some(state), &id, at(1), &entry).expect("legal");
        store.append(&Append { state: state.clone(), entries: vec![(at(1), entry)] }).await.expect("append");
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {id} {}", state.version).expect("the test listens");
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("kubemend.db");
    for round in 0..KILLS {
        let (id, version) = run_and_kill(&path, 1 + round * 7);
        let store = Store::open(&path).await.expect("reopen");
        store.verify().await.expect("whole");
        let state = store.incident(&id.as_str().into()).await.expect("read").expect("kept");
        assert!(state.version >= version, "round {round}: {} of {version}", state.version);
        store.close().await;
    }
}

/// Lets the child acknowledge `acks` entries and kills it a moment later. Gives the last one it told of.
fn run_and_kill(path: &Path, acks: u64) -> (String, u64) {
    let mut child = start(path);
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (mut last, mut seen) = (None, 0);
    for line in lines {
        let line = line.expect("text");
        let Some(told) = line.split("acknowledged ").nth(1) else { continue };
        let (id, version) = told.split_once(' ').expect("two words");
        last = Some((id.to_owned(), version.parse().expect("a number")));
        seen += 1;
        if seen == acks {
            // Anywhere inside the next append.
            std::thread::sleep(Duration::from_micros(acks * 97 % 1500));
            child.kill().expect("SIGKILL");
        }
    }
    child.wait().expect("it is gone");
    last.expect("it acknowledged something")
}

fn start(path: &Path) -> Child {
    Command::new(std::env::current_exe().expect("the test binary"))
        .args(["--exact", "store::tests::crash::child", "--ignored", "--nocapture", "--quiet"])
        .env(DATABASE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("start the child")
}
