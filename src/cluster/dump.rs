//! A cluster as files show it: what `kubectl get -o json` wrote, and what can be gathered from that.
//!
//! Its clock is the newest time in the files, so that a recording is judged as of when it was made. Of a kind
//! of which a namespace shows at least one object, the dump is taken for complete; of a kind that is not there
//! at all nothing is concluded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;
use serde::Deserialize;

use super::gather::clean;
use super::wire::{AnyObject, ConfigMap, DOCKER_CONFIG_JSON, decode_all};
use crate::incident::objects::{
    Claim, Event, Meta, Namespace, Node, Object, Owner, Pod, Reference, ReferenceKind, ServiceAccount,
    VolumeSource, Workload,
};
use crate::incident::{
    ApiKind, Defect, Gap, Gathered, Neighbours, ObjectRef, PullSecret, ReferenceState, Siblings, Text, redact,
};

/// An owner chain is not followed further.
const LONGEST_CHAIN: usize = 5;
/// Names offered as near ones.
const MOST_OTHERS: usize = 200;

/// The objects of one or several files.
#[derive(Debug, Default)]
pub struct Dump {
    pub pods: Vec<Pod>,
    pub events: Vec<Event>,
    nodes: Vec<Node>,
    workloads: Vec<Workload>,
    claims: Vec<Claim>,
    accounts: Vec<ServiceAccount>,
    namespaces: Vec<Namespace>,
    maps: Vec<ConfigMap>,
    secrets: Vec<(PullSecret, Vec<Text>)>,
    others: Vec<Object>,
    /// What did not parse, in words.
    pub unreadable: Vec<String>,
    /// The newest time in the files.
    pub at: Timestamp,
}

