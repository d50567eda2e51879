//! The simulated API server, asked over HTTP: with the real kube client, with kubectl, and by hand.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of the tests, not of the product: it fails by panicking and talks to a terminal"
)]
#![allow(unreachable_pub, reason = "modules of one test binary")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` makes values to be given away")]

#[path = "sim_api/support.rs"]
mod support;

#[path = "sim_api/access.rs"]
mod access;
#[path = "sim_api/client.rs"]
mod client;
#[path = "sim_api/faults.rs"]
mod faults;
#[path = "sim_api/kubectl.rs"]
mod kubectl;
#[path = "sim_api/kubectl_more.rs"]
mod kubectl_more;
#[path = "sim_api/lifecycle.rs"]
mod lifecycle;
