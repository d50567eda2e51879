//! One cell of a table. Owns the small texts kubectl prints: ages, counts, the status of a pod.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::super::meta::{self, list, text};
use super::super::super::resource::Resource;
use super::{nodes, pods};

pub(super) const NONE: &str = "<none>";

pub(super) fn cell(res: &Resource, column: &str, object: &Value, now: Timestamp) -> Value {
    let count = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    match column {
        "Name" => json!(meta::name(object)),
        "Age" => json!(age(text(object, "/metadata/creationTimestamp"), now)),
        "Created At" => json!(text(object, "/metadata/creationTimestamp")),
        "Containers" => json!(joined(containers(object), "/name")),
        "Images" => json!(joined(containers(object), "/image")),
        "Selector" => json!(selector(&object["spec"]["selector"])),
        "Data" => json!(["data", "binaryData"].iter().map(|key| size(&object[*key])).sum::<usize>()),
        "Message" => json!(text(object, "/message").trim()),
        "StorageClass" => json!(text(object, "/spec/storageClassName")),
        "VolumeMode" => json!(text(object, "/spec/volumeMode")),
        "VolumeAttributesClass" => json!("<unset>"),
        "Role" => json!(format!("{}/{}", text(object, "/roleRef/kind"), text(object, "/roleRef/name"))),
        _ => match res.stored_as.resource {
            "pods" => pods::cell(column, object, now),
            "nodes" => nodes::cell(column, object),
            "events" => event(column, object, now),
            "services" => service(column, object),
            "deployments" | "statefulsets" => match column {
                "Ready" => json!(format!("{}/{}", count("/status/readyReplicas"), wanted(object))),
                "Up-to-date" => json!(count("/status/updatedReplicas")),
                _ => json!(count("/status/availableReplicas")),
            },
            "replicasets" | "replicationcontrollers" => match column {
                "Desired" => json!(wanted(object)),
                "Current" => json!(count("/status/replicas")),
                _ => json!(count("/status/readyReplicas")),
            },
            "daemonsets" => match column {
                "Desired" => json!(count("/status/desiredNumberScheduled")),
                "Current" => json!(count("/status/currentNumberScheduled")),
                "Ready" => json!(count("/status/numberReady")),
                "Up-to-date" => json!(count("/status/updatedNumberScheduled")),
                "Available" => json!(count("/status/numberAvailable")),
                _ => json!(pairs(&object["spec"]["template"]["spec"]["nodeSelector"])),
            },
            "jobs" => job(column, object, now),
            "cronjobs" => cron_job(column, object, now),
            _ => other(column, object),
        },
    }
}

fn wanted(object: &Value) -> i64 {
    object["spec"]["replicas"].as_i64().unwrap_or(1)
}

fn containers(object: &Value) -> &[Value] {
    let template = list(object, "/spec/template/spec/containers");
    if template.is_empty() {
        return list(object, "/spec/jobTemplate/spec/template/spec/containers");
    }
    template
}

fn joined(items: &[Value], pointer: &str) -> String {
    items.iter().map(|one| text(one, pointer)).collect::<Vec<_>>().join(",")
}

fn size(value: &Value) -> usize {
    value.as_object().map_or(0, serde_json::Map::len)
}

fn pairs(labels: &Value) -> String {
    let all: Vec<String> = labels
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    if all.is_empty() { NONE.into() } else { all.join(",") }
}

fn selector(selector: &Value) -> String {
    let labels = if selector.get("matchLabels").is_some() { &selector["matchLabels"] } else { selector };
    pairs(labels)
}

/// `5s`, `3m20s`, `4h`, `2d`: as kubectl shortens durations.
pub(super) fn age(since: &str, now: Timestamp) -> String {
    let Ok(since) = since.parse::<Timestamp>() else {
        return "<unknown>".into();
    };
    short(now.duration_since(since).as_secs())
}

