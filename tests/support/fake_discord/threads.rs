//! Threads and forum posts.

use serde_json::{Value, json};

use super::content::{self, Place};
use super::form::{Form, Refused};
use super::permissions::{self, CREATE_THREADS, HISTORY, SEND, VIEW};
use super::routes::{Asked, Outcome};
use super::state::{Channel, FORUM, State, TEXT, THREAD};
use super::{BOT_USER, GUILD, channels, gateway, messages, pings, show};

const DURATIONS: &[i64] = &[60, 1440, 4320, 10080];

fn check_name(body: &Value, form: &mut Form) {
    form.needed(body, "name", "");
    form.text(body, "name", 1, 100, "");
    let lasts = &body["auto_archive_duration"];
    if !lasts.is_null() && !lasts.as_i64().is_some_and(|lasts| DURATIONS.contains(&lasts)) {
        form.wrong(
            "auto_archive_duration",
            "BASE_TYPE_CHOICES",
            "Value must be one of (60, 1440, 4320, 10080).",
        );
    }
}

fn thread(parent: &str, body: &Value) -> Channel {
    Channel {
        name: body["name"].as_str().unwrap_or_default().to_owned(),
        kind: THREAD,
        parent: Some(parent.to_owned()),
        owner: BOT_USER.to_owned(),
        ..Channel::default()
    }
}

/// Begins a thread at a message; it has the message's id.
pub fn from_message(state: &mut State, channel: &str, id: &str, body: &Value) -> Outcome {
    let held = state.channels.get(channel).ok_or_else(Refused::unknown_channel)?;
    if held.kind != TEXT {
        return Err(Refused::new(400, 50024, "Cannot execute action on this channel type"));
    }
    permissions::need(state, channel, VIEW | CREATE_THREADS)?;
    state.message(channel, id).ok_or_else(Refused::unknown_message)?;
    let mut form = Form::default();
    form.keys(body, &["name", "auto_archive_duration", "rate_limit_per_user"], "");
    check_name(body, &mut form);
    form.conclude()?;
    if state.channels.contains_key(id) || state.removed.contains(id) {
        return Err(Refused::new(400, 160_004, "A thread has already been created for this message"));
    }
    state.channels.insert(id.to_owned(), thread(channel, body));
    let line = format!("{} begins", state.channel_name(id));
    state.say(line);
    let shown = channels::shown(state, id);
    gateway::dispatch(state, "THREAD_CREATE", &shown, gateway::GUILDS);
    Ok((201, shown))
}

/// Begins a thread that belongs to no message.
fn apart(state: &mut State, channel: &str, body: &Value) -> Outcome {
    permissions::need(state, channel, VIEW | CREATE_THREADS)?;
    let mut form = Form::default();
    form.keys(body, &["name", "type", "auto_archive_duration", "rate_limit_per_user", "invitable"], "");
    check_name(body, &mut form);
    // Without a type it would be a private thread, which needs another permission.
    if body["type"] != THREAD {
        form.wrong("type", "BASE_TYPE_CHOICES", "Value must be one of {11}.");
    }
    form.conclude()?;
    let id = state.snowflake();
    state.channels.insert(id.clone(), thread(channel, body));
    let line = format!("{} begins apart", state.channel_name(&id));
    state.say(line);
    Ok((201, channels::shown(state, &id)))
}

/// A post in a forum: a thread with its first message, which has the same id.
pub fn post(state: &mut State, channel: &str, asked: &Asked<'_>) -> Outcome {
    let held = state.channels.get(channel).ok_or_else(Refused::unknown_channel)?;
    if held.kind == TEXT {
        return apart(state, channel, asked.body);
    }
    if held.kind != FORUM {
        return Err(Refused::new(400, 50024, "Cannot execute action on this channel type"));
    }
    let needs_tag = held.needs_tag;
    permissions::need(state, channel, VIEW | SEND)?;
    let body = asked.body;
    let mut form = Form::default();
    let named = ["name", "auto_archive_duration", "rate_limit_per_user", "message", "applied_tags"];
    form.keys(body, &named, "");
    check_name(body, &mut form);
    form.needed(body, "message", "");
    channels::check_tags(state, channel, body, &mut form);
    form.conclude()?;
    content::check(&body["message"], Place::Post, asked.files, "message")?;
    if body["message"]["embeds"].as_array().is_some_and(|embeds| !embeds.is_empty()) {
        permissions::need(state, channel, permissions::EMBED)?;
    }
    let tags = body["applied_tags"].as_array().cloned().unwrap_or_default();
    if needs_tag && tags.is_empty() {
        return Err(Refused::new(400, 40067, "A tag is required to create a forum post in this channel"));
    }
    if content::is_empty(&body["message"]) && asked.files.is_empty() {
        return Err(Refused::empty());
    }
    let mut message = messages::kept(state, channel, &body["message"], asked.files);
    let id = message["id"].as_str().expect("it has an id").to_owned();
    message["channel_id"] = json!(id);
    let mut post = thread(channel, body);
    let known = state.channels[channel].tags.clone();
    post.tags = known.into_iter().filter(|(id, _)| tags.iter().any(|tag| tag == id.as_str())).collect();
    let names: Vec<&str> = post.tags.iter().map(|(_, name)| name.as_str()).collect();
    let told = format!("tagged {}: {}", names.join(", "), show::summary(&message));
    post.messages.push(message.clone());
    state.channels.insert(id.clone(), post);
    let line = format!("{} begins, {told}", state.channel_name(&id));
    state.say(line);
    pings::note(state, &id, &message, &body["message"]["allowed_mentions"], pings::Default::All);
    let mut shown = channels::shown(state, &id);
    gateway::dispatch(state, "THREAD_CREATE", &shown, gateway::GUILDS);
    shown["message"] = message;
    Ok((201, shown))
}

fn list(state: &State, of: impl Fn(&Channel) -> bool) -> Value {
    let threads = state.channels.iter().filter(|(_, channel)| channel.kind == THREAD && of(channel));
    let threads: Vec<Value> = threads.map(|(id, _)| channels::shown(state, id)).collect();
    json!({"threads": threads, "members": [], "has_more": false, "first_messages": []})
}

pub fn active(state: &mut State, guild: &str) -> Outcome {
    if guild != GUILD {
        return Err(Refused::unknown_guild());
    }
    Ok((200, list(state, |channel| !channel.archived)))
}

pub fn archived(state: &mut State, channel: &str) -> Outcome {
    state.channels.get(channel).ok_or_else(Refused::unknown_channel)?;
    permissions::need(state, channel, HISTORY)?;
    Ok((200, list(state, |thread| thread.archived && thread.parent.as_deref() == Some(channel))))
}
