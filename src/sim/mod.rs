//! (charter follows with the room)
