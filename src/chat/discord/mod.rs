//! Discord: the ways in, its REST API, and what people see there.
//!
//! Owns the link (gateway or HTTP), recognising people, and putting messages, modals and threads where they
//! belong. Refuses to judge: a click goes to the desk with the verified member, and what comes back is shown.

mod ack;
mod again;
mod answer;
mod completion;
pub mod doctor;
mod ears;
mod forms;
mod front;
mod gateway;
mod http;
mod identity;
pub mod inbound;
mod inbox;
mod lane;
pub mod permissions;
mod platform;
pub mod register;
pub mod registration;
mod service;
pub mod settings;
mod views;
pub mod web;

pub use ack::{Acked, Acker, Deferred, First, Open, Unanswered};
pub use ears::{Ears, Link};
pub use gateway::INTENTS;
pub use identity::People;
pub use inbox::Taken;
pub use platform::Channels;
pub use service::{Discord, Parts};
