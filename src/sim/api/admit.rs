//! What happens to an object before it is stored and right after. Owns the order of the admission steps
//! and the few things one write brings along: the `default` ServiceAccount of a new namespace, the
//! resource a CustomResourceDefinition defines, and waking the collector.

use serde_json::{Value, json};

use super::clock::stamp;
use super::gvr;
use super::meta::{self, default_to, map_at, text};
use super::state::{Call, State};
use super::status::Status;
use super::{custom, defaults, validate};

impl State {
    /// Defaults, admission and validation of a new object.
    pub(super) fn admit_new(&mut self, call: &Call<'_>, object: &mut Value) -> Result<(), Status> {
        let res = &call.res;
        defaults::fill(res, object);
        if !res.is(&gvr::NODES) {
            defaults::status(res, object);
        }
        if res.is(&gvr::PODS) {
            self.admit_pod(call, object)?;
        } else if res.is(&gvr::JOBS) {
            label_job(object);
        } else if res.is(&gvr::CUSTOM_RESOURCE_DEFINITIONS) {
            custom::accept(object, &stamp(call.now));
        }
        validate::new_object(res, object)
    }

    fn admit_pod(&self, call: &Call<'_>, pod: &mut Value) -> Result<(), Status> {
        let ns = meta::namespace(pod).to_owned();
        let asked = text(pod, "/spec/serviceAccountName");
        let name = if asked.is_empty() { "default" } else { asked }.to_owned();
        let Some(account) = self.store.get(&gvr::SERVICE_ACCOUNTS, &ns, &name) else {
            let why =
                format!("error looking up service account {ns}/{name}: serviceaccount {name:?} not found");
            return Err(Status::forbidden(call.gvr(), meta::name(pod), &why));
        };
        self.check_quota(call, pod)?;
        let mounts = account["automountServiceAccountToken"] != false
            && pod["spec"]["automountServiceAccountToken"] != false;
        let spec = map_at(pod, "spec");
        spec.insert("serviceAccountName".into(), json!(name));
        spec.insert("serviceAccount".into(), json!(name));
        if spec.get("imagePullSecrets").and_then(Value::as_array).is_none_or(Vec::is_empty)
            && let Some(secrets) = account["imagePullSecrets"].as_array().filter(|list| !list.is_empty())
        {
            spec.insert("imagePullSecrets".into(), json!(secrets));
        }
        default_to(spec, "enableServiceLinks", true);
        default_to(spec, "preemptionPolicy", "PreemptLowerPriority");
        default_to(spec, "priority", 0);
        tolerate(pod);
        if mounts {
            mount_token(pod);
        }
        if self.always_pull_images {
            always_pull_images(pod);
        }
        Ok(())
    }

    /// Quotas count pods; what pods request is not added up.
    fn check_quota(&self, call: &Call<'_>, pod: &Value) -> Result<(), Status> {
        let ns = Some(meta::namespace(pod));
        for quota in self.store.all(&gvr::RESOURCE_QUOTAS, ns) {
            let Some(limit) = text(&quota, "/spec/hard/pods").parse::<usize>().ok() else {
                continue;
            };
            let lives = |pod: &Value| !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
            let used = self.store.all(&gvr::PODS, ns).iter().filter(|pod| lives(pod)).count();
            if used >= limit {
                let why = format!(
                    "exceeded quota: {}, requested: pods=1, used: pods={used}, limited: pods={limit}",
                    meta::name(&quota)
                );
                return Err(Status::forbidden(call.gvr(), meta::name(pod), &why));
            }
        }
        Ok(())
    }

    /// What a stored object brings along.
    pub(super) fn follow_up(&mut self, call: &Call<'_>, stored: &Value) {
        if call.res.is(&gvr::NAMESPACES) && !meta::is_deleting(stored) {
            self.give_default_account(call, meta::name(stored));
        }
        if call.res.is(&gvr::CUSTOM_RESOURCE_DEFINITIONS) {
            custom::register(&mut self.registry, stored);
        }
        let owned = !meta::list(stored, "/metadata/ownerReferences").is_empty();
        if meta::is_deleting(stored) || owned {
            self.dirty.notify_one();
        }
    }

