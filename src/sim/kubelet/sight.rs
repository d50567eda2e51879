//! What the kubelet sees when it looks at a pod, and what it answers. Plain values both ways, so that every
//! decision can be tested without an API.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::container::{Container, Role};
use super::program::World;
use crate::sim::tempo::Tempo;

/// One look at a pod.
pub(super) struct Sight<'a> {
    pub pod: &'a Value,
    pub world: &'a World,
    /// ConfigMaps and Secrets of the namespace that the pod names and that exist, by name.
    pub around: &'a Around,
    /// Images the node already has.
    pub node_images: &'a HashSet<String>,
    pub node_ip: &'a str,
    pub tempo: Tempo,
    pub now: Timestamp,
    /// When the kubelet first saw that the pod must stop; `now` while it need not.
    pub stopping_since: Timestamp,
    /// The ConfigMaps as they were when the pod started.
    pub frozen: &'a BTreeMap<String, Arc<Value>>,
}

/// The objects a pod refers to, as far as they exist.
#[derive(Debug, Clone, Default)]
pub struct Around {
    pub config_maps: BTreeMap<String, Arc<Value>>,
    pub secrets: BTreeMap<String, Arc<Value>>,
}

/// What the kubelet does after a look.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Step {
    /// The new status, if it changed.
    pub status: Option<Value>,
    pub events: Vec<Draft>,
    pub logs: Vec<LogLine>,
    /// Images now on the node.
    pub pulled: Vec<String>,
    /// Nothing of the pod runs any more: the object may go.
    pub gone: bool,
    /// When to look again, if time alone changes something.
    pub wake: Option<Timestamp>,
}

/// An event about the pod or one of its containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub kind: &'static str,
    pub reason: &'static str,
    pub message: String,
    /// `spec.containers{api}`, empty for the pod itself.
    pub field_path: String,
}

/// A line a container wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub container: String,
    /// Which start of the container: its restart count then.
    pub instance: i64,
    pub line: String,
}

impl Step {
    pub(super) fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    pub(super) fn tell(&mut self, about: &Container, reason: &'static str, message: String) {
        self.events.push(Draft { kind: "Normal", reason, message, field_path: path(about) });
    }

    pub(super) fn warn(&mut self, about: &Container, reason: &'static str, message: String) {
        self.events.push(Draft { kind: "Warning", reason, message, field_path: path(about) });
    }

    pub(super) fn pod_event(&mut self, kind: &'static str, reason: &'static str, message: String) {
        self.events.push(Draft { kind, reason, message, field_path: String::new() });
    }

    pub(super) fn say(&mut self, who: &Container, lines: &[String]) {
        self.logs.extend(lines.iter().map(|line| LogLine {
            container: who.name.clone(),
            instance: who.restarts,
            line: line.clone(),
        }));
    }
}

fn path(container: &Container) -> String {
    let field = match container.role {
        Role::Init => "initContainers",
        Role::Main => "containers",
    };
    format!("spec.{field}{{{}}}", container.name)
}
