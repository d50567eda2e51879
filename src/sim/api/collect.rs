//! The collector: dependents whose owners are gone, foreground and orphaning deletions, and the content of
//! namespaces that are going. Level, not edge: every sweep looks at everything and acts on the difference.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::ApiServer;
use super::clock::stamp;
use super::gvr::{self, Gvr};
use super::meta::{self, list, text};
use super::remove::{DeleteOptions, FOREGROUND, ORPHAN, Propagation};
use super::state::{Call, State};
use super::user::User;

/// Changes that come together are swept together.
const GATHER: Duration = Duration::from_millis(10);

pub(super) async fn run(api: &ApiServer) {
    let dirty = Arc::clone(&api.inner.dirty);
    loop {
        dirty.notified().await;
        tokio::time::sleep(GATHER).await;
        while sweep(api) {
            tokio::task::yield_now().await;
        }
    }
}

/// One look at everything; true if something was done.
pub(super) fn sweep(api: &ApiServer) -> bool {
    let who = User::system("generic-garbage-collector");
    let now = api.clock().now();
    let mut state = api.inner.state.lock();
    let before = state.store.revision;
    let found = look(&state);
    for (gvr, object, step) in found {
        let Some(res) = state.registry.get(&gvr) else {
            continue;
        };
        let call = Call { who: &who, res, sub: None, now, dry_run: false, manager: None };
        act(&mut state, &call, &object, step);
    }
    for namespace in state.store.all(&gvr::NAMESPACES, None) {
        if meta::is_deleting(&namespace) {
            empty(&mut state, &who, now, &namespace);
        }
    }
    state.store.revision != before
}

