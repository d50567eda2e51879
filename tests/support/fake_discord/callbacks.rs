//! How interactions are answered: the first answer, and what follows over the interaction's webhook.

use std::time::Duration;

use serde_json::{Value, json};

use super::commands::check_choice;
use super::content::{self, EPHEMERAL, LOADING, Place};
use super::form::{Form, Refused};
use super::routes::{Asked, Outcome};
use super::state::{Ephemeral, Modal, State};
use super::{APPLICATION, components, messages, pings, show};

/// How long the token lives.
const TOKEN: Duration = Duration::from_secs(15 * 60);

pub const COMMAND: u8 = 2;
pub const COMPONENT: u8 = 3;
pub const COMPLETE: u8 = 4;
pub const SUBMIT: u8 = 5;

/// `POST /interactions/{id}/{token}/callback`.
pub fn callback(state: &mut State, id: &str, token: &str, asked: &Asked<'_>) -> Outcome {
    let shown = answer(state, id, Some(token), asked.body, asked.files)?;
    if asked.query("with_response").as_deref() != Some("true") {
        return Ok((204, Value::Null));
    }
    let interaction = &state.interactions[id];
    let mut answer = json!({"interaction": {"id": id, "type": interaction.kind}});
    let kind = asked.body["type"].as_u64().unwrap_or(0);
    if matches!(kind, 4 | 7) {
        answer["resource"] = json!({"type": kind, "message": shown});
    }
    Ok((200, answer))
}

/// Takes the first answer to an interaction, however it came; the message that it made or changed.
pub fn answer(
    state: &mut State,
    id: &str,
    token: Option<&str>,
    body: &Value,
    files: &[String],
) -> Result<Value, Refused> {
    let unknown = || Refused::new(404, 10062, "Unknown interaction");
    let (now, within) = (state.now(), state.first_within);
    let interaction = state.interactions.get_mut(id).ok_or_else(unknown)?;
    interaction.tries += 1;
    if token.is_some_and(|token| token != interaction.token) {
        return Err(unknown());
    }
    if interaction.answer.is_some() {
        return Err(Refused::new(400, 40060, "Interaction has already been acknowledged."));
    }
    if now > interaction.made + within {
        return Err(unknown());
    }
    let (kind, source) = (interaction.kind, interaction.source.clone());
    check(kind, source.is_some(), body, files)?;
    let interaction = state.interactions.get_mut(id).expect("it is there");
    interaction.answer = Some(body.clone());
    interaction.took = Some(interaction.sent.elapsed());
    let (user, channel) = (interaction.user.clone(), interaction.channel.clone());
    let data = &body["data"];
    Ok(match body["type"].as_u64().unwrap_or(0) {
        4 => create(state, id, data, files, 0),
        5 => create(state, id, data, files, LOADING),
        6 => {
            interaction_mut(state, id).original = source;
            Value::Null
        }
        7 => {
            let source = source.expect("it was checked");
            interaction_mut(state, id).original = Some(source.clone());
            change(state, &source, data)
        }
        8 => {
            interaction_mut(state, id).choices = Some(data["choices"].clone());
            Value::Null
        }
        _ => {
            state.modals.retain(|modal| modal.user != user || !modal.open);
            let line = format!("{} sees the modal: {}", state.name_of(&user), show::summary(data));
            state.say(line);
            state.modals.push(Modal { user, body: data.clone(), open: true, source, channel });
            Value::Null
        }
    })
}

fn interaction_mut<'a>(state: &'a mut State, id: &str) -> &'a mut super::state::Interaction {
    state.interactions.get_mut(id).expect("it is there")
}

/// Which answers fit which interaction, and what they may hold.
fn check(kind: u8, has_source: bool, body: &Value, files: &[String]) -> Result<(), Refused> {
    let mut form = Form::default();
    form.keys(body, &["type", "data"], "");
    let answer = body["type"].as_u64().unwrap_or(0);
    let fits = match answer {
        4 | 5 => kind != COMPLETE,
        6 | 7 => has_source && kind != COMPLETE,
        8 => kind == COMPLETE,
        9 => matches!(kind, COMMAND | COMPONENT),
        _ => false,
    };
    if !fits {
        form.wrong("type", "BASE_TYPE_CHOICES", "This answer does not fit the interaction.");
    }
    match answer {
        5 => {
            form.keys(&json!(body["data"].as_object().cloned().unwrap_or_default()), &["flags"], "data");
            if body["data"]["flags"].as_u64().unwrap_or(0) & !EPHEMERAL != 0 {
                form.wrong("data.flags", "INVALID_MESSAGE_FLAGS", "Only EPHEMERAL may be set here");
            }
        }
        8 => {
            form.keys(&body["data"], &["choices"], "data");
            for (at, choice) in form.list(&body["data"], "choices", 0, 25, "data") {
                check_choice(&choice, &mut form, &at);
            }
        }
        9 => components::modal(&body["data"], &mut form, "data"),
        _ => {}
    }
    form.conclude()?;
    match answer {
        4 => content::check(&body["data"], Place::Answer, files, "data")?,
        7 => content::check(&body["data"], Place::AnswerEdit, files, "data")?,
        _ => {}
    }
    let empty = answer == 4 && content::is_empty(&body["data"]) && files.is_empty();
    if empty { Err(Refused::empty()) } else { Ok(()) }
}

