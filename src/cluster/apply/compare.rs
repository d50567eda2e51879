//! The target as it is against the target as it was approved; and whether a change is in it. Pure.

use serde_json::Value;

use super::receipt::shown;
use crate::incident::{Change, Delete, Operation, Patch, Plan, ProposalId, Reliance, Text};

/// What a look at the target says of a change that may have been sent.
#[derive(Debug, PartialEq)]
pub(super) enum Judged {
    /// It is there.
    Made { resource_version: Text },
    /// It is not there, and everything is as it was approved.
    NotMade,
    /// Something else is in its place; the change was not made and cannot be.
    Stale(Text),
    /// It cannot be told.
    Neither(Text),
}

/// How the target stands against what was approved, before anything was sent.
#[derive(Debug, PartialEq)]
pub(super) enum Standing {
    AsApproved,
    /// It changed, and so that the change has nothing left to do.
    Needless(Text),
    /// It changed.
    Stale(Text),
}

/// How the target stands. Only a delete can become needless: its object is gone, is going, or is a pod that
/// works by now. Everything else that changed must be approved anew.
pub(super) fn standing(change: &Change, live: Option<&Value>) -> Standing {
    let Some(why) = stale(change, live) else { return Standing::AsApproved };
    let needless = match &change.operation {
        Operation::Delete(delete) => match live.filter(|live| change.target.uid == uid(live)) {
            None => true,
            Some(live) => going_as_wanted(delete, live) || works(change, live),
        },
        Operation::Patch(_) | Operation::Create(_) => false,
    };
    if needless { Standing::Needless(why) } else { Standing::Stale(why) }
}

/// A pod that was to be deleted for its state, and whose containers are all ready now.
fn works(change: &Change, live: &Value) -> bool {
    let ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    let conditions = live.pointer("/status/conditions").and_then(Value::as_array);
    let held_for_its_state = change.relies_on.iter().any(|held| held.pointer.starts_with("/status/"));
    let going = live.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null());
    held_for_its_state && !going && conditions.is_some_and(|all| all.iter().any(ready))
}

/// Why the target is not what was approved; `None` if it is.
fn stale(change: &Change, live: Option<&Value>) -> Option<Text> {
    let words = change.target.in_cluster(&Text::default());
    let Some(live) = live else {
        let creates = matches!(change.operation, Operation::Create(_));
        return (!creates).then(|| format!("{words} does not exist any more").into());
    };
    if matches!(change.operation, Operation::Create(_)) {
        return Some(format!("{words} exists already").into());
    }
    if change.target.uid != uid(live) {
        return Some(
            format!(
                "{words} is another object now: its uid is {}, approved was {}",
                uid(live),
                change.target.uid
            )
            .into(),
        );
    }
    let differs = |held: &&Reliance| live.pointer(&held.pointer).unwrap_or(&Value::Null) != &held.value;
    let held = change.relies_on.iter().find(differs)?;
    let (approved, now) = shown(change, held, live);
    Some(format!("{} of {words} was {approved} when it was approved and is {now} now", held.pointer).into())
}

/// Whether the change is in the target.
pub(super) fn judge(marker: &ProposalId, change: &Change, live: Option<&Value>) -> Judged {
    let same = live.filter(|live| change.target.uid == uid(live));
    match &change.operation {
        Operation::Delete(delete) => judge_delete(delete, same),
        Operation::Patch(patch) => judge_patch(marker, change, patch, same),
        Operation::Create(_) => judge_create(marker, change, live),
    }
}

/// A delete is made when the object with that uid is gone, or going at least as fast as was wanted.
fn judge_delete(delete: &Delete, same: Option<&Value>) -> Judged {
    if same.is_none_or(|live| going_as_wanted(delete, live)) {
        Judged::Made { resource_version: Text::default() }
    } else {
        Judged::NotMade
    }
}

fn going_as_wanted(delete: &Delete, live: &Value) -> bool {
    let going = live.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null());
    let left = live.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_u64);
    let fast_enough = match delete.grace_seconds {
        None => true,
        Some(wanted) => left.is_some_and(|left| left <= u64::from(wanted)),
    };
    going && fast_enough
}

fn judge_patch(marker: &ProposalId, change: &Change, patch: &Patch, same: Option<&Value>) -> Judged {
    let words = change.target.in_cluster(&Text::default());
    let Some(live) = same else {
        return if removes_all_finalizers(patch) {
            Judged::Made { resource_version: Text::default() }
        } else {
            Judged::Neither(
                format!("{words} does not exist any more, so it cannot be told whether it was made").into(),
            )
        };
    };
    let bare = live.pointer("/metadata/finalizers").is_none_or(Value::is_null);
    if carries(live, marker) || (removes_all_finalizers(patch) && bare) {
        return Judged::Made { resource_version: version(live) };
    }
    match stale(change, Some(live)) {
        None => Judged::NotMade,
        Some(why) => Judged::Neither(format!("the mark of this proposal is not on it, but {why}").into()),
    }
}

fn judge_create(marker: &ProposalId, change: &Change, live: Option<&Value>) -> Judged {
    match live {
        None => Judged::NotMade,
        Some(live) if carries(live, marker) => Judged::Made { resource_version: version(live) },
        Some(_) => {
            let words = change.target.in_cluster(&Text::default());
            Judged::Stale(format!("{words} exists already and was not made by this proposal").into())
        }
    }
}

/// The marker is on the object, or on its pod template (a restart puts it there).
fn carries(live: &Value, marker: &ProposalId) -> bool {
    let places = ["/metadata/annotations", "/spec/template/metadata/annotations"];
    let mark = |place: &&str| live.pointer(place).and_then(|map| map.get(Plan::MARKER)?.as_str());
    places.iter().filter_map(mark).any(|mark| mark == marker.as_str())
}

/// The patch after which the object goes and carries no marker.
fn removes_all_finalizers(patch: &Patch) -> bool {
    let Patch::Json(Value::Array(operations)) = patch else { return false };
    operations.iter().any(|op| op["op"] == "remove" && op["path"] == "/metadata/finalizers")
}

fn uid(live: &Value) -> &str {
    live.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default()
}

fn version(live: &Value) -> Text {
    live.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().into()
}
