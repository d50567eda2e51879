//! Which revision a workload is going to, and which one it could go back to.
//!
//! Only a revision whose pods are ready right now counts as good: that an older one worked once cannot be
//! read from a ReplicaSet without pods.

use crate::incident::objects::{Template, Workload};
use crate::incident::{Gathered, RolloutFacts, Text};

pub(super) fn facts(seen: &Gathered) -> RolloutFacts {
    let Some(top) = seen.owners.last() else { return RolloutFacts::default() };
    let newest = seen.revisions.iter().filter_map(Workload::revision).max();
    let current = top.revision().or(newest);
    let Some(number) = current else { return RolloutFacts::default() };
    let own = seen.owners.first().and_then(Workload::revision);
    let older = seen.revisions.iter().filter(|revision| revision.revision().is_some_and(|n| n < number));
    let good = older.filter(|revision| revision.status.ready > 0).max_by_key(|revision| revision.revision());
    RolloutFacts {
        current,
        good: good.and_then(Workload::revision),
        good_name: good.map(|revision| revision.meta.name.clone()).unwrap_or_default(),
        good_is_serving: good.is_some(),
        subject_is_current: own == current,
        changes: good.map(|good| changes(&good.template, &top.template)).unwrap_or_default(),
    }
}

fn changes(before: &Template, after: &Template) -> Vec<Text> {
    let mut changes = Vec::new();
    for container in &after.containers {
        match before.containers.iter().find(|old| old.name == container.name) {
            None => changes.push(Text::from(format!("container {} is new", container.name))),
            Some(old) => {
                note(&mut changes, "image", &container.name, &old.image, &container.image);
                note(
                    &mut changes,
                    "memory limit",
                    &container.name,
                    &old.memory_limit,
                    &container.memory_limit,
                );
            }
        }
    }
    let gone = before.containers.iter().filter(|old| after.containers.iter().all(|new| new.name != old.name));
    changes.extend(gone.map(|old| Text::from(format!("container {} is gone", old.name))));
    changes
}

fn note(changes: &mut Vec<Text>, what: &str, container: &Text, old: &Text, new: &Text) {
    if old != new {
        let shown = |value: &Text| if value.is_empty() { "none".to_owned() } else { value.to_string() };
        changes.push(Text::from(format!("{what} of {container}: {} → {}", shown(old), shown(new))));
    }
}