/// Makes the message that answers.
fn create(state: &mut State, id: &str, data: &Value, files: &[String], flags: u64) -> Value {
    let (user, channel) = {
        let interaction = &state.interactions[id];
        (interaction.user.clone(), interaction.channel.clone())
    };
    let message = place(state, &user, &channel, data, files, flags);
    interaction_mut(state, id).original = message["id"].as_str().map(str::to_owned);
    message
}

fn place(state: &mut State, user: &str, channel: &str, data: &Value, files: &[String], flags: u64) -> Value {
    let mut message = messages::kept(state, channel, data, files);
    let flags = message["flags"].as_u64().unwrap_or(0) | flags;
    message["flags"] = json!(flags);
    message["type"] = json!(20);
    message["application_id"] = json!(APPLICATION);
    message["webhook_id"] = json!(APPLICATION);
    let only = flags & EPHEMERAL != 0;
    if flags & LOADING == 0 {
        tell(state, user, channel, &message, only);
        if !only {
            pings::note(state, channel, &message, &data["allowed_mentions"], pings::Default::Users);
        }
    }
    if only {
        state.ephemerals.push(Ephemeral { user: user.to_owned(), body: message.clone() });
    } else if let Some(held) = state.channels.get_mut(channel) {
        held.messages.push(message.clone());
    }
    message
}

fn tell(state: &mut State, user: &str, channel: &str, message: &Value, only: bool) {
    let (place, summary) = (state.channel_name(channel), show::summary(message));
    let line = if only {
        format!("{place} only {} sees: {summary}", state.name_of(user))
    } else {
        format!("{place} kubemend answers: {summary}")
    };
    state.say(line);
}

/// Puts something else into a message that is there.
fn change(state: &mut State, id: &str, data: &Value) -> Value {
    let now = state.timestamp();
    let Some(message) = state.any_message_mut(id) else { return Value::Null };
    messages::fill(message, data);
    let flags = message["flags"].as_u64().unwrap_or(0) & !LOADING;
    message["flags"] = json!(flags);
    message["edited_timestamp"] = json!(now);
    message.clone()
}

/// Everything under `/webhooks/{application}/{token}`.
pub fn webhook(
    state: &mut State,
    route: &str,
    token: &str,
    message: Option<&str>,
    asked: &Asked<'_>,
) -> Outcome {
    let unknown = || Refused::new(404, 10015, "Unknown Webhook");
    let now = state.now();
    let found = state.interactions.iter().find(|(_, interaction)| interaction.token == token);
    let (id, interaction) = found.ok_or_else(unknown)?;
    if now > interaction.made + TOKEN {
        return Err(Refused::new(401, 50027, "Invalid Webhook Token"));
    }
    // Before the first answer there is nothing to follow up on; after a modal or completion neither.
    if !matches!(interaction.answer.as_ref().and_then(|answer| answer["type"].as_u64()), Some(4..=7)) {
        return Err(unknown());
    }
    let (id, user, channel) = (id.clone(), interaction.user.clone(), interaction.channel.clone());
    let original = interaction.original.clone();
    let wanted = message
        .map(str::to_owned)
        .or_else(|| route.ends_with("@original").then(|| original.clone()).flatten());
    let there = wanted.filter(|id| state.any_message(id).is_some());
    match route.split(' ').next() {
        Some("POST") => {
            content::check(asked.body, Place::Answer, asked.files, "")?;
            if content::is_empty(asked.body) && asked.files.is_empty() {
                return Err(Refused::empty());
            }
            let waits = original.clone().filter(|id| is_loading(state, id));
            Ok((
                200,
                match waits {
                    Some(waits) => filled(state, &waits, (&user, &channel), asked.body),
                    None => place(state, &user, &channel, asked.body, asked.files, 0),
                },
            ))
        }
        Some("PATCH") => {
            content::check(asked.body, Place::AnswerEdit, asked.files, "")?;
            let there = there.ok_or_else(Refused::unknown_message)?;
            let mut after = state.any_message(&there).cloned().unwrap_or_default();
            messages::fill(&mut after, asked.body);
            if content::is_empty(&after) && asked.files.is_empty() {
                return Err(Refused::empty());
            }
            Ok((200, filled(state, &there, (&user, &channel), asked.body)))
        }
        Some("DELETE") => {
            let there = there.ok_or_else(Refused::unknown_message)?;
            state.ephemerals.retain(|own| own.body["id"] != there.as_str());
            for channel in state.channels.values_mut() {
                channel.messages.retain(|own| own["id"] != there.as_str());
            }
            let _ = id;
            Ok((204, Value::Null))
        }
        _ => {
            let there = there.ok_or_else(Refused::unknown_message)?;
            Ok((200, state.any_message(&there).cloned().unwrap_or_default()))
        }
    }
}

fn is_loading(state: &State, id: &str) -> bool {
    state.any_message(id).is_some_and(|message| message["flags"].as_u64().unwrap_or(0) & LOADING != 0)
}

/// Edits an answer, and says who sees it.
fn filled(state: &mut State, id: &str, (user, channel): (&str, &str), body: &Value) -> Value {
    let was_loading = is_loading(state, id);
    let message = change(state, id, body);
    let only = message["flags"].as_u64().unwrap_or(0) & EPHEMERAL != 0;
    tell(state, user, channel, &message, only);
    if was_loading && !only {
        pings::note(state, channel, &message, &body["allowed_mentions"], pings::Default::Users);
    }
    message
}
