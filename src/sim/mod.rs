//! A simulated cluster. (charter below)

pub mod api;
mod controllers;
mod events;
pub mod kubelet;
pub mod objects;
pub mod registry;
pub mod tempo;
