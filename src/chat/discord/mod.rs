//! Discord: the ways in, its REST API, and what people see there.
//!
//! Owns the link (gateway or HTTP), recognising people, and putting messages, modals and threads where they
//! belong. Refuses to judge: a click goes to the desk with the verified member, and what comes back is shown.

mod completion;
mod forms;
pub mod permissions;
pub mod registration;
mod views;
