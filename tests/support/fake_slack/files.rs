//! Files: asked for, uploaded, shared.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::calls::{Outcome, reachable, text};
use super::state::{File, State};
use super::web::plain;
use super::{BOT_USER, FakeSlack, TEAM};

pub fn place(state: &mut State, arguments: &Value) -> Outcome {
    let length = &arguments["length"];
    let length = length.as_u64().or_else(|| length.as_str()?.parse().ok()).unwrap_or(0);
    if length == 0 {
        return Err("missing_argument".into());
    }
    let id = format!("F{:06}", state.number());
    let name = text(arguments, "filename").to_owned();
    let length = usize::try_from(length).unwrap_or_default();
    state.files.push(File { id: id.clone(), name, length, content: None, shared: None });
    Ok(json!({"upload_url": format!("{}/upload/{id}", state.own_url), "file_id": id}))
}

pub fn upload(slack: &FakeSlack, id: &str, body: &[u8]) -> Response {
    slack.with(|state| match state.files.iter_mut().find(|file| file.id == id) {
        Some(file) if file.length == body.len() && file.content.is_none() => {
            file.content = Some(body.to_vec());
            plain(StatusCode::OK, "OK")
        }
        Some(_) => plain(StatusCode::BAD_REQUEST, "wrong length"),
        None => plain(StatusCode::NOT_FOUND, "no such place"),
    })
}

pub fn complete(state: &mut State, arguments: &Value) -> Outcome {
    let channel = text(arguments, "channel_id").to_owned();
    let thread = text(arguments, "thread_ts").to_owned();
    reachable(state, &channel)?;
    let mut shown = Vec::new();
    for asked in arguments["files"].as_array().cloned().unwrap_or_default() {
        let (id, title) = (text(&asked, "id").to_owned(), asked["title"].clone());
        let file = state.files.iter_mut().find(|file| file.id == id).ok_or("file_not_found")?;
        if file.content.is_none() || file.shared.is_some() {
            return Err("file_update_failed".into());
        }
        file.shared = Some((channel.clone(), thread.clone()));
        shown.push(json!({"id": id, "name": file.name, "title": title}));
    }
    let ts = state.ts();
    let names: Vec<String> = shown.iter().map(|file| text(file, "name").to_owned()).collect();
    let line = format!("{} kubemend shares {}", state.channel_name(&channel), names.join(", "));
    state.say(line);
    let mut message = json!({"type": "message", "user": BOT_USER, "bot_id": "BBOT", "team": TEAM, "ts": ts,
        "text": "", "files": shown});
    if !thread.is_empty() {
        message["thread_ts"] = json!(thread);
    }
    state.channels.get_mut(&channel).expect("it is reachable").messages.push(message);
    Ok(
        json!({"files": shown.iter().map(|file| json!({"id": file["id"], "title": file["title"]})).collect::<Vec<_>>()}),
    )
}
