//! What was read from the API server for one pod and serves for its siblings: same template, same symptom.
//!
//! A thousand pods of one workload that fail alike are one set of reads, not a thousand. Refuses to share
//! between templates, and keeps nothing for longer than it is told to.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::incident::objects::{Container, ContainerState, Pod, Terminated};
use crate::incident::{Digest, Gathered, LogTail, PullSecret, ReferenceState};

/// No more symptoms than these are kept.
const MOST: usize = 1_000;

/// What was read, by symptom.
#[derive(Default)]
pub(super) struct Share(HashMap<Digest, (Timestamp, Fetched)>);

/// The parts of [`Gathered`] that cost a request.
#[derive(Clone, Default)]
struct Fetched {
    secrets: Vec<PullSecret>,
    references: Vec<ReferenceState>,
    logs: Vec<LogTail>,
}

impl Share {
    /// Puts into `gathered` what was read for a sibling not longer than `serves` ago; false if nothing was.
    pub(super) fn fill(&self, gathered: &mut Gathered, serves: SignedDuration) -> bool {
        let Some(pod) = &gathered.pod else { return false };
        let Some((at, fetched)) = self.0.get(&symptom(pod)) else { return false };
        if gathered.at.duration_since(*at) >= serves {
            return false;
        }
        let Fetched { secrets, references, logs } = fetched.clone();
        (gathered.secrets, gathered.references, gathered.logs) = (secrets, references, logs);
        true
    }

    /// Keeps what was read.
    pub(super) fn keep(&mut self, gathered: &Gathered, serves: SignedDuration) {
        let Some(pod) = &gathered.pod else { return };
        if self.0.len() >= MOST {
            self.0.retain(|_, (at, _)| gathered.at.duration_since(*at) < serves);
        }
        if self.0.len() < MOST {
            let Gathered { secrets, references, logs, .. } = gathered;
            let fetched =
                Fetched { secrets: secrets.clone(), references: references.clone(), logs: logs.clone() };
            self.0.insert(symptom(pod), (gathered.at, fetched));
        }
    }
}

/// Pods with equal symptoms were made from one template and fail alike. A pod without a controller has no
/// siblings.
fn symptom(pod: &Pod) -> Digest {
    let maker = pod.meta.controller().map_or(&pod.meta.uid, |owner| &owner.uid);
    let containers: Vec<_> = pod.containers.iter().map(container).collect();
    Digest::of(&(maker, &pod.phase, &pod.pull_secrets, containers))
}

fn container(container: &Container) -> String {
    let Container { name, image, state, last, .. } = container;
    let state = match state {
        ContainerState::Unknown => "unknown".to_owned(),
        ContainerState::Waiting { reason, message: _ } => format!("waits: {reason}"),
        ContainerState::Running { since: _ } => "runs".to_owned(),
        ContainerState::Terminated(end) => ended(end),
    };
    format!("{name}\n{image}\n{state}\n{}", last.as_ref().map(ended).unwrap_or_default())
}

fn ended(end: &Terminated) -> String {
    format!("ended: {} {}", end.reason, end.exit_code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::objects::Owner;

    const SERVES: SignedDuration = SignedDuration::from_secs(30);

    fn pod(template: &str, name: &str, reason: &str) -> Gathered {
        let mut pod = Pod::default();
        pod.meta.uid = name.into();
        pod.meta.owners = vec![Owner { uid: template.into(), controller: true, ..Owner::default() }];
        let state =
            ContainerState::Waiting { reason: reason.into(), message: format!("back-off of {name}").into() };
        pod.containers = vec![Container { name: "api".into(), state, ..Container::default() }];
        Gathered { pod: Some(pod), at: Timestamp::UNIX_EPOCH, ..Gathered::default() }
    }

    fn kept() -> Share {
        let mut share = Share::default();
        let mut read = pod("rs-1", "a", "ImagePullBackOff");
        read.secrets = vec![PullSecret { name: "harbor".into(), ..PullSecret::default() }];
        share.keep(&read, SERVES);
        share
    }

    #[test]
    fn a_sibling_with_the_same_symptom_needs_no_reading() {
        let mut sibling = pod("rs-1", "b", "ImagePullBackOff");
        assert!(kept().fill(&mut sibling, SERVES));
        assert_eq!(sibling.secrets[0].name, "harbor");
    }

    #[test]
    fn another_template_or_symptom_or_time_shares_nothing() {
        assert!(!kept().fill(&mut pod("rs-2", "b", "ImagePullBackOff"), SERVES));
        assert!(!kept().fill(&mut pod("rs-1", "b", "CrashLoopBackOff"), SERVES));
        let mut late = pod("rs-1", "b", "ImagePullBackOff");
        late.at += SERVES;
        assert!(!kept().fill(&mut late, SERVES));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut share = Share::default();
        for template in 0..2 * MOST {
            share.keep(&pod(&format!("rs-{template}"), "a", "ImagePullBackOff"), SERVES);
        }
        assert_eq!(share.0.len(), MOST);
    }
}