    /// What a removal brings along.
    pub(super) fn follow_removal(&mut self, call: &Call<'_>, gone: &Value) {
        if call.res.is(&gvr::CUSTOM_RESOURCE_DEFINITIONS) {
            for shelf in custom::unregister(&mut self.registry, gone) {
                for object in self.store.all(&shelf, None) {
                    self.store.take(shelf, &meta::key(&object));
                }
            }
        }
        self.dirty.notify_one();
    }

    fn give_default_account(&mut self, call: &Call<'_>, ns: &str) {
        let Some(accounts) = self.registry.get(&gvr::SERVICE_ACCOUNTS) else {
            return;
        };
        if self.store.get(&gvr::SERVICE_ACCOUNTS, ns, "default").is_some() {
            return;
        }
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"},
        });
        // The namespace was stored a moment ago and the account is not there: nothing to refuse.
        let _ = self.create(&call.on(accounts), Some(ns), account);
    }
}

/// Defaults and validation of a change.
pub(super) fn admit_change(call: &Call<'_>, current: &Value, next: &mut Value) -> Result<(), Status> {
    if call.sub.is_none() {
        defaults::fill(&call.res, next);
    }
    validate::change(&call.res, current, next)
}

fn always_pull_images(pod: &mut Value) {
    for list in ["initContainers", "containers"] {
        for container in pod["spec"][list].as_array_mut().into_iter().flatten() {
            container["imagePullPolicy"] = json!("Always");
        }
    }
}

/// Every pod stands a node that is not ready or not reachable for five minutes.
fn tolerate(pod: &mut Value) {
    let spec = map_at(pod, "spec");
    let mut list = spec.get("tolerations").and_then(Value::as_array).cloned().unwrap_or_default();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let held = |one: &Value| {
            let (own, effect) = (text(one, "/key"), text(one, "/effect"));
            (own == key || (own.is_empty() && text(one, "/operator") == "Exists"))
                && (effect.is_empty() || effect == "NoExecute")
        };
        if !list.iter().any(held) {
            list.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": 300}));
        }
    }
    spec.insert("tolerations".into(), json!(list));
}

/// The projected token volume and its mounts.
fn mount_token(pod: &mut Value) {
    const PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let name = format!("kube-api-access-{}", meta::suffix());
    let mut used = false;
    let spec = map_at(pod, "spec");
    for list in ["initContainers", "containers"] {
        for one in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let mut mounts = meta::list(one, "/volumeMounts").to_vec();
            if mounts.iter().all(|mount| text(mount, "/mountPath") != PATH) {
                mounts.push(json!({"name": name, "mountPath": PATH, "readOnly": true}));
                one["volumeMounts"] = json!(mounts);
                used = true;
            }
        }
    }
    if used {
        let mut volumes = spec.get("volumes").and_then(Value::as_array).cloned().unwrap_or_default();
        volumes.push(json!({"name": name, "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace",
                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]}}));
        spec.insert("volumes".into(), json!(volumes));
    }
}

/// The selector and labels a job gets unless it brings its own selector.
fn label_job(job: &mut Value) {
    let (uid, name) = (meta::uid(job).to_owned(), meta::name(job).to_owned());
    if job["spec"]["manualSelector"] == true {
        return;
    }
    let labels = map_at(&mut job["spec"]["template"]["metadata"], "labels");
    for key in ["batch.kubernetes.io/controller-uid", "controller-uid"] {
        labels.insert(key.into(), json!(uid));
    }
    for key in ["batch.kubernetes.io/job-name", "job-name"] {
        labels.insert(key.into(), json!(name));
    }
    job["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
}
