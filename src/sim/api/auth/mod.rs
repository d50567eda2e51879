//! Who may do what: tokens to users, RBAC, and the reviews that answer questions about it.

pub(super) mod builtin;
pub(super) mod rbac;
pub(super) mod review;
pub(super) mod tokens;