fn short(seconds: i64) -> String {
    let two = |whole: i64, unit: &str, rest: i64, small: &str| match rest {
        0 => format!("{whole}{unit}"),
        rest => format!("{whole}{unit}{rest}{small}"),
    };
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        ..-1 => "<invalid>".into(),
        -1 => "0s".into(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        _ if days < 730 => format!("{days}d"),
        _ => two(days / 365, "y", days % 365, "d"),
    }
}

fn event(column: &str, event: &Value, now: Timestamp) -> Value {
    // The object may be shown in either face of events.
    let of = |core: &str, new: &str| {
        let found = text(event, core);
        if found.is_empty() { text(event, new).to_owned() } else { found.to_owned() }
    };
    let last = [
        text(event, "/series/lastObservedTime").to_owned(),
        of("/lastTimestamp", "/deprecatedLastTimestamp"),
        text(event, "/eventTime").to_owned(),
    ];
    match column {
        "Last Seen" => json!(age(last.iter().find(|at| !at.is_empty()).map_or("", |at| at), now)),
        "First Seen" => json!(age(&of("/firstTimestamp", "/deprecatedFirstTimestamp"), now)),
        "Type" => json!(text(event, "/type")),
        "Reason" => json!(text(event, "/reason")),
        "Object" => json!(format!(
            "{}/{}",
            of("/involvedObject/kind", "/regarding/kind").to_lowercase(),
            of("/involvedObject/name", "/regarding/name")
        )),
        "Subobject" => json!(of("/involvedObject/fieldPath", "/regarding/fieldPath")),
        "Source" => json!(of("/source/component", "/reportingController")),
        "Count" => json!(event["count"].as_i64().or(event["deprecatedCount"].as_i64()).unwrap_or(1)),
        _ => json!(of("/message", "/note")),
    }
}

fn service(column: &str, service: &Value) -> Value {
    let dash = |pointer: &str| json!(Some(text(service, pointer)).filter(|s| !s.is_empty()).unwrap_or(NONE));
    match column {
        "Type" => json!(text(service, "/spec/type")),
        "Cluster-IP" => dash("/spec/clusterIP"),
        "Port(s)" => {
            let ports: Vec<String> = list(service, "/spec/ports")
                .iter()
                .map(|port| format!("{}/{}", port["port"], text(port, "/protocol")))
                .collect();
            json!(if ports.is_empty() { NONE.to_owned() } else { ports.join(",") })
        }
        _ => dash("/spec/externalName"),
    }
}

fn job(column: &str, job: &Value, now: Timestamp) -> Value {
    let has = |kind: &str| {
        list(job, "/status/conditions")
            .iter()
            .any(|one| text(one, "/type") == kind && text(one, "/status") == "True")
    };
    match column {
        "Status" => json!(match (has("Complete"), has("Failed"), has("Suspended")) {
            _ if meta::is_deleting(job) => "Terminating",
            (true, ..) => "Complete",
            (_, true, _) => "Failed",
            (_, _, true) => "Suspended",
            _ => "Running",
        }),
        "Completions" => {
            let done = job["status"]["succeeded"].as_i64().unwrap_or(0);
            json!(format!("{done}/{}", job["spec"]["completions"].as_i64().unwrap_or(1)))
        }
        _ => {
            let started = text(job, "/status/startTime");
            let ended = text(job, "/status/completionTime").parse().unwrap_or(now);
            json!(if started.is_empty() { String::new() } else { age(started, ended) })
        }
    }
}

fn cron_job(column: &str, cron: &Value, now: Timestamp) -> Value {
    match column {
        "Schedule" => json!(text(cron, "/spec/schedule")),
        "Timezone" => json!(Some(text(cron, "/spec/timeZone")).filter(|s| !s.is_empty()).unwrap_or(NONE)),
        "Suspend" => json!(if cron["spec"]["suspend"] == true { "True" } else { "False" }),
        "Active" => json!(list(cron, "/status/active").len()),
        _ => match text(cron, "/status/lastScheduleTime") {
            "" => json!(NONE),
            at => json!(age(at, now)),
        },
    }
}

