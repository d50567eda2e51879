//! Who may do what, and the permit to do it.
//!
//! Owns the policy (people, roles, approvals by risk), the judgement of each decision, and [`Permit`], without
//! which the writer in `cluster` does nothing. Refuses clients, stores and clocks: every function takes plain
//! values, `now` included, and returns a value. Denies by default: who is not named, or named without a grant
//! that fits, may do nothing; a list without entries is nobody.
//!
//! Rights are asked twice: when somebody decides ([`decide()`]) and again when the change is about to be made
//! ([`permit()`]), by the policy of that moment.

mod config;
mod decide;
mod glob;
mod permit;
mod policy;
mod refusal;

#[cfg(test)]
mod tests;

pub use config::{
    ApprovalConfig, ApprovalsConfig, GateConfig, GrantConfig, GroupConfig, IdentityConfig, PersonConfig,
    RoleConfig,
};
pub use decide::{decide, enough, proposal_policy};
pub use glob::matches as glob_matches;
pub use permit::{Permit, permit};
pub use policy::{Ask, Members, Person, Policy, Right, can, may};
pub use refusal::Refusal;