/// What is to be done with one object.
enum Step {
    Delete(Propagation),
    DropFinalizer(&'static str),
    DropOwner(String),
}

fn look(state: &State) -> Vec<(Gvr, Arc<Value>, Step)> {
    let mut uids: HashSet<&str> = HashSet::new();
    let (mut foreground, mut orphaning) = (HashSet::new(), HashSet::new());
    for (_, shelf) in state.store.shelves() {
        for object in shelf.objects.values() {
            uids.insert(meta::uid(object));
            if meta::is_deleting(object) {
                let held = meta::finalizers(object);
                if held.contains(&FOREGROUND) {
                    foreground.insert(meta::uid(object));
                }
                if held.contains(&ORPHAN) {
                    orphaning.insert(meta::uid(object));
                }
            }
        }
    }
    let mut steps = Vec::new();
    let (mut blocked, mut owned): (HashSet<&str>, HashSet<&str>) = (HashSet::new(), HashSet::new());
    for (gvr, shelf) in state.store.shelves() {
        for object in shelf.objects.values() {
            let owners = list(object, "/metadata/ownerReferences");
            for owner in owners {
                let uid = text(owner, "/uid");
                owned.insert(uid);
                if owner["blockOwnerDeletion"] == true {
                    blocked.insert(uid);
                }
                if orphaning.contains(uid) {
                    steps.push((*gvr, Arc::clone(object), Step::DropOwner(uid.to_owned())));
                }
            }
            if owners.is_empty() || meta::is_deleting(object) {
                continue;
            }
            let gone = |uid: &str| !uids.contains(uid);
            let waited = owners.iter().any(|owner| foreground.contains(text(owner, "/uid")));
            let solid = owners.iter().any(|owner| {
                let uid = text(owner, "/uid");
                !gone(uid) && !foreground.contains(uid)
            });
            if !solid {
                let how = if waited { Propagation::Foreground } else { Propagation::Background };
                steps.push((*gvr, Arc::clone(object), Step::Delete(how)));
            }
        }
    }
    for (gvr, shelf) in state.store.shelves() {
        for object in shelf.objects.values() {
            let uid = meta::uid(object);
            if foreground.contains(uid) && !blocked.contains(uid) {
                steps.push((*gvr, Arc::clone(object), Step::DropFinalizer(FOREGROUND)));
            }
            if orphaning.contains(uid) && !owned.contains(uid) {
                steps.push((*gvr, Arc::clone(object), Step::DropFinalizer(ORPHAN)));
            }
        }
    }
    steps
}

/// A step that is refused is found again by the next sweep.
fn act(state: &mut State, call: &Call<'_>, object: &Value, step: Step) {
    let (ns, name) = meta::key(object);
    match step {
        Step::Delete(propagation) => {
            let options = DeleteOptions {
                uid: Some(meta::uid(object).to_owned()),
                propagation: Some(propagation),
                ..DeleteOptions::default()
            };
            let _ = state.remove(call, Some(&ns), &name, &options);
        }
        Step::DropFinalizer(gone) => {
            let mut next = object.clone();
            let kept: Vec<&str> = meta::finalizers(object).into_iter().filter(|one| *one != gone).collect();
            next["metadata"]["finalizers"] = json!(kept);
            let _ = state.update(call, next);
        }
        Step::DropOwner(uid) => {
            let mut next = object.clone();
            let kept: Vec<&Value> = list(object, "/metadata/ownerReferences")
                .iter()
                .filter(|owner| text(owner, "/uid") != uid)
                .collect();
            next["metadata"]["ownerReferences"] = json!(kept);
            let _ = state.update(call, next);
        }
    }
}

/// Deletes what is in a namespace, and the namespace when nothing is left.
fn empty(state: &mut State, who: &User, now: jiff::Timestamp, namespace: &Value) {
    let name = meta::name(namespace);
    let content: Vec<(Gvr, Arc<Value>)> = state
        .store
        .shelves()
        .flat_map(|(gvr, shelf)| shelf.range(Some(name)).into_iter().map(|object| (*gvr, object)))
        .collect();
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    let mut held: HashMap<String, usize> = HashMap::new();
    for (gvr, object) in content {
        let Some(res) = state.registry.get(&gvr) else {
            continue;
        };
        let call = Call { who, res, sub: None, now, dry_run: false, manager: None };
        if !meta::is_deleting(&object) {
            let options = DeleteOptions { propagation: Some(Propagation::Background), ..Default::default() };
            let _ = state.remove(&call, Some(name), meta::name(&object), &options);
        }
        if state.store.get(&gvr, name, meta::name(&object)).is_some() {
            *left.entry(format!("{}.{}", gvr.resource, gvr.group)).or_default() += 1;
            for finalizer in meta::finalizers(&object) {
                *held.entry(finalizer.to_owned()).or_default() += 1;
            }
        }
    }
    let Some(res) = state.registry.get(&gvr::NAMESPACES) else {
        return;
    };
    let mut call = Call { who, res, sub: None, now, dry_run: false, manager: None };
    let mut next = namespace.clone();
    if left.is_empty() {
        next["spec"]["finalizers"] = json!([]);
    } else {
        call.sub = Some("status");
        next["status"]["conditions"] = json!(conditions(&left, &held, &stamp(now), namespace));
    }
    let _ = state.update(&call, next);
}

fn conditions(
    left: &BTreeMap<String, usize>,
    held: &HashMap<String, usize>,
    at: &str,
    namespace: &Value,
) -> Vec<Value> {
    let mut remaining: Vec<String> =
        left.iter().map(|(kind, count)| format!("{kind} has {count} resource instances")).collect();
    remaining.sort();
    let mut finalizers: Vec<String> =
        held.iter().map(|(name, count)| format!("{name} in {count} resource instances")).collect();
    finalizers.sort();
    let told = |ok: bool, no: &str, yes: String| {
        if ok { (no.to_owned(), "False") } else { (yes, "True") }
    };
    let (content, content_status) = told(
        left.is_empty(),
        "All content successfully removed",
        format!("Some resources are remaining: {}", remaining.join(", ")),
    );
    let (finals, finals_status) = told(
        held.is_empty(),
        "All content-preserving finalizers finished",
        format!("Some content in the namespace has finalizers remaining: {}", finalizers.join(", ")),
    );
    let rows: [(&str, &str, &str, String); 5] = [
        (
            "NamespaceDeletionDiscoveryFailure",
            "ResourcesDiscovered",
            "False",
            "All resources successfully discovered".into(),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "False",
            "All legacy kube types successfully parsed".into(),
        ),
        (
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "False",
            "All content successfully deleted, may be waiting on finalization".into(),
        ),
        (
            "NamespaceContentRemaining",
            if left.is_empty() { "ContentRemoved" } else { "SomeResourcesRemain" },
            content_status,
            content,
        ),
        (
            "NamespaceFinalizersRemaining",
            if held.is_empty() { "ContentHasNoFinalizers" } else { "SomeFinalizersRemain" },
            finals_status,
            finals,
        ),
    ];
    rows.into_iter()
        .map(|(kind, reason, status, message)| {
            let old = list(namespace, "/status/conditions")
                .iter()
                .find(|one| text(one, "/type") == kind && text(one, "/status") == status);
            let since = old.map_or(at, |one| text(one, "/lastTransitionTime"));
            json!({"type": kind, "status": status, "reason": reason, "message": message,
                "lastTransitionTime": since})
        })
        .collect()
}
