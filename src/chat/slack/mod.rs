//! Slack: the ways in, the Web API, and what people see there.
//!
//! Owns the link (Socket Mode or HTTP), recognising people, and putting messages, modals and the home where
//! they belong. Refuses to judge: a click goes to the desk with the verified user, and what comes back is shown.

pub mod hearing;
mod http;
pub mod inbound;
mod inbox;
mod seen;
pub mod settings;
mod socket;
mod views;
pub mod web;

use jiff::Timestamp;

/// Who says what time it is.
pub(crate) type Clock = fn() -> Timestamp;
