//! Messages as people read them, for transcripts; and what in them can be pressed or filled in.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::content::{EPHEMERAL, LOADING};
use super::state::{FORUM, State};
use super::{BOT_USER, FakeDiscord};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[name].as_array().into_iter().flatten()
}

/// The first line of what is shown.
pub fn summary(body: &Value) -> String {
    let embed = &body["embeds"][0];
    let parts =
        [text(embed, "title"), text(embed, "description"), text(body, "content"), text(body, "title")];
    let first = parts.into_iter().find(|text| !text.is_empty()).unwrap_or("(no text)");
    read(first.lines().next().unwrap_or_default())
}

/// Text as people read it: a backslash takes the meaning from the mark behind it, and is not seen; in code it
/// is.
fn read(text: &str) -> String {
    let (mut shown, mut code) = (String::with_capacity(text.len()), false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some(next)) if !code && next.is_ascii_punctuation() => shown.extend(rest.next()),
            ('`', _) => {
                code = !code;
                shown.push(c);
            }
            _ => shown.push(c),
        }
    }
    shown
}

/// A whole message, or a modal.
pub fn message(body: &Value) -> String {
    read(&written(body))
}

fn written(body: &Value) -> String {
    let mut shown = String::new();
    if body["custom_id"].is_string() {
        return modal(body);
    }
    if body["flags"].as_u64().unwrap_or(0) & LOADING != 0 {
        return "(kubemend is thinking…)\n".to_owned();
    }
    if !text(body, "content").is_empty() {
        let _ = writeln!(shown, "{}", text(body, "content"));
    }
    for embed in items(body, "embeds") {
        show_embed(embed, &mut shown);
    }
    for file in items(body, "attachments") {
        let _ = writeln!(shown, "(file {})", text(file, "filename"));
    }
    for row in items(body, "components") {
        let parts: Vec<String> = items(row, "components").map(pressable).collect();
        let _ = writeln!(shown, "{}", parts.join(" "));
    }
    shown
}

fn show_embed(embed: &Value, shown: &mut String) {
    let author = text(&embed["author"], "name");
    if !author.is_empty() {
        let _ = writeln!(shown, "by {author}");
    }
    if !text(embed, "title").is_empty() {
        let _ = writeln!(shown, "# {}", text(embed, "title"));
    }
    if !text(embed, "description").is_empty() {
        let _ = writeln!(shown, "{}", text(embed, "description"));
    }
    for field in items(embed, "fields") {
        let _ = writeln!(shown, "| {}: {}", text(field, "name"), text(field, "value").replace('\n', " "));
    }
    for picture in ["image", "thumbnail"] {
        if embed[picture].is_object() {
            let _ = writeln!(shown, "({picture})");
        }
    }
    let footer = text(&embed["footer"], "text");
    if !footer.is_empty() {
        let _ = writeln!(shown, "~ {}", footer.replace('\n', " "));
    }
}

fn modal(body: &Value) -> String {
    let mut shown = format!("== {} ==\n", text(body, "title"));
    for part in items(body, "components") {
        if part["type"] == 10 {
            let _ = writeln!(shown, "{}", text(part, "content"));
            continue;
        }
        let (label, input) = field(part);
        let optional = if input["required"] == false { " (optional)" } else { "" };
        let options: Vec<&str> = items(&input, "options").map(|option| text(option, "label")).collect();
        let offered = if options.is_empty() { String::new() } else { format!(" of {}", options.join(" | ")) };
        let hint = text(&input, "placeholder");
        let hint = if hint.is_empty() { String::new() } else { format!(" ({hint})") };
        let _ = writeln!(shown, "? {label}: <{}>{offered}{hint}{optional}", initial(&input));
    }
    shown + "[[Submit]]\n"
}

/// The label and the input of a part of a modal.
fn field(part: &Value) -> (String, Value) {
    let input = if part["type"] == 18 { &part["component"] } else { &part["components"][0] };
    let label = if part["type"] == 18 { text(part, "label") } else { text(input, "label") };
    (label.to_owned(), input.clone())
}

fn initial(input: &Value) -> String {
    let chosen = items(input, "options").find(|option| option["default"] == true);
    chosen.map_or_else(|| text(input, "value"), |option| text(option, "value")).to_owned()
}

fn pressable(item: &Value) -> String {
    if item["type"] == 2 {
        let style = match item["style"].as_u64() {
            Some(1 | 3) => "*",
            Some(4) => "!",
            Some(5) => "→",
            _ => "",
        };
        let off = if item["disabled"] == true { " (off)" } else { "" };
        return format!("[{style}{}{off}]", text(item, "label"));
    }
    let names: Vec<&str> = items(item, "options").map(|option| text(option, "label")).collect();
    format!("({} {})", item["placeholder"].as_str().unwrap_or("…"), names.join(" | "))
}

/// What an interaction says about pressing what is labelled so: a button, or an entry of a menu.
pub fn pressed(body: &Value, label: &str) -> Option<Value> {
    for row in items(body, "components") {
        for item in items(row, "components").filter(|item| item["disabled"] != true) {
            let base =
                json!({"custom_id": item["custom_id"], "component_type": item["type"], "id": item["id"]});
            if item["type"] == 2 && item["style"] != 5 && text(item, "label") == label {
                return Some(base);
            }
            if let Some(option) = items(item, "options").find(|option| text(option, "label") == label) {
                let mut data = base;
                data["values"] = json!([option["value"]]);
                return Some(data);
            }
        }
    }
    None
}

