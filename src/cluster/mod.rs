//! The only room that holds a kube client.
//!
//! Owns how the cluster is read: [`wire`] decodes. And how it is changed: [`apply`] is the one writer.

pub mod apply;
pub mod preview;
pub mod rights;
pub mod wire;
