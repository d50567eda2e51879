//! Slack: the ways in, the Web API, and what people see there.
//!
//! Owns the link (Socket Mode or HTTP), recognising people, and putting messages, modals and the home where
//! they belong. Refuses to judge: a click goes to the desk with the verified user, and what comes back is shown.

mod aloud;
mod answer;
pub mod doctor;
mod ears;
mod front;
mod groups;
mod homes;
mod http;
mod identity;
pub mod inbound;
mod inbox;
pub mod manifest;
mod missed;
mod platform;
mod service;
pub mod settings;
mod socket;
mod views;
pub mod web;

pub use ears::{Ears, Link};
pub use identity::People;
pub use inbox::Taken;
pub use platform::Channels;
pub use service::{Parts, Slack};
