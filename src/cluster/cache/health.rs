//! Is this object worth a diagnosis? Pure: the object and the time in, a verdict out, which also says when
//! to look again although nothing happens (a grace period that ends, a start that takes too long).
//!
//! A suspect is no finding: thresholds here are short, playbooks hold off as long as they like.

use jiff::{SignedDuration, Timestamp};

use crate::incident::objects::{
    Claim, Condition, Container, ContainerState, Meta, Namespace, Node, Pod, Role, ServiceAccount,
    Terminated, Workload,
};

/// How long a container may be in creation, or a pod without a node, before it is looked at.
const STARTING: i64 = 60;
/// How long a pod with a node may be pending, whatever its containers say.
const PENDING: i64 = 600;
/// How long a running pod may be not ready.
const NOT_READY: i64 = 60;
/// How long after a bad end a running container is still of interest.
const RESTARTED: i64 = 600;
/// How long beyond its grace period an object may take to go.
const LINGERING: i64 = 30;
/// How long a claim may wait for its volume.
const UNBOUND: i64 = 300;

/// Why an object is a suspect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// A container waits for something that does not come by itself.
    Waiting,
    /// Containers are still not created.
    Starting,
    Unschedulable,
    NotReady,
    /// A container ended badly and is down, or came back a short while ago.
    Crashed,
    /// The pod or Job has failed for good.
    Failed,
    /// Being deleted, and beyond its grace period.
    Terminating,
    /// A node that is not ready, or under pressure.
    NodeTrouble,
    /// A rollout that its controller has given up, or pods that it cannot create.
    RolloutStuck,
    /// A claim without volume.
    Unbound,
}

/// Whether an object needs a look, now or later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// Nothing now; with a time, when that may change without any event.
    Healthy {
        look_again: Option<Timestamp>,
    },
    Suspect {
        reasons: Vec<Reason>,
        look_again: Option<Timestamp>,
    },
}

impl Health {
    pub fn is_suspect(&self) -> bool {
        matches!(self, Self::Suspect { .. })
    }

    pub fn look_again(&self) -> Option<Timestamp> {
        match self {
            Self::Healthy { look_again } | Self::Suspect { look_again, .. } => *look_again,
        }
    }
}

/// What is known about the node a pod is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeState {
    /// Ready, not known, or there is none: the pod speaks for itself.
    Fine,
    /// Its kubelet is not heard of: what the pod's status says is old, and the node is the subject.
    Lost,
}

/// The verdict on a pod.
pub fn health(pod: &Pod, node: NodeState, now: Timestamp) -> Health {
    let mut look = Look::at(now);
    if pod.meta.deleting.is_some() {
        look.deleting(&pod.meta);
    } else if pod.phase == "Failed" {
        look.found(Reason::Failed);
    } else if pod.phase != "Succeeded" && node == NodeState::Fine {
        look.living(pod);
    }
    look.verdict()
}

/// The verdict on a node.
pub fn node_health(node: &Node, now: Timestamp) -> Health {
    let mut look = Look::at(now);
    let pressed =
        |c: &Condition| c.kind != "Ready" && c.status == "True" && BAD_IF_TRUE.contains(&c.kind.as_str());
    if !node.is_ready() || node.conditions.iter().any(pressed) {
        look.found(Reason::NodeTrouble);
    }
    look.deleting(&node.meta);
    look.verdict()
}

