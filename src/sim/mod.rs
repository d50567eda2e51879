//! (charter follows with the room)

pub mod api;
