//! What a message may hold: text, embeds, flags, files; and what becomes of it when it is kept.

use serde_json::{Value, json};

use super::components;
use super::form::{Form, Refused, join, length};

/// Where a message is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Channel,
    Edit,
    /// The first message of a forum post.
    Post,
    /// An answer to an interaction, or a followup.
    Answer,
    /// Another text for such an answer.
    AnswerEdit,
}

const SUPPRESS_EMBEDS: u64 = 1 << 2;
pub const EPHEMERAL: u64 = 1 << 6;
pub const LOADING: u64 = 1 << 7;
const QUIET: u64 = 1 << 12;
const URLS: &[&str] = &["http", "https"];
const PICTURES: &[&str] = &["http", "https", "attachment"];

/// Every mistake in a message's body.
pub fn check(body: &Value, place: Place, files: &[String], at: &str) -> Result<(), Refused> {
    let mut form = Form::default();
    let common = ["content", "embeds", "allowed_mentions", "components", "attachments", "flags"];
    let own: &[&str] = match place {
        Place::Channel => &["tts", "nonce", "enforce_nonce", "message_reference", "sticker_ids"],
        Place::Answer => &["tts"],
        Place::Edit | Place::Post | Place::AnswerEdit => &[],
    };
    form.keys(body, &[&common[..], own].concat(), at);
    form.text(body, "content", 0, 2000, at);
    form.truth(body, "tts", at);
    form.truth(body, "enforce_nonce", at);
    if !body["nonce"].is_i64() {
        form.text(body, "nonce", 0, 25, at);
    }
    flags(body, place, &mut form, at);
    embeds(body, &mut form, at);
    components::in_message(body, &mut form, at);
    mentions(&body["allowed_mentions"], &mut form, &join(at, "allowed_mentions"));
    attachments(body, files, &mut form, at);
    form.conclude()
}

fn flags(body: &Value, place: Place, form: &mut Form, at: &str) {
    form.number(body, "flags", 0, i64::from(i32::MAX), at);
    let allowed = match place {
        Place::Channel | Place::Post => SUPPRESS_EMBEDS | QUIET,
        Place::Answer => SUPPRESS_EMBEDS | QUIET | EPHEMERAL,
        Place::Edit | Place::AnswerEdit => SUPPRESS_EMBEDS,
    };
    if body["flags"].as_u64().unwrap_or(0) & !allowed != 0 {
        form.wrong(&join(at, "flags"), "INVALID_MESSAGE_FLAGS", "These flags cannot be set here");
    }
}

fn embeds(body: &Value, form: &mut Form, at: &str) {
    let list = form.list(body, "embeds", 0, 10, at);
    let mut sum = 0;
    for (at, embed) in list {
        let named = [
            "title",
            "description",
            "url",
            "timestamp",
            "color",
            "footer",
            "image",
            "thumbnail",
            "author",
            "fields",
        ];
        form.keys(&embed, &[&["type", "video", "provider"], &named[..]].concat(), &at);
        form.text(&embed, "title", 0, 256, &at);
        form.text(&embed, "description", 0, 4096, &at);
        form.url(&embed, "url", 2048, URLS, &at);
        form.number(&embed, "color", 0, 0xff_ffff, &at);
        if let Some(time) = embed["timestamp"].as_str()
            && time.parse::<jiff::Timestamp>().is_err()
        {
            let told = format!("Could not parse {time}. Should be ISO8601.");
            form.wrong(&join(&at, "timestamp"), "DATETIME_TYPE_PARSE", told);
        }
        part(&embed["footer"], &["text", "icon_url"], ("text", 2048), form, &join(&at, "footer"));
        part(&embed["author"], &["name", "url", "icon_url"], ("name", 256), form, &join(&at, "author"));
        form.url(&embed["author"], "url", 2048, URLS, &join(&at, "author"));
        for picture in ["image", "thumbnail"] {
            form.url(&embed[picture], "url", 2048, PICTURES, &join(&at, picture));
        }
        for (at, field) in form.list(&embed, "fields", 0, 25, &at) {
            form.keys(&field, &["name", "value", "inline"], &at);
            form.truth(&field, "inline", &at);
            for (name, most) in [("name", 256), ("value", 1024)] {
                form.text(&field, name, 0, most, &at);
                if field[name].as_str().is_none_or(|text| text.trim().is_empty()) {
                    form.wrong(&join(&at, name), "BASE_TYPE_REQUIRED", "This field is required");
                }
            }
        }
        let shows = ["title", "description", "image", "thumbnail", "author", "footer"];
        let some = shows.iter().any(|name| !embed[name].is_null())
            || embed["fields"].as_array().is_some_and(|fields| !fields.is_empty());
        if !some {
            form.wrong(&join(&at, "description"), "BASE_TYPE_REQUIRED", "This field is required");
        }
        sum += size(&embed);
    }
    if sum > 6000 {
        let told = "Embed size exceeds maximum size of 6000";
        form.wrong(&join(at, "embeds"), "MAX_EMBED_SIZE_EXCEEDED", told);
    }
}

