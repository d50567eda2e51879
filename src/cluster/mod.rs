//! The only room that holds a kube client.
//!
//! Owns how a cluster is read: [`wire`] decodes, the watches keep the [`cache`] level with the server, and
//! what is only wanted now and then is gathered on demand. And how it is written: [`apply`] makes approved
//! changes, [`preview`] tries them, [`rights`] asks what kubemend may do. Refuses to conclude anything: it
//! hands out what was read, redacted, with the gaps named, and sends what was approved, once.

pub mod apply;
pub mod cache;
mod config;
mod connect;
pub mod dump;
mod gather;
pub mod kind;
mod link;
pub mod preview;
pub mod rights;
mod watch;
pub mod wire;

pub use cache::{Changes, ClusterChange};
pub use config::{Access, Clock, ClusterConfig, Timing};
pub use connect::{Cluster, ClusterStatus};
pub use gather::found::{Found, Piece, Tell};
pub use link::ConnectError;
pub use watch::KindStatus;
