//! Discord: the ways in, the REST API, and what people see there.
//!
//! Owns the link (gateway or HTTP), recognising people, and putting messages, modals and threads where they
//! belong. Refuses to judge: a click goes to the desk with the verified user, and what comes back is shown.

mod ack;
mod ears;
mod gateway;
mod http;
mod identity;
pub mod inbound;
mod inbox;
pub mod settings;
pub mod web;

pub use ack::{Acker, Deferred, Unanswered};
pub use ears::{Ears, Link};
pub use identity::People;
pub use inbox::Taken;
