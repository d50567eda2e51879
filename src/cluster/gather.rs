//! Everything that is known about one subject: from the cache first, and only what the case wants from the
//! API server.
//!
//! Owns what is read on demand: the full pod where only a digest is held, pull secrets, what a pod names,
//! log tails, revisions. Everything read here is bounded, has a time limit, and is redacted before it leaves.
//! What could not be looked at becomes a gap with its reason; nothing here fails. Refuses to conclude.

mod clean;
mod events;
pub(in crate::cluster) mod found;
mod logs;
mod object;
mod reach;
mod references;
mod revisions;
mod secrets;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::cache::{Cache, PodFound};
use super::kind;
use super::wire::{self, AnyObject};
use crate::incident::objects::{Node, Pod, VolumeSource, Workload};
use crate::incident::{ApiKind, Gap, Gathered, ObjectRef, Target, Text, Wants};
pub(in crate::cluster) use clean::clean;
use found::{Found, Piece, Tell};
pub(in crate::cluster) use reach::Clients;
use reach::{Miss, Reach};
use secrets::Kept;

/// Reads what evidence needs from one cluster.
pub(in crate::cluster) struct Gatherer {
    name: Text,
    cache: Arc<Cache>,
    reach: Reach,
    kept: Kept,
}

impl Gatherer {
    /// Over clients for reads and the cache that the watches fill.
    pub(in crate::cluster) fn new(name: &Text, clients: Clients, cache: Arc<Cache>) -> Self {
        Self { name: name.clone(), cache, reach: Reach::new(clients), kept: Kept::default() }
    }

    /// What is known about the subject. With no wants, nothing is asked of the API server but events of
    /// objects that are no pods, where there was no room to hold them.
    pub(in crate::cluster) async fn gather(
        &self,
        subject: &ObjectRef,
        wants: Wants,
        now: Timestamp,
    ) -> Gathered {
        self.gather_telling(subject, wants, now, &found::nobody).await
    }

    /// The same, telling what is there as it comes.
    pub(in crate::cluster) async fn gather_telling(
        &self,
        subject: &ObjectRef,
        wants: Wants,
        now: Timestamp,
        tell: Tell<'_>,
    ) -> Gathered {
        let mut seen = Gathered { at: now, subject: subject.clone(), ..Gathered::default() };
        match subject.api.kind.as_str() {
            "Pod" => self.pod(&mut seen, wants, tell).await,
            "Node" => self.node(&mut seen),
            "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => self.workload(&mut seen),
            _ => self.object(&mut seen, wants).await,
        }
        if seen.namespace.is_none() {
            seen.namespace = self.cache.namespace(&seen.subject.namespace).map(|found| (*found).clone());
        }
        let there = seen.node.is_some() || seen.object.is_some() || !seen.owners.is_empty();
        if there && seen.pod.is_none() {
            tell(Found { piece: Piece::Object, count: 1 });
        }
        self.events(&mut seen, wants).await;
        tell(Found { piece: Piece::Events, count: seen.events.len() });
        self.revisions(&mut seen, wants).await;
        if !seen.revisions.is_empty() {
            tell(Found { piece: Piece::Revisions, count: seen.revisions.len() });
        }
        clean(&mut seen);
        seen
    }

    /// The live object, as JSON; a Secret without its values. `None`: it is not there.
    pub(in crate::cluster) async fn read(&self, target: &Target) -> Result<Option<Value>, Text> {
        let path = kind::object(&target.api, &target.namespace, &target.name);
        let body = match self.reach.get(&path).await {
            Ok(body) => body,
            Err(Miss::NotThere) => return Ok(None),
            Err(miss) => return Err(miss.why().into()),
        };
        let mut json: Value =
            serde_json::from_slice(&body).map_err(|_| Text::new("the answer is not JSON"))?;
        if target.api.kind == "Secret"
            && let Some(fields) = json.as_object_mut()
        {
            fields.remove("data");
            fields.remove("stringData");
        }
        Ok(Some(json))
    }

