//! Channels, as they are read and changed.

use serde_json::{Value, json};

use super::form::{Form, Refused};
use super::permissions::{self, MANAGE_THREADS, SEND_IN_THREADS, VIEW};
use super::routes::Outcome;
use super::state::{FORUM, State, THREAD};
use super::{BOT_USER, GUILD, gateway};

/// A channel as Discord shows it.
pub fn shown(state: &State, id: &str) -> Value {
    let channel = &state.channels[id];
    let last = channel.messages.last().map(|message| message["id"].clone());
    if channel.kind == THREAD {
        let since = state.timestamp();
        return json!({"id": id, "type": THREAD, "guild_id": GUILD, "name": channel.name, "flags": 0,
            "parent_id": channel.parent, "owner_id": channel.owner, "last_message_id": last,
            "message_count": channel.messages.len(), "member_count": 1, "total_message_sent": channel.messages.len(),
            "rate_limit_per_user": 0, "applied_tags": channel.tags.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            "thread_metadata": {"archived": channel.archived, "archive_timestamp": since, "locked": channel.locked,
                "auto_archive_duration": 10080, "create_timestamp": since}});
    }
    let overwrites: Vec<Value> = channel
        .overwrites
        .iter()
        .map(|(whom, allow, deny)| {
            let kind = u8::from(!state.roles.contains_key(whom));
            json!({"id": whom, "type": kind, "allow": allow.to_string(), "deny": deny.to_string()})
        })
        .collect();
    let mut shown = json!({"id": id, "type": channel.kind, "guild_id": GUILD, "name": channel.name, "flags": 0,
        "position": 0, "parent_id": channel.parent, "permission_overwrites": overwrites, "nsfw": false,
        "rate_limit_per_user": 0, "topic": null, "last_message_id": last});
    if channel.kind == FORUM {
        shown["flags"] = json!(if channel.needs_tag { 1 << 4 } else { 0 });
        let tags = channel.tags.iter().map(|(id, name)| {
            json!({"id": id, "name": name, "moderated": false, "emoji_id": null, "emoji_name": null})
        });
        shown["available_tags"] = tags.collect();
    }
    shown
}

pub fn get(state: &mut State, id: &str) -> Outcome {
    state.channels.get(id).ok_or_else(Refused::unknown_channel)?;
    permissions::need(state, id, VIEW)?;
    Ok((200, shown(state, id)))
}

/// Changes a thread: its name, its tags, whether it is archived or locked.
pub fn change(state: &mut State, id: &str, body: &Value) -> Outcome {
    let channel = state.channels.get(id).ok_or_else(Refused::unknown_channel)?;
    if channel.kind != THREAD {
        return Err(Refused::permission());
    }
    let mut form = Form::default();
    form.keys(
        body,
        &[
            "name",
            "archived",
            "locked",
            "auto_archive_duration",
            "applied_tags",
            "rate_limit_per_user",
            "flags",
        ],
        "",
    );
    form.text(body, "name", 1, 100, "");
    form.truth(body, "archived", "");
    form.truth(body, "locked", "");
    let parent = channel.parent.clone().unwrap_or_default();
    check_tags(state, &parent, body, &mut form);
    form.conclude()?;
    let channel = &state.channels[id];
    let may = permissions::of(state, BOT_USER, id);
    if may & VIEW == 0 {
        return Err(Refused::access());
    }
    let manages = may & MANAGE_THREADS != 0;
    let opens = body["archived"] == false;
    if channel.archived && !opens {
        return Err(Refused::new(400, 50083, "Thread is archived"));
    }
    let own = channel.owner == BOT_USER;
    let only_opens = opens && body.as_object().is_some_and(|map| map.len() == 1);
    let allowed = manages
        || !channel.locked && body["locked"].is_null() && (own || only_opens && may & SEND_IN_THREADS != 0);
    if !allowed {
        return Err(Refused::permission());
    }
    apply(state, id, &parent, body);
    let shown = shown(state, id);
    gateway::dispatch(state, "THREAD_UPDATE", &shown, gateway::GUILDS);
    Ok((200, shown))
}

fn apply(state: &mut State, id: &str, parent: &str, body: &Value) {
    let known = state.channels.get(parent).map(|forum| forum.tags.clone()).unwrap_or_default();
    let before = state.channel_name(id);
    let channel = state.channels.get_mut(id).expect("it is there");
    let mut told = Vec::new();
    if let Some(name) = body["name"].as_str() {
        name.clone_into(&mut channel.name);
        told.push(format!("is called {name}"));
    }
    for (name, flag) in [("archived", &mut channel.archived), ("locked", &mut channel.locked)] {
        if let Some(set) = body[name].as_bool() {
            *flag = set;
            told.push(format!("{name}: {set}"));
        }
    }
    if let Some(tags) = body["applied_tags"].as_array() {
        channel.tags = known.into_iter().filter(|(id, _)| tags.iter().any(|tag| tag == id)).collect();
        let names: Vec<&str> = channel.tags.iter().map(|(_, name)| name.as_str()).collect();
        told.push(format!("tags: {}", names.join(", ")));
    }
    state.say(format!("{before} {}", told.join("; ")));
}

/// At most five tags, each of the forum's.
pub fn check_tags(state: &State, forum: &str, body: &Value, form: &mut Form) {
    let known = state.channels.get(forum).map(|forum| forum.tags.clone()).unwrap_or_default();
    for (at, tag) in form.list(body, "applied_tags", 0, 5, "") {
        form.snowflake(&tag, &at);
        if !known.iter().any(|(id, _)| tag == id.as_str()) {
            form.wrong(&at, "INVALID_FORUM_TAG", "Unknown tag");
        }
    }
}
