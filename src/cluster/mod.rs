//! (charter follows with the room)

pub mod apply;
pub mod preview;
pub mod rights;
