//! What each method does.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::state::{Ephemeral, State, View};
use super::web::{Refused, json_answer, plain};
use super::{BOT_USER, FakeSlack, TEAM, blocks, files, show};

/// How long a trigger opens a modal.
const TRIGGER_LIVES: Duration = Duration::from_secs(3);
const RESPONSE_USES: u32 = 5;

pub type Outcome = Result<Value, Refused>;

pub fn call(slack: &FakeSlack, method: &str, arguments: &Value) -> Outcome {
    let address = slack.inner.sockets;
    slack.with(|state| match method {
        "auth.test" => Ok(json!({"url": "https://tests.slack.com/", "team": "Tests", "user": "kubemend",
            "team_id": TEAM, "user_id": BOT_USER, "bot_id": "BBOT"})),
        "apps.connections.open" => {
            let ticket = format!("ticket-{}", state.number());
            state.tickets.insert(ticket.clone());
            Ok(json!({"url": format!("ws://{address}/link/?ticket={ticket}")}))
        }
        "chat.postMessage" => post(state, arguments),
        "chat.update" => update(state, arguments),
        "chat.postEphemeral" => whisper(state, arguments),
        "conversations.info" => info(state, arguments),
        "conversations.history" => history(state, arguments),
        "conversations.replies" => replies(state, arguments),
        "views.open" => open(state, arguments),
        "views.update" => renew(state, arguments),
        "views.publish" => publish(state, arguments),
        "files.getUploadURLExternal" => files::place(state, arguments),
        "files.completeUploadExternal" => files::complete(state, arguments),
        "usergroups.list" => Ok(groups(state, arguments)),
        "users.info" => {
            let user = state.users.get(text(arguments, "user")).ok_or("user_not_found")?;
            Ok(json!({"user": user}))
        }
        "chat.getPermalink" => {
            let (channel, ts) = (text(arguments, "channel"), text(arguments, "message_ts"));
            state.message(channel, ts).ok_or("message_not_found")?;
            let url = format!("https://tests.slack.com/archives/{channel}/p{}", ts.replace('.', ""));
            Ok(json!({"channel": channel, "permalink": url}))
        }
        _ => Err("unknown_method".into()),
    })
}

pub fn text<'a>(arguments: &'a Value, name: &str) -> &'a str {
    arguments[name].as_str().unwrap_or_default()
}

/// The parts of a message that stay, checked.
fn content(arguments: &Value, longest: Option<usize>) -> Result<Value, Refused> {
    let mut message = json!({"type": "message", "user": BOT_USER, "bot_id": "BBOT", "team": TEAM});
    for name in ["text", "blocks", "attachments", "metadata", "thread_ts"] {
        if !arguments[name].is_null() {
            message[name] = arguments[name].clone();
        }
    }
    let said = text(arguments, "text");
    if said.is_empty() && arguments["blocks"].is_null() && arguments["attachments"].is_null() {
        return Err("no_text".into());
    }
    if longest.is_some_and(|longest| said.chars().count() > longest) {
        return Err("msg_too_long".into());
    }
    let mut found = Vec::new();
    if !arguments["blocks"].is_null() {
        found.extend(blocks::mistakes(&arguments["blocks"], 50, "/blocks"));
    }
    let attachments = arguments["attachments"].as_array().cloned().unwrap_or_default();
    if attachments.len() > 100 {
        return Err("too_many_attachments".into());
    }
    for (index, attachment) in attachments.iter().enumerate() {
        if !attachment["blocks"].is_null() {
            found.extend(blocks::mistakes(
                &attachment["blocks"],
                50,
                &format!("/attachments/{index}/blocks"),
            ));
        }
    }
    if !found.is_empty() {
        return Err(Refused::blocks(found));
    }
    if blocks::too_long(&json!([arguments["blocks"], arguments["attachments"]])) {
        return Err("msg_blocks_too_long".into());
    }
    if !arguments["metadata"].is_null() {
        let known = arguments["metadata"]["event_type"].is_string()
            && arguments["metadata"]["event_payload"].is_object();
        if !known {
            return Err("invalid_metadata_format".into());
        }
    }
    Ok(message)
}

pub fn reachable(state: &State, channel: &str) -> Result<(), Refused> {
    let channel = state.channels.get(channel).ok_or("channel_not_found")?;
    if channel.archived {
        return Err("is_archived".into());
    }
    if channel.member { Ok(()) } else { Err("not_in_channel".into()) }
}

fn post(state: &mut State, arguments: &Value) -> Outcome {
    let channel = text(arguments, "channel").to_owned();
    let mut message = content(arguments, None)?;
    reachable(state, &channel)?;
    let thread = text(arguments, "thread_ts").to_owned();
    if !thread.is_empty() {
        let parent = state.message(&channel, &thread).ok_or("cannot_reply_to_message")?;
        if parent["thread_ts"].as_str().is_some_and(|of| of != thread) {
            return Err("cannot_reply_to_message".into());
        }
    }
    let ts = state.ts();
    message["ts"] = json!(ts);
    show::note_pings(state, &message);
    let place = if thread.is_empty() { "posts" } else { "replies" };
    let line = format!("{} kubemend {place}: {}", state.channel_name(&channel), show::summary(&message));
    state.say(line);
    state.channels.get_mut(&channel).expect("it is reachable").messages.push(message.clone());
    Ok(json!({"channel": channel, "ts": ts, "message": message}))
}

