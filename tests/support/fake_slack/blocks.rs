//! What Slack takes as blocks and views, and how it refuses the rest.

use std::collections::BTreeSet;

use serde_json::Value;

/// The text that a message's blocks may hold altogether.
const MOST_TEXT: usize = 13_200;

/// Every mistake in a message's blocks.
pub fn mistakes(blocks: &Value, most: usize, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Some(list) = blocks.as_array() else { return vec![told("must be an array", at)] };
    if list.is_empty() || list.len() > most {
        found.push(told(&format!("must have 1 to {most} items"), at));
    }
    let mut ids = BTreeSet::new();
    for (index, block) in list.iter().enumerate() {
        let at = format!("{at}/{index}");
        check_block(block, &at, &mut found);
        if let Some(id) = block["block_id"].as_str()
            && !ids.insert(id.to_owned())
        {
            found.push(told("block_id is not unique", &at));
        }
    }
    found
}

/// Whether the blocks hold more text than a message may.
pub fn too_long(blocks: &Value) -> bool {
    text_of(blocks) > MOST_TEXT
}

fn text_of(value: &Value) -> usize {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "text" => text.chars().count(),
                Value::String(_) => 0,
                other => text_of(other),
            })
            .sum(),
        Value::Array(items) => items.iter().map(text_of).sum(),
        _ => 0,
    }
}

fn told(what: &str, at: &str) -> String {
    format!("{what} [json-pointer:{at}]")
}

fn keys(value: &Value, allowed: &[&str], at: &str, found: &mut Vec<String>) {
    let Some(map) = value.as_object() else { return found.push(told("must be an object", at)) };
    for key in map.keys().filter(|key| !allowed.contains(&key.as_str())) {
        found.push(told(&format!("no more than {allowed:?} may stand here: {key}"), at));
    }
}

fn check_block(block: &Value, at: &str, found: &mut Vec<String>) {
    length(&block["block_id"], 255, &format!("{at}/block_id"), found);
    match block["type"].as_str().unwrap_or_default() {
        "section" => {
            keys(block, &["type", "block_id", "text", "fields", "accessory", "expand"], at, found);
            if block["text"].is_null() && block["fields"].is_null() {
                found.push(told("missing required field: text", at));
            }
            text(&block["text"], &["mrkdwn", "plain_text"], 3000, &format!("{at}/text"), found);
            for (index, field) in items(block, "fields", 10, at, found) {
                text(&field, &["mrkdwn", "plain_text"], 2000, &format!("{at}/fields/{index}"), found);
            }
            if !block["accessory"].is_null() {
                element(&block["accessory"], &format!("{at}/accessory"), found);
            }
        }
        "header" => {
            keys(block, &["type", "block_id", "text", "level"], at, found);
            needed(block, "text", at, found);
            text(&block["text"], &["plain_text"], 150, &format!("{at}/text"), found);
        }
        "divider" => keys(block, &["type", "block_id"], at, found),
        "context" => {
            keys(block, &["type", "block_id", "elements"], at, found);
            needed(block, "elements", at, found);
            for (index, item) in items(block, "elements", 10, at, found) {
                text(&item, &["mrkdwn", "plain_text"], 3000, &format!("{at}/elements/{index}"), found);
            }
        }
        "actions" => {
            keys(block, &["type", "block_id", "elements"], at, found);
            needed(block, "elements", at, found);
            let mut ids = BTreeSet::new();
            for (index, item) in items(block, "elements", 25, at, found) {
                let at = format!("{at}/elements/{index}");
                element(&item, &at, found);
                if !ids.insert(item["action_id"].as_str().unwrap_or_default().to_owned()) {
                    found.push(told("action_id is not unique", &at));
                }
            }
        }
        "input" => {
            keys(
                block,
                &["type", "block_id", "label", "element", "dispatch_action", "hint", "optional"],
                at,
                found,
            );
            needed(block, "label", at, found);
            text(&block["label"], &["plain_text"], 2000, &format!("{at}/label"), found);
            text(&block["hint"], &["plain_text"], 2000, &format!("{at}/hint"), found);
            element(&block["element"], &format!("{at}/element"), found);
        }
        "rich_text" => {
            keys(block, &["type", "block_id", "elements"], at, found);
            needed(block, "elements", at, found);
        }
        "markdown" => {
            keys(block, &["type", "block_id", "text"], at, found);
            length(&block["text"], 12_000, &format!("{at}/text"), found);
        }
        other => found.push(told(&format!("unsupported type: {other}"), &format!("{at}/type"))),
    }
}

