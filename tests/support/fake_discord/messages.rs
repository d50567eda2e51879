//! Messages in channels and threads.

use std::time::Duration;

use serde_json::{Value, json};

use super::content::{self, Place};
use super::form::{Form, Refused};
use super::permissions::{
    self, ATTACH, EMBED, HISTORY, MANAGE_MESSAGES, MANAGE_THREADS, SEND, SEND_IN_THREADS, VIEW,
};
use super::routes::{Asked, Outcome};
use super::state::{FORUM, State, THREAD};
use super::{BOT_USER, GUILD, components, gateway, guild, pings, show};

/// How long a nonce is remembered.
const NONCES: Duration = Duration::from_secs(5 * 60);

/// Whether the bot may write there at all.
pub fn writable(state: &mut State, channel: &str, body: &Value, files: &[String]) -> Result<(), Refused> {
    let held = state.channels.get(channel).ok_or_else(Refused::unknown_channel)?;
    if held.kind == FORUM {
        return Err(Refused::new(400, 50008, "Cannot send messages in a non-text channel"));
    }
    let thread = held.kind == THREAD;
    permissions::need(state, channel, if thread { SEND_IN_THREADS } else { SEND })?;
    content_allowed(state, channel, body, files)?;
    let held = &state.channels[channel];
    if held.locked && permissions::of(state, BOT_USER, channel) & MANAGE_THREADS == 0 {
        return Err(Refused::new(403, 160_005, "Thread is locked"));
    }
    if thread && held.archived {
        state.channels.get_mut(channel).expect("it is there").archived = false;
        let line = format!("{} is open again", state.channel_name(channel));
        state.say(line);
    }
    Ok(())
}

fn content_allowed(state: &State, channel: &str, body: &Value, files: &[String]) -> Result<(), Refused> {
    if body["embeds"].as_array().is_some_and(|embeds| !embeds.is_empty()) {
        permissions::need(state, channel, EMBED)?;
    }
    if files.is_empty() { Ok(()) } else { permissions::need(state, channel, ATTACH) }
}

/// A message as Discord keeps it.
pub fn kept(state: &mut State, channel: &str, body: &Value, files: &[String]) -> Value {
    let id = state.snowflake();
    let mut message = json!({"id": id, "type": 0, "channel_id": channel, "author": guild::user(state, BOT_USER),
        "content": "", "embeds": [], "components": [], "attachments": [], "mentions": [], "mention_roles": [],
        "mention_everyone": false, "pinned": false, "tts": false, "flags": 0,
        "timestamp": state.timestamp(), "edited_timestamp": null});
    message["flags"] = json!(body["flags"].as_u64().unwrap_or(0));
    fill(&mut message, body);
    let files = files.iter().enumerate().map(|(index, name)| {
        let url = format!("https://cdn.discordapp.com/attachments/{channel}/{index}/{name}");
        json!({"id": (index + 1).to_string(), "filename": name, "size": 1, "url": url, "proxy_url": url})
    });
    message["attachments"] = files.collect();
    message
}

/// Puts what a body names into a message.
pub fn fill(message: &mut Value, body: &Value) {
    if let Some(text) = body["content"].as_str() {
        message["content"] = json!(text.trim());
    } else if body.get("content").is_some() {
        message["content"] = json!("");
    }
    if body.get("embeds").is_some() {
        message["embeds"] = content::kept_embeds(&body["embeds"]);
    }
    if body.get("components").is_some() {
        message["components"] = components::given_back(&body["components"]);
    }
}

pub fn post(state: &mut State, channel: &str, asked: &Asked<'_>) -> Outcome {
    content::check(asked.body, Place::Channel, asked.files, "")?;
    writable(state, channel, asked.body, asked.files)?;
    if content::is_empty(asked.body) && asked.files.is_empty() {
        return Err(Refused::empty());
    }
    let reference = &asked.body["message_reference"];
    if let Some(id) = reference["message_id"].as_str()
        && reference["fail_if_not_exists"] != false
        && state.message(channel, id).is_none()
    {
        let mut form = Form::default();
        form.wrong("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message");
        form.conclude()?;
    }
    let nonce = asked.body["nonce"].as_str().map(str::to_owned);
    if let Some(there) = nonce.as_deref().and_then(|nonce| known(state, channel, nonce, asked.body)) {
        return Ok((200, there));
    }
    let mut message = kept(state, channel, asked.body, asked.files);
    pings::note(state, channel, &message, &asked.body["allowed_mentions"], pings::Default::All);
    let line = format!("{} kubemend posts: {}", state.channel_name(channel), show::summary(&message));
    state.say(line);
    state.channels.get_mut(channel).expect("it is writable").messages.push(message.clone());
    if let Some(nonce) = nonce {
        let id = message["id"].as_str().expect("it has an id").to_owned();
        let now = state.now();
        state.named.insert(id.clone(), nonce.clone());
        state.nonces.push((channel.to_owned(), nonce.clone(), id, now));
        message["nonce"] = json!(nonce);
    }
    let mut event = message.clone();
    event["guild_id"] = json!(GUILD);
    gateway::dispatch(state, "MESSAGE_CREATE", &event, gateway::GUILD_MESSAGES);
    Ok((200, message))
}

