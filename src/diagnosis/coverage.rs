//! Which pull secret covers which image, by the kubelet's own rules.
//!
//! A key of `auths` is a URL or a bare host, perhaps with port and path. It covers an image whose host
//! matches part by part (a part may be a glob), whose port is equal and whose path begins with the key's.
//! `index.docker.io` stands for Docker Hub. A key for `registry-1.docker.io` covers no image of Docker Hub:
//! people write it, and the kubelet ignores it.

use super::image::ImageName;
use crate::incident::{Coverage, Defect, PullSecret, SecretFacts};

/// The kubelet's name for Docker Hub's credentials.
const DEFAULT_KEY: &str = "index.docker.io";

/// How one secret stands to one image.
pub(super) fn of_secret(secret: &PullSecret, image: &ImageName) -> SecretFacts {
    let mut facts = SecretFacts { name: secret.name.clone(), ..SecretFacts::default() };
    facts.coverage = match secret.exists {
        None => return facts,
        Some(false) => {
            facts.coverage = Coverage::Missing;
            return facts;
        }
        Some(true) => Coverage::Invalid,
    };
    facts.defects = secret.defects.iter().filter(|defect| blocks(defect)).cloned().collect();
    let mut covering = secret.entries.iter().filter(|entry| key_covers(&entry.key, image)).peekable();
    if covering.peek().is_none() {
        facts.registries = secret.entries.iter().map(|entry| entry.key.clone()).collect();
        return facts;
    }
    let whole = facts.defects.is_empty();
    for entry in covering {
        let mut blocking = entry.defects.iter().filter(|defect| blocks(defect)).peekable();
        if blocking.peek().is_none() && whole {
            return SecretFacts { coverage: Coverage::Covered, defects: Vec::new(), ..facts };
        }
        facts.defects.extend(blocking.cloned());
    }
    facts
}

/// All secrets that a pod pulls with, together.
pub(super) fn together(secrets: &[SecretFacts]) -> Coverage {
    let any = |coverage: Coverage| secrets.iter().any(|secret| secret.coverage == coverage);
    if secrets.is_empty() {
        Coverage::None
    } else if any(Coverage::Covered) {
        Coverage::Covered
    } else if any(Coverage::Unknown) {
        Coverage::Unknown
    } else if any(Coverage::Missing) && secrets.iter().all(|secret| secret.defects.is_empty()) {
        Coverage::Missing
    } else {
        Coverage::Invalid
    }
}

/// Whether the kubelet cannot use a credential with this defect. It takes `auth` over `username` and
/// `password`, so that a contradiction alone does no harm.
fn blocks(defect: &Defect) -> bool {
    !matches!(defect, Defect::Contradiction)
}

/// Whether a key of `auths` covers an image.
fn key_covers(key: &str, image: &ImageName) -> bool {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let (host, path) = key.split_once('/').unwrap_or((key, ""));
    let path = path.strip_prefix("v1/").or_else(|| path.strip_prefix("v2/")).unwrap_or(path);
    let path = if path == "v1" || path == "v2" { "" } else { path };
    if host == DEFAULT_KEY && path.is_empty() {
        return image.host == "docker.io";
    }
    host_matches(host, &image.host) && image.repository.starts_with(path)
}

fn host_matches(pattern: &str, host: &str) -> bool {
    let (pattern, pattern_port) = split_port(pattern);
    let (host, port) = split_port(host);
    let (pattern, host): (Vec<&str>, Vec<&str>) = (pattern.split('.').collect(), host.split('.').collect());
    pattern_port == port && pattern.len() == host.len() && pattern.iter().zip(&host).all(|(p, h)| glob(p, h))
}

fn split_port(host: &str) -> (&str, &str) {
    host.rsplit_once(':').unwrap_or((host, ""))
}

/// `*` is any text, `?` any character; without backtracking beyond the last `*`.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            Some(_) | None => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::RegistryEntry;

    #[track_caller]
    fn check(key: &str, image: &str, covers: bool) {
        assert_eq!(key_covers(key, &ImageName::parse(image)), covers, "{key} and {image}");
    }

    #[test]
    fn docker_hub_goes_by_its_names() {
        for key in
            ["https://index.docker.io/v1/", "index.docker.io", "https://index.docker.io/v2/", "docker.io"]
        {
            check(key, "nginx", true);
            check(key, "docker.io/team/app:1", true);
            check(key, "quay.io/team/app", false);
        }
        check("registry-1.docker.io", "nginx", false);
        check("https://hub.docker.com", "nginx", false);
    }

    #[test]
    fn hosts_ports_and_paths_must_match() {
        check("harbor.example.com", "harbor.example.com/payments/api:1", true);
        check("https://harbor.example.com/v2/", "harbor.example.com/payments/api:1", true);
        check("harbor.example.com", "harbor.example.com:8443/payments/api", false);
        check("harbor.example.com:8443", "harbor.example.com:8443/payments/api", true);
        check("harbor.example.com/payments", "harbor.example.com/payments/api", true);
        check("harbor.example.com/payments", "harbor.example.com/search/api", false);
        check("example.com", "harbor.example.com/payments/api", false);
    }

    #[test]
    fn globs_stay_within_one_part_of_the_host() {
        check("*.dkr.ecr.*.amazonaws.com", "123.dkr.ecr.eu-central-1.amazonaws.com/app", true);
        check("*.example.com", "a.b.example.com/app", false);
        check("reg?.example.com", "reg1.example.com/app", true);
        check("*", "example.com/app", false);
    }

    fn secret(key: &str, defects: &[Defect]) -> PullSecret {
        let entry = RegistryEntry { key: key.into(), defects: defects.to_vec() };
        PullSecret { name: "pull".into(), exists: Some(true), entries: vec![entry], ..PullSecret::default() }
    }

    #[test]
    fn a_defect_spoils_what_would_cover() {
        let image = ImageName::parse("harbor.example.com/payments/api:1");
        assert_eq!(of_secret(&secret("harbor.example.com", &[]), &image).coverage, Coverage::Covered);
        let stray = of_secret(&secret("harbor.example.com", &[Defect::StrayWhitespace]), &image);
        assert_eq!((stray.coverage, stray.defects), (Coverage::Invalid, vec![Defect::StrayWhitespace]));
        let other = of_secret(&secret("registry.example.com", &[]), &image);
        assert_eq!((other.coverage, other.registries.len()), (Coverage::Invalid, 1));
    }

    #[test]
    fn what_may_not_be_read_is_not_known() {
        let hidden = PullSecret { name: "pull".into(), exists: None, ..PullSecret::default() };
        let facts = of_secret(&hidden, &ImageName::parse("nginx"));
        assert_eq!(together(&[facts]), Coverage::Unknown);
        assert_eq!(together(&[]), Coverage::None);
    }
}