fn update(state: &mut State, arguments: &Value) -> Outcome {
    let (channel, ts) = (text(arguments, "channel").to_owned(), text(arguments, "ts").to_owned());
    let content = content(arguments, Some(4000))?;
    let held = state.channels.get_mut(&channel).ok_or("channel_not_found")?;
    if held.archived {
        return Err("is_inactive".into());
    }
    let message =
        held.messages.iter_mut().find(|message| message["ts"] == ts.as_str()).ok_or("message_not_found")?;
    if message["user"] != BOT_USER {
        return Err("cant_update_message".into());
    }
    for name in ["text", "blocks", "attachments", "metadata"] {
        if !content[name].is_null() {
            message[name] = content[name].clone();
        }
    }
    message["edited"] = json!({"user": BOT_USER});
    let message = message.clone();
    show::note_pings(state, &message);
    let line = format!("{} kubemend edits: {}", state.channel_name(&channel), show::summary(&message));
    state.say(line);
    Ok(json!({"channel": channel, "ts": ts, "text": message["text"]}))
}

fn whisper(state: &mut State, arguments: &Value) -> Outcome {
    let (channel, user) = (text(arguments, "channel").to_owned(), text(arguments, "user").to_owned());
    let body = content(arguments, None)?;
    reachable(state, &channel)?;
    if !state.users.contains_key(&user) {
        return Err("user_not_in_channel".into());
    }
    keep_ephemeral(state, channel, user, body);
    Ok(json!({"message_ts": state.ts()}))
}

fn keep_ephemeral(state: &mut State, channel: String, user: String, body: Value) {
    let line = format!(
        "{} only {} sees: {}",
        state.channel_name(&channel),
        state.name_of(&user),
        show::summary(&body)
    );
    state.say(line);
    state.ephemerals.push(Ephemeral { channel, user, body });
}

fn info(state: &mut State, arguments: &Value) -> Outcome {
    let id = text(arguments, "channel");
    let channel = state.channels.get(id).ok_or("channel_not_found")?;
    Ok(json!({"channel": {"id": id, "name": channel.name, "is_channel": !channel.private,
        "is_private": channel.private, "is_archived": channel.archived, "is_member": channel.member}}))
}

fn history(state: &mut State, arguments: &Value) -> Outcome {
    let channel = state.channels.get(text(arguments, "channel")).ok_or("channel_not_found")?;
    if !channel.member {
        return Err("not_in_channel".into());
    }
    let top = channel.messages.iter().rev().filter(|message| message["thread_ts"].is_null());
    Ok(page(top, arguments))
}

fn replies(state: &mut State, arguments: &Value) -> Outcome {
    let channel = state.channels.get(text(arguments, "channel")).ok_or("channel_not_found")?;
    let ts = text(arguments, "ts");
    if !channel.messages.iter().any(|message| message["ts"] == ts) {
        return Err("thread_not_found".into());
    }
    let inside = channel.messages.iter().filter(|message| message["ts"] == ts || message["thread_ts"] == ts);
    Ok(page(inside, arguments))
}

/// Metadata is only told where it is asked for.
fn page<'m>(messages: impl Iterator<Item = &'m Value>, arguments: &Value) -> Value {
    let limit = &arguments["limit"];
    let limit = limit.as_u64().or_else(|| limit.as_str()?.parse().ok()).unwrap_or(100).min(999);
    let with = arguments["include_all_metadata"] == true || arguments["include_all_metadata"] == "true";
    let oldest = &arguments["oldest"];
    let oldest = oldest.as_str().unwrap_or_default();
    let latest = arguments["latest"].as_str().unwrap_or("9");
    let mut found: Vec<Value> = messages.filter(|message| within(message, oldest, latest)).cloned().collect();
    let has_more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(100));
    if !with {
        for message in &mut found {
            message.as_object_mut().expect("a message").remove("metadata");
        }
    }
    json!({"messages": found, "has_more": has_more})
}

fn within(message: &Value, oldest: &str, latest: &str) -> bool {
    let ts = message["ts"].as_str().unwrap_or_default();
    ts > oldest && ts < latest
}

fn open(state: &mut State, arguments: &Value) -> Outcome {
    let view = checked(arguments)?;
    let trigger = state.triggers.get_mut(text(arguments, "trigger_id")).ok_or("invalid_trigger_id")?;
    if trigger.made.elapsed() > TRIGGER_LIVES {
        return Err("expired_trigger_id".into());
    }
    if std::mem::replace(&mut trigger.used, true) {
        return Err("exchanged_trigger_id".into());
    }
    let user = trigger.user.clone();
    let id = format!("V{:06}", state.number());
    let line = format!("a modal opens for {}: {}", state.name_of(&user), show::summary(&view));
    state.say(line);
    state.views.insert(id.clone(), View { user, body: view.clone(), open: true });
    Ok(json!({"view": with_id(&view, &id)}))
}