fn element(element: &Value, at: &str, found: &mut Vec<String>) {
    length(&element["action_id"], 255, &format!("{at}/action_id"), found);
    match element["type"].as_str().unwrap_or_default() {
        "button" => {
            let allowed =
                ["type", "action_id", "text", "url", "value", "style", "confirm", "accessibility_label"];
            keys(element, &allowed, at, found);
            needed(element, "text", at, found);
            text(&element["text"], &["plain_text"], 75, &format!("{at}/text"), found);
            length(&element["value"], 2000, &format!("{at}/value"), found);
            if !matches!(element["style"].as_str(), None | Some("primary" | "danger")) {
                found.push(told("must be primary or danger", &format!("{at}/style")));
            }
        }
        "overflow" => {
            keys(element, &["type", "action_id", "options", "confirm"], at, found);
            options(element, 5, at, found);
        }
        "static_select" => {
            let allowed = [
                "type",
                "action_id",
                "options",
                "option_groups",
                "initial_option",
                "placeholder",
                "confirm",
                "focus_on_load",
            ];
            keys(element, &allowed, at, found);
            options(element, 100, at, found);
            let (chosen, offered) = (&element["initial_option"], element["options"].as_array());
            if !chosen.is_null() && !offered.is_some_and(|all| all.contains(chosen)) {
                found.push(told("must be one of the options", &format!("{at}/initial_option")));
            }
        }
        "plain_text_input" => {
            let allowed = [
                "type",
                "action_id",
                "initial_value",
                "multiline",
                "min_length",
                "max_length",
                "placeholder",
                "dispatch_action_config",
                "focus_on_load",
            ];
            keys(element, &allowed, at, found);
            text(&element["placeholder"], &["plain_text"], 150, &format!("{at}/placeholder"), found);
            length(&element["initial_value"], 3000, &format!("{at}/initial_value"), found);
        }
        other => found.push(told(&format!("unsupported type: {other}"), &format!("{at}/type"))),
    }
}

fn options(element: &Value, most: usize, at: &str, found: &mut Vec<String>) {
    needed(element, "options", at, found);
    for (index, option) in items(element, "options", most, at, found) {
        let at = format!("{at}/options/{index}");
        keys(&option, &["text", "value", "description", "url"], &at, found);
        text(&option["text"], &["plain_text", "mrkdwn"], 75, &format!("{at}/text"), found);
        length(&option["value"], 150, &format!("{at}/value"), found);
        needed(&option, "value", &at, found);
    }
}

fn items(value: &Value, name: &str, most: usize, at: &str, found: &mut Vec<String>) -> Vec<(usize, Value)> {
    if value[name].is_null() {
        return Vec::new();
    }
    let list = value[name].as_array().cloned().unwrap_or_default();
    if list.is_empty() || list.len() > most {
        found.push(told(&format!("must have 1 to {most} items"), &format!("{at}/{name}")));
    }
    list.into_iter().enumerate().collect()
}

fn needed(value: &Value, name: &str, at: &str, found: &mut Vec<String>) {
    if value[name].is_null() {
        found.push(told(&format!("missing required field: {name}"), at));
    }
}

fn text(value: &Value, kinds: &[&str], most: usize, at: &str, found: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    keys(value, &["type", "text", "emoji", "verbatim"], at, found);
    let kind = value["type"].as_str().unwrap_or_default();
    if !kinds.contains(&kind) {
        found.push(told(&format!("must be one of {kinds:?}"), &format!("{at}/type")));
    }
    if (kind == "plain_text" && !value["verbatim"].is_null())
        || (kind == "mrkdwn" && !value["emoji"].is_null())
    {
        found.push(told("does not fit this type of text", at));
    }
    if value["text"].as_str().is_none_or(str::is_empty) {
        found.push(told("must be more than 0 characters", &format!("{at}/text")));
    }
    length(&value["text"], most, &format!("{at}/text"), found);
}

fn length(value: &Value, most: usize, at: &str, found: &mut Vec<String>) {
    if value.as_str().is_some_and(|text| text.chars().count() > most) {
        found.push(told(&format!("must be less than {} characters", most + 1), at));
    }
}

/// Every mistake in a view.
pub fn view_mistakes(view: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let common = ["type", "blocks", "private_metadata", "callback_id", "external_id"];
    match view["type"].as_str() {
        Some("modal") => {
            let own = ["title", "close", "submit", "clear_on_close", "notify_on_close", "submit_disabled"];
            keys(view, &[&common[..], &own[..]].concat(), "/view", &mut found);
            needed(view, "title", "/view", &mut found);
            for name in ["title", "close", "submit"] {
                text(&view[name], &["plain_text"], 24, &format!("/view/{name}"), &mut found);
            }
            let asks = |block: &Value| block["type"] == "input";
            if view["blocks"].as_array().is_some_and(|list| list.iter().any(asks)) {
                needed(view, "submit", "/view", &mut found);
            }
        }
        Some("home") => keys(view, &common, "/view", &mut found),
        _ => found.push(told("must be modal or home", "/view/type")),
    }
    length(&view["private_metadata"], 3000, "/view/private_metadata", &mut found);
    length(&view["callback_id"], 255, "/view/callback_id", &mut found);
    found.extend(mistakes(&view["blocks"], 100, "/view/blocks"));
    found
}
