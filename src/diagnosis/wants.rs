//! What must still be read before a finding is final. Secrets and logs are read only when they decide.

use crate::incident::objects::{Container, ContainerState, Pod};
use crate::incident::{Evidence, Wants};

/// What the evidence at hand leaves open.
pub fn wants(evidence: &Evidence) -> Wants {
    evidence.seen.pod.as_ref().map(wants_of_pod).unwrap_or_default()
}

/// What a pod in this state needs to have read.
pub fn wants_of_pod(pod: &Pod) -> Wants {
    let any = |judge: fn(&Container) -> bool| pod.containers.iter().any(judge);
    let starting =
        any(|container| matches!(container.waiting_reason(), "ContainerCreating" | "PodInitializing"));
    Wants {
        secrets: any(|container| container.waiting_reason().contains("Image"))
            || (starting && pod.phase == "Pending"),
        logs: any(crashed),
        references: any(|container| container.waiting_reason() == "CreateContainerConfigError") || starting,
    }
}

fn crashed(container: &Container) -> bool {
    let ended = match &container.state {
        ContainerState::Terminated(ended) => Some(ended),
        ContainerState::Unknown | ContainerState::Waiting { .. } | ContainerState::Running { .. } => {
            container.last.as_ref()
        }
    };
    ended.is_some_and(|ended| ended.exit_code != 0)
}
