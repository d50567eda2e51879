//! What those who run kubemend look at: its log, its metrics, whether it is alive and ready.
//!
//! Owns the set-up of tracing and of the Prometheus recorder, and `/healthz`, `/readyz`, `/metrics`. Refuses
//! to know the rooms: whoever starts it says what readiness means. Metric labels come from closed sets (route
//! templates, status codes, our own enums, configured cluster names), never from what a cluster says.

pub mod health;
pub mod log;
pub mod metrics;

pub use health::{NotReady, Readiness, router};
pub use log::{Format, Settings, start_log};
pub use metrics::Metrics;
