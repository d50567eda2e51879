//! Image references: registry, repository, tag; with Docker Hub's short forms spelt out.

/// A reference taken apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ImageName {
    /// As the kubelet compares it with the keys of pull secrets: `docker.io`, `registry.example.com:5000`.
    pub host: String,
    /// The same, with all names of Docker Hub made `docker.io`.
    pub registry: String,
    /// `library/nginx`, `payments/api`.
    pub repository: String,
    /// Tag or digest; `latest` where none is named.
    pub tag: String,
}

const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_ALIASES: &[&str] = &["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

impl ImageName {
    /// Takes a reference apart. Never fails: what cannot be parsed becomes part of the repository.
    pub fn parse(reference: &str) -> Self {
        let (name, digest) = match reference.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (reference, None),
        };
        let (host, path) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
            Some(_) | None => (DOCKER_HUB, name),
        };
        let host = if host == "index.docker.io" { DOCKER_HUB } else { host };
        let (path, tag) = match path.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            Some(_) | None => (path, "latest"),
        };
        let registry = if DOCKER_HUB_ALIASES.contains(&host) { DOCKER_HUB } else { host };
        let short = registry == DOCKER_HUB && !path.contains('/');
        let repository = if short { format!("library/{path}") } else { path.to_owned() };
        Self {
            host: host.to_owned(),
            registry: registry.to_owned(),
            repository,
            tag: digest.unwrap_or(tag).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reference: &str, registry: &str, repository: &str, tag: &str) {
        let name = ImageName::parse(reference);
        assert_eq!((&*name.registry, &*name.repository, &*name.tag), (registry, repository, tag));
    }

    #[test]
    fn short_names_belong_to_docker_hub() {
        check("nginx", "docker.io", "library/nginx", "latest");
        check("nginx:1.25", "docker.io", "library/nginx", "1.25");
        check("team/app", "docker.io", "team/app", "latest");
        check("index.docker.io/library/nginx:1", "docker.io", "library/nginx", "1");
        check("docker.io/nginx", "docker.io", "library/nginx", "latest");
    }

    #[test]
    fn ports_paths_and_digests_are_kept_apart() {
        check("registry.example.com:5000/a/b/c:v1", "registry.example.com:5000", "a/b/c", "v1");
        check("registry.example.com:5000/app", "registry.example.com:5000", "app", "latest");
        check("localhost/app:x", "localhost", "app", "x");
        check("quay.io/a/b@sha256:abc", "quay.io", "a/b", "sha256:abc");
        check("quay.io/a/b:v1@sha256:abc", "quay.io", "a/b", "sha256:abc");
    }
}
