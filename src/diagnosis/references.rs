//! What a pod names in its namespace and what of it is not there.

use crate::incident::objects::{Pod, Reference, ReferenceKind, VolumeSource};
use crate::incident::{ConfigKind, ReferenceFacts, ReferenceState};
use crate::playbook::nearest;

/// Everything that a pod names, each once.
pub(super) fn named(pod: &Pod) -> Vec<Reference> {
    let mut named: Vec<Reference> = Vec::new();
    let environment = pod.containers.iter().flat_map(|container| container.references.iter().cloned());
    let volumes = pod.volumes.iter().flat_map(|volume| match &volume.source {
        VolumeSource::References(references) => references.clone(),
        VolumeSource::Claim(name) => vec![Reference {
            kind: ReferenceKind::PersistentVolumeClaim,
            name: name.clone(),
            ..Reference::default()
        }],
        VolumeSource::Other(_) | VolumeSource::Unknown => Vec::new(),
    });
    for reference in environment.chain(volumes) {
        if !named.contains(&reference) {
            named.push(reference);
        }
    }
    named
}

/// What of it does not resolve, each once.
pub(super) fn unresolved(pod: &Pod, states: &[ReferenceState]) -> Vec<ReferenceFacts> {
    let mut missing: Vec<ReferenceFacts> = Vec::new();
    for reference in named(pod).iter().filter(|reference| !reference.optional) {
        let state = states.iter().find(|state| state.kind == reference.kind && state.name == reference.name);
        if let Some(facts) = state.and_then(|state| judge(reference, state))
            && !missing.contains(&facts)
        {
            missing.push(facts);
        }
    }
    missing
}

fn judge(reference: &Reference, state: &ReferenceState) -> Option<ReferenceFacts> {
    let kind = match reference.kind {
        ReferenceKind::ConfigMap => ConfigKind::ConfigMap,
        ReferenceKind::Secret => ConfigKind::Secret,
        ReferenceKind::PersistentVolumeClaim => ConfigKind::PersistentVolumeClaim,
        ReferenceKind::ServiceAccount => ConfigKind::ServiceAccount,
    };
    let facts = ReferenceFacts { kind, name: reference.name.clone(), ..ReferenceFacts::default() };
    match (state.exists?, &reference.key) {
        (false, _) => {
            let near = nearest(&reference.name, state.others.iter().map(crate::incident::Text::as_str));
            Some(ReferenceFacts { nearest: near.map(Into::into), ..facts })
        }
        (true, Some(key)) if !state.keys.is_empty() && !state.keys.contains(key) => {
            let near = nearest(key, state.keys.iter().map(crate::incident::Text::as_str));
            Some(ReferenceFacts { key: Some(key.clone()), nearest: near.map(Into::into), ..facts })
        }
        (true, _) => None,
    }
}