/// The message that was posted with that nonce a short while ago, where the nonce is to be enforced.
fn known(state: &mut State, channel: &str, nonce: &str, body: &Value) -> Option<Value> {
    let now = state.now();
    state.nonces.retain(|(.., since)| *since + NONCES > now);
    if body["enforce_nonce"] != true {
        return None;
    }
    let (.., id, _) = state.nonces.iter().find(|(place, own, ..)| place == channel && own == nonce)?;
    let mut message = state.message(channel, id)?.clone();
    message["nonce"] = json!(nonce);
    Some(message)
}

pub fn edit(state: &mut State, channel: &str, id: &str, asked: &Asked<'_>) -> Outcome {
    let held = state.channels.get(channel).ok_or_else(Refused::unknown_channel)?;
    let (archived, thread) = (held.archived, held.kind == THREAD);
    permissions::need(state, channel, VIEW)?;
    let message = state.message(channel, id).ok_or_else(Refused::unknown_message)?;
    if message["author"]["id"] != BOT_USER {
        return Err(Refused::new(403, 50005, "Cannot edit a message authored by another user"));
    }
    content::check(asked.body, Place::Edit, asked.files, "")?;
    if thread && archived {
        return Err(Refused::new(400, 50083, "Thread is archived"));
    }
    content_allowed(state, channel, asked.body, asked.files)?;
    let mut message = message_of(state, channel, id);
    fill(&mut message, asked.body);
    if content::is_empty(&message) {
        return Err(Refused::empty());
    }
    message["edited_timestamp"] = json!(state.timestamp());
    put(state, channel, &message);
    let line = format!("{} kubemend edits: {}", state.channel_name(channel), show::summary(&message));
    state.say(line);
    gateway::dispatch(state, "MESSAGE_UPDATE", &message, gateway::GUILD_MESSAGES);
    Ok((200, with_thread(state, message)))
}

fn message_of(state: &State, channel: &str, id: &str) -> Value {
    state.message(channel, id).cloned().expect("it is there")
}

/// Puts a message in the place of its former self.
pub fn put(state: &mut State, channel: &str, message: &Value) {
    let held = state.channels.get_mut(channel).expect("it is there");
    let place = held.messages.iter_mut().find(|own| own["id"] == message["id"]).expect("it is there");
    *place = message.clone();
}

pub fn get(state: &mut State, channel: &str, id: &str) -> Outcome {
    state.channels.get(channel).ok_or_else(Refused::unknown_channel)?;
    permissions::need(state, channel, HISTORY)?;
    let message = state.message(channel, id).cloned().ok_or_else(Refused::unknown_message)?;
    Ok((200, with_thread(state, message)))
}

pub fn delete(state: &mut State, channel: &str, id: &str) -> Outcome {
    let held = state.channels.get(channel).ok_or_else(Refused::unknown_channel)?;
    let message = held.messages.iter().find(|own| own["id"] == id).ok_or_else(Refused::unknown_message)?;
    if message["author"]["id"] != BOT_USER {
        permissions::need(state, channel, MANAGE_MESSAGES)?;
    }
    state.channels.get_mut(channel).expect("it is there").messages.retain(|own| own["id"] != id);
    Ok((204, Value::Null))
}

pub fn list(state: &mut State, channel: &str, asked: &Asked<'_>) -> Outcome {
    let held = state.channels.get(channel).ok_or_else(Refused::unknown_channel)?;
    permissions::need(state, channel, VIEW)?;
    let given = json!({"limit": asked.query("limit").map(|text| text.parse::<i64>().map_or(json!(text), |n| json!(n)))});
    let mut form = Form::default();
    form.number(&given, "limit", 1, 100, "");
    form.conclude()?;
    // Without the permission to read what was, Discord shows nothing and says nothing.
    if permissions::of(state, BOT_USER, channel) & HISTORY == 0 {
        return Ok((200, json!([])));
    }
    let limit = given["limit"].as_u64().unwrap_or(50) as usize;
    let number = |id: &str| id.parse::<u64>().unwrap_or_default();
    let id = |message: &Value| number(message["id"].as_str().unwrap_or_default());
    let mut found: Vec<Value> = held.messages.clone();
    if let Some(before) = asked.query("before") {
        found.retain(|message| id(message) < number(&before));
    }
    if let Some(after) = asked.query("after") {
        found.retain(|message| id(message) > number(&after));
        found.truncate(limit);
    }
    found.reverse();
    found.truncate(limit);
    let found: Vec<Value> = found.into_iter().map(|message| with_thread(state, message)).collect();
    Ok((200, json!(found)))
}

/// With the thread that began at it.
fn with_thread(state: &State, mut message: Value) -> Value {
    let id = message["id"].as_str().unwrap_or_default().to_owned();
    let starts = state.channels.get(&id).is_some_and(|thread| message["channel_id"] == json!(thread.parent));
    if starts {
        message["thread"] = super::channels::shown(state, &id);
        message["flags"] = json!(message["flags"].as_u64().unwrap_or(0) | 1 << 5);
    }
    message
}
