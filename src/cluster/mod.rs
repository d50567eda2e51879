//! The only room that holds a kube client.
//!
//! Owns how the cluster is read: [`wire`] decodes; and how it is written: [`apply`] makes approved changes,
//! [`preview`] tries them, [`rights`] asks what kubemend may do.

pub mod apply;
pub mod preview;
pub mod rights;
pub mod wire;