/// The components of a modal whose fields hold those values, by label; what is left out keeps its first value.
pub fn filled(body: &Value, values: &[(&str, &str)]) -> Value {
    let (mut parts, mut used) = (Vec::new(), Vec::new());
    for (index, part) in items(body, "components").enumerate().filter(|(_, part)| part["type"] != 10) {
        let (label, input) = field(part);
        let given = values.iter().find(|(name, _)| *name == label).map(|(_, value)| (*value).to_owned());
        used.extend(given.iter().map(|_| label.clone()));
        let value = given.unwrap_or_else(|| initial(&input));
        check(&label, &input, &value);
        let mut told = json!({"type": input["type"], "id": index * 2 + 2, "custom_id": input["custom_id"]});
        if input["type"] == 3 {
            told["values"] = if value.is_empty() { json!([]) } else { json!([value]) };
        } else {
            told["value"] = json!(value);
        }
        parts.push(if part["type"] == 18 {
            json!({"type": 18, "id": index * 2 + 1, "component": told})
        } else {
            json!({"type": 1, "id": index * 2 + 1, "components": [told]})
        });
    }
    for (name, _) in values {
        assert!(used.iter().any(|label| label == name), "the modal asks for no {name:?}:\n{}", modal(body));
    }
    json!(parts)
}

/// What Discord's window itself refuses to submit.
fn check(label: &str, input: &Value, value: &str) {
    assert!(!value.is_empty() || input["required"] == false, "{label} must be filled in");
    if input["type"] == 3 {
        let offered = items(input, "options").any(|option| text(option, "value") == value);
        assert!(offered || value.is_empty(), "{label} offers no {value}: {}", input["options"]);
        return;
    }
    let long = value.chars().count() as u64;
    let most = input["max_length"].as_u64().unwrap_or(4000);
    let least = input["min_length"].as_u64().unwrap_or(0);
    assert!(value.is_empty() || (least..=most).contains(&long), "{label} takes {least} to {most} characters");
}

impl FakeDiscord {
    /// A channel as people read it: messages, each with its thread; a forum: its posts.
    pub fn channel(&self, id: &str) -> String {
        self.with(|state| {
            let held = &state.channels[id];
            let mut shown = String::new();
            if held.kind == FORUM {
                let posts = state.channels.iter().filter(|(_, post)| post.parent.as_deref() == Some(id));
                for (post, channel) in posts {
                    let tags: Vec<&str> = channel.tags.iter().map(|(_, name)| name.as_str()).collect();
                    let _ =
                        writeln!(shown, "## {} [{}]{}", channel.name, tags.join(", "), standing(state, post));
                    write_messages(state, post, "  ", &mut shown);
                }
            } else {
                write_messages(state, id, "", &mut shown);
            }
            shown
        })
    }

    /// What the bot wrote into a channel, oldest first; for a forum: the first message of each post.
    pub fn posted(&self, channel: &str) -> Vec<Value> {
        self.with(|state| {
            let own = |message: &&Value| message["author"]["id"] == BOT_USER;
            if state.channels[channel].kind == FORUM {
                let posts = state.channels.values().filter(|post| post.parent.as_deref() == Some(channel));
                return posts.filter_map(|post| post.messages.first().cloned()).collect();
            }
            state.channels[channel].messages.iter().filter(own).cloned().collect()
        })
    }

    /// The messages in the thread of a message.
    pub fn thread(&self, message: &str) -> Vec<Value> {
        self.with(|state| {
            let held = state.channels.get(message).map(|thread| thread.messages.clone()).unwrap_or_default();
            held.into_iter().filter(|own| own["id"] != message).collect()
        })
    }

    /// What only that person saw last.
    pub fn whispered(&self, user: &str) -> Option<Value> {
        self.with(|state| {
            let own = state.ephemerals.iter().rev().filter(|e| e.user == user).map(|e| &e.body);
            own.max_by_key(|body| text(body, "id").parse::<u64>().unwrap_or_default()).cloned()
        })
    }

    /// The modal that is open for somebody.
    pub fn modal(&self, user: &str) -> Option<String> {
        self.with(|state| {
            let open = state.modals.iter().rev().find(|modal| modal.open && modal.user == user);
            open.map(|modal| message(&modal.body))
        })
    }

    /// Everything that happened, in order.
    pub fn transcript(&self) -> String {
        self.with(|state| state.log.join("\n"))
    }
}

fn standing(state: &State, thread: &str) -> String {
    let held = &state.channels[thread];
    let words = [("archived", held.archived), ("locked", held.locked)];
    words.iter().filter(|(_, is)| *is).map(|(word, _)| format!(" ({word})")).collect()
}

fn write_messages(state: &State, channel: &str, by: &str, shown: &mut String) {
    for body in &state.channels[channel].messages {
        if body["flags"].as_u64().unwrap_or(0) & EPHEMERAL != 0 {
            continue;
        }
        let id = text(body, "id");
        let _ = writeln!(
            shown,
            "{by}{}:\n{}",
            text(&body["author"], "username"),
            indent(&message(body), &format!("{by}  "))
        );
        if id != channel && state.channels.contains_key(id) {
            let _ =
                writeln!(shown, "{by}    in the thread {}{}:", state.channels[id].name, standing(state, id));
            write_messages(state, id, &format!("{by}      "), shown);
        }
    }
}

fn indent(text: &str, by: &str) -> String {
    text.lines().map(|line| format!("{by}{line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
