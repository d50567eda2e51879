//! The revisions of the topmost workload: a Deployment's ReplicaSets stand in the cache, the
//! ControllerRevisions of the other kinds are read when somebody wants more than the cache has.

use super::{Gatherer, gap, known};
use crate::cluster::kind;
use crate::cluster::wire::{self, AnyObject};
use crate::incident::objects::Workload;
use crate::incident::{Gathered, Wants};

const MOST: usize = 50;

impl Gatherer {
    /// Fills `seen.revisions`, newest first.
    pub(super) async fn revisions(&self, seen: &mut Gathered, wants: Wants) {
        let Some(top) = seen.owners.last() else { return };
        match top.kind.as_str() {
            "Deployment" => seen.revisions = self.cache.replica_sets(top),
            "StatefulSet" | "DaemonSet" if wants != Wants::default() => {
                let top = top.clone();
                self.controller_revisions(seen, &top).await;
            }
            _ => {}
        }
    }

    async fn controller_revisions(&self, seen: &mut Gathered, top: &Workload) {
        let selector: Vec<String> =
            top.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let collection = kind::collection(&known("ControllerRevision"), Some(&top.meta.namespace));
        let path = format!("{collection}?labelSelector={}&limit={MOST}", kind::segment(&selector.join(",")));
        let body = match self.reach.get(&path).await {
            Ok(body) => body,
            Err(miss) => {
                return seen.gaps.push(gap(&format!("revisions of {} {}", top.kind, top.meta.name), miss));
            }
        };
        let mut revisions: Vec<Workload> = wire::decode_all(&body)
            .into_iter()
            .filter_map(Result::ok)
            .filter_map(|object| match object {
                AnyObject::Workload(revision) => Some(revision),
                _ => None,
            })
            .filter(|revision| revision.meta.controller().is_some_and(|owner| owner.uid == top.meta.uid))
            .map(|revision| with_ready_pods(revision, top))
            .collect();
        revisions.sort_by_key(|revision| std::cmp::Reverse(revision.revision()));
        seen.revisions = revisions;
    }
}

/// A ControllerRevision has no status. While a StatefulSet rolls out, the pods that are ready are those of
/// the revision it comes from: it goes on only after the new pod is ready.
fn with_ready_pods(mut revision: Workload, top: &Workload) -> Workload {
    let status = &top.status;
    if revision.meta.name == status.current_revision && status.current_revision != status.update_revision {
        revision.status.ready = status.ready;
    }
    revision
}
