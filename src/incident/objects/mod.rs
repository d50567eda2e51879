//! Kubernetes objects as kubemend keeps them: only the fields that evidence needs, strings shared.
//!
//! Not the wire's shape: `cluster::wire` decodes into these. No environment values, no managed fields, no
//! annotations beyond [`KEPT_ANNOTATIONS`].

mod event;
mod meta;
mod node;
mod pod;
mod workload;

pub use event::{Event, Regarding};
pub use meta::{Condition, KEPT_ANNOTATIONS, Meta, Object, Owner};
pub use node::{Node, Taint};
pub use pod::{
    Container, ContainerState, Pod, Reference, ReferenceKind, Role, SubPath, Terminated, Volume, VolumeSource,
};
pub use workload::{Claim, Namespace, ServiceAccount, Template, TemplateContainer, Workload, WorkloadStatus};
