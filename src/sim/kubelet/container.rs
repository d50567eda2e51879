//! One container on its way from image to running to restart. Owns the states and the moves between them;
//! refuses to touch the API: it answers with events, log lines and the time it wants to be looked at again.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::backoff::Backoff;
use super::fate::{Death, fate, reason_of};
use super::program::{Exit, OnStop};
use super::sight::{Sight, Step};
use super::{mounts, references};
use crate::sim::registry::ImageRef;

/// Whether a container runs before the others or with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Init,
    Main,
}

/// A container as the kubelet knows it.
#[derive(Debug, Clone)]
pub(super) struct Container {
    pub name: String,
    pub role: Role,
    pub state: State,
    pub restarts: i64,
    pub last: Option<Ended>,
    pull_backoff: Option<Backoff>,
    crash_backoff: Option<Backoff>,
    /// The version of the ConfigMap behind each subPath mount when the pod first mounted it.
    sub_paths: mounts::SubPaths,
}

/// Where a container stands.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Not tried yet.
    Idle,
    Pulling {
        until: Timestamp,
        failure: Option<String>,
    },
    /// `ErrImagePull` is on show until the kubelet looks again.
    PullFailed {
        message: String,
        look_again: Timestamp,
    },
    PullBackOff {
        until: Timestamp,
    },
    CannotCreate {
        message: String,
        retry_at: Timestamp,
    },
    /// `RunContainerError` is on show until the kubelet looks again.
    CannotStart {
        message: String,
        look_again: Timestamp,
    },
    Running(Running),
    Ended {
        ended: Ended,
        next: Next,
    },
}

/// A running container.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub since: Timestamp,
    pub ready_at: Timestamp,
    pub on_stop: OnStop,
    ends: Option<(Timestamp, Death)>,
}

/// What follows an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: it is done.
    Stays,
    /// A restart after a look at the back-off.
    Look { at: Timestamp },
    /// `CrashLoopBackOff` until then.
    BackOff { backoff: Backoff },
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ended {
    pub code: i32,
    pub reason: &'static str,
    pub message: Option<String>,
    pub started: Option<Timestamp>,
    pub finished: Timestamp,
}

/// How long the kubelet takes to look at a pod again after something happened.
const SYNC: Duration = Duration::from_millis(1500);
/// How often it retries what the back-off does not govern.
const RETRY: Duration = Duration::from_secs(12);

impl Container {
    pub(super) fn new(name: &str, role: Role) -> Self {
        Self {
            name: name.to_owned(),
            role,
            state: State::Idle,
            restarts: 0,
            last: None,
            pull_backoff: None,
            crash_backoff: None,
            sub_paths: mounts::SubPaths::default(),
        }
    }

