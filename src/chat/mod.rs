//! Cards, threads, buttons and forms: what all chat platforms share.
//!
//! Owns the message about an incident before any platform ([`card`]), what a button means ([`press`]), text
//! that stays text in every dialect ([`dialect`], [`cut`]), words and layouts ([`words`], [`layout`]), the
//! command `/mend` ([`command`]) and its answers ([`desk`]), who is speaking ([`identity`]), where it goes
//! ([`route`]) and getting it there once ([`outbox`]), and whether a platform can be heard ([`hearing`], [`gaps`]). A platform is a folder here that implements
//! [`outbox::Platform`] and hands clicks and commands to the desk; it reports a click, it does not judge it.
//!
//! Refuses clusters and stores: everything is asked of `engine::Handle`.

pub mod answer;
pub mod card;
pub mod check;
pub mod command;
pub mod console;
pub mod cut;
pub mod desk;
pub mod dialect;
pub mod discord;
pub mod fit;
pub mod gaps;
mod hands;
mod heard;
pub mod hearing;
pub mod identity;
pub mod layout;
pub mod limits;
pub mod link;
pub mod outbox;
mod owed;
pub mod paper;
mod pause;
mod pointed;
pub mod press;
pub mod route;
pub mod samples;
pub mod secret;
mod seen;
pub mod settings;
pub mod slack;
mod tasks;
pub mod tell;
pub mod templates;
mod waiting;
pub mod words;
