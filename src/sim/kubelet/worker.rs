//! One pod on its node: volumes, init containers in order, main containers together, and the way out.
//! Owns the order of these; a pure core that an async loop drives. `step` never writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::container::{Container, Role};
use super::program::Exit;
use super::sight::{Around, Sight, Step};
use super::{references, status};
use crate::sim::objects::{is_deleting, items};
use crate::sim::tempo::Tempo;

/// What the kubelet remembers of a pod between looks.
#[derive(Debug, Clone)]
pub struct Worker {
    started: Option<Timestamp>,
    pod_ip: Option<String>,
    containers: Vec<Container>,
    frozen: BTreeMap<String, Arc<Value>>,
    mount_failed: Option<MountFailure>,
    stopping: Option<Stopping>,
    written: Value,
    over: bool,
}

/// What a look needs beside the worker's own memory.
pub struct Look<'a> {
    pub pod: &'a Value,
    pub world: &'a super::World,
    pub around: &'a Around,
    pub node_images: &'a std::collections::HashSet<String>,
    pub node_ip: &'a str,
    pub tempo: Tempo,
    pub now: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct MountFailure {
    first: Timestamp,
    retry_at: Timestamp,
    tries: u32,
    told: bool,
}

#[derive(Debug, Clone, Copy)]
struct Stopping {
    since: Timestamp,
    kill_at: Timestamp,
    told: bool,
    stuck_told: bool,
}

impl Worker {
    /// A pod the kubelet has just been given; `pod_ip` is the address its sandbox will get.
    pub fn new(pod: &Value, pod_ip: String) -> Self {
        let named = |field: &str, role| {
            items(&pod["spec"][field])
                .iter()
                .map(move |spec| Container::new(spec["name"].as_str().unwrap_or_default(), role))
                .collect::<Vec<_>>()
        };
        let mut containers = named("initContainers", Role::Init);
        containers.extend(named("containers", Role::Main));
        Self {
            started: None,
            pod_ip: Some(pod_ip),
            containers,
            frozen: BTreeMap::new(),
            mount_failed: None,
            stopping: None,
            written: Value::Null,
            over: false,
        }
    }

    /// Looks at the pod at `now` and says what to do.
    pub fn step(&mut self, look: &Look<'_>) -> Step {
        let mut out = Step::default();
        if self.over {
            return out;
        }
        let started = *self.started.get_or_insert(look.now);
        if is_deleting(look.pod) {
            self.stop(look, &mut out);
        } else if !self.is_finished(look.pod) {
            self.run(look, &mut out);
        }
        self.write_status(started, look, &mut out);
        out
    }

    /// Ends the process of one container, or of all if none is named.
    pub fn strike(&mut self, container: Option<&str>, exit: &Exit, now: Timestamp) {
        for one in &mut self.containers {
            if one.role == Role::Main && container.is_none_or(|name| name == one.name) {
                one.strike(exit, now);
            }
        }
    }

    /// Forgets what was last written, so that the next look writes the status again: a kubelet that was
    /// away does not know what others wrote meanwhile.
    pub fn doubt_written(&mut self) {
        self.written = Value::Null;
    }

    /// The address of its sandbox.
    pub fn pod_ip(&self) -> Option<&str> {
        self.pod_ip.as_deref()
    }

