//! The status a kubelet writes. Owns the shape and the field order of a real pod status; refuses to decide
//! anything: it only words where the containers stand.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::container::{Container, Ended, Next, Role, State, image};
use super::sight::Sight;
use crate::sim::api::clock::stamp;
use crate::sim::objects::{condition, items, uid};
use crate::sim::registry::{ImageRef, hex};

/// Where a pod stands as a whole, beside its containers.
pub(super) struct Frame<'a> {
    pub started: Timestamp,
    pub pod_ip: Option<&'a str>,
    pub containers: &'a [Container],
    /// The status as last written, for transition times.
    pub before: &'a Value,
}

pub(super) fn render(frame: &Frame<'_>, sight: &Sight<'_>) -> Value {
    let phase = phase(frame.containers, sight);
    let mut status = Map::new();
    status.insert("phase".into(), json!(phase));
    status.insert("conditions".into(), conditions(frame, phase, sight));
    status.insert("hostIP".into(), json!(sight.node_ip));
    if let Some(ip) = frame.pod_ip {
        status.insert("podIP".into(), json!(ip));
        status.insert("podIPs".into(), json!([{"ip": ip}]));
    }
    status.insert("startTime".into(), json!(stamp(frame.started)));
    let init = of_role(frame.containers, Role::Init)
        .map(|one| container_status(one, frame, sight))
        .collect::<Vec<_>>();
    if !init.is_empty() {
        status.insert("initContainerStatuses".into(), Value::Array(init));
    }
    let main = of_role(frame.containers, Role::Main).map(|one| container_status(one, frame, sight)).collect();
    status.insert("containerStatuses".into(), Value::Array(main));
    status.insert("qosClass".into(), json!(qos(sight.pod)));
    Value::Object(status)
}

fn of_role(containers: &[Container], role: Role) -> impl Iterator<Item = &Container> {
    containers.iter().filter(move |container| container.role == role)
}

