//! Messages as people read them, for transcripts; and what in them can be pressed or filled in.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::FakeSlack;
use super::state::State;

/// The first line of what is shown.
pub fn summary(body: &Value) -> String {
    let text = body["text"].as_str().filter(|text| !text.is_empty());
    let title = body["title"]["text"].as_str();
    text.or(title).unwrap_or("(no text)").lines().next().unwrap_or_default().to_owned()
}

/// A whole message.
pub fn message(body: &Value) -> String {
    let mut shown = String::new();
    if let Some(title) = body["title"]["text"].as_str() {
        let _ = writeln!(shown, "== {title} ==");
    }
    let attached = body["attachments"].as_array().cloned().unwrap_or_default();
    let nothing =
        body["blocks"].is_null() && attached.iter().all(|attachment| attachment["blocks"].is_null());
    if nothing {
        let _ = writeln!(shown, "{}", body["text"].as_str().unwrap_or_default());
    }
    for block in blocks(body) {
        show_block(&block, &mut shown);
    }
    for file in body["files"].as_array().into_iter().flatten() {
        let text = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
        let _ = writeln!(shown, "(file {}: {})", text("name"), text("title"));
    }
    if let Some(submit) = body["submit"]["text"].as_str() {
        let _ = writeln!(shown, "[[{submit}]]");
    }
    shown
}

fn blocks(body: &Value) -> Vec<Value> {
    let mut blocks = body["blocks"].as_array().cloned().unwrap_or_default();
    for attachment in body["attachments"].as_array().cloned().unwrap_or_default() {
        blocks.extend(attachment["blocks"].as_array().cloned().unwrap_or_default());
    }
    blocks
}

fn show_block(block: &Value, shown: &mut String) {
    let text = |value: &Value| value["text"].as_str().unwrap_or_default().to_owned();
    let _ = match block["type"].as_str().unwrap_or_default() {
        "header" => writeln!(shown, "# {}", text(&block["text"])),
        "divider" => writeln!(shown, "---"),
        "section" => {
            if !block["text"].is_null() {
                let _ = writeln!(shown, "{}", text(&block["text"]));
            }
            for field in block["fields"].as_array().into_iter().flatten() {
                let _ = writeln!(shown, "| {}", text(field).replace('\n', " "));
            }
            Ok(())
        }
        "context" => {
            let parts: Vec<String> = block["elements"].as_array().into_iter().flatten().map(text).collect();
            writeln!(shown, "~ {}", parts.join(" "))
        }
        "actions" => {
            let parts: Vec<String> =
                block["elements"].as_array().into_iter().flatten().map(pressable).collect();
            writeln!(shown, "{}", parts.join(" "))
        }
        "input" => {
            let element = &block["element"];
            let initial = element["initial_value"].as_str().or(element["initial_option"]["value"].as_str());
            let options: Vec<String> = element["options"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|option| text(&option["text"]))
                .collect();
            let options =
                if options.is_empty() { String::new() } else { format!(" of {}", options.join(" | ")) };
            let optional = if block["optional"] == true { " (optional)" } else { "" };
            writeln!(
                shown,
                "? {}: <{}>{options}{optional}",
                text(&block["label"]),
                initial.unwrap_or_default()
            )
        }
        "rich_text" => writeln!(shown, "{}", rich(&block["elements"])),
        "markdown" => writeln!(shown, "{}", block["text"].as_str().unwrap_or_default()),
        other => writeln!(shown, "({other})"),
    };
}

fn rich(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(rich).collect(),
        Value::Object(map) if map.contains_key("text") => {
            value["text"].as_str().unwrap_or_default().to_owned()
        }
        Value::Object(map) => map.get("elements").map(rich).unwrap_or_default(),
        _ => String::new(),
    }
}

fn pressable(element: &Value) -> String {
    match element["type"].as_str() {
        Some("button") => {
            let style = match element["style"].as_str() {
                Some("primary") => "*",
                Some("danger") => "!",
                _ => "",
            };
            format!("[{style}{}]", element["text"]["text"].as_str().unwrap_or_default())
        }
        _ => {
            let options = element["options"].as_array().cloned().unwrap_or_default();
            let names: Vec<&str> =
                options.iter().filter_map(|option| option["text"]["text"].as_str()).collect();
            format!("(… {})", names.join(" | "))
        }
    }
}

