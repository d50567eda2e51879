//! Whole programs before servers that are not ours: the simulated cluster, strict stand-ins for chat, browsers.
//!
//! One binary, so that it is linked once and scenarios, which mostly wait, wait side by side. What needs a real
//! cluster is in `real_cluster.rs`.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    reason = "a program of the tests, not of the product: it fails by panicking and talks to a terminal"
)]

#[path = "../discord_scene/mod.rs"]
mod discord_scene;
#[path = "../support/fake_discord/mod.rs"]
mod fake_discord;
#[path = "../support/fake_provider/mod.rs"]
mod fake_provider;
#[path = "../support/fake_slack/mod.rs"]
mod fake_slack;
#[path = "../far_side/mod.rs"]
mod far_side;
#[path = "../scene/mod.rs"]
mod scene;
#[path = "../support/mod.rs"]
mod support;

mod both_chats;
mod cluster_blind;
mod cluster_storm;
mod cluster_watch;
mod console;
mod console_doors;
mod console_forged;
mod console_oidc;
mod corpus;
mod crash;
mod decisions;
mod discord;
mod discord_fake;
mod discord_faults;
mod discord_link;
mod discord_long;
mod discord_platform;
mod discord_restart;
mod discord_setup;
mod engine_sim;
mod faults;
mod fixtures_table;
mod http_api;
mod kill;
mod playbooks;
mod preview;
mod scenarios;
mod sim_api;
mod slack;
mod slack_faults;
mod slack_link;
mod slack_restart;
mod slack_ways;
mod windows;
