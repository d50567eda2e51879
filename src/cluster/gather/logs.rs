//! The end of a crashed container's log: of the run that ended, and of the one before where that is another.

use futures::future::join_all;

use super::{Gatherer, Miss, gap, known};
use crate::cluster::kind;
use crate::incident::objects::{Container, ContainerState, Pod};
use crate::incident::{Gathered, LogTail, Text, redact_lines};

/// Containers of one pod whose logs are read.
const MOST_CONTAINERS: usize = 3;
const LINES: usize = 40;
const BYTES: usize = 16 * 1024;
/// A longer line is cut on a character's border.
const LONGEST_LINE: usize = 500;

impl Gatherer {
    /// Fills `seen.logs`.
    pub(super) async fn logs(&self, seen: &mut Gathered, pod: &Pod) {
        let crashed = pod.containers.iter().filter(|container| has_crashed(container)).take(MOST_CONTAINERS);
        let wanted: Vec<(&Container, bool)> = crashed
            .flat_map(|container| runs(container).map(move |previous| (container, previous)))
            .collect();
        let read =
            join_all(wanted.iter().map(|(container, previous)| self.tail(pod, &container.name, *previous)))
                .await;
        for tail in read {
            match tail {
                Ok(tail) if tail.lines.is_empty() => {}
                Ok(tail) => seen.logs.push(tail),
                Err(miss) => seen.gaps.push(gap(&format!("logs of {}", pod.meta.name), miss)),
            }
        }
        seen.gaps.dedup();
    }

    async fn tail(&self, pod: &Pod, container: &Text, previous: bool) -> Result<LogTail, Miss> {
        let object = kind::object(&known("Pod"), &pod.meta.namespace, &pod.meta.name);
        let run = if previous { "&previous=true" } else { "" };
        let container_name = kind::segment(container);
        let path =
            format!("{object}/log?container={container_name}&tailLines={LINES}&limitBytes={BYTES}{run}");
        let lines = match self.reach.get(&path).await {
            Ok(body) => lines(&String::from_utf8_lossy(&body)),
            // The run is gone, or the container never ran; there is no log then, which is no gap.
            Err(Miss::NotThere) => Vec::new(),
            Err(Miss::Other(why)) if why.starts_with("HTTP 400") => Vec::new(),
            Err(miss) => return Err(miss),
        };
        Ok(LogTail { container: container.clone(), previous, lines })
    }
}

/// The last lines, oldest first. Looked through together and before any is cut: a private key goes over
/// several lines, and half a credential no longer looks like one.
fn lines(text: &str) -> Vec<Text> {
    let plain: Vec<String> = text.lines().rev().take(LINES).map(printable).collect();
    let kept: Vec<&str> = plain.iter().rev().map(String::as_str).collect();
    let clean = redact_lines(&kept);
    clean.iter().map(|line| Text::from(line.chars().take(LONGEST_LINE).collect::<String>())).collect()
}

fn printable(line: &str) -> String {
    line.chars().filter(|char| !char.is_control() || *char == '\t').collect()
}

fn has_crashed(container: &Container) -> bool {
    match &container.state {
        ContainerState::Terminated(ended) => ended.exit_code != 0,
        ContainerState::Waiting { .. } | ContainerState::Running { .. } | ContainerState::Unknown => {
            container.last.as_ref().is_some_and(|ended| ended.exit_code != 0)
        }
    }
}

/// Which runs to read: while a new run goes on, the one that crashed is the previous.
fn runs(container: &Container) -> impl Iterator<Item = bool> + use<> {
    match container.state {
        ContainerState::Running { .. } => vec![true],
        ContainerState::Waiting { .. } | ContainerState::Terminated(_) | ContainerState::Unknown => {
            if container.restarts > 1 {
                vec![false, true]
            } else {
                vec![false]
            }
        }
    }
    .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_redacted_cut_and_freed_of_control_characters() {
        let long = "x".repeat(2 * LONGEST_LINE);
        let text = format!("\u{1b}[31mpassword=hunter2hunter2\n{long}\n");
        let lines = lines(&text);
        assert!(!lines[0].contains("hunter2"), "{}", lines[0]);
        assert!(!lines[0].contains('\u{1b}'));
        assert_eq!(lines[1].len(), LONGEST_LINE);
    }

    #[test]
    fn a_private_key_over_several_lines_leaves_nothing() {
        let body = ["MIIEpAIBAAKCAQEA7bq2", "c29tZSBtb3JlIG9mIHRoZSBrZXk", "dGhlIGVuZCBvZiBpdA=="];
        let text = format!(
            "loading\n-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\nfailed\n",
            body.join("\n")
        );
        let shown: Vec<String> = lines(&text).iter().map(ToString::to_string).collect();
        for secret in body {
            assert!(!shown.concat().contains(secret), "{shown:?}");
        }
        assert_eq!((shown.len(), shown[0].as_str(), shown[6].as_str()), (7, "loading", "failed"));
        // Its beginning scrolled away.
        let cut = text.split_once("KEY-----\n").unwrap().1;
        assert!(!lines(cut).iter().any(|line| line.contains(body[1])), "{:?}", lines(cut));
    }

    #[test]
    fn a_credential_is_found_before_its_line_is_cut() {
        let line = format!("{} AKIAIOSFODNN7EXAMPLE", "x".repeat(LONGEST_LINE - 10));
        assert!(!lines(&line)[0].contains("AKIA"), "{}", lines(&line)[0]);
    }

    #[test]
    fn only_the_last_lines_are_kept_oldest_first() {
        let text = (0..100).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        let lines = lines(&text);
        assert_eq!(
            (lines.len(), lines[0].as_str(), lines[LINES - 1].as_str()),
            (LINES, "line 60", "line 99")
        );
    }
}