fn renew(state: &mut State, arguments: &Value) -> Outcome {
    let view = checked(arguments)?;
    let id = text(arguments, "view_id").to_owned();
    let held = state.views.get_mut(&id).filter(|view| view.open).ok_or("not_found")?;
    held.body = view.clone();
    let user = held.user.clone();
    let line = format!("the modal of {} changes: {}", state.name_of(&user), show::summary(&view));
    state.say(line);
    Ok(json!({"view": with_id(&view, &id)}))
}

fn publish(state: &mut State, arguments: &Value) -> Outcome {
    let view = checked(arguments)?;
    let user = text(arguments, "user_id").to_owned();
    state.users.get(&user).ok_or("missing_profile_id")?;
    state.homes.insert(user, view.clone());
    Ok(json!({"view": with_id(&view, "VHOME")}))
}

fn with_id(view: &Value, id: &str) -> Value {
    let mut view = view.clone();
    view["id"] = json!(id);
    view["hash"] = json!("1.abc");
    view
}

fn checked(arguments: &Value) -> Outcome {
    let view = &arguments["view"];
    let found = blocks::view_mistakes(view);
    if !found.is_empty() {
        return Err(Refused::arguments(found.join("; ")));
    }
    if view.to_string().len() > 250 * 1024 {
        return Err("view_too_large".into());
    }
    Ok(view.clone())
}

/// What the acknowledgement of a filled-in modal makes of it.
pub fn conclude_view(state: &mut State, id: &str, reply: Option<&Value>) {
    let Some(view) = state.views.get_mut(id) else { return };
    match reply.and_then(|reply| reply["response_action"].as_str()) {
        Some("update") => {
            let body = reply.map(|reply| reply["view"].clone()).unwrap_or_default();
            let found = blocks::view_mistakes(&body);
            assert!(found.is_empty(), "an acknowledgement brings a view that Slack refuses: {found:?}");
            view.body = body;
        }
        Some("errors") => {}
        Some(_) | None => view.open = false,
    }
}

fn groups(state: &mut State, arguments: &Value) -> Value {
    let with = arguments["include_users"] == "true" || arguments["include_users"] == true;
    let group = |(id, users): (&String, &Vec<String>)| {
        let mut group = json!({"id": id, "handle": id.to_lowercase(), "name": id, "date_delete": 0});
        if with {
            group["users"] = json!(users);
        }
        group
    };
    json!({"usergroups": state.groups.iter().map(group).collect::<Vec<_>>()})
}

/// An answer at a response URL.
pub fn respond(slack: &FakeSlack, id: &str, body: &Value) -> Response {
    let allowed = [
        "text",
        "blocks",
        "attachments",
        "response_type",
        "replace_original",
        "delete_original",
        "thread_ts",
        "unfurl_links",
        "unfurl_media",
        "metadata",
    ];
    let unknown = body.as_object().is_none_or(|map| map.keys().any(|key| !allowed.contains(&key.as_str())));
    if unknown {
        return plain(StatusCode::BAD_REQUEST, "invalid_payload");
    }
    if let Err(refused) = content(body, None) {
        return json_answer(&json!({"ok": false, "error": refused.code, "errors": refused.errors}));
    }
    slack.with(|state| {
        let Some(url) = state.responses.get_mut(id).filter(|url| url.uses < RESPONSE_USES) else {
            return plain(StatusCode::NOT_FOUND, "used_url");
        };
        url.uses += 1;
        let (channel, user) = (url.channel.clone(), url.user.clone());
        if body["response_type"] == "in_channel" {
            let ts = state.ts();
            let mut message = content(body, None).expect("it was checked");
            message["ts"] = json!(ts);
            let line =
                format!("{} kubemend answers: {}", state.channel_name(&channel), show::summary(&message));
            state.say(line);
            show::note_pings(state, &message);
            if let Some(channel) = state.channels.get_mut(&channel) {
                channel.messages.push(message);
            }
        } else if body["replace_original"] == true {
            if let Some(held) =
                state.ephemerals.iter_mut().rev().find(|e| e.user == user && e.channel == channel)
            {
                held.body = body.clone();
            }
            let line = format!(
                "{} what {} sees changes: {}",
                state.channel_name(&channel),
                state.name_of(&user),
                show::summary(body)
            );
            state.say(line);
        } else {
            keep_ephemeral(state, channel, user, body.clone());
        }
        plain(StatusCode::OK, "ok")
    })
}

/// A trigger for a click or a command.
pub fn trigger(state: &mut State, user: &str) -> String {
    let id = format!("{}.{}.trigger", state.number(), TEAM);
    let made = super::state::Trigger { made: Instant::now(), used: false, user: user.to_owned() };
    state.triggers.insert(id.clone(), made);
    id
}
