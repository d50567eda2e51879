//! The only room that holds a kube client.
//!
//! Owns how the cluster is read: [`wire`] decodes. And the one writer ([`apply`]), with previews and rights.

pub mod apply;
pub mod preview;
pub mod rights;
pub mod wire;
