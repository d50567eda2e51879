//! What the benchmarks share: the far side, child processes for it and for each variant, and what `/proc`
//! says about them. Every variant is measured in a fresh process, so that none inherits another's memory.

pub(crate) mod pods;
pub(crate) mod server;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A child that runs this program in another role; it ends with its handle.
pub(crate) struct Role {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Role {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("the program knows its file");
        let mut child = Command::new(program)
            .arg("role")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be started again");
        let output = child.stdout.take().expect("its output is piped");
        Self { child, lines: BufReader::new(output) }
    }

    /// Its next line; empty at its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("its output is text");
        line.trim().to_owned()
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The role this process was started in, and its arguments.
pub(crate) fn role() -> Option<Vec<String>> {
    let mut arguments = std::env::args().skip(1);
    (arguments.next().as_deref() == Some("role")).then(|| arguments.collect())
}

/// Kibibytes in that line of `/proc/self/status`, such as `VmRSS`.
pub(crate) fn memory(what: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells about processes");
    let line = status.lines().find(|line| line.starts_with(what)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// Seconds of processor time, user and system, that this process has used.
pub(crate) fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells about processes");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|value| value.parse::<f64>().ok()).sum();
    // USER_HZ is 100 on every Linux that Kubernetes runs on.
    ticks / 100.0
}
