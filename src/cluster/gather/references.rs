//! What a pod names in its namespace: is it there, which keys does it have, and what is called nearly so.
//!
//! Of ConfigMaps and Secrets only names leave; values are dropped where they are decoded.

use futures::future::join_all;

use super::{Gatherer, Miss, claim_names, gap, known};
use crate::cluster::kind;
use crate::cluster::wire::{self, AnyObject};
use crate::incident::objects::{Pod, ReferenceKind, VolumeSource};
use crate::incident::{Gap, Gathered, ReferenceState, Text};

/// References of one pod that are looked up.
const MOST: usize = 32;
/// Names of the same kind that are offered for "did you mean".
const MOST_OTHERS: usize = 200;
/// Names without the objects: no value of a Secret crosses the wire for this.
const ONLY_METADATA: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

impl Gatherer {
    /// Fills `seen.references`.
    pub(super) async fn references(&self, seen: &mut Gathered, pod: &Pod) {
        let wanted = wanted(pod);
        let looked = join_all(
            wanted.iter().take(MOST).map(|(kind, name)| self.reference(*kind, &pod.meta.namespace, name)),
        )
        .await;
        let mut gaps: Vec<Gap> = Vec::new();
        for (state, gap) in looked {
            seen.references.push(state);
            gaps.extend(gap);
        }
        gaps.dedup();
        seen.gaps.extend(gaps);
    }

    async fn reference(
        &self,
        kind: ReferenceKind,
        namespace: &Text,
        name: &Text,
    ) -> (ReferenceState, Option<Gap>) {
        let mut state = ReferenceState { kind, name: name.clone(), ..ReferenceState::default() };
        let api = known(kind_name(kind));
        match self.reach.get(&kind::object(&api, namespace, name)).await {
            Ok(body) => {
                state.exists = Some(true);
                state.keys = keys(&body);
                (state, None)
            }
            Err(Miss::NotThere) => {
                state.exists = Some(false);
                state.others = self.others(&kind::collection(&api, Some(namespace))).await;
                (state, None)
            }
            Err(miss) => (state, Some(gap(&format!("{}s of namespace {namespace}", api.kind), miss))),
        }
    }

    /// Names of the same kind; none where they may not be listed, which costs a hint and nothing else.
    async fn others(&self, collection: &str) -> Vec<Text> {
        let path = format!("{collection}?limit={MOST_OTHERS}");
        let Ok(body) = self.reach.get_as(&path, ONLY_METADATA).await else { return Vec::new() };
        let list: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(|item| item["metadata"]["name"].as_str()).map(Text::new).collect()
    }
}

/// What the pod names, each once.
fn wanted(pod: &Pod) -> Vec<(ReferenceKind, Text)> {
    let mut wanted: Vec<(ReferenceKind, Text)> = Vec::new();
    let of_volumes = pod.volumes.iter().flat_map(|volume| match &volume.source {
        VolumeSource::References(references) => references.as_slice(),
        VolumeSource::Claim(_) | VolumeSource::Other(_) | VolumeSource::Unknown => &[],
    });
    let named = pod.containers.iter().flat_map(|container| &container.references).chain(of_volumes);
    let named = named.map(|reference| (reference.kind, reference.name.clone()));
    let claims = claim_names(pod).map(|name| (ReferenceKind::PersistentVolumeClaim, name.clone()));
    for reference in named.chain(claims) {
        if !wanted.contains(&reference) {
            wanted.push(reference);
        }
    }
    wanted
}

fn kind_name(kind: ReferenceKind) -> &'static str {
    match kind {
        ReferenceKind::ConfigMap => "ConfigMap",
        ReferenceKind::Secret => "Secret",
        ReferenceKind::PersistentVolumeClaim => "PersistentVolumeClaim",
        ReferenceKind::ServiceAccount => "ServiceAccount",
    }
}

fn keys(body: &[u8]) -> Vec<Text> {
    match wire::decode(body) {
        Ok(AnyObject::ConfigMap(map)) => map.keys,
        Ok(AnyObject::Secret(secret)) => secret.keys,
        Ok(
            AnyObject::Pod(_)
            | AnyObject::Event(_)
            | AnyObject::Node(_)
            | AnyObject::Workload(_)
            | AnyObject::Claim(_)
            | AnyObject::ServiceAccount(_)
            | AnyObject::Namespace(_)
            | AnyObject::Other(_),
        )
        | Err(_) => Vec::new(),
    }
}