fn part(value: &Value, keys: &[&str], (name, most): (&str, usize), form: &mut Form, at: &str) {
    if value.is_null() {
        return;
    }
    form.keys(value, keys, at);
    form.needed(value, name, at);
    form.text(value, name, 0, most, at);
    form.url(value, "icon_url", 2048, PICTURES, at);
}

fn size(embed: &Value) -> usize {
    let count = |value: &Value| value.as_str().map_or(0, |text| length(text.trim()));
    let fields = embed["fields"].as_array().into_iter().flatten();
    let fields: usize = fields.map(|field| count(&field["name"]) + count(&field["value"])).sum();
    let own = [&embed["title"], &embed["description"], &embed["footer"]["text"], &embed["author"]["name"]];
    fields + own.into_iter().map(count).sum::<usize>()
}

fn mentions(allowed: &Value, form: &mut Form, at: &str) {
    if allowed.is_null() {
        return;
    }
    form.keys(allowed, &["parse", "users", "roles", "replied_user"], at);
    for (at, kind) in form.list(allowed, "parse", 0, 3, at) {
        if !matches!(kind.as_str(), Some("users" | "roles" | "everyone")) {
            form.wrong(&at, "BASE_TYPE_CHOICES", "Value must be one of {'roles', 'users', 'everyone'}.");
        }
    }
    for name in ["users", "roles"] {
        let listed = form.list(allowed, name, 0, 100, at);
        for (at, id) in &listed {
            form.snowflake(id, at);
        }
        let parses = allowed["parse"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == name));
        if parses && !listed.is_empty() {
            let told = format!("parse:[\"{name}\"] and {name}: [ids...] are mutually exclusive.");
            form.wrong(at, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", told);
        }
    }
}

fn attachments(body: &Value, files: &[String], form: &mut Form, at: &str) {
    if files.len() > 10 {
        form.wrong(&join(at, "attachments"), "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.");
    }
    for (at, item) in form.list(body, "attachments", 0, 10, at) {
        form.keys(&item, &["id", "filename", "description"], &at);
        form.text(&item, "filename", 1, 1024, &at);
        form.text(&item, "description", 0, 1024, &at);
        // Numbers are taken as well, but the document knows text alone.
        if item["id"].as_str().is_none_or(|id| id.parse::<usize>().is_err()) {
            form.wrong(&join(&at, "id"), "NUMBER_TYPE_COERCE", "Value is not snowflake.");
        }
    }
}

/// Whether nobody would see anything.
pub fn is_empty(body: &Value) -> bool {
    let some = |name: &str| body[name].as_array().is_some_and(|items| !items.is_empty());
    body["content"].as_str().is_none_or(|text| text.trim().is_empty())
        && !some("embeds")
        && !some("attachments")
        && !some("components")
        && !some("sticker_ids")
}

/// The embeds as Discord gives them back.
pub fn kept_embeds(embeds: &Value) -> Value {
    let mut list = embeds.as_array().cloned().unwrap_or_default();
    for embed in &mut list {
        embed["type"] = json!("rich");
        if let Some(map) = embed.as_object_mut() {
            map.retain(|_, value| !value.is_null() && *value != json!([]));
        }
        for field in embed.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
            if field["inline"].is_null() {
                field["inline"] = json!(false);
            }
        }
    }
    json!(list)
}