/// The action that Slack would report for pressing what says `label`.
pub fn action(body: &Value, label: &str) -> Option<Value> {
    let wanted = |text: &Value| text["text"].as_str().is_some_and(|text| text == label);
    for block in blocks(body) {
        let accessory = std::iter::once(block["accessory"].clone()).filter(|value| !value.is_null());
        let elements = block["elements"].as_array().cloned().unwrap_or_default();
        for element in elements.into_iter().chain(accessory) {
            let base = json!({"type": element["type"], "action_id": element["action_id"],
                "block_id": block["block_id"].as_str().unwrap_or("b"), "action_ts": "1.0"});
            if element["type"] == "button" && wanted(&element["text"]) {
                let mut action = base;
                action["text"] = element["text"].clone();
                if element["value"].is_string() {
                    action["value"] = element["value"].clone();
                }
                return Some(action);
            }
            for option in element["options"].as_array().into_iter().flatten() {
                if wanted(&option["text"]) {
                    let mut action = base;
                    action["selected_option"] = option.clone();
                    return Some(action);
                }
            }
        }
    }
    None
}

/// The state of a modal whose fields hold those values, by label; what is left out keeps its first value.
pub fn fill(view: &Value, values: &[(&str, &str)]) -> Value {
    let mut state = Map::new();
    let mut used = Vec::new();
    for (index, block) in view["blocks"].as_array().into_iter().flatten().enumerate() {
        if block["type"] != "input" {
            continue;
        }
        let label = block["label"]["text"].as_str().unwrap_or_default();
        let given = values.iter().find(|(name, _)| *name == label).map(|(_, value)| *value);
        used.extend(given.map(|_| label.to_owned()));
        let element = &block["element"];
        let initial = element["initial_value"].as_str().or(element["initial_option"]["value"].as_str());
        let value = given.or(initial);
        assert!(value.is_some() || block["optional"] == true, "{label} must be filled in");
        let entry = if element["type"] == "static_select" {
            let options = element["options"].as_array().cloned().unwrap_or_default();
            let chosen = options.into_iter().find(|option| option["value"].as_str() == value);
            json!({"type": "static_select", "selected_option": chosen})
        } else {
            json!({"type": element["type"], "value": value})
        };
        let block_id = block["block_id"].as_str().map_or_else(|| format!("b{index}"), str::to_owned);
        let action_id = element["action_id"].as_str().unwrap_or("a");
        state.insert(block_id, json!({action_id: entry}));
    }
    for (name, _) in values {
        assert!(used.iter().any(|label| label == name), "the modal asks for no {name:?}:\n{}", message(view));
    }
    Value::Object(state)
}

/// Remembers whom a message calls.
pub fn note_pings(state: &mut State, body: &Value) {
    let text = body.to_string();
    for start in ["<!channel", "<!here", "<!everyone", "<!subteam^", "<@"] {
        for (at, _) in text.match_indices(start) {
            let end = text[at..].find('>').map_or(text.len(), |end| at + end + 1);
            state.pings.push(text[at..end].to_owned());
        }
    }
}

impl FakeSlack {
    /// A channel as people read it: messages, each with its thread.
    pub fn channel(&self, id: &str) -> String {
        self.with(|state| {
            let channel = &state.channels[id];
            let mut shown = String::new();
            for top in channel.messages.iter().filter(|message| message["thread_ts"].is_null()) {
                let author = state.name_of(top["user"].as_str().unwrap_or_default());
                let _ = writeln!(shown, "{author}:\n{}", indent(&message(top), "  "));
                for reply in channel.messages.iter().filter(|message| message["thread_ts"] == top["ts"]) {
                    let _ = writeln!(shown, "    in the thread:\n{}", indent(&message(reply), "      "));
                }
            }
            shown
        })
    }

    /// The top-level messages of a channel that the bot wrote.
    pub fn posted(&self, channel: &str) -> Vec<Value> {
        self.with(|state| {
            let own = |message: &&Value| message["thread_ts"].is_null() && message["user"] == super::BOT_USER;
            state.channels[channel].messages.iter().filter(own).cloned().collect()
        })
    }

    /// What only that person saw last.
    pub fn whispered(&self, user: &str) -> Option<String> {
        self.with(|state| state.ephemerals.iter().rev().find(|e| e.user == user).map(|e| message(&e.body)))
    }

    /// The modal that is open for somebody.
    pub fn modal(&self, user: &str) -> Option<String> {
        self.with(|state| {
            let open = state.views.values().rev().find(|view| view.open && view.user == user);
            open.map(|view| message(&view.body))
        })
    }

    /// Everything that happened, in order.
    pub fn transcript(&self) -> String {
        self.with(|state| state.log.join("\n"))
    }
}

fn indent(text: &str, by: &str) -> String {
    text.lines().map(|line| format!("{by}{line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
