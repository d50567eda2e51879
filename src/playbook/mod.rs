//! Playbooks: one file a condition, with how to recognise it, what it means, what can be done, and its tests.
//!
//! Owns the schema, reading and linting, the facts that conditions and templates see, and the remedies that
//! a playbook offers for a finding. Refuses to conclude anything from evidence (that is `diagnosis`) and to
//! plan changes (that is `actions`). After a book is loaded everything here is pure and bounded: patterns are
//! linear, conditions are short and do not nest.

mod book;
mod compiled;
mod condition;
mod facts;
mod nearest;
mod patterns;
mod problem;
mod remedy;
mod schema;
mod shipped;
mod trial;
mod view;

pub use crate::incident::{Candidate, CandidateStep as Step, Mode, WantedCheck};
pub use book::Book;
pub use compiled::Playbook;
pub use facts::{
    ClusterFacts, ContainerFacts, Facts, ImageView, Known, MissingFacts, NodeFacts, PodFacts, Refs,
    RegistryFacts, RolloutView, SecretView, SiblingFacts, SubjectFacts,
};
pub use nearest::nearest;
pub use patterns::{Hit, Says, Sight};
pub use problem::Problem;
pub use remedy::{chosen, manual, remedies};
pub use trial::{Trial, schema};
pub use view::facts as facts_of;
pub(crate) use view::{container_of, exit_meaning, meta, workload};
