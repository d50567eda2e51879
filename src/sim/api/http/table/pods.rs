//! The cells of a pod: readiness, restarts, and the one word that says how it is.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::super::meta::{self, list, text};
use super::cells::{NONE, age};

pub(super) fn cell(column: &str, pod: &Value, now: Timestamp) -> Value {
    let dash = |pointer: &str| json!(Some(text(pod, pointer)).filter(|s| !s.is_empty()).unwrap_or(NONE));
    let statuses = list(pod, "/status/containerStatuses");
    match column {
        "Ready" => {
            let ready = statuses.iter().filter(|status| status["ready"] == true).count();
            json!(format!("{ready}/{}", list(pod, "/spec/containers").len()))
        }
        "Status" => json!(pod_status(pod)),
        "Restarts" => json!(restarts(statuses, now)),
        "IP" => dash("/status/podIP"),
        "Node" => dash("/spec/nodeName"),
        "Nominated Node" => dash("/status/nominatedNodeName"),
        _ => json!(NONE),
    }
}

fn restarts(statuses: &[Value], now: Timestamp) -> String {
    let total: u64 = statuses.iter().filter_map(|status| status["restartCount"].as_u64()).sum();
    let last = statuses.iter().map(|s| text(s, "/lastState/terminated/finishedAt")).max();
    match last.filter(|at| total > 0 && !at.is_empty()) {
        Some(at) => format!("{total} ({} ago)", age(at, now)),
        None => total.to_string(),
    }
}

/// The one word for a pod: phase, or what its containers say, as kubectl's printer does.
fn pod_status(pod: &Value) -> String {
    let mut word = text(pod, "/status/phase").to_owned();
    let reason = text(pod, "/status/reason");
    if !reason.is_empty() {
        reason.clone_into(&mut word);
    }
    let gated = list(pod, "/status/conditions")
        .iter()
        .any(|one| text(one, "/type") == "PodScheduled" && text(one, "/reason") == "SchedulingGated");
    if gated {
        word = "SchedulingGated".into();
    }
    match init_status(pod) {
        Some(init) => word = init,
        None => word = container_word(pod, word),
    }
    if meta::is_deleting(pod) {
        return if reason == "NodeLost" { "Unknown".into() } else { "Terminating".into() };
    }
    word
}

fn init_status(pod: &Value) -> Option<String> {
    let total = list(pod, "/spec/initContainers").len();
    for (at, status) in list(pod, "/status/initContainerStatuses").iter().enumerate() {
        let ended = &status["state"]["terminated"];
        if ended["exitCode"] == 0 || status["started"] == true {
            continue;
        }
        if !ended.is_null() {
            return Some(format!("Init:{}", ended_word(ended)));
        }
        let waiting = text(status, "/state/waiting/reason");
        if !waiting.is_empty() && waiting != "PodInitializing" {
            return Some(format!("Init:{waiting}"));
        }
        return Some(format!("Init:{at}/{total}"));
    }
    None
}

fn container_word(pod: &Value, mut word: String) -> String {
    let mut running = false;
    for status in list(pod, "/status/containerStatuses").iter().rev() {
        let ended = &status["state"]["terminated"];
        let waiting = text(status, "/state/waiting/reason");
        if !waiting.is_empty() {
            waiting.clone_into(&mut word);
        } else if !ended.is_null() {
            word = ended_word(ended);
        } else if status["ready"] == true && !status["state"]["running"].is_null() {
            running = true;
        }
    }
    if word == "Completed" && running {
        let ready = list(pod, "/status/conditions")
            .iter()
            .any(|one| text(one, "/type") == "Ready" && text(one, "/status") == "True");
        return if ready { "Running".into() } else { "NotReady".into() };
    }
    word
}

fn ended_word(ended: &Value) -> String {
    match (text(ended, "/reason"), ended["signal"].as_i64()) {
        ("", Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        ("", _) => format!("ExitCode:{}", ended["exitCode"]),
        (reason, _) => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_pod_is_what_its_containers_say() {
        let mut pod = json!({"status": {"phase": "Running", "containerStatuses": [
            {"ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}});
        assert_eq!(pod_status(&pod), "CrashLoopBackOff");
        pod["status"]["initContainerStatuses"] =
            json!([{"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]);
        assert_eq!(pod_status(&pod), "Init:Error");
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(pod_status(&pod), "Terminating");
    }
}