/// A redacted dump may name its Secrets without their values.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Redacted {
    secret_names: Vec<SecretName>,
    items: Vec<Item>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SecretName {
    name: Text,
    #[serde(rename = "type")]
    kind: Text,
    keys: Vec<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Item {
    metadata: ItemMeta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ItemMeta {
    namespace: Option<Text>,
}

impl Dump {
    /// Takes in one more file.
    pub fn read(&mut self, json: &[u8]) {
        for object in decode_all(json) {
            match object {
                Ok(object) => self.add(object),
                Err(error) => self.unreadable.push(redact(&error.to_string()).into_owned()),
            }
        }
        self.read_secret_names(json);
        self.at = self.at.max(newest_time(&String::from_utf8_lossy(json)));
    }

    fn add(&mut self, object: AnyObject) {
        match object {
            AnyObject::Pod(pod) => self.pods.push(pod),
            AnyObject::Event(event) => self.events.push(event),
            AnyObject::Node(node) => self.nodes.push(node),
            AnyObject::Workload(workload) => self.workloads.push(workload),
            AnyObject::Claim(claim) => self.claims.push(claim),
            AnyObject::ServiceAccount(account) => self.accounts.push(account),
            AnyObject::Namespace(namespace) => self.namespaces.push(namespace),
            AnyObject::Secret(secret) => self.secrets.push((secret.pull, secret.keys)),
            AnyObject::ConfigMap(map) => self.maps.push(map),
            AnyObject::Other(object) => self.others.push(object),
        }
    }

    fn read_secret_names(&mut self, json: &[u8]) {
        let Ok(redacted) = serde_json::from_slice::<Redacted>(json) else { return };
        let namespace =
            redacted.items.into_iter().find_map(|item| item.metadata.namespace).unwrap_or_default();
        for SecretName { name, kind, keys } in redacted.secret_names {
            let readable = kind != DOCKER_CONFIG_JSON;
            let defects = if readable { vec![Defect::WrongType] } else { Vec::new() };
            let namespace = namespace.clone();
            let exists = readable.then_some(true);
            self.secrets
                .push((PullSecret { name, namespace, exists, kind, defects, ..PullSecret::default() }, keys));
        }
    }

    /// Everything that can be diagnosed, in the order of kind and name, of one namespace where it is given.
    pub fn subjects(&self, cluster: &Text, namespace: Option<&str>) -> Vec<ObjectRef> {
        let known = |kind: &str| ApiKind::known(kind).unwrap_or_default();
        let (pod, node) = (known("Pod"), known("Node"));
        let mut subjects: Vec<ObjectRef> = Vec::new();
        subjects.extend(self.nodes.iter().map(|found| found.meta.reference(cluster, &node)));
        subjects.extend(self.pods.iter().map(|found| found.meta.reference(cluster, &pod)));
        subjects
            .extend(self.workloads.iter().map(|found| found.meta.reference(cluster, &known(&found.kind))));
        subjects.extend(self.others().map(|(api, meta)| meta.reference(cluster, &api)));
        subjects.retain(|subject| {
            subject.namespace.is_empty() || namespace.is_none_or(|wanted| subject.namespace == wanted)
        });
        subjects
            .sort_by(|a, b| (&a.namespace, &a.api.kind, &a.name).cmp(&(&b.namespace, &b.api.kind, &b.name)));
        subjects.dedup();
        subjects
    }

    /// Objects of which only the metadata matters.
    fn others(&self) -> impl Iterator<Item = (ApiKind, &Meta)> {
        let known = |kind: &str| ApiKind::known(kind).unwrap_or_default();
        let claims = self.claims.iter().map(move |claim| (known("PersistentVolumeClaim"), &claim.meta));
        let maps = self.maps.iter().map(move |map| (known("ConfigMap"), &map.meta));
        let accounts = self.accounts.iter().map(move |account| (known("ServiceAccount"), &account.meta));
        let spaces = self.namespaces.iter().map(move |space| (known("Namespace"), &space.meta));
        let rest = self.others.iter().map(|object| (object.api.clone(), &object.meta));
        claims.chain(maps).chain(accounts).chain(spaces).chain(rest)
    }

    /// What the files say about a subject, redacted as what is gathered from a cluster.
    pub fn gather(&self, subject: &ObjectRef) -> Gathered {
        let mut gathered = Gathered { at: self.at, subject: subject.clone(), ..Gathered::default() };
        let same = |meta: &Meta| meta.name == subject.name && meta.namespace == subject.namespace;
        gathered.events = self.events_about(subject);
        gathered.namespace =
            self.namespaces.iter().find(|space| space.meta.name == subject.namespace).cloned();
        match subject.api.kind.as_str() {
            "Pod" => {
                if let Some(pod) = self.pods.iter().find(|pod| same(&pod.meta)) {
                    self.gather_pod(pod, &mut gathered);
                }
            }
            "Node" => gathered.node = self.nodes.iter().find(|node| same(&node.meta)).cloned(),
            kind => {
                let workload = self.workloads.iter().find(|found| found.kind == kind && same(&found.meta));
                if let Some(workload) = workload {
                    gathered.owners = self.chain(Some(workload.clone()));
                    gathered.revisions = self.revisions(gathered.owners.last());
                } else {
                    let found = self.others().find(|(api, meta)| *api == subject.api && same(meta));
                    gathered.object = found.map(|(api, meta)| Object { api, meta: meta.clone() });
                }
            }
        }
        gathered.neighbours = self.neighbours(gathered.node.as_ref());
        clean(&mut gathered);
        gathered
    }

    fn gather_pod(&self, pod: &Pod, gathered: &mut Gathered) {
        let namespace = &pod.meta.namespace;
        gathered.owners = self.chain(pod.meta.controller().and_then(|owner| self.owner(owner, namespace)));
        gathered.revisions = self.revisions(gathered.owners.last());
        gathered.node = self.nodes.iter().find(|node| node.meta.name == pod.node).cloned();
        let account = if pod.service_account.is_empty() { "default" } else { &pod.service_account };
        let accounts = || self.accounts.iter().filter(|found| found.meta.namespace == *namespace);
        gathered.service_account = accounts().find(|found| found.meta.name == account).cloned();
        gathered.secrets = self.secrets_for(pod);
        if gathered.secrets.iter().any(|secret| secret.exists.is_none()) {
            gathered.gaps.push(Gap {
                what: Text::from(format!("secrets of namespace {namespace}")),
                why: Text::new("their values are not in the dump"),
            });
        }
        let named = named(pod);
        gathered.references = named.iter().map(|reference| self.state(reference, namespace)).collect();
        let claims = self.claims.iter().filter(|claim| claim.meta.namespace == *namespace);
        let wanted = |claim: &&Claim| {
            named.iter().any(|r| r.kind == ReferenceKind::PersistentVolumeClaim && r.name == claim.meta.name)
        };
        gathered.claims = claims.filter(wanted).cloned().collect();
        gathered.siblings = self.siblings(pod);
        gathered.pod = Some(pod.clone());
    }

    /// Oldest first; what was said several times is there once.
    fn events_about(&self, subject: &ObjectRef) -> Vec<Event> {
        let about = |event: &&Event| {
            let regarding = &event.regarding;
            let name = regarding.kind == subject.api.kind.as_str() && regarding.name == subject.name;
            let space = subject.namespace.is_empty() || regarding.namespace == subject.namespace;
            // Nodes are named by their name in place of the uid.
            name && space
                && (regarding.uid.is_empty() || subject.api.kind == "Node" || regarding.uid == subject.uid)
        };
        let mut told: BTreeMap<(Text, Text, Text), Event> = BTreeMap::new();
        for event in self.events.iter().filter(about) {
            let key = (event.reason.clone(), event.message.clone(), event.regarding.field_path.clone());
            match told.get_mut(&key) {
                None => drop(told.insert(key, event.clone())),
                // The same event may be in two files.
                Some(known) if known.meta.uid == event.meta.uid && !event.meta.uid.is_empty() => {}
                Some(known) => {
                    known.count = known.count.saturating_add(event.count);
                    known.first = [known.first, event.first].into_iter().flatten().min();
                    known.last = known.last.max(event.last);
                }
            }
        }
        let mut events: Vec<Event> = told.into_values().collect();
        events.sort_by(|a, b| (a.last.or(a.first), &a.meta.name).cmp(&(b.last.or(b.first), &b.meta.name)));
        events
    }

    fn owner(&self, owner: &Owner, namespace: &Text) -> Option<Workload> {
        let same = |found: &&Workload| {
            found.kind == owner.kind && found.meta.name == owner.name && found.meta.namespace == *namespace
        };
        self.workloads.iter().find(same).cloned()
    }

    fn chain(&self, nearest: Option<Workload>) -> Vec<Workload> {
        let mut chain: Vec<Workload> = nearest.into_iter().collect();
        while let Some(last) = chain.last().filter(|_| chain.len() < LONGEST_CHAIN) {
            let next = last.meta.controller().and_then(|owner| self.owner(owner, &last.meta.namespace));
            match next {
                Some(next) => chain.push(next),
                None => break,
            }
        }
        chain
    }

    fn revisions(&self, top: Option<&Workload>) -> Vec<Workload> {
        let Some(top) = top.filter(|top| top.kind == "Deployment") else { return Vec::new() };
        let owned = |found: &&Workload| {
            let owner = found.meta.controller();
            found.meta.namespace == top.meta.namespace
                && owner.is_some_and(|o| o.kind == top.kind && o.name == top.meta.name)
        };
        let mut revisions: Vec<Workload> = self.workloads.iter().filter(owned).cloned().collect();
        revisions.sort_by_key(|revision| std::cmp::Reverse(revision.revision()));
        revisions
    }

    /// The Secrets of the pod's namespace, and those that it names and that are not there.
    fn secrets_for(&self, pod: &Pod) -> Vec<PullSecret> {
        let here =
            self.secrets.iter().map(|(secret, _)| secret).filter(|s| s.namespace == pod.meta.namespace);
        let mut secrets: Vec<PullSecret> = here.cloned().collect();
        let complete = !secrets.is_empty();
        for name in &pod.pull_secrets {
            if !secrets.iter().any(|secret| secret.name == *name) {
                let (name, namespace) = (name.clone(), pod.meta.namespace.clone());
                let exists = complete.then_some(false);
                secrets.push(PullSecret { name, namespace, exists, ..PullSecret::default() });
            }
        }
        secrets
    }

    fn state(&self, reference: &Reference, namespace: &Text) -> ReferenceState {
        let there: Vec<(Text, Vec<Text>)> = match reference.kind {
            ReferenceKind::ConfigMap => {
                let here = self.maps.iter().filter(|map| map.meta.namespace == *namespace);
                here.map(|map| (map.meta.name.clone(), map.keys.clone())).collect()
            }
            ReferenceKind::Secret => {
                let here = self.secrets.iter().filter(|(secret, _)| secret.namespace == *namespace);
                here.map(|(secret, keys)| (secret.name.clone(), keys.clone())).collect()
            }
            ReferenceKind::PersistentVolumeClaim => {
                let here = self.claims.iter().filter(|claim| claim.meta.namespace == *namespace);
                here.map(|claim| (claim.meta.name.clone(), Vec::new())).collect()
            }
            ReferenceKind::ServiceAccount => {
                let here = self.accounts.iter().filter(|account| account.meta.namespace == *namespace);
                here.map(|account| (account.meta.name.clone(), Vec::new())).collect()
            }
        };
        let found = there.iter().find(|(name, _)| *name == reference.name);
        ReferenceState {
            kind: reference.kind,
            name: reference.name.clone(),
            exists: (!there.is_empty()).then_some(found.is_some()),
            keys: found.map(|(_, keys)| keys.clone()).unwrap_or_default(),
            others: there.iter().map(|(name, _)| name.clone()).take(MOST_OTHERS).collect(),
        }
    }

    fn siblings(&self, pod: &Pod) -> Siblings {
        let owner = pod.meta.controller().map(|owner| &owner.uid);
        let same = |other: &&Pod| owner.is_some() && other.meta.controller().map(|o| &o.uid) == owner;
        let ready = |other: &&Pod| other.condition("Ready").is_some_and(|ready| ready.status == "True");
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Siblings {
            total: count(self.pods.iter().filter(same).count()),
            ready: count(self.pods.iter().filter(same).filter(ready).count()),
        }
    }

    fn neighbours(&self, node: Option<&Node>) -> Neighbours {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let on_it = || self.pods.iter().filter(|pod| node.is_some_and(|node| node.meta.name == pod.node));
        let unhealthy = |pod: &&Pod| pod.condition("Ready").is_some_and(|ready| ready.status != "True");
        Neighbours {
            registries: BTreeMap::new(),
            node_pods: count(on_it().count()),
            node_unhealthy: count(on_it().filter(unhealthy).count()),
            nodes: count(self.nodes.iter().map(|node| &node.meta.name).collect::<BTreeSet<_>>().len()),
            nodes_ready: count(self.nodes.iter().filter(|node| node.is_ready()).count()),
        }
    }
}

/// Everything that a pod names in its namespace, each once.
fn named(pod: &Pod) -> Vec<Reference> {
    let mut named: Vec<Reference> = Vec::new();
    let volumes = pod.volumes.iter().flat_map(|volume| match &volume.source {
        VolumeSource::References(references) => references.clone(),
        VolumeSource::Claim(name) => {
            vec![Reference {
                kind: ReferenceKind::PersistentVolumeClaim,
                name: name.clone(),
                ..Reference::default()
            }]
        }
        VolumeSource::Other(_) | VolumeSource::Unknown => Vec::new(),
    });
    for reference in pod.containers.iter().flat_map(|container| container.references.clone()).chain(volumes) {
        if !named.iter().any(|known| known.kind == reference.kind && known.name == reference.name) {
            named.push(reference);
        }
    }
    named
}

/// Times at which something had happened; `deletionTimestamp` is none of them, it may lie ahead.
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#""(?:lastHeartbeatTime|lastTransitionTime|lastUpdateTime|creationTimestamp|startTime|startedAt|finishedAt|firstTimestamp|lastTimestamp|eventTime|lastObservedTime|timeAdded|time)"\s*:\s*"([0-9TZ:.+-]+)""#,
    )
    .expect("a literal pattern")
});

fn newest_time(text: &str) -> Timestamp {
    let times = TIME.captures_iter(text).filter_map(|caught| caught[1].parse::<Timestamp>().ok());
    times.max().unwrap_or(Timestamp::UNIX_EPOCH)
}