    fn is_finished(&self, pod: &Value) -> bool {
        matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) && self.written.is_null()
    }

    fn run(&mut self, look: &Look<'_>, out: &mut Step) {
        if !self.mount(look, out) {
            return;
        }
        if self.frozen.is_empty() {
            self.frozen.clone_from(&look.around.config_maps);
        }
        let frozen = std::mem::take(&mut self.frozen);
        let sight = sight(look, &frozen, look.now);
        self.drive(&sight, out);
        self.frozen = frozen;
    }

    fn drive(&mut self, sight: &Sight<'_>, out: &mut Step) {
        let inits = self.containers.iter().filter(|one| one.role == Role::Init).count();
        let (init, main) = self.containers.split_at_mut(inits);
        for (container, spec) in init.iter_mut().zip(items(&sight.pod["spec"]["initContainers"])) {
            container.drive(spec, sight, out);
            let sidecar_runs = spec["restartPolicy"] == "Always" && container.is_running();
            if !container.is_done() && !sidecar_runs {
                return;
            }
        }
        for (container, spec) in main.iter_mut().zip(items(&sight.pod["spec"]["containers"])) {
            container.drive(spec, sight, out);
        }
    }

    /// Sets the volumes up; false while it cannot.
    fn mount(&mut self, look: &Look<'_>, out: &mut Step) -> bool {
        if self.containers.iter().any(|one| !matches!(one.state, super::container::State::Idle)) {
            return true;
        }
        if let Some(failed) = self.mount_failed
            && look.now < failed.retry_at
        {
            out.wake_at(failed.retry_at);
            return false;
        }
        let Err((volume, message)) = self.mount_now(look) else {
            self.mount_failed = None;
            return true;
        };
        out.pod_event("Warning", "FailedMount", message);
        let mut failed = self.mount_failed.unwrap_or(MountFailure {
            first: look.now,
            retry_at: look.now,
            tries: 0,
            told: false,
        });
        failed.tries += 1;
        // The volume manager doubles from half a second to two minutes.
        let wait =
            Duration::from_millis(500).saturating_mul(1 << failed.tries.min(8)).min(Duration::from_secs(122));
        failed.retry_at = look.tempo.after(look.now, wait);
        if !failed.told && look.now >= look.tempo.after_secs(failed.first, 123) {
            failed.told = true;
            out.pod_event("Warning", "FailedMount", timed_out(look.pod, &volume));
        }
        out.wake_at(failed.retry_at);
        self.mount_failed = Some(failed);
        false
    }

    fn mount_now(&self, look: &Look<'_>) -> Result<(), (String, String)> {
        references::volumes(&sight(look, &self.frozen, look.now))
    }

    fn stop(&mut self, look: &Look<'_>, out: &mut Step) {
        let mut stopping = self.stopping.unwrap_or_else(|| begin_stopping(look));
        if !stopping.told {
            stopping.told = true;
            for container in self.containers.iter().filter(|one| one.is_running()) {
                out.tell(container, "Killing", format!("Stopping container {}", container.name));
            }
        }
        let frozen = BTreeMap::new();
        let sight = sight(look, &frozen, stopping.since);
        let mut over = true;
        for container in &mut self.containers {
            let stopped = container.stop(stopping.kill_at, &sight, out);
            over &= stopped;
            if !stopped && look.now >= stopping.kill_at && !stopping.stuck_told {
                stopping.stuck_told = true;
                out.pod_event("Warning", "FailedKillPod", cannot_kill(look.pod, &container.name));
            }
        }
        if !over && look.now < stopping.kill_at {
            out.wake_at(stopping.kill_at);
        }
        self.stopping = Some(stopping);
        self.over = over;
        out.gone = over;
    }

    fn write_status(&mut self, started: Timestamp, look: &Look<'_>, out: &mut Step) {
        if self.is_finished(look.pod) {
            return;
        }
        let mounted = self.mount_failed.is_none();
        let frame = status::Frame {
            started,
            pod_ip: self.pod_ip.as_deref().filter(|_| mounted),
            containers: &self.containers,
            before: &self.written,
        };
        let rendered = status::render(&frame, &sight(look, &self.frozen, look.now));
        if rendered != self.written {
            self.written = rendered.clone();
            out.status = Some(rendered);
        }
    }
}

fn sight<'a>(
    look: &Look<'a>,
    frozen: &'a BTreeMap<String, Arc<Value>>,
    stopping_since: Timestamp,
) -> Sight<'a> {
    Sight {
        pod: look.pod,
        world: look.world,
        around: look.around,
        node_images: look.node_images,
        node_ip: look.node_ip,
        tempo: look.tempo,
        now: look.now,
        stopping_since,
        frozen,
    }
}

fn begin_stopping(look: &Look<'_>) -> Stopping {
    let grace = look.pod["metadata"]["deletionGracePeriodSeconds"].as_u64().unwrap_or(30);
    Stopping {
        since: look.now,
        kill_at: look.tempo.after_secs(look.now, grace),
        told: false,
        stuck_told: false,
    }
}

fn timed_out(pod: &Value, volume: &str) -> String {
    let all: Vec<&str> =
        items(&pod["spec"]["volumes"]).iter().filter_map(|one| one["name"].as_str()).collect();
    format!(
        "Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached volumes=[{}]: timed out waiting for the condition",
        all.join(" ")
    )
}

fn cannot_kill(pod: &Value, container: &str) -> String {
    let id = crate::sim::objects::uid(pod).replace('-', "");
    format!(
        "error killing pod: failed to \"KillContainer\" for \"{container}\" with KillContainerError: \"rpc error: code = DeadlineExceeded desc = an error occurs during waiting for container \\\"{id}\\\" to be killed: wait container \\\"{id}\\\": context deadline exceeded\""
    )
}