    async fn pod(&self, seen: &mut Gathered, wants: Wants, tell: Tell<'_>) {
        let Some(pod) = self.find_pod(seen, wants).await else { return };
        tell(Found { piece: Piece::Object, count: 1 });
        seen.subject = pod.meta.reference(&self.name, &seen.subject.api);
        seen.owners = self.cache.owners(&pod.meta);
        if let Some(top) = seen.owners.last() {
            seen.siblings = self.cache.siblings(top);
        }
        seen.node = self.cache.node(&pod.node).map(|node| (*node).clone());
        seen.neighbours = self.cache.neighbours(&pod.node);
        let account = if pod.service_account.is_empty() { "default" } else { &pod.service_account };
        seen.service_account = self.cache.account(&pod.meta.namespace, account).map(|found| (*found).clone());
        seen.claims = claim_names(&pod)
            .filter_map(|name| self.cache.claim(&pod.meta.namespace, name))
            .map(|claim| (*claim).clone())
            .collect();
        if wants.secrets {
            self.pull_secrets(seen, &pod).await;
            tell(Found { piece: Piece::Secrets, count: seen.secrets.len() });
        }
        if wants.references {
            self.references(seen, &pod).await;
            tell(Found { piece: Piece::References, count: seen.references.len() });
        }
        if wants.logs {
            self.logs(seen, &pod).await;
            let lines = seen.logs.iter().map(|tail| tail.lines.len()).sum();
            tell(Found { piece: Piece::Logs, count: lines });
        }
        seen.pod = Some(pod);
    }

    /// The pod's detail. A pod that the cache holds as healthy is read only when somebody wants more.
    async fn find_pod(&self, seen: &mut Gathered, wants: Wants) -> Option<Pod> {
        let held = self.cache.pod(&seen.subject);
        let reference = match held {
            Some(PodFound::Full(pod)) => return Some((*pod).clone()),
            Some(PodFound::Digest(reference)) => reference,
            None => seen.subject.clone(),
        };
        if wants == Wants::default() {
            return None;
        }
        match self.fetch(&reference).await {
            Ok(AnyObject::Pod(pod)) => Some(pod),
            Ok(_) | Err(Miss::NotThere) => None,
            Err(miss) => {
                seen.gaps.push(gap(&reference.to_string(), miss));
                None
            }
        }
    }

    fn node(&self, seen: &mut Gathered) {
        let Some(node) = self.cache.node(&seen.subject.name) else { return };
        seen.subject = node.meta.reference(&self.name, &seen.subject.api);
        seen.neighbours = self.cache.neighbours(&node.meta.name);
        seen.node = Some(Node::clone(&node));
    }

    fn workload(&self, seen: &mut Gathered) {
        let ObjectRef { api, namespace, name, .. } = &seen.subject;
        let Some(workload) = self.cache.workload(&api.kind, namespace, name) else { return };
        seen.subject = workload.meta.reference(&self.name, api);
        seen.siblings = self.cache.siblings(&workload);
        seen.owners = vec![Workload::clone(&workload)];
        seen.owners.extend(self.cache.owners(&workload.meta));
    }

    async fn fetch(&self, subject: &ObjectRef) -> Result<AnyObject, Miss> {
        let body = self.reach.get(&kind::object(&subject.api, &subject.namespace, &subject.name)).await?;
        wire::decode(&body).map_err(|error| Miss::Other(error.to_string()))
    }
}

fn claim_names(pod: &Pod) -> impl Iterator<Item = &Text> {
    pod.volumes.iter().filter_map(|volume| match &volume.source {
        VolumeSource::Claim(name) => Some(name),
        VolumeSource::References(_) | VolumeSource::Other(_) | VolumeSource::Unknown => None,
    })
}

fn gap(what: &str, miss: Miss) -> Gap {
    Gap { what: what.into(), why: miss.why().into() }
}

/// A kind that is known to be known.
fn known(kind: &str) -> ApiKind {
    ApiKind::known(kind).expect("the kinds that gathering reads are in the table of known kinds")
}
