//! The only room that holds a kube client.
//!
//! Owns how a cluster is read: [`wire`] decodes, the watches keep the [`cache`] level with the server, and
//! what is only wanted now and then is read on demand. Refuses to conclude anything: it hands out what was
//! read, redacted, with the gaps named.

pub mod cache;
mod config;
mod connect;
pub mod kind;
mod link;
mod watch;
pub mod wire;

pub use cache::{Changes, ClusterChange};
pub use config::{Access, Clock, ClusterConfig, Timing};
pub use connect::{Cluster, ClusterStatus};
pub use link::ConnectError;
pub use watch::KindStatus;
