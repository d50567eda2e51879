//! Image references as the container runtime reads them. Owns the normal form; refuses to contact anything.

use std::fmt;

/// `host/repository:tag` or `host/repository@digest`, with Docker Hub's short forms filled in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageRef {
    pub host: String,
    pub repository: String,
    /// The tag, or the digest (`sha256:…`).
    pub tag: String,
}

impl ImageRef {
    /// Reads a reference; `None` when the runtime would call it an invalid name.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, tag) = split_tag(text);
        let (host, path) = split_host(name);
        if path.is_empty() || tag.is_empty() || !path.bytes().all(is_path_byte) {
            return None;
        }
        let repository = if host == "docker.io" && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        Some(Self { host: host.to_owned(), repository, tag: tag.to_owned() })
    }

    /// Whether it names content rather than a tag.
    pub fn is_digest(&self) -> bool {
        self.tag.contains(':')
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.is_digest() { '@' } else { ':' };
        write!(f, "{}/{}{separator}{}", self.host, self.repository, self.tag)
    }
}

fn split_tag(text: &str) -> (&str, &str) {
    if let Some((name, digest)) = text.split_once('@') {
        return (name, digest);
    }
    match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (text, "latest"),
    }
}

fn split_host(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((first, rest)) if is_host(first) => {
            (if first == "index.docker.io" { "docker.io" } else { first }, rest)
        }
        _ => ("docker.io", name),
    }
}

fn is_host(first: &str) -> bool {
    first == "localhost" || first.contains('.') || first.contains(':')
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'/' | b'.' | b'_' | b'-')
}
