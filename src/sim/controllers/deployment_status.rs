//! What a Deployment says about itself: counts, Available, Progressing. Owns the reasons and sentences of the
//! real controller, and when a rollout has taken too long.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::deployment::{COMPONENT, Revisions, allowance, replicas, with_conditions};
use super::{Controllers, Key};
use crate::sim::api::clock::stamp;
use crate::sim::api::{User, gvr};
use crate::sim::objects::{condition, count, generation, name, namespace, uid};

/// The last sign of progress, more finely than the status can say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    counts: [i64; 4],
    set: String,
    at: Timestamp,
}

struct Counts {
    all: i64,
    updated: i64,
    ready: i64,
    available: i64,
}

pub(super) fn write(controllers: &mut Controllers, deployment: &Arc<Value>, revisions: &Revisions) {
    let counts = counts(revisions);
    let progress = progress(controllers, deployment, revisions, &counts);
    let conditions = conditions(controllers, deployment, revisions, &counts, &progress);
    let mut status = json!({"observedGeneration": generation(deployment), "conditions": conditions});
    let unavailable = (replicas(deployment).max(counts.all) - counts.available).max(0);
    let numbers = [
        ("replicas", counts.all),
        ("updatedReplicas", counts.updated),
        ("readyReplicas", counts.ready),
        ("availableReplicas", counts.available),
        ("unavailableReplicas", unavailable),
    ];
    for (field, number) in numbers.into_iter().filter(|(_, number)| *number > 0) {
        status[field] = json!(number);
    }
    if deployment["status"] != status {
        // A Deployment that is gone needs no status.
        let _ = controllers.modify(
            &User::system(COMPONENT),
            gvr::DEPLOYMENTS,
            Some("status"),
            deployment,
            |object| {
                object["status"] = status.clone();
            },
        );
    }
}

fn counts(revisions: &Revisions) -> Counts {
    let sum = |field: &str| -> i64 {
        revisions.new.iter().chain(&revisions.old).map(|set| count(&set["status"][field])).sum()
    };
    Counts {
        all: sum("replicas"),
        updated: revisions.new.as_ref().map_or(0, |set| count(&set["status"]["replicas"])),
        ready: sum("readyReplicas"),
        available: sum("availableReplicas"),
    }
}

fn progress(
    controllers: &mut Controllers,
    deployment: &Arc<Value>,
    revisions: &Revisions,
    counts: &Counts,
) -> Progress {
    let now = controllers.now();
    let set = revisions.new.as_ref().map(|set| uid(set).to_owned()).unwrap_or_default();
    let fresh = Progress {
        counts: [counts.updated, counts.all - counts.updated, counts.ready, counts.available],
        set,
        at: now,
    };
    let known = controllers.progress.get(uid(deployment)).filter(|known| known.set == fresh.set).cloned();
    let advanced = known.as_ref().is_none_or(|known| {
        let [updated, old, ready, available] = fresh.counts;
        updated > known.counts[0]
            || old < known.counts[1]
            || ready > known.counts[2]
            || available > known.counts[3]
    });
    let at = known.filter(|_| !advanced).map_or(now, |known| known.at);
    let progress = Progress { at, ..fresh };
    controllers.progress.insert(uid(deployment).to_owned(), progress.clone());
    progress
}

fn conditions(
    controllers: &mut Controllers,
    deployment: &Arc<Value>,
    revisions: &Revisions,
    counts: &Counts,
    progress: &Progress,
) -> Vec<Value> {
    let now = controllers.now();
    let wanted = replicas(deployment);
    let (_, unavailable) = allowance(deployment, wanted);
    let available = if counts.available >= wanted - unavailable {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.".to_owned())
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.".to_owned())
    };
    let mut fresh = vec![entry(deployment, "Available", available, now)];
    if let Some(progressing) = progressing(controllers, deployment, revisions, counts, progress) {
        fresh.push(entry(deployment, "Progressing", progressing, now));
    }
    with_conditions(&deployment["status"]["conditions"], fresh)
}

fn progressing(
    controllers: &mut Controllers,
    deployment: &Arc<Value>,
    revisions: &Revisions,
    counts: &Counts,
    progress: &Progress,
) -> Option<(&'static str, &'static str, String)> {
    let set = revisions.new.as_ref().map(|set| name(set).to_owned()).unwrap_or_default();
    let before = condition(deployment, "Progressing");
    if deployment["spec"]["paused"] == true {
        return Some(("Unknown", "DeploymentPaused", "Deployment is paused".to_owned()));
    }
    let wanted = replicas(deployment);
    let complete = counts.updated == wanted && counts.all == wanted && counts.available >= wanted;
    if complete {
        return Some((
            "True",
            "NewReplicaSetAvailable",
            format!("ReplicaSet \"{set}\" has successfully progressed."),
        ));
    }
    let limit = deployment["spec"]["progressDeadlineSeconds"].as_u64().unwrap_or(600);
    let deadline = controllers.tempo.after_secs(progress.at, limit);
    let now = controllers.now();
    let was_done = before.is_some_and(|before| before["reason"] == "NewReplicaSetAvailable");
    let timed_out = before.is_some_and(|before| before["reason"] == "ProgressDeadlineExceeded");
    if revisions.made {
        controllers.enqueue_at(deadline, key(deployment));
        return Some(("True", "NewReplicaSetCreated", format!("Created new replica set \"{set}\"")));
    }
    // A finished rollout that lost a pod is not a stalled rollout.
    if was_done && counts.updated == wanted && counts.all == wanted {
        return before.map(|_| {
            ("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{set}\" has successfully progressed."))
        });
    }
    if progress.at < now && (now >= deadline || timed_out) {
        return Some((
            "False",
            "ProgressDeadlineExceeded",
            format!("ReplicaSet \"{set}\" has timed out progressing."),
        ));
    }
    controllers.enqueue_at(deadline, key(deployment));
    let unmoved = before.is_some_and(|before| {
        before["reason"] == "NewReplicaSetCreated" && counts.available == 0 && counts.updated <= 1
    });
    if unmoved {
        return Some(("True", "NewReplicaSetCreated", format!("Created new replica set \"{set}\"")));
    }
    Some(("True", "ReplicaSetUpdated", format!("ReplicaSet \"{set}\" is progressing.")))
}

fn key(deployment: &Value) -> Key {
    Key::Deployment(namespace(deployment).to_owned(), name(deployment).to_owned())
}

fn entry(
    deployment: &Value,
    kind: &str,
    (status, reason, message): (&str, &str, String),
    now: Timestamp,
) -> Value {
    let before = condition(deployment, kind);
    if let Some(before) = before
        && before["status"] == status
        && before["reason"] == reason
        && before["message"] == message
    {
        return before.clone();
    }
    let since = before
        .filter(|before| before["status"] == status)
        .map_or_else(|| json!(stamp(now)), |before| before["lastTransitionTime"].clone());
    json!({
        "type": kind, "status": status, "lastUpdateTime": stamp(now), "lastTransitionTime": since,
        "reason": reason, "message": message,
    })
}