    /// Whether the next init container, or the main ones, may go on.
    pub(super) fn is_done(&self) -> bool {
        matches!(&self.state, State::Ended { ended, next: Next::Stays } if ended.code == 0)
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    pub(super) fn is_ready(&self, now: Timestamp) -> bool {
        matches!(&self.state, State::Running(running) if running.ready_at <= now)
    }

    /// Moves as far as `now` allows.
    pub(super) fn drive(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        while let Some(due) = self.due() {
            if sight.now < due {
                out.wake_at(due);
                break;
            }
            self.advance(spec, sight, out);
        }
        if let State::Running(running) = &self.state
            && running.ready_at > sight.now
        {
            out.wake_at(running.ready_at);
        }
    }

    /// When the state ends by itself; None if it does not.
    fn due(&self) -> Option<Timestamp> {
        match &self.state {
            State::Idle => Some(Timestamp::MIN),
            State::Pulling { until, .. }
            | State::PullFailed { look_again: until, .. }
            | State::PullBackOff { until }
            | State::CannotCreate { retry_at: until, .. }
            | State::CannotStart { look_again: until, .. } => Some(*until),
            State::Running(running) => running.ends.as_ref().map(|(at, _)| *at),
            State::Ended { next: Next::Stays, .. } => None,
            State::Ended { next: Next::Look { at }, .. } => Some(*at),
            State::Ended { next: Next::BackOff { backoff }, .. } => Some(backoff.until),
        }
    }

    /// One move out of a state that is due.
    fn advance(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        match self.state.clone() {
            State::Idle | State::PullBackOff { .. } | State::CannotCreate { .. } => {
                self.begin(spec, sight, out);
            }
            State::Pulling { failure, .. } => self.pulled(failure, spec, sight, out),
            State::PullFailed { .. } => self.back_off_pull(spec, out),
            State::CannotStart { message, .. } => {
                self.look_after_end(start_error(message, sight.now), spec, sight, out);
            }
            State::Running(running) => self.die(running, spec, sight, out),
            State::Ended { next: Next::Stays, .. } => {}
            State::Ended { next: Next::Look { .. }, ended } => self.look_after_end(ended, spec, sight, out),
            State::Ended { next: Next::BackOff { .. }, .. } => self.restart(spec, sight, out),
        }
    }

    /// Somebody outside ends the process: a signal, a panic, a lost file.
    pub(super) fn strike(&mut self, exit: &Exit, now: Timestamp) {
        if let State::Running(running) = &mut self.state {
            let death = Death { code: exit.code, reason: reason_of(exit.code), says: exit.says.clone() };
            running.ends = Some((now, death));
        }
    }

    /// The kubelet stops the container; true when it is over (or never ran).
    pub(super) fn stop(&mut self, kill_at: Timestamp, sight: &Sight<'_>, out: &mut Step) -> bool {
        let State::Running(running) = &self.state else {
            return true;
        };
        let (over_at, code) = match running.on_stop {
            OnStop::Exits => {
                (sight.tempo.after(sight.stopping_since, Duration::from_secs(1)).min(kill_at), 0)
            }
            OnStop::Ignores => (kill_at, 137),
            OnStop::Unkillable => return false,
        };
        if sight.now < over_at {
            out.wake_at(over_at);
            return false;
        }
        let ended = Ended {
            code,
            reason: reason_of(code),
            message: None,
            started: Some(running.since),
            finished: sight.now,
        };
        self.state = State::Ended { ended, next: Next::Stays };
        true
    }

    fn begin(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        let image = image(spec);
        let present = sight.node_images.contains(image);
        match policy(spec, image) {
            "Never" if !present => {
                out.warn(
                    self,
                    "ErrImageNeverPull",
                    format!("Container image \"{image}\" is not present with pull policy of Never"),
                );
                self.state = State::CannotCreate {
                    message: format!("Container image \"{image}\" is not present with pull policy of Never"),
                    retry_at: sight.tempo.after(sight.now, RETRY),
                };
            }
            "Always" => self.pull(image, sight, out),
            _ if present => {
                out.tell(self, "Pulled", format!("Container image \"{image}\" already present on machine"));
                self.create(spec, sight, out);
            }
            _ => self.pull(image, sight, out),
        }
    }

    fn pull(&mut self, image: &str, sight: &Sight<'_>, out: &mut Step) {
        if let Some(missing) = references::missing_pull_secrets(sight) {
            out.pod_event("Warning", "FailedToRetrieveImagePullSecret", missing);
        }
        out.tell(self, "Pulling", format!("Pulling image \"{image}\""));
        let (took, failure) = match ImageRef::parse(image) {
            None => (
                Duration::ZERO,
                Some(format!("couldn't parse image reference \"{image}\": invalid reference format")),
            ),
            Some(parsed) => {
                match sight.world.registries.pull(&parsed, &references::keyring(sight), sight.now) {
                    Ok(()) => (Duration::from_millis(900), None),
                    Err(failure) => (failure.took, Some(failure.message)),
                }
            }
        };
        self.state = State::Pulling { until: sight.tempo.after(sight.now, took), failure };
    }

    fn pulled(&mut self, failure: Option<String>, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        let image = image(spec);
        let Some(message) = failure else {
            out.tell(self, "Pulled", format!("Successfully pulled image \"{image}\" in 897.464299ms"));
            out.pulled.push(image.to_owned());
            self.pull_backoff = None;
            return self.create(spec, sight, out);
        };
        out.warn(self, "Failed", format!("Failed to pull image \"{image}\": {message}"));
        out.warn(self, "Failed", "Error: ErrImagePull".to_owned());
        self.pull_backoff = Some(Backoff::after_failure(self.pull_backoff, sight.now, sight.tempo));
        self.state = State::PullFailed { message, look_again: sight.tempo.after(sight.now, SYNC) };
    }

    fn back_off_pull(&mut self, spec: &Value, out: &mut Step) {
        let image = image(spec);
        out.tell(self, "BackOff", format!("Back-off pulling image \"{image}\""));
        out.warn(self, "Failed", "Error: ImagePullBackOff".to_owned());
        let until = self.pull_backoff.map_or(Timestamp::MIN, |backoff| backoff.until);
        self.state = State::PullBackOff { until };
    }

    fn create(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        if let Err(message) = references::environment(spec, sight) {
            out.warn(self, "Failed", format!("Error: {message}"));
            self.state = State::CannotCreate { message, retry_at: sight.tempo.after(sight.now, RETRY) };
            return;
        }
        out.tell(self, "Created", format!("Created container {}", self.name));
        if let Err(message) = self.sub_paths.prepare(spec, sight) {
            out.warn(self, "Failed", format!("Error: {message}"));
            self.state = State::CannotStart { message, look_again: sight.tempo.after(sight.now, SYNC) };
            return;
        }
        self.start(spec, sight, out);
    }

    fn start(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        out.tell(self, "Started", format!("Started container {}", self.name));
        let program = sight.world.program(image(spec));
        out.say(self, &program.says);
        let probed = spec["readinessProbe"].is_object();
        let ready_at = if probed { sight.tempo.after(sight.now, program.ready_after) } else { sight.now };
        let ends =
            fate(&program, spec, sight).map(|(after, death)| (sight.tempo.after(sight.now, after), death));
        self.state = State::Running(Running { since: sight.now, ready_at, on_stop: program.on_stop, ends });
    }

    fn die(&mut self, running: Running, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        let Some((finished, death)) = running.ends else { return };
        out.say(self, &death.says);
        let next = if self.restarts_after(death.code, spec, sight) {
            Next::Look { at: sight.tempo.after(sight.now, SYNC) }
        } else {
            Next::Stays
        };
        let (code, reason) = (death.code, death.reason);
        let ended = Ended { code, reason, message: None, started: Some(running.since), finished };
        self.state = State::Ended { ended, next };
    }

    fn restarts_after(&self, code: i32, spec: &Value, sight: &Sight<'_>) -> bool {
        let policy = sight.pod["spec"]["restartPolicy"].as_str().unwrap_or("Always");
        let sidecar = spec["restartPolicy"] == "Always";
        match self.role {
            Role::Init => sidecar || (code != 0 && policy != "Never"),
            Role::Main => policy == "Always" || (policy == "OnFailure" && code != 0),
        }
    }

    /// The kubelet looks at an ended container: the first end is followed by a restart at once, later ones
    /// by the back-off.
    fn look_after_end(&mut self, ended: Ended, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        let last = self.crash_backoff.filter(|last| !last.is_forgotten(sight.now, sight.tempo));
        let next = Backoff::after_failure(last, sight.now, sight.tempo);
        self.crash_backoff = Some(next);
        match last {
            None => {
                self.state = State::Ended { ended, next: Next::Stays };
                self.restart(spec, sight, out);
            }
            Some(last) => {
                out.warn(self, "BackOff", "Back-off restarting failed container".to_owned());
                let backoff = Backoff { delay: last.delay, until: sight.tempo.after(sight.now, last.delay) };
                self.crash_backoff = Some(Backoff { until: backoff.until, ..next });
                self.state = State::Ended { ended, next: Next::BackOff { backoff } };
            }
        }
    }

    fn restart(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        if let State::Ended { ended, .. } = &self.state {
            self.last = Some(ended.clone());
        }
        self.restarts += 1;
        self.begin(spec, sight, out);
    }
}

fn start_error(message: String, now: Timestamp) -> Ended {
    Ended { code: 128, reason: "StartError", message: Some(message), started: None, finished: now }
}

pub(super) fn image(spec: &Value) -> &str {
    spec["image"].as_str().unwrap_or_default()
}

fn policy<'a>(spec: &'a Value, image: &str) -> &'a str {
    let untagged = ImageRef::parse(image).is_some_and(|image| image.tag == "latest");
    spec["imagePullPolicy"].as_str().unwrap_or(if untagged { "Always" } else { "IfNotPresent" })
}
