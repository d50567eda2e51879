//! The simulated API server, asked over HTTP: with the real kube client, with kubectl, and by hand.

mod support;

mod access;
mod client;
mod faults;
mod kubectl;
mod kubectl_more;
mod lifecycle;