const BAD_IF_TRUE: &[&str] = &["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];

/// The verdict on a workload.
pub fn workload_health(workload: &Workload, now: Timestamp) -> Health {
    let mut look = Look::at(now);
    let has = |kind: &str, status: &str| {
        workload.status.conditions.iter().any(|c| c.kind == kind && c.status == status)
    };
    if has("Progressing", "False") || has("ReplicaFailure", "True") {
        look.found(Reason::RolloutStuck);
    }
    if workload.kind == "Job" && has("Failed", "True") {
        look.found(Reason::Failed);
    }
    look.deleting(&workload.meta);
    look.verdict()
}

/// The verdict on a claim.
pub fn claim_health(claim: &Claim, now: Timestamp) -> Health {
    let mut look = Look::at(now);
    match claim.phase.as_str() {
        "Lost" => look.found(Reason::Unbound),
        "Pending" => look.since(Reason::Unbound, claim.meta.created, UNBOUND),
        _ => {}
    }
    look.deleting(&claim.meta);
    look.verdict()
}

/// The verdict on a namespace.
pub fn namespace_health(namespace: &Namespace, now: Timestamp) -> Health {
    let mut look = Look::at(now);
    look.deleting(&namespace.meta);
    look.verdict()
}

/// The verdict on a ServiceAccount.
pub fn account_health(account: &ServiceAccount, now: Timestamp) -> Health {
    let mut look = Look::at(now);
    look.deleting(&account.meta);
    look.verdict()
}

/// `at` and some seconds; a time that a hostile object puts at the end of the calendar stays there.
pub fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

struct Look {
    now: Timestamp,
    reasons: Vec<Reason>,
    again: Option<Timestamp>,
}

impl Look {
    fn at(now: Timestamp) -> Self {
        Self { now, reasons: Vec::new(), again: None }
    }

    fn verdict(self) -> Health {
        let Self { now: _, reasons, again: look_again } = self;
        if reasons.is_empty() {
            Health::Healthy { look_again }
        } else {
            Health::Suspect { reasons, look_again }
        }
    }

    fn found(&mut self, reason: Reason) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    fn again(&mut self, at: Timestamp) {
        self.again = Some(self.again.map_or(at, |known| known.min(at)));
    }

    /// A reason from `seconds` after `start` on. Without a start it counts at once.
    fn since(&mut self, reason: Reason, start: Option<Timestamp>, seconds: i64) {
        let due = after(start.unwrap_or(Timestamp::UNIX_EPOCH), seconds);
        if due <= self.now { self.found(reason) } else { self.again(due) }
    }

    /// A reason until `seconds` after `start`.
    fn until(&mut self, reason: Reason, start: Option<Timestamp>, seconds: i64) {
        let Some(start) = start else { return };
        let end = after(start, seconds);
        if end > self.now {
            self.found(reason);
            self.again(end);
        }
    }

    /// `deletionTimestamp` is when the object is due to go, its grace period included.
    fn deleting(&mut self, meta: &Meta) {
        if meta.deleting.is_some() {
            self.since(Reason::Terminating, meta.deleting, LINGERING);
        }
    }

    fn living(&mut self, pod: &Pod) {
        if pod.node.is_empty() {
            return self.unscheduled(pod);
        }
        let begun = pod.started.or(pod.meta.created);
        for container in &pod.containers {
            self.container(container, begun, &pod.restart_policy);
        }
        if pod.phase == "Pending" {
            self.since(Reason::Starting, begun, PENDING);
        }
        if pod.phase == "Running"
            && let Some(ready) = pod.condition("Ready")
            && ready.status != "True"
            && ready.reason != "PodCompleted"
        {
            self.since(Reason::NotReady, ready.since, NOT_READY);
        }
    }

    fn unscheduled(&mut self, pod: &Pod) {
        let refused =
            pod.condition("PodScheduled").is_some_and(|c| c.status == "False" && c.reason == "Unschedulable");
        if refused {
            self.found(Reason::Unschedulable);
        } else {
            self.since(Reason::Unschedulable, pod.meta.created, STARTING);
        }
    }

    fn container(&mut self, container: &Container, begun: Option<Timestamp>, restart_policy: &str) {
        match &container.state {
            ContainerState::Waiting { reason, .. } if is_patience(reason) => {
                // A main container waits as long as the init containers take; they speak for themselves.
                if reason == "ContainerCreating" {
                    self.since(Reason::Starting, begun, STARTING);
                }
            }
            ContainerState::Waiting { .. } => self.found(Reason::Waiting),
            ContainerState::Terminated(end) if is_bad(end) => self.found(Reason::Crashed),
            // A main container that ends well and must run is about to be started again, and again.
            ContainerState::Terminated(end) => {
                if container.role == Role::Main && restart_policy == "Always" {
                    self.since(Reason::Crashed, end.finished, STARTING);
                }
            }
            ContainerState::Running { .. } => {
                if let Some(last) = container.last.as_ref().filter(|last| is_bad(last)) {
                    self.until(Reason::Crashed, last.finished, RESTARTED);
                }
            }
            ContainerState::Unknown => self.since(Reason::Starting, begun, STARTING),
        }
    }
}

/// Waiting that is part of every start.
fn is_patience(reason: &str) -> bool {
    matches!(reason, "" | "ContainerCreating" | "PodInitializing")
}

fn is_bad(end: &Terminated) -> bool {
    end.exit_code != 0 || end.signal.is_some() || end.reason == "OOMKilled"
}