fn modes(object: &Value) -> String {
    let short = |mode: &Value| match mode.as_str() {
        Some("ReadWriteOnce") => "RWO",
        Some("ReadOnlyMany") => "ROX",
        Some("ReadWriteMany") => "RWX",
        Some("ReadWriteOncePod") => "RWOP",
        _ => "",
    };
    list(object, "/spec/accessModes").iter().map(short).collect::<Vec<_>>().join(",")
}

fn other(column: &str, object: &Value) -> Value {
    let at = |pointer: &str| object.pointer(pointer).cloned().unwrap_or(Value::Null);
    let or = |pointer: &str, default: &str| match at(pointer) {
        Value::Null => json!(default),
        value => json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
    };
    match column {
        "Status" if meta::is_deleting(object) => json!("Terminating"),
        "Status" => or("/status/phase", ""),
        "Type" => or("/type", ""),
        "Secrets" => json!(list(object, "/secrets").len()),
        "Volume" => or("/spec/volumeName", ""),
        "Capacity" if object["kind"] == "PersistentVolume" => or("/spec/capacity/storage", ""),
        "Capacity" => or("/status/capacity/storage", ""),
        "Access Modes" => json!(modes(object)),
        "Reclaim Policy" => or("/spec/persistentVolumeReclaimPolicy", ""),
        "Claim" if at("/spec/claimRef").is_null() => json!(""),
        "Claim" => json!(format!(
            "{}/{}",
            text(object, "/spec/claimRef/namespace"),
            text(object, "/spec/claimRef/name")
        )),
        "Reason" => or("/status/reason", ""),
        "Provisioner" => or("/provisioner", ""),
        "ReclaimPolicy" => or("/reclaimPolicy", "Delete"),
        "VolumeBindingMode" => or("/volumeBindingMode", "Immediate"),
        "AllowVolumeExpansion" => or("/allowVolumeExpansion", "false"),
        "Min Available" => or("/spec/minAvailable", "N/A"),
        "Max Unavailable" => or("/spec/maxUnavailable", "N/A"),
        "Allowed Disruptions" => json!(at("/status/disruptionsAllowed").as_i64().unwrap_or(0)),
        "Holder" => or("/spec/holderIdentity", ""),
        "Class" => or("/spec/ingressClassName", NONE),
        "Hosts" => json!(joined(list(object, "/spec/rules"), "/host")),
        "Ports" => json!(if list(object, "/spec/tls").is_empty() { "80" } else { "80, 443" }),
        "Pod-Selector" => json!(selector(&object["spec"]["podSelector"])),
        "Controller" => {
            let owner = &object["metadata"]["ownerReferences"][0];
            json!(format!("{}.apps/{}", text(owner, "/kind").to_lowercase(), text(owner, "/name")))
        }
        "Revision" => or("/revision", "0"),
        "Value" => or("/value", "0"),
        "Global-Default" => or("/globalDefault", "false"),
        "PreemptionPolicy" => or("/preemptionPolicy", "PreemptLowerPriority"),
        "MinPods" => or("/spec/minReplicas", "1"),
        "MaxPods" => or("/spec/maxReplicas", ""),
        "Replicas" => or("/status/currentReplicas", "0"),
        "Reference" => json!(format!(
            "{}/{}",
            text(object, "/spec/scaleTargetRef/kind"),
            text(object, "/spec/scaleTargetRef/name")
        )),
        _ => json!(NONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shortened_as_kubectl_does() {
        for (seconds, shown) in [
            (0, "0s"),
            (119, "119s"),
            (125, "2m5s"),
            (600, "10m"),
            (10_800, "3h"),
            (90_000, "25h"),
            (172_800 + 3600, "2d1h"),
            (86400 * 9, "9d"),
            (86400 * 800, "2y70d"),
        ] {
            assert_eq!(short(seconds), shown);
        }
    }
}
