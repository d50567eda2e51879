//! Kubernetes JSON into [`objects`](crate::incident::objects): pure, in place, straight into the slim types.
//!
//! Owns the shapes of the wire. Refuses what must not be kept: managed fields, values of environment
//! variables, ConfigMaps and Secrets, annotations beyond the named few are skipped without being read. An
//! object that does not parse is an error that names the object, never a reason to stop reading its
//! neighbours.

mod container;
mod dump;
mod error;
mod event;
mod lenient;
mod line;
mod meta;
mod node;
mod page;
mod pod;
mod secret;
mod small;
#[cfg(test)]
mod tests;
mod volume;
mod workload;

use serde::de::DeserializeOwned;

pub use dump::decode_all;
pub use error::DecodeError;
pub use event::last_seen;
pub use line::{Frame, Said, Status, frame};
pub use page::{Page, page};
pub use secret::{DOCKER_CONFIG_JSON, SecretShape, pull_secret};
pub use small::ConfigMap;

use crate::incident::ApiKind;
use crate::incident::objects::{Claim, Event, Meta, Namespace, Node, Object, Pod, ServiceAccount, Workload};

/// An object of any kind, slim.
#[derive(Clone, PartialEq, Debug)]
pub enum AnyObject {
    Pod(Pod),
    Event(Event),
    Node(Node),
    /// A Deployment, ReplicaSet, StatefulSet, DaemonSet, Job or ControllerRevision.
    Workload(Workload),
    Claim(Claim),
    ServiceAccount(ServiceAccount),
    Namespace(Namespace),
    /// Without its values.
    Secret(SecretShape),
    ConfigMap(ConfigMap),
    /// Any other kind: its metadata.
    Other(Object),
}

impl AnyObject {
    /// The object's metadata.
    pub fn meta(&self) -> &Meta {
        match self {
            Self::Pod(pod) => &pod.meta,
            Self::Event(event) => &event.meta,
            Self::Node(node) => &node.meta,
            Self::Workload(workload) => &workload.meta,
            Self::Claim(claim) => &claim.meta,
            Self::ServiceAccount(account) => &account.meta,
            Self::Namespace(namespace) => &namespace.meta,
            Self::Secret(secret) => &secret.meta,
            Self::ConfigMap(map) => &map.meta,
            Self::Other(object) => &object.meta,
        }
    }
}

/// How a kind is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Pod,
    Event,
    Node,
    /// By the kind's name.
    Workload(&'static str),
    Claim,
    ServiceAccount,
    Namespace,
    Secret,
    ConfigMap,
}

/// The form of a built-in kind; `None` means that only metadata is read.
pub fn form(api_version: &str, kind: &str) -> Option<Form> {
    Some(match (api_version.split_once('/').map_or("", |(group, _)| group), kind) {
        ("", "Pod") => Form::Pod,
        ("" | "events.k8s.io", "Event") => Form::Event,
        ("", "Node") => Form::Node,
        ("", "PersistentVolumeClaim") => Form::Claim,
        ("", "ServiceAccount") => Form::ServiceAccount,
        ("", "Namespace") => Form::Namespace,
        ("", "Secret") => Form::Secret,
        ("", "ConfigMap") => Form::ConfigMap,
        ("apps" | "extensions", "Deployment") => Form::Workload("Deployment"),
        ("apps" | "extensions", "ReplicaSet") => Form::Workload("ReplicaSet"),
        ("apps" | "extensions", "DaemonSet") => Form::Workload("DaemonSet"),
        ("apps", "StatefulSet") => Form::Workload("StatefulSet"),
        ("apps", "ControllerRevision") => Form::Workload("ControllerRevision"),
        ("batch", "Job") => Form::Workload("Job"),
        _ => return None,
    })
}

/// One object, by its own `apiVersion` and `kind`.
pub fn decode(json: &[u8]) -> Result<AnyObject, DecodeError> {
    decode_or(json, "", "")
}

/// One object whose kind is known: items of a server's list and objects of a watch do not always say it.
pub fn decode_as(json: &[u8], form: Form) -> Result<AnyObject, DecodeError> {
    read(json, form).map_err(|error| DecodeError::shape(form.kind(), json, &error))
}

/// One object by its own kind, or by the given one where it does not say.
fn decode_or(json: &[u8], api_version: &str, kind: &str) -> Result<AnyObject, DecodeError> {
    let head = error::Head::read(json).map_err(|error| DecodeError::not_json(&error))?;
    let own = |own: &str, given: &str| if own.is_empty() { given.to_owned() } else { own.to_owned() };
    let (api_version, kind) = (own(&head.api_version, api_version), own(&head.kind, kind));
    for (value, field) in [(&kind, "kind"), (&api_version, "apiVersion")] {
        if value.is_empty() {
            return Err(DecodeError::NoKind { object: error::named(&kind, json), field });
        }
    }
    if let Some(form) = form(&api_version, &kind) {
        return decode_as(json, form);
    }
    let shape: small::OtherShape = shape(json).map_err(|error| DecodeError::shape(&kind, json, &error))?;
    Ok(AnyObject::Other(shape.into_object(api_kind(&api_version, &kind))))
}

impl Form {
    /// The kind's name.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Pod => "Pod",
            Self::Event => "Event",
            Self::Node => "Node",
            Self::Workload(kind) => kind,
            Self::Claim => "PersistentVolumeClaim",
            Self::ServiceAccount => "ServiceAccount",
            Self::Namespace => "Namespace",
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }
}

fn read(json: &[u8], form: Form) -> Result<AnyObject, serde_json::Error> {
    from(&mut serde_json::Deserializer::from_slice(json), form)
}

/// Reads an object of that form where the reader stands.
fn from<'de, D: serde::Deserializer<'de>>(reader: D, form: Form) -> Result<AnyObject, D::Error> {
    use serde::Deserialize;
    Ok(match form {
        Form::Pod => AnyObject::Pod(pod::PodShape::deserialize(reader)?.into()),
        Form::Event => AnyObject::Event(event::EventShape::deserialize(reader)?.into()),
        Form::Node => AnyObject::Node(node::NodeShape::deserialize(reader)?.into()),
        Form::Workload(kind) => {
            AnyObject::Workload(workload::WorkloadShape::deserialize(reader)?.into_workload(kind))
        }
        Form::Claim => AnyObject::Claim(small::ClaimShape::deserialize(reader)?.into()),
        Form::ServiceAccount => {
            AnyObject::ServiceAccount(small::ServiceAccountShape::deserialize(reader)?.into())
        }
        Form::Namespace => AnyObject::Namespace(small::NamespaceShape::deserialize(reader)?.into()),
        Form::Secret => AnyObject::Secret(secret::SecretWire::deserialize(reader)?.into()),
        Form::ConfigMap => AnyObject::ConfigMap(small::ConfigMapShape::deserialize(reader)?.into()),
    })
}

fn shape<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(json)
}

/// A kind's names; of one we do not know, the plural as English and Kubernetes form it.
pub fn api_kind(api_version: &str, kind: &str) -> ApiKind {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let known = ApiKind::known(kind).filter(|known| known.group == group);
    let plural = known.map_or_else(|| plural(kind), |known| known.plural.to_string());
    ApiKind::new(group, version, kind, &plural)
}

fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    if lower.ends_with('s') || lower.ends_with('x') || lower.ends_with("ch") {
        format!("{lower}es")
    } else if let Some(stem) = lower.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        format!("{stem}ies")
    } else {
        format!("{lower}s")
    }
}