fn phase(containers: &[Container], sight: &Sight<'_>) -> &'static str {
    let stopping = crate::sim::objects::is_deleting(sight.pod);
    if of_role(containers, Role::Init).any(|init| {
        matches!(&init.state, State::Ended { ended, next: Next::Stays } if ended.code != 0) && !stopping
    }) {
        return "Failed";
    }
    let waiting = |one: &Container| one.last.is_none() && is_waiting(&one.state);
    if of_role(containers, Role::Init).any(|init| !init.is_done())
        || of_role(containers, Role::Main).any(waiting)
    {
        return "Pending";
    }
    let done = |one: &Container| matches!(one.state, State::Ended { next: Next::Stays, .. });
    if !of_role(containers, Role::Main).all(done) || stopping {
        return "Running";
    }
    if of_role(containers, Role::Main).all(Container::is_done) { "Succeeded" } else { "Failed" }
}

fn is_waiting(state: &State) -> bool {
    match state {
        State::Idle
        | State::Pulling { .. }
        | State::PullFailed { .. }
        | State::PullBackOff { .. }
        | State::CannotCreate { .. } => true,
        State::CannotStart { .. } | State::Running(_) | State::Ended { .. } => false,
    }
}

fn conditions(frame: &Frame<'_>, phase: &str, sight: &Sight<'_>) -> Value {
    let unfinished: Vec<&str> = of_role(frame.containers, Role::Init)
        .filter(|init| !init.is_done())
        .map(|one| one.name.as_str())
        .collect();
    let unready: Vec<&str> = of_role(frame.containers, Role::Main)
        .filter(|one| !one.is_ready(sight.now))
        .map(|one| one.name.as_str())
        .collect();
    let incomplete = (!unfinished.is_empty()).then(|| {
        ("ContainersNotInitialized", format!("containers with incomplete status: [{}]", unfinished.join(" ")))
    });
    let not_ready = if phase == "Succeeded" {
        Some(("PodCompleted", String::new()))
    } else {
        (!unready.is_empty()).then(|| {
            ("ContainersNotReady", format!("containers with unready status: [{}]", unready.join(" ")))
        })
    };
    let initialized = if phase == "Succeeded" { Some(("PodCompleted", String::new())) } else { None };
    let first = match (&incomplete, initialized) {
        (None, Some((reason, _))) => entry("Initialized", true, Some((reason, String::new())), frame, sight),
        _ => entry("Initialized", incomplete.is_none(), incomplete, frame, sight),
    };
    json!([
        first,
        entry("Ready", not_ready.is_none(), not_ready.clone(), frame, sight),
        entry("ContainersReady", not_ready.is_none(), not_ready, frame, sight),
        entry("PodScheduled", true, None, frame, sight),
    ])
}

fn entry(
    kind: &str,
    holds: bool,
    why: Option<(&'static str, String)>,
    frame: &Frame<'_>,
    sight: &Sight<'_>,
) -> Value {
    let status = if holds { "True" } else { "False" };
    let wrapped = json!({"status": frame.before});
    let since = condition(&wrapped, kind)
        .or_else(|| condition(sight.pod, kind))
        .filter(|before| before["status"] == status)
        .map_or_else(|| json!(stamp(sight.now)), |before| before["lastTransitionTime"].clone());
    let mut out = json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": since});
    if let Some((reason, message)) = why {
        out["reason"] = json!(reason);
        if !message.is_empty() {
            out["message"] = json!(message);
        }
    }
    out
}

fn container_status(container: &Container, frame: &Frame<'_>, sight: &Sight<'_>) -> Value {
    let spec = spec_of(container, sight.pod);
    let named = image(spec);
    let mut out = json!({
        "name": container.name,
        "state": state(container, frame, sight),
        "lastState": last_state(container, sight),
        "ready": match container.role {
            Role::Init => container.is_done(),
            Role::Main => container.is_ready(sight.now),
        },
        "restartCount": container.restarts,
        "image": named,
        "imageID": "",
    });
    let started = !is_waiting(&container.state);
    if started || container.last.is_some() {
        out["imageID"] = json!(image_id(named));
        out["containerID"] = json!(container_id(container, container.restarts, sight));
    }
    if container.role == Role::Main {
        out["started"] = json!(container.is_running());
    }
    out
}

fn state(container: &Container, frame: &Frame<'_>, sight: &Sight<'_>) -> Value {
    let spec = spec_of(container, sight.pod);
    match &container.state {
        State::Idle | State::Pulling { .. } if container.last.is_some() => match container.last.as_ref() {
            Some(last) => json!({"terminated": terminated(last, container, container.restarts - 1, sight)}),
            None => json!({}),
        },
        State::Idle | State::Pulling { .. } => {
            let initializing = container.role == Role::Main
                && of_role(frame.containers, Role::Init).any(|init| !init.is_done())
                || container.role == Role::Init;
            waiting(if initializing { "PodInitializing" } else { "ContainerCreating" }, None)
        }
        State::PullFailed { message, .. } => waiting("ErrImagePull", Some(message)),
        State::PullBackOff { .. } => {
            waiting("ImagePullBackOff", Some(&format!("Back-off pulling image \"{}\"", image(spec))))
        }
        State::CannotCreate { message, .. } if message.contains("pull policy of Never") => {
            waiting("ErrImageNeverPull", Some(message))
        }
        State::CannotCreate { message, .. } => waiting("CreateContainerConfigError", Some(message)),
        State::CannotStart { message, .. } => waiting("RunContainerError", Some(message)),
        State::Running(running) => json!({"running": {"startedAt": stamp(running.since)}}),
        State::Ended { next: Next::BackOff { backoff }, .. } => {
            let (name, namespace) =
                (crate::sim::objects::name(sight.pod), crate::sim::objects::namespace(sight.pod));
            let message = format!(
                "back-off {} restarting failed container={} pod={name}_{namespace}({})",
                backoff.words(),
                container.name,
                uid(sight.pod)
            );
            waiting("CrashLoopBackOff", Some(&message))
        }
        State::Ended { ended, .. } => {
            json!({"terminated": terminated(ended, container, container.restarts, sight)})
        }
    }
}

fn last_state(container: &Container, sight: &Sight<'_>) -> Value {
    let shown = match &container.state {
        State::Ended { ended, next: Next::BackOff { .. } } => Some((ended.clone(), container.restarts)),
        State::CannotStart { message, .. } => Some((
            Ended {
                code: 128,
                reason: "StartError",
                message: Some(message.clone()),
                started: None,
                finished: sight.now,
            },
            container.restarts,
        )),
        _ => container.last.clone().map(|last| (last, container.restarts - 1)),
    };
    shown.map_or_else(
        || json!({}),
        |(ended, start)| json!({"terminated": terminated(&ended, container, start, sight)}),
    )
}

fn terminated(ended: &Ended, container: &Container, start: i64, sight: &Sight<'_>) -> Value {
    let mut out = json!({"exitCode": ended.code, "reason": ended.reason});
    if let Some(message) = &ended.message {
        out["message"] = json!(message);
    }
    out["startedAt"] = json!(stamp(ended.started.unwrap_or(Timestamp::UNIX_EPOCH)));
    out["finishedAt"] = json!(stamp(ended.finished));
    out["containerID"] = json!(container_id(container, start, sight));
    out
}

fn waiting(reason: &str, message: Option<&str>) -> Value {
    match message {
        Some(message) => json!({"waiting": {"reason": reason, "message": message}}),
        None => json!({"waiting": {"reason": reason}}),
    }
}

fn spec_of<'a>(container: &Container, pod: &'a Value) -> &'a Value {
    let field = match container.role {
        Role::Init => "initContainers",
        Role::Main => "containers",
    };
    items(&pod["spec"][field]).iter().find(|spec| spec["name"] == *container.name).unwrap_or(&Value::Null)
}

fn container_id(container: &Container, start: i64, sight: &Sight<'_>) -> String {
    let seed = format!("{}/{}/{start}", uid(sight.pod), container.name);
    format!("containerd://{}", hex(&Sha256::digest(seed.as_bytes())))
}

fn image_id(named: &str) -> String {
    ImageRef::parse(named)
        .map_or_else(String::new, |image| format!("{}/{}@{}", image.host, image.repository, image.digest()))
}

fn qos(pod: &Value) -> &'static str {
    let containers = items(&pod["spec"]["containers"]);
    let resources = |one: &Value| one["resources"].clone();
    if containers.iter().all(|one| resources(one)["limits"].is_null() && resources(one)["requests"].is_null())
    {
        return "BestEffort";
    }
    let guaranteed = containers.iter().all(|one| {
        let resources = resources(one);
        ["cpu", "memory"].iter().all(|kind| {
            let limit = &resources["limits"][kind];
            !limit.is_null()
                && (resources["requests"][kind].is_null() || resources["requests"][kind] == *limit)
        })
    });
    if guaranteed { "Guaranteed" } else { "Burstable" }
}
