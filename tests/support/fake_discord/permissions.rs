//! Who may do what in which channel, as Discord computes it.

use super::form::Refused;
use super::state::{State, THREAD};
use super::{BOT_USER, FakeDiscord, GUILD};

pub const ADMINISTRATOR: u64 = 1 << 3;
pub const VIEW: u64 = 1 << 10;
pub const SEND: u64 = 1 << 11;
pub const MANAGE_MESSAGES: u64 = 1 << 13;
pub const EMBED: u64 = 1 << 14;
pub const ATTACH: u64 = 1 << 15;
pub const HISTORY: u64 = 1 << 16;
pub const MENTION_EVERYONE: u64 = 1 << 17;
pub const USE_COMMANDS: u64 = 1 << 31;
pub const MANAGE_THREADS: u64 = 1 << 34;
pub const CREATE_THREADS: u64 = 1 << 35;
pub const SEND_IN_THREADS: u64 = 1 << 38;

/// What everybody has in a fresh server, threads aside.
pub const EVERYONE: u64 = VIEW | SEND | HISTORY | USE_COMMANDS | SEND_IN_THREADS;
/// What a careful person gives a bot that tells alerts.
pub const BOT: u64 =
    VIEW | SEND | EMBED | ATTACH | HISTORY | CREATE_THREADS | SEND_IN_THREADS | USE_COMMANDS | MANAGE_THREADS;

/// What somebody may do in a channel. A thread has what its parent has.
pub fn of(state: &State, user: &str, channel: &str) -> u64 {
    let Some(held) = state.channels.get(channel) else { return 0 };
    let place = match &held.parent {
        Some(parent) if held.kind == THREAD => parent.as_str(),
        Some(_) | None => channel,
    };
    let Some(roles) = state.users.get(user).and_then(|user| user.roles.as_ref()) else { return 0 };
    let everyone = state.roles.get(GUILD).map_or(0, |role| role.permissions);
    let base = roles
        .iter()
        .filter_map(|role| state.roles.get(role))
        .fold(everyone, |all, role| all | role.permissions);
    if base & ADMINISTRATOR != 0 {
        return u64::MAX >> 11;
    }
    let overwrites =
        state.channels.get(place).map(|channel| channel.overwrites.as_slice()).unwrap_or_default();
    let (mut has, mut allow, mut deny) = (base, 0, 0);
    for (whom, allowed, denied) in overwrites {
        if whom == GUILD {
            has = (has & !denied) | allowed;
        } else if roles.contains(whom) {
            (allow, deny) = (allow | allowed, deny | denied);
        }
    }
    has = (has & !deny) | allow;
    for (whom, allowed, denied) in overwrites.iter().filter(|(whom, ..)| whom == user) {
        let _ = whom;
        has = (has & !denied) | allowed;
    }
    if has & VIEW == 0 { 0 } else { has }
}

/// Refuses the bot what it may not do in a channel: 50001 where it does not see it, 50013 for the rest.
pub fn need(state: &State, channel: &str, permissions: u64) -> Result<(), Refused> {
    let has = of(state, BOT_USER, channel);
    if has & VIEW == 0 {
        return Err(Refused::access());
    }
    if has & permissions == permissions { Ok(()) } else { Err(Refused::permission()) }
}

impl FakeDiscord {
    /// Takes a permission away from the bot in a channel.
    pub fn forbid(&self, channel: &str, permission: u64) {
        self.with(|state| {
            let channel = state.channels.get_mut(channel).expect("a channel");
            channel.overwrites.push((BOT_USER.to_owned(), 0, permission));
        });
    }

    /// Gives back whatever was taken away in a channel.
    pub fn allow_again(&self, channel: &str) {
        self.with(|state| state.channels.get_mut(channel).expect("a channel").overwrites.clear());
    }
}
