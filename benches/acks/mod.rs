//! What both benchmarks of acknowledgements stand on: a thousand open incidents, an API server that says nothing, the
//! parts of a chat platform, and what was measured in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kubemend::chat::desk::Desk;
use kubemend::chat::layout::Layouts;
use kubemend::chat::paper::Paper;
use kubemend::chat::route::Routes;
use kubemend::chat::words::Words;
use kubemend::chat::{samples, settings};
use kubemend::cluster::{Access, Cluster, ClusterConfig};
use kubemend::engine::{Engine, Handle, Options, Parts, Post};
use kubemend::gate::{GateConfig, Policy};
use kubemend::incident::{Entry, Evidence, IncidentId, Text, apply};
use kubemend::playbook::Book;
use kubemend::store::{Append, Store};
use serde_json::json;

pub(crate) const INCIDENTS: usize = 1_000;
/// One click or command each.
pub(crate) const EVERY: Duration = Duration::from_millis(20);
/// How slow the platform takes a message.
pub(crate) const SLOW: Duration = Duration::from_millis(150);

/// Fills a store with open incidents.
pub(crate) async fn fill(store: &Store) {
    let sample = samples::incident();
    for number in 1..=INCIDENTS {
        let id = IncidentId::from(format!("i-{number}").as_str());
        let mut finding = sample.finding.clone();
        finding.key.cluster = "stalled".into();
        finding.subject.cluster = "stalled".into();
        finding.key.place.name = Text::from(format!("Deployment shop/web-{number}"));
        let entry = Entry::Opened {
            finding: Box::new(finding),
            evidence: Box::new(Evidence::default()),
            members: sample.members.clone(),
        };
        let now = jiff::Timestamp::now();
        let state = apply(None, &id, now, &entry).expect("an incident opens");
        store.append(&Append { state, entries: vec![(now, entry)] }).await.expect("it is stored");
    }
}

/// An API server that takes connections and says nothing.
pub(crate) async fn stalled() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    url
}

/// An engine over that store and that API server; one person of the platform may look.
pub(crate) async fn engine(store: Store, url: &str, via: &str, person: &str) -> Engine {
    let config = kube::Config::new(url.parse().expect("a URL"));
    let access = Access::Direct(Box::new(config));
    let cluster = Cluster::connect(ClusterConfig::new("stalled", access)).await.expect("a client");
    let policy: GateConfig = serde_json::from_value(json!({
        "roles": {"viewer": {}},
        "people": {"ann": {"roles": ["viewer"], "identities": [{"via": via, "id": person}]}},
    }))
    .expect("a policy");
    let parts = Parts {
        options: Options::default(),
        store,
        book: Book::shipped(),
        policy: Policy::new(policy).expect("no mistakes"),
        posts: vec![Post { cluster, context: "stalled".to_owned(), impersonation: None }],
    };
    Engine::new(parts).await.expect("the store works")
}

/// What a platform is made of besides its own settings: everything goes into one of its channels.
pub(crate) fn parts(handle: &Handle, platform: &str, channel: &str) -> (Desk, Paper, Arc<Routes>) {
    let routes = serde_json::from_value(json!([
        {"name": "all", "to": {platform: [channel]}, "budget": {"messages": 1000, "perMinutes": 10}}
    ]))
    .expect("a route");
    let chat = settings::Settings { routes, ..settings::Settings::default() };
    let words = Arc::new(Words::shipped("en"));
    let paper = Paper { layouts: Arc::new(Layouts::shipped()), words: Arc::clone(&words) };
    let routes = Arc::new(Routes::new(&chat).expect("no mistakes"));
    (Desk::new(handle.clone(), words), paper, routes)
}

/// Waits for the moment at which something is due.
pub(crate) async fn due(started: Instant, number: usize) {
    let at = started + EVERY * u32::try_from(number).unwrap_or_default();
    tokio::time::sleep_until(at.into()).await;
}

/// Waits until something holds.
pub(crate) async fn until(is: impl Fn() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < Duration::from_secs(300), "it does not begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How long things took, in order.
pub(crate) struct Took(Vec<Duration>);

impl Took {
    pub(crate) fn new(mut took: Vec<Duration>) -> Self {
        took.sort();
        Self(took)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// So many milliseconds that share of them took at most.
    pub(crate) fn at(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0
    }

    /// The columns of a table: p50, p90, p99 and the slowest.
    pub(crate) fn columns(&self) -> String {
        [0.5, 0.9, 0.99, 1.0].map(|share| format!("{:.2}", self.at(share))).join(" | ")
    }
}
