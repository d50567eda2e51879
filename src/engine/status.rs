//! How kubemend stands, for `status`, `/readyz` and the gauges.

use jiff::Timestamp;

use super::clock;
use super::shared::Shared;
use crate::cluster::kind::Watched;
use crate::cluster::{Cluster, KindStatus};
use crate::incident::{Brake, Status, Text};

/// The whole house in a few numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EngineStatus {
    pub at: Timestamp,
    pub paused: bool,
    pub open_incidents: usize,
    /// Subjects that wait for a look, and how many found no room so far.
    pub waiting: usize,
    pub left_out: u64,
    pub clusters: Vec<ClusterState>,
}

/// How kubemend stands to one cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClusterState {
    pub name: Text,
    pub connected: bool,
    pub kinds: Vec<KindState>,
}

/// How far one kind of objects is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KindState {
    pub kind: Text,
    pub synced: bool,
    pub objects: u64,
    pub unparsed: u64,
    /// Why it cannot be watched, where it cannot.
    pub trouble: Option<String>,
}

impl Shared {
    /// Sets the gauges.
    pub(super) fn measure(&self) {
        let (waiting, _) = self.subjects.load();
        metrics::gauge!("kubemend_incidents_open").set(as_gauge(self.open_incidents()));
        metrics::gauge!("kubemend_subjects_waiting").set(as_gauge(waiting));
        metrics::gauge!("kubemend_paused").set(if self.brake() == Brake::On { 1.0 } else { 0.0 });
    }

    fn open_incidents(&self) -> usize {
        let on = |status: &Status| !matches!(status, Status::Resolved { .. });
        self.ledger.held().iter().filter(|incident| on(&incident.status)).count()
    }

    pub(super) fn status(&self) -> EngineStatus {
        let (waiting, left_out) = self.subjects.load();
        EngineStatus {
            at: clock::now(),
            paused: self.brake() == Brake::On,
            open_incidents: self.open_incidents(),
            waiting,
            left_out,
            clusters: self.seats.values().map(|seat| state(&seat.cluster)).collect(),
        }
    }
}

fn as_gauge(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn state(cluster: &Cluster) -> ClusterState {
    let status = cluster.status();
    let kind = |kind: KindStatus| KindState {
        objects: Watched::of(kind.kind).map_or(0, |watched| cluster.cache().count(watched) as u64),
        kind: kind.kind.into(),
        synced: kind.synced,
        unparsed: kind.unparsed,
        trouble: kind.trouble,
    };
    ClusterState {
        name: status.name,
        connected: status.connected,
        kinds: status.kinds.into_iter().map(kind).collect(),
    }
}
