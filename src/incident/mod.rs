//! (charter follows)
