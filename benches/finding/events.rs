//! The events: unhealthy pods of five kinds as a watch delivers them, and core events about them. Rendered
//! before the clock runs; each delivery is made new by a resource version (and an event by a count) of its own,
//! written in place.

use std::fmt::Write as _;

use kubemend::cluster::kind::Watched;
use serde_json::{Value, json};

use super::load::pods::{SICK, Template};

/// Versions have seven digits and are found nowhere else, so that one takes the place of another.
const FIRST_VERSION: usize = 5_417_293;

/// One delivery, ready to be sent as often as wanted.
pub(crate) struct Delivery {
    pub(crate) kind: Watched,
    json: Vec<u8>,
    /// Where the digits are that change.
    places: Vec<usize>,
}

impl Delivery {
    /// The object as of that version: what an API server sends.
    pub(crate) fn at(&mut self, count: usize) -> &[u8] {
        let digits = (FIRST_VERSION + count).to_string();
        for place in &self.places {
            self.json[*place..place + digits.len()].copy_from_slice(digits.as_bytes());
        }
        &self.json
    }
}

/// Two pods out of three deliveries, as in a cluster in trouble, and an event about one of them.
pub(crate) fn deliveries(pods: usize, most: usize) -> Vec<Delivery> {
    let template = Template::new();
    let sick = (0..pods / SICK).map(|n| n * SICK).take(most);
    let mut all = Vec::new();
    for (at, n) in sick.enumerate() {
        let mut text = String::new();
        template.write(&mut text, n, FIRST_VERSION);
        let mut pod: Value = serde_json::from_str(&text).expect("a template is JSON");
        let (state, last, message, reason) = ails(at);
        let statuses = pod["status"]["containerStatuses"].as_array_mut().expect("it has statuses");
        for status in statuses {
            status["state"] = state.clone();
            status["lastState"] = last.clone();
        }
        let event = event(&pod, at, message, reason);
        all.push(delivery(Watched::Pod, &pod));
        all.push(delivery(Watched::Pod, &pod));
        all.push(delivery(Watched::Event, &event));
    }
    all
}

fn delivery(kind: Watched, object: &Value) -> Delivery {
    let json = object.to_string();
    let places = json.match_indices(&FIRST_VERSION.to_string()).map(|(at, _)| at).collect();
    Delivery { kind, json: json.into_bytes(), places }
}

/// State, last state, and the event's message and reason.
fn ails(at: usize) -> (Value, Value, &'static str, &'static str) {
    let waiting = |reason: &str, message: &str| json!({"waiting": {"reason": reason, "message": message}});
    let ended = |code: i32, reason: &str| {
        json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": "2026-01-01T00:00:00Z",
            "finishedAt": "2026-01-01T00:01:00Z", "containerID": "containerd://0f4c5f8a9be1b7a5"}})
    };
    let back_off =
        "back-off 5m0s restarting failed container=service pod=service-0_team-0(00000001-aaaa-4bbb)";
    match at % 5 {
        0 => (waiting("ImagePullBackOff", UNAUTHORIZED), json!({}), UNAUTHORIZED, "Failed"),
        1 => (waiting("ErrImagePull", NOT_FOUND), json!({}), NOT_FOUND, "Failed"),
        2 => (
            waiting("CrashLoopBackOff", back_off),
            ended(1, "Error"),
            "Back-off restarting failed container",
            "BackOff",
        ),
        3 => (
            waiting("CrashLoopBackOff", back_off),
            ended(137, "OOMKilled"),
            "Back-off restarting failed container",
            "BackOff",
        ),
        _ => (waiting("CreateContainerConfigError", MISSING), json!({}), MISSING, "Failed"),
    }
}

const UNAUTHORIZED: &str = "Failed to pull image \"registry.example.com/team/service:1.14.2\": rpc error: code = Unknown \
    desc = failed to pull and unpack image \"registry.example.com/team/service:1.14.2\": failed to resolve reference \
    \"registry.example.com/team/service:1.14.2\": pulling from host registry.example.com failed with status code \
    [manifests 1.14.2]: 401 Unauthorized";
const NOT_FOUND: &str = "Failed to pull image \"registry.example.com/team/service:1.14.2\": rpc error: code = NotFound \
    desc = failed to pull and unpack image \"registry.example.com/team/service:1.14.2\": failed to resolve reference \
    \"registry.example.com/team/service:1.14.2\": registry.example.com/team/service:1.14.2: not found";
const MISSING: &str = "configmap \"service-config\" not found";

fn event(pod: &Value, at: usize, message: &str, reason: &str) -> Value {
    let meta = &pod["metadata"];
    let mut name = meta["name"].as_str().unwrap_or_default().to_owned();
    write!(name, ".{at:x}").expect("writing to a String cannot fail");
    json!({"metadata": {"name": name, "namespace": meta["namespace"], "uid": format!("{at:08x}-eeee-4bbb-8ccc-000000000000"),
            "resourceVersion": FIRST_VERSION.to_string()},
        "involvedObject": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"],
            "fieldPath": "spec.containers{service}"},
        "type": "Warning", "reason": reason, "message": message, "count": FIRST_VERSION,
        "source": {"component": "kubelet", "host": "node"}, "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:01:00Z"})
}
