//! What follows from what was gathered: image facts, unresolved references, the way back.

use super::image::ImageName;
use super::{coverage, references, rollout};
use crate::incident::objects::{Container, Pod};
use crate::incident::{Coverage, Evidence, Gathered, ImageFacts, PullSecret, SecretFacts, Text};

/// Computes what playbooks need to know beyond what was read.
pub fn assemble(gathered: Gathered) -> Evidence {
    let images = gathered.pod.as_ref().map(|pod| images(&gathered, pod)).unwrap_or_default();
    let references = gathered.pod.as_ref().map(|pod| references::unresolved(pod, &gathered.references));
    let rollout = rollout::facts(&gathered);
    Evidence { images, references: references.unwrap_or_default(), rollout, seen: gathered }
}

fn images(gathered: &Gathered, pod: &Pod) -> Vec<ImageFacts> {
    pod.containers.iter().map(|container| image(gathered, pod, container)).collect()
}

fn image(gathered: &Gathered, pod: &Pod, container: &Container) -> ImageFacts {
    let name = ImageName::parse(&container.image);
    let secrets: Vec<SecretFacts> = pod
        .pull_secrets
        .iter()
        .map(|wanted| match gathered.secrets.iter().find(|secret| secret.name == *wanted) {
            Some(secret) => coverage::of_secret(secret, &name),
            None => SecretFacts { name: wanted.clone(), ..SecretFacts::default() },
        })
        .collect();
    let account: &[Text] =
        gathered.service_account.as_ref().map(|sa| sa.pull_secrets.as_slice()).unwrap_or_default();
    let covering: Vec<&PullSecret> = gathered
        .secrets
        .iter()
        .filter(|secret| !pod.pull_secrets.contains(&secret.name))
        .filter(|secret| coverage::of_secret(secret, &name).coverage == Coverage::Covered)
        .collect();
    ImageFacts {
        container: container.name.clone(),
        role: container.role,
        image: container.image.clone(),
        coverage: coverage::together(&secrets),
        account_covers: covering.iter().any(|secret| account.contains(&secret.name)),
        candidates: {
            let free = covering.iter().filter(|secret| !account.contains(&secret.name));
            free.map(|secret| secret.name.clone()).collect()
        },
        secrets,
        registry: Text::from(name.registry),
        repository: Text::from(name.repository),
        tag: Text::from(name.tag),
    }
}
