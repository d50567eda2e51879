//! Getting messages to a platform: each once, in order, the newest state, nothing dropped.
//!
//! Level-triggered: what should stand in a channel is rendered from the incident as it is and compared with
//! what was last shown there. What is under way is stored before it is sent: a message carries a nonce, and
//! after a crash or a lost answer the platform is asked whether it has it.

mod platform;

pub use platform::{ChannelTrouble, MessageId, Outgoing, Platform, PostError, Scope, Sent, ThreadId};
