//! Container logs, kept by namespace, pod and container, one list per start of the container. Owns the
//! bound on what is kept and the cutting by tail, time and bytes.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

/// Lines kept per start of a container.
const LINES: usize = 5000;
/// Starts kept per container: the current one and the one before, as a kubelet does.
const STARTS: usize = 2;

/// One line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// What was written.
    pub text: String,
}

#[derive(Default)]
struct Start {
    instance: u32,
    lines: VecDeque<LogLine>,
    /// Lines that fell out at the front.
    lost: u64,
}

type Container = (String, String, String);

/// All logs of the cluster.
pub struct LogStore {
    kept: Mutex<BTreeMap<Container, VecDeque<Start>>>,
    wake: watch::Sender<u64>,
}

impl Default for LogStore {
    fn default() -> Self {
        Self { kept: Mutex::default(), wake: watch::channel(0).0 }
    }
}

impl LogStore {
    /// Appends a line; `instance` is the restart count of the container that wrote it.
    pub fn append(&self, at: Timestamp, ns: &str, pod: &str, container: &str, instance: u32, line: &str) {
        let mut kept = self.kept.lock();
        let starts = kept.entry(key(ns, pod, container)).or_default();
        if starts.back().is_none_or(|last| last.instance != instance) {
            starts.push_back(Start { instance, ..Start::default() });
            if starts.len() > STARTS {
                starts.pop_front();
            }
        }
        if let Some(start) = starts.back_mut() {
            start.lines.push_back(LogLine { at, text: line.to_owned() });
            if start.lines.len() > LINES {
                start.lines.pop_front();
                start.lost += 1;
            }
        }
        drop(kept);
        self.wake.send_modify(|n| *n += 1);
    }

    /// Forgets the logs of a pod, as when the kubelet has removed it.
    pub fn forget(&self, ns: &str, pod: &str) {
        self.kept.lock().retain(|(n, p, _), _| (n.as_str(), p.as_str()) != (ns, pod));
        self.wake.send_modify(|n| *n += 1);
    }

    /// Lines of one start from the `from`-th ever written, and the number to go on with.
    pub fn read(
        &self,
        ns: &str,
        pod: &str,
        container: &str,
        instance: u32,
        from: u64,
    ) -> (Vec<LogLine>, u64) {
        let kept = self.kept.lock();
        let start = kept
            .get(&key(ns, pod, container))
            .and_then(|starts| starts.iter().find(|start| start.instance == instance));
        let Some(start) = start else {
            return (Vec::new(), from);
        };
        let skip = usize::try_from(from.saturating_sub(start.lost)).unwrap_or(usize::MAX);
        let lines = start.lines.iter().skip(skip).cloned().collect();
        (lines, start.lost + start.lines.len() as u64)
    }

    /// Wakes whoever follows.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }
}

fn key(ns: &str, pod: &str, container: &str) -> Container {
    (ns.to_owned(), pod.to_owned(), container.to_owned())
}
