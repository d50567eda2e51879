//! The only room that holds a kube client.
//!
//! Owns how the cluster is read: [`wire`] decodes.

pub mod dump;
pub mod wire;
