//! One container on its way from image to running to restart. Owns the states and the moves between them;
//! refuses to touch the API: it answers with events, log lines and the time it wants to be looked at again.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::backoff::Backoff;
use super::program::{Ending, Exit, OnStop, Program};
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
    Pulling { until: Timestamp, failure: Option<String> },
    /// `ErrImagePull` is on show until the kubelet looks again.
    PullFailed { message: String, look_again: Timestamp },
    PullBackOff { until: Timestamp },
    CannotCreate { message: String, retry_at: Timestamp },
    /// `RunContainerError` is on show until the kubelet looks again.
    CannotStart { message: String, look_again: Timestamp },
    Running(Running),
    Ended { ended: Ended, next: Next },
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

#[derive(Debug, Clone)]
struct Death {
    code: i32,
    reason: &'static str,
    says: Vec<String>,
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

    /// Moves as far as `now` allows. Each move is one arm; the loop ends where time has to pass.
    pub(super) fn drive(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        loop {
            let moved = match &self.state {
                State::Idle => self.begin(spec, sight, out),
                State::Pulling { until, .. }
                | State::PullFailed { look_again: until, .. }
                | State::PullBackOff { until }
                | State::CannotCreate { retry_at: until, .. }
                | State::CannotStart { look_again: until, .. }
                    if sight.now < *until =>
                {
                    out.wake_at(*until);
                    false
                }
                State::Pulling { failure, .. } => {
                    let failure = failure.clone();
                    self.pulled(failure, spec, sight, out)
                }
                State::PullFailed { .. } => self.back_off_pull(spec, out),
                State::PullBackOff { .. } | State::CannotCreate { .. } => self.begin(spec, sight, out),
                State::CannotStart { message, .. } => {
                    let ended = start_error(message.clone(), sight.now);
                    self.look_after_end(ended, spec, sight, out)
                }
                State::Running(running) => match &running.ends {
                    Some((at, _)) if *at <= sight.now => self.die(spec, sight, out),
                    Some((at, _)) => {
                        out.wake_at(*at);
                        false
                    }
                    None => false,
                },
                State::Ended { next, ended } => match next {
                    Next::Stays => false,
                    Next::Look { at } if sight.now < *at => {
                        out.wake_at(*at);
                        false
                    }
                    Next::Look { .. } => {
                        let ended = ended.clone();
                        self.look_after_end(ended, spec, sight, out)
                    }
                    Next::BackOff { backoff } if sight.now < backoff.until => {
                        out.wake_at(backoff.until);
                        false
                    }
                    Next::BackOff { .. } => self.restart(spec, sight, out),
                },
            };
            if !moved {
                break;
            }
        }
        if let State::Running(running) = &self.state
            && running.ready_at > sight.now
        {
            out.wake_at(running.ready_at);
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
            OnStop::Exits => (sight.tempo.after(sight.stopping_since, Duration::from_secs(1)).min(kill_at), 0),
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

    fn begin(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) -> bool {
        let image = image(spec);
        let present = sight.node_images.contains(image);
        match policy(spec, image) {
            "Never" if !present => {
                out.warn(self, "ErrImageNeverPull", format!("Container image \"{image}\" is not present with pull policy of Never"));
                self.state = State::CannotCreate {
                    message: format!("Container image \"{image}\" is not present with pull policy of Never"),
                    retry_at: sight.tempo.after(sight.now, RETRY),
                };
                true
            }
            "Always" => self.pull(image, sight, out),
            _ if present => {
                out.tell(self, "Pulled", format!("Container image \"{image}\" already present on machine"));
                self.create(spec, sight, out)
            }
            _ => self.pull(image, sight, out),
        }
    }

    fn pull(&mut self, image: &str, sight: &Sight<'_>, out: &mut Step) -> bool {
        if let Some(missing) = references::missing_pull_secrets(sight) {
            out.pod_event("Warning", "FailedToRetrieveImagePullSecret", missing);
        }
        out.tell(self, "Pulling", format!("Pulling image \"{image}\""));
        let (took, failure) = match ImageRef::parse(image) {
            None => (Duration::ZERO, Some(format!("couldn't parse image reference \"{image}\": invalid reference format"))),
            Some(parsed) => match sight.world.registries.pull(&parsed, &references::keyring(sight), sight.now) {
                Ok(()) => (Duration::from_millis(900), None),
                Err(failure) => (failure.took, Some(failure.message)),
            },
        };
        self.state = State::Pulling { until: sight.tempo.after(sight.now, took), failure };
        true
    }

    fn pulled(&mut self, failure: Option<String>, spec: &Value, sight: &Sight<'_>, out: &mut Step) -> bool {
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
        true
    }

    fn back_off_pull(&mut self, spec: &Value, out: &mut Step) -> bool {
        let image = image(spec);
        out.tell(self, "BackOff", format!("Back-off pulling image \"{image}\""));
        out.warn(self, "Failed", "Error: ImagePullBackOff".to_owned());
        let until = self.pull_backoff.map_or(Timestamp::MIN, |backoff| backoff.until);
        self.state = State::PullBackOff { until };
        true
    }

    fn create(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) -> bool {
        if let Err(message) = references::environment(spec, sight) {
            out.warn(self, "Failed", format!("Error: {message}"));
            self.state = State::CannotCreate { message, retry_at: sight.tempo.after(sight.now, RETRY) };
            return true;
        }
        out.tell(self, "Created", format!("Created container {}", self.name));
        if let Err(message) = self.sub_paths.prepare(spec, sight) {
            out.warn(self, "Failed", format!("Error: {message}"));
            self.state = State::CannotStart { message, look_again: sight.tempo.after(sight.now, SYNC) };
            return true;
        }
        self.start(spec, sight, out);
        true
    }

    fn start(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) {
        out.tell(self, "Started", format!("Started container {}", self.name));
        let program = sight.world.program(image(spec));
        out.say(self, &program.says);
        let probed = spec["readinessProbe"].is_object();
        let ready_at = if probed { sight.tempo.after(sight.now, program.ready_after) } else { sight.now };
        let ends = fate(&program, spec, sight).map(|(after, death)| (sight.tempo.after(sight.now, after), death));
        self.state = State::Running(Running { since: sight.now, ready_at, on_stop: program.on_stop, ends });
    }

    fn die(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) -> bool {
        let State::Running(Running { since, ends: Some((finished, death)), .. }) = &self.state else {
            return false;
        };
        let ended = Ended {
            code: death.code,
            reason: death.reason,
            message: None,
            started: Some(*since),
            finished: *finished,
        };
        out.say(self, &death.says.clone());
        let next = match self.restarts_after(ended.code, spec, sight) {
            true => Next::Look { at: sight.tempo.after(sight.now, SYNC) },
            false => Next::Stays,
        };
        self.state = State::Ended { ended, next };
        true
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
    fn look_after_end(&mut self, ended: Ended, spec: &Value, sight: &Sight<'_>, out: &mut Step) -> bool {
        let last = self.crash_backoff;
        let next = Backoff::after_failure(last, sight.now, sight.tempo);
        self.crash_backoff = Some(next);
        match last {
            None => {
                self.state = State::Ended { ended, next: Next::Stays };
                self.restart(spec, sight, out)
            }
            Some(last) => {
                out.warn(self, "BackOff", "Back-off restarting failed container".to_owned());
                let backoff = Backoff { delay: last.delay, until: sight.tempo.after(sight.now, last.delay) };
                self.crash_backoff = Some(Backoff { until: backoff.until, ..next });
                self.state = State::Ended { ended, next: Next::BackOff { backoff } };
                true
            }
        }
    }

    fn restart(&mut self, spec: &Value, sight: &Sight<'_>, out: &mut Step) -> bool {
        if let State::Ended { ended, .. } = &self.state {
            self.last = Some(ended.clone());
        }
        self.restarts += 1;
        self.begin(spec, sight, out)
    }
}

/// How a program will end, if at all.
fn fate(program: &Program, spec: &Value, sight: &Sight<'_>) -> Option<(Duration, Death)> {
    let limit = crate::sim::objects::quantity(&spec["resources"]["limits"]["memory"]);
    #[expect(clippy::cast_precision_loss, reason = "memory sizes are far below 2^52")]
    let starved = program.needs_memory.is_some_and(|need| limit > 0.0 && limit < need as f64);
    if starved {
        return Some((Duration::from_secs(2), Death { code: 137, reason: "OOMKilled", says: Vec::new() }));
    }
    let exit = match &program.ending {
        Ending::Never => return None,
        Ending::Exits(exit) => exit,
        Ending::IfPodStartedWith { config_map, key, value, exit } => {
            if sight.frozen.get(config_map).is_none_or(|map| map["data"][key] != *value) {
                return None;
            }
            exit
        }
    };
    Some((exit.after, Death { code: exit.code, reason: reason_of(exit.code), says: exit.says.clone() }))
}

fn start_error(message: String, now: Timestamp) -> Ended {
    Ended { code: 128, reason: "StartError", message: Some(message), started: None, finished: now }
}

fn reason_of(code: i32) -> &'static str {
    if code == 0 { "Completed" } else { "Error" }
}

pub(super) fn image(spec: &Value) -> &str {
    spec["image"].as_str().unwrap_or_default()
}

fn policy<'a>(spec: &'a Value, image: &str) -> &'a str {
    let untagged = ImageRef::parse(image).is_some_and(|image| image.tag == "latest");
    spec["imagePullPolicy"].as_str().unwrap_or(if untagged { "Always" } else { "IfNotPresent" })
}
