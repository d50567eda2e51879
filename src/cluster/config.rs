//! What the room needs to be told: which cluster, how to get in, which namespaces, and how patient to be.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::cache::MOST_EVENTS;
use crate::incident::Text;

/// One cluster to watch.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// How people and records call it.
    pub name: Text,
    pub access: Access,
    /// Empty: all namespaces. Otherwise only these are listed and watched, each by itself, so that rights
    /// for them alone are enough.
    pub namespaces: Vec<Text>,
    pub timing: Timing,
    /// How many events are held; those that there is no room for are read when they are needed.
    pub events: usize,
    pub clock: Clock,
}

impl ClusterConfig {
    /// A cluster with ordinary patience, all namespaces.
    pub fn new(name: &str, access: Access) -> Self {
        Self {
            name: Text::new(name),
            access,
            namespaces: Vec::new(),
            timing: Timing::default(),
            events: MOST_EVENTS,
            clock: Clock::default(),
        }
    }
}

/// How to get in.
#[derive(Clone, Debug)]
pub enum Access {
    /// With the ServiceAccount of the pod we run in.
    InCluster,
    /// By kubeconfig: the given file or the usual ones; the given context or the current one.
    Kubeconfig { path: Option<PathBuf>, context: Option<String> },
    /// As a kube configuration that somebody has made.
    Direct(Box<kube::Config>),
}

/// How patient to be.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Whether to ask for streamed listings at all.
    pub stream_lists: bool,
    /// Until a trial of streamed listings counts as failed.
    pub probe: Duration,
    /// Until an answer must begin, and between parts of a listing.
    pub answer: Duration,
    /// After this long a silent watch is taken for dead. Servers send bookmarks about once a minute.
    pub idle: Duration,
    /// How long a server shall keep a watch open.
    pub watch: Duration,
    pub backoff: Duration,
    pub backoff_most: Duration,
    /// Until something forbidden is tried again.
    pub forbidden: Duration,
    /// The most that a `Retry-After` is obeyed.
    pub patience: Duration,
    /// Until the start goes on without kinds whose listing does not come.
    pub settle: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            stream_lists: true,
            probe: seconds(5),
            answer: seconds(30),
            idle: seconds(120),
            watch: seconds(290),
            backoff: Duration::from_millis(500),
            backoff_most: seconds(30),
            forbidden: seconds(300),
            patience: seconds(120),
            settle: seconds(20),
        }
    }
}

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that says what the function says.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock, unless another is given")]
    fn default() -> Self {
        Self::new(Timestamp::now)
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
