//! The simulated API server, asked over HTTP: with the real kube client, with kubectl, and by hand.
#![allow(unreachable_pub, reason = "modules of one test binary")]

#[path = "sim_api/support.rs"]
mod support;

#[path = "sim_api/client.rs"]
mod client;
#[path = "sim_api/faults.rs"]
mod faults;
#[path = "sim_api/kubectl.rs"]
mod kubectl;
#[path = "sim_api/lifecycle.rs"]
mod lifecycle;
