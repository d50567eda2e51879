//! From evidence to findings, by playbook.
//!
//! Owns what is computed from evidence (which secret covers which registry, which names come near, which
//! revision was good), the judgement which playbook fits best, and the finding that comes of it. Refuses to
//! read anything and to know the time: evidence carries its own. No finding is an answer.

mod assemble;
mod conclude;
mod coverage;
mod explain;
mod image;
mod judge;
mod pieces;
mod references;
mod rollout;
mod trial;
mod trouble;
mod wants;

pub use assemble::assemble;
pub use conclude::diagnose;
pub use explain::{Context, Explanation, Message, States, cause, explain};
pub use image::ImageName;
pub use trial::{Failure, run};
pub use trouble::registry_trouble;
pub use wants::{wants, wants_of_pod};
