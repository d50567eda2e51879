//! ControllerRevisions: the history of StatefulSets and DaemonSets, in the form `kubectl rollout undo` reads.
//! Owns their names, numbers and data; refuses to roll anything.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Controllers, template};
use crate::sim::api::{User, gvr};
use crate::sim::objects::{controller_of, name, namespace, uid};

const HASH: &str = "controller.kubernetes.io/hash";

impl Controllers {
    /// The revision of the current template, made or raised to the highest number if need be, and the rest,
    /// oldest first.
    pub(super) fn controller_revisions(
        &mut self,
        component: &'static str,
        owner: &Arc<Value>,
    ) -> (Option<Arc<Value>>, Vec<Arc<Value>>) {
        let mut all: Vec<Arc<Value>> = self
            .api
            .list(&gvr::CONTROLLER_REVISIONS, Some(namespace(owner)))
            .into_iter()
            .filter(|one| controller_of(one).is_some_and(|reference| reference["uid"] == uid(owner)))
            .collect();
        all.sort_by_key(|one| one["revision"].as_i64());
        let wanted = &owner["spec"]["template"];
        let at = all.iter().position(|one| template::same(&without_directive(one), wanted));
        let highest = all.last().and_then(|one| one["revision"].as_i64()).unwrap_or_default();
        let who = User::system(component);
        match at.map(|at| all.remove(at)) {
            Some(current) if current["revision"].as_i64() == Some(highest) => (Some(current), all),
            Some(current) => {
                let raised = self.api.modify(
                    &who,
                    &gvr::CONTROLLER_REVISIONS,
                    None,
                    Some(namespace(owner)),
                    name(&current),
                    |one| {
                        one["revision"] = json!(highest + 1);
                    },
                );
                (raised.ok().or(Some(current)), all)
            }
            None => {
                let made = self.api.create(
                    &who,
                    &gvr::CONTROLLER_REVISIONS,
                    Some(namespace(owner)),
                    object(owner, highest + 1),
                );
                (made.ok(), all)
            }
        }
    }

    /// Drops the oldest revisions nobody runs, beyond the limit.
    pub(super) fn forget_revisions(&mut self, component: &'static str, owner: &Value, old: &[Arc<Value>]) {
        let limit = owner["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(10);
        let used = |revision: &Value| {
            self.pods
                .owned_by(uid(owner))
                .any(|pod| pod.revision == hash_of(revision) || pod.revision == name(revision))
        };
        let idle: Vec<&Arc<Value>> = old.iter().filter(|one| !used(one)).collect();
        let excess = idle.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
        for revision in idle.iter().take(excess) {
            let options = crate::sim::api::DeleteOptions::default();
            // Somebody else was faster: just as well.
            let _ = self.api.delete(
                &User::system(component),
                &gvr::CONTROLLER_REVISIONS,
                Some(namespace(owner)),
                name(revision),
                options,
            );
        }
    }
}

/// What DaemonSet pods carry in `controller-revision-hash`; StatefulSet pods carry the revision's name.
pub(super) fn hash_of(revision: &Value) -> &str {
    revision["metadata"]["labels"][HASH].as_str().unwrap_or_default()
}

fn object(owner: &Value, number: i64) -> Value {
    let mut template = owner["spec"]["template"].clone();
    let hash = template::hash(&template, 0);
    let mut labels = template["metadata"]["labels"].clone();
    labels[HASH] = json!(hash);
    template["$patch"] = json!("replace");
    let mut annotations = owner["metadata"]["annotations"].clone();
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": {
            "name": format!("{}-{hash}", name(owner)), "labels": labels, "annotations": annotations,
            "ownerReferences": [template::controller_reference(owner)],
        },
        "data": {"spec": {"template": template}},
        "revision": number,
    })
}

fn without_directive(revision: &Value) -> Value {
    let mut template = revision["data"]["spec"]["template"].clone();
    if let Some(fields) = template.as_object_mut() {
        fields.remove("$patch");
    }
    template
}
