//! Pull secrets: those that the pod and its ServiceAccount name, and the other candidates of the namespace.
//!
//! Only shapes leave: type, registries, defects. Shapes are kept for some seconds, so that a hundred pods of
//! one ServiceAccount are one set of requests.

use std::collections::HashMap;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::{Gatherer, Miss, gap, known};
use crate::cluster::kind;
use crate::cluster::wire::{self, AnyObject, DOCKER_CONFIG_JSON};
use crate::incident::objects::Pod;
use crate::incident::{Gap, Gathered, PullSecret, Text};

const SERVES: SignedDuration = SignedDuration::from_secs(10);
/// Namespaces whose candidates are kept.
const MOST_KEPT: usize = 256;
/// Candidates that are looked at in one namespace.
const MOST_CANDIDATES: usize = 100;

/// What was read lately.
#[derive(Default)]
pub(super) struct Kept {
    named: Mutex<HashMap<(Text, Text), (Timestamp, PullSecret)>>,
    candidates: Mutex<HashMap<Text, (Timestamp, Vec<PullSecret>)>>,
}

impl Gatherer {
    /// Fills `seen.secrets`: the named ones first, in the order in which the kubelet tries them.
    pub(super) async fn pull_secrets(&self, seen: &mut Gathered, pod: &Pod) {
        let namespace = &pod.meta.namespace;
        let mut names: Vec<&Text> = Vec::new();
        let of_account = seen.service_account.iter().flat_map(|account| &account.pull_secrets);
        for name in pod.pull_secrets.iter().chain(of_account) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let asked = join_all(names.iter().map(|name| self.named(namespace, name, seen.at))).await;
        let mut gaps: Vec<Gap> = Vec::new();
        let mut secrets = Vec::new();
        for (secret, miss) in asked {
            secrets.push(secret);
            gaps.extend(miss);
        }
        match self.candidates(namespace, seen.at).await {
            Ok(found) => {
                let others = found.into_iter().filter(|other| names.iter().all(|name| **name != other.name));
                secrets.extend(others);
            }
            Err(miss) => gaps.push(gap(&format!("other pull secrets of namespace {namespace}"), miss)),
        }
        gaps.dedup();
        seen.secrets = secrets;
        seen.gaps.extend(gaps);
    }

    async fn named(&self, namespace: &Text, name: &Text, now: Timestamp) -> (PullSecret, Option<Gap>) {
        let key = (namespace.clone(), name.clone());
        if let Some((at, kept)) = self.kept.named.lock().get(&key)
            && now.duration_since(*at) < SERVES
        {
            return (kept.clone(), None);
        }
        let bare = PullSecret { name: name.clone(), namespace: namespace.clone(), ..PullSecret::default() };
        let (secret, miss) = match self.reach.get(&kind::object(&known("Secret"), namespace, name)).await {
            Ok(body) => match wire::decode(&body) {
                Ok(AnyObject::Secret(shape)) => (shape.pull, None),
                Ok(_) => (
                    bare,
                    Some(gap(&format!("Secret {name}"), Miss::Other("the answer is no Secret".into()))),
                ),
                Err(error) => (bare, Some(gap(&format!("Secret {name}"), Miss::Other(error.to_string())))),
            },
            Err(Miss::NotThere) => (PullSecret { exists: Some(false), ..bare }, None),
            Err(miss) => (bare, Some(gap(&format!("pull secrets of namespace {namespace}"), miss))),
        };
        if miss.is_none() {
            let mut kept = self.kept.named.lock();
            if kept.len() >= MOST_KEPT {
                kept.retain(|_, (at, _)| now.duration_since(*at) < SERVES);
            }
            if kept.len() < MOST_KEPT {
                kept.insert(key, (now, secret.clone()));
            }
        }
        (secret, miss)
    }

    async fn candidates(&self, namespace: &Text, now: Timestamp) -> Result<Vec<PullSecret>, Miss> {
        if let Some((at, kept)) = self.kept.candidates.lock().get(namespace)
            && now.duration_since(*at) < SERVES
        {
            return Ok(kept.clone());
        }
        let collection = kind::collection(&known("Secret"), Some(namespace));
        let path = format!(
            "{collection}?fieldSelector=type%3D{}&limit={MOST_CANDIDATES}",
            kind::segment(DOCKER_CONFIG_JSON)
        );
        let body = self.reach.get(&path).await?;
        let found: Vec<PullSecret> =
            wire::decode_all(&body).into_iter().filter_map(Result::ok).filter_map(shape).collect();
        let mut kept = self.kept.candidates.lock();
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, (at, _)| now.duration_since(*at) < SERVES);
        }
        if kept.len() < MOST_KEPT {
            kept.insert(namespace.clone(), (now, found.clone()));
        }
        Ok(found)
    }
}

fn shape(object: AnyObject) -> Option<PullSecret> {
    match object {
        AnyObject::Secret(secret) => Some(secret.pull),
        AnyObject::Pod(_)
        | AnyObject::Event(_)
        | AnyObject::Node(_)
        | AnyObject::Workload(_)
        | AnyObject::Claim(_)
        | AnyObject::ServiceAccount(_)
        | AnyObject::Namespace(_)
        | AnyObject::ConfigMap(_)
        | AnyObject::Other(_) => None,
    }
}
