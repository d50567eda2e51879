//! The Prometheus recorder of this process.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper bounds of the request histogram, in seconds.
const BUCKETS: [f64; 8] = [0.005, 0.02, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];
const UPKEEP: Duration = Duration::from_secs(5);

/// What has been counted so far.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder of this process; later calls give the same one.
    pub fn install() -> Self {
        Self(INSTALLED.get_or_init(install).clone())
    }

    /// The text that Prometheus scrapes.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Folds samples into histograms from time to time, so that they do not pile up where nobody scrapes.
    pub async fn keep_up(self, stop: CancellationToken) {
        let mut clock = tokio::time::interval(UPKEEP);
        while stop.run_until_cancelled(clock.tick()).await.is_some() {
            self.0.run_upkeep();
        }
    }
}

fn install() -> PrometheusHandle {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .expect("the list of buckets is not empty");
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // Another recorder, if any, was installed by whoever embeds this library; theirs then counts.
    drop(metrics::set_global_recorder(recorder));
    describe();
    handle
}

fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_gauge!("kubemend_build_info", "Always 1; the version is a label.");
    metrics::gauge!("kubemend_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    describe_counter!("kubemend_api_requests_total", "HTTP requests by route template and status.");
    describe_counter!("kubemend_api_refused_total", "HTTP requests without a known token.");
    describe_histogram!("kubemend_api_request_seconds", Unit::Seconds, "Time to answer an HTTP request.");
    describe_gauge!("kubemend_api_event_streams", "Event streams that are open.");
}
