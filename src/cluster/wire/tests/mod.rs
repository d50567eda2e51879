//! Decoding against recorded objects of a real cluster and odd inputs made by hand.

mod dumps;
mod pull_secrets;
mod recorded;
mod watch_lines;
