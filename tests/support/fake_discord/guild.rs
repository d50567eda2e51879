//! The server: people, roles, what the app is.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::form::Refused;
use super::routes::Outcome;
use super::state::{Channel, FORUM, Role, State, THREAD, User};
use super::{APPLICATION, BOT_USER, FakeDiscord, GUILD, channels, endpoint};

/// Somebody.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Member,
    Bot,
    /// Has an account, and is not in the server.
    Stranger,
}

impl FakeDiscord {
    /// Adds somebody; with roles if they are in the server.
    pub fn add_user(&self, id: &str, name: &str, kind: Kind, roles: &[&str]) {
        let roles: BTreeSet<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let roles = (kind != Kind::Stranger).then_some(roles);
        let user = User { name: name.to_owned(), bot: kind == Kind::Bot, roles, timed_out: false };
        self.with(|state| state.users.insert(id.to_owned(), user));
    }

    pub fn add_role(&self, id: &str, name: &str, mentionable: bool) {
        let role = Role { name: name.to_owned(), permissions: 0, mentionable };
        self.with(|state| state.roles.insert(id.to_owned(), role));
    }

    /// Adds a forum with those tags.
    pub fn add_forum(&self, id: &str, name: &str, tags: &[&str]) {
        self.with(|state| {
            let tags = tags.iter().map(|tag| (state.snowflake(), (*tag).to_owned())).collect();
            let forum = Channel { name: name.to_owned(), kind: FORUM, tags, ..Channel::default() };
            state.channels.insert(id.to_owned(), forum);
        });
    }
}

pub fn user(state: &State, id: &str) -> Value {
    let bot = state.users.get(id).is_some_and(|user| user.bot);
    json!({"id": id, "username": state.name_of(id), "discriminator": "0", "global_name": null, "avatar": null,
        "bot": bot, "public_flags": 0, "flags": 0, "primary_guild": null})
}

pub fn own_user(state: &State) -> Value {
    let mut own = user(state, BOT_USER);
    own["mfa_enabled"] = json!(true);
    own["locale"] = json!("en-US");
    own["verified"] = json!(true);
    own
}

pub fn own_guilds(_state: &State) -> Value {
    json!([{"id": GUILD, "name": "tests", "icon": null, "banner": null, "owner": false, "permissions": "0", "features": []}])
}

pub fn application(state: &State) -> Value {
    let owner = json!({"id": "110000000000000099", "username": "owner", "discriminator": "0", "global_name": null,
        "avatar": null, "public_flags": 0, "flags": 0, "primary_guild": null});
    json!({"id": APPLICATION, "name": "kubemend", "icon": null, "description": "", "type": null,
        "bot": user(state, BOT_USER), "verify_key": endpoint::public_key(), "flags": 0, "flags_new": "0",
        "redirect_uris": [], "interactions_endpoint_url": state.endpoint, "role_connections_verification_url": null,
        "owner": owner, "approximate_guild_count": 1, "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0, "explicit_content_filter": 0, "team": null,
        "eligible_oauth2_scopes": []})
}

/// Somebody as a member of the server.
pub fn member_of(state: &State, id: &str) -> Option<Value> {
    let held = state.users.get(id)?;
    let roles = held.roles.as_ref()?;
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let until = held.timed_out.then(|| format!("{until:.6}").replace('Z', "+00:00"));
    Some(json!({"user": user(state, id), "roles": roles, "nick": null, "avatar": null, "banner": null,
        "joined_at": "2024-01-01T00:00:00.000000+00:00", "premium_since": null, "deaf": false, "mute": false,
        "pending": false, "flags": 0, "communication_disabled_until": until}))
}

fn known(guild: &str) -> Result<(), Refused> {
    if guild == GUILD { Ok(()) } else { Err(Refused::unknown_guild()) }
}

pub fn member(state: &mut State, guild: &str, id: &str) -> Outcome {
    known(guild)?;
    let missing =
        if state.users.contains_key(id) { (10007, "Unknown Member") } else { (10013, "Unknown User") };
    Ok((200, member_of(state, id).ok_or_else(|| Refused::new(404, missing.0, missing.1))?))
}

fn roles_of(state: &State) -> Value {
    let roles = state.roles.iter().enumerate().map(|(position, (id, role))| {
        json!({"id": id, "name": role.name, "permissions": role.permissions.to_string(), "position": position,
            "color": 0, "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null},
            "hoist": false, "managed": false, "mentionable": role.mentionable, "icon": null,
            "unicode_emoji": null, "flags": 0})
    });
    roles.collect()
}

pub fn roles(state: &mut State, guild: &str) -> Outcome {
    known(guild)?;
    Ok((200, roles_of(state)))
}

pub fn channels(state: &mut State, guild: &str) -> Outcome {
    known(guild)?;
    let own = state.channels.iter().filter(|(_, channel)| channel.kind != THREAD);
    Ok((200, own.map(|(id, _)| channels::shown(state, id)).collect()))
}

pub fn whole(state: &mut State, guild: &str) -> Outcome {
    known(guild)?;
    Ok((
        200,
        json!({"id": GUILD, "name": "tests", "icon": null, "description": null, "home_header": null,
        "splash": null, "discovery_splash": null, "features": [], "banner": null, "owner_id": "110000000000000099",
        "application_id": null, "region": "us-west", "afk_channel_id": null, "afk_timeout": 300,
        "system_channel_id": null, "system_channel_flags": 0, "widget_enabled": false, "widget_channel_id": null,
        "verification_level": 0, "roles": roles_of(state), "default_message_notifications": 0, "mfa_level": 0,
        "explicit_content_filter": 0, "max_presences": null, "max_members": 500_000,
        "max_stage_video_channel_users": 50, "max_video_channel_users": 25, "vanity_url_code": null,
        "premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": "en-US", "rules_channel_id": null,
        "safety_alerts_channel_id": null, "public_updates_channel_id": null, "premium_progress_bar_enabled": false,
        "nsfw": false, "nsfw_level": 0, "emojis": [], "stickers": [], "incidents_data": null}),
    ))
}
