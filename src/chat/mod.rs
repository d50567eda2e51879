//! Cards, threads, buttons and forms, and the platforms they appear on.
//!
//! Will own the layouts and the links of Slack, Discord and the console. A platform reports a click with a
//! verified identity; it does not judge it. Nothing is in this room yet: the HTTP API and the demo's terminal
//! are the ways in so far.

pub mod console;
