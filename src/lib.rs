//! kubemend watches Kubernetes clusters, explains what is broken and why, and, when someone entitled to
//! it approves, carries out a documented remedy, checks that it helped, and writes down who did what.
//!
//! # One way through
//!
//! ```text
//! cluster event / object change / chat command / schedule
//!   -> Signal        what was seen, about which object
//!   -> Evidence      what else is known, frozen and redacted, with its own `at`
//!   -> Finding       a condition id, quoted evidence, variables
//!   -> Incident      findings with one cause: one record, however many objects they hit
//!   -> Proposal      a remedy with its parameters filled in and a Plan: exact changes, checks, a digest
//!   -> Approval      decisions by identified people about that digest, under a policy
//!   -> Execution     journalled changes; intent stored before, receipt after
//!   -> Verification  the plan's checks on fresh evidence: fixed / not fixed / regressed / unknown
//! ```
//!
//! Every step is an entry of the incident; the entries are the audit log.
//!
//! # Rooms, in reading order
//!
//! | room | owns | kind |
//! |---|---|---|
//! | [`incident`] | objects, signals, evidence, findings, plans, entries; the fold over them | pure |
//! | [`playbook`] | the schema of playbooks, loading, linting, their tests | pure after load |
//! | [`diagnosis`] | evidence to findings, by playbook | pure |
//! | [`actions`] | parameters and evidence to a plan; one file per action | pure |
//! | [`gate`] | who may approve what, until when; mints the permit | pure |
//! | [`cluster`] | the only room holding a kube client: watch, gather, apply | edge |
//! | [`store`] | incidents and their entries, durable | edge |
//! | [`api`] | `/api/v1`: JSON over HTTP for people and programs | edge |
//! | [`chat`] | cards, words, layouts, commands, routes and the outbox that all platforms share | edge |
//! | [`engine`] | the one loop: input, entry, store, next step, effect, input | knows rooms |
//! | [`app`] | builds each room from its configuration, starts and stops tasks | knows rooms |
//! | [`config`] | every room's settings, read once; every mistake reported together | edge |
//! | [`cli`] | one file per subcommand | edge |
//! | [`ops`] | tracing, metrics, health | edge |
//! | [`sim`] | a simulated cluster behind a real HTTP API | the far side |
//!
//! `api` is not among the rooms the design first named. It stands beside `chat` because it is no platform
//! with cards and threads: it answers requests, for the terminal, the console and programs alike, and goes
//! through the same gate.
//!
//! # Invariants
//!
//! 1. Nothing changes a cluster without a recorded decision: [`gate`] alone mints a permit, and the writer
//!    in [`cluster`] accepts nothing else.
//! 2. Before each change the target is read again; what is stale is not done.
//! 3. A change happens at most once: its intent is stored before, its receipt after, and a change whose
//!    effect is unknown is looked up, never re-sent blindly.
//! 4. Deciding is synchronous and takes plain values, `now` included; doing makes no choices.
//! 5. No secret leaves the cluster; untrusted text stays text; every queue, cache and list is bounded.
//!
//! Arrows between rooms point inward, to `incident`. `tests/tidy.rs` reads the imports and holds the table.

pub mod actions;
pub mod api;
pub mod app;
pub mod chat;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod diagnosis;
pub mod engine;
pub mod gate;
pub mod incident;
pub mod ops;
pub mod playbook;
pub mod sim;
pub mod store;
