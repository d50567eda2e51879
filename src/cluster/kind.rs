//! The kinds that are watched, and where their collections stand in the API.

use std::sync::LazyLock;

use super::wire::Form;
use crate::incident::ApiKind;

/// A watched kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Watched {
    Namespace,
    Node,
    ServiceAccount,
    Claim,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    Pod,
    Event,
}

impl Watched {
    /// All of them, what others stand on first.
    pub const ALL: [Self; 11] = [
        Self::Namespace,
        Self::Node,
        Self::ServiceAccount,
        Self::Claim,
        Self::Deployment,
        Self::ReplicaSet,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::Pod,
        Self::Event,
    ];

    /// The kind's name in the API, and its label in metrics.
    pub fn name(self) -> &'static str {
        self.form().kind()
    }

    /// How its objects are decoded.
    pub fn form(self) -> Form {
        match self {
            Self::Namespace => Form::Namespace,
            Self::Node => Form::Node,
            Self::ServiceAccount => Form::ServiceAccount,
            Self::Claim => Form::Claim,
            Self::Deployment => Form::Workload("Deployment"),
            Self::ReplicaSet => Form::Workload("ReplicaSet"),
            Self::StatefulSet => Form::Workload("StatefulSet"),
            Self::DaemonSet => Form::Workload("DaemonSet"),
            Self::Job => Form::Workload("Job"),
            Self::Pod => Form::Pod,
            Self::Event => Form::Event,
        }
    }

    /// The watched kind of that name.
    pub fn of(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|watched| watched.name() == kind)
    }

    /// Whether its objects live in namespaces.
    pub fn is_namespaced(self) -> bool {
        !matches!(self, Self::Node | Self::Namespace)
    }

    /// The kind's four names.
    pub fn api(self) -> &'static ApiKind {
        &APIS[self as usize]
    }

    /// The path of its collection, in one namespace or in all.
    pub fn path(self, namespace: Option<&str>) -> String {
        collection(self.api(), namespace)
    }
}

static APIS: LazyLock<[ApiKind; 11]> = LazyLock::new(|| {
    Watched::ALL.map(|watched| ApiKind::known(watched.name()).expect("every watched kind is a known kind"))
});

/// The path of a kind's collection.
pub fn collection(api: &ApiKind, namespace: Option<&str>) -> String {
    let root = if api.group.is_empty() { "/api/" } else { "/apis/" };
    let (version, plural) = (api.api_version(), &api.plural);
    match namespace {
        Some(namespace) if !namespace.is_empty() => {
            format!("{root}{version}/namespaces/{}/{plural}", segment(namespace))
        }
        _ => format!("{root}{version}/{plural}"),
    }
}

/// The path of one object.
pub fn object(api: &ApiKind, namespace: &str, name: &str) -> String {
    format!("{}/{}", collection(api, Some(namespace)), segment(name))
}

/// A name as a path segment or the value of a query: names come from messages and dumps too.
pub fn segment(name: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'~')
            || byte == b'.' && !name.starts_with('.')
        {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        assert_eq!(Watched::Pod.path(None), "/api/v1/pods");
        assert_eq!(Watched::Job.path(Some("shop")), "/apis/batch/v1/namespaces/shop/jobs");
        assert_eq!(object(Watched::Node.api(), "", "node-1"), "/api/v1/nodes/node-1");
    }

    #[test]
    fn a_name_cannot_leave_its_segment() {
        assert_eq!(segment("../secrets?x"), "%2E%2E%2Fsecrets%3Fx");
        assert_eq!(segment("kube-root-ca.crt"), "kube-root-ca.crt");
    }

    #[test]
    fn every_kind_is_found_by_its_name_and_in_its_place() {
        for (at, watched) in Watched::ALL.into_iter().enumerate() {
            assert_eq!(Watched::of(watched.name()), Some(watched));
            assert_eq!(watched as usize, at);
        }
    }
}
