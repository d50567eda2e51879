//! Slash commands: what may be registered.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::APPLICATION;
use super::form::{Form, Refused, join};
use super::routes::Outcome;
use super::state::State;

const SUBCOMMAND: u64 = 1;
const GROUP: u64 = 2;

pub fn call(state: &mut State, puts: bool, guild: Option<String>, body: &Value) -> Outcome {
    if guild.as_deref().is_some_and(|guild| guild != super::GUILD) {
        return Err(Refused::access());
    }
    if puts {
        let list = checked(body)?;
        let old = state.commands.remove(&guild).unwrap_or_default();
        let mut kept = Vec::new();
        for command in list {
            let same = old.iter().find(|old| old["name"] == command["name"]);
            let id = same
                .map_or_else(|| state.snowflake(), |old| old["id"].as_str().unwrap_or_default().to_owned());
            kept.push(shown(state, command, id, guild.as_deref()));
        }
        let names: Vec<String> =
            kept.iter().map(|command| format!("/{}", command["name"].as_str().unwrap_or_default())).collect();
        let line = format!("the commands are now {}", names.join(", "));
        state.say(line);
        state.commands.insert(guild.clone(), kept);
    }
    Ok((200, json!(state.commands.get(&guild).cloned().unwrap_or_default())))
}

fn shown(state: &mut State, mut command: Value, id: String, guild: Option<&str>) -> Value {
    command["version"] = json!(state.snowflake());
    command["id"] = json!(id);
    command["application_id"] = json!(APPLICATION);
    if let Some(guild) = guild {
        command["guild_id"] = json!(guild);
    }
    for (name, value) in [
        ("type", json!(1)),
        ("default_member_permissions", Value::Null),
        ("description", json!("")),
        ("nsfw", json!(false)),
    ] {
        if command[name].is_null() {
            command[name] = value;
        }
    }
    command
}

fn checked(body: &Value) -> Result<Vec<Value>, Refused> {
    let Some(list) = body.as_array() else { return Err(Refused::new(400, 50035, "Invalid Form Body")) };
    let mut form = Form::default();
    let chat = list.iter().filter(|command| command["type"].is_null() || command["type"] == 1).count();
    if chat > 100 {
        return Err(Refused::new(400, 30032, "Maximum number of application commands reached (100)."));
    }
    let mut names = BTreeSet::new();
    for (index, command) in list.iter().enumerate() {
        let at = index.to_string();
        let named = [
            "name",
            "description",
            "options",
            "type",
            "default_member_permissions",
            "contexts",
            "integration_types",
            "name_localizations",
            "description_localizations",
            "nsfw",
            "dm_permission",
        ];
        form.keys(command, &named, &at);
        let chat = command["type"].is_null() || command["type"] == 1;
        if chat {
            named_well(command, &mut form, &at);
            form.needed(command, "description", &at);
            form.text(command, "description", 1, 100, &at);
            options(command, &mut form, &at, 0);
        }
        if !names.insert((command["type"].as_u64().unwrap_or(1), command["name"].to_string())) {
            form.wrong(
                &at,
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            );
        }
        if size(command) > 8000 {
            form.wrong(&at, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)");
        }
    }
    form.conclude()?;
    Ok(list.clone())
}

fn named_well(value: &Value, form: &mut Form, at: &str) {
    form.needed(value, "name", at);
    let name = value["name"].as_str().unwrap_or_default();
    let letters = |c: char| {
        c.is_alphanumeric() && c.to_lowercase().eq(std::iter::once(c)) || matches!(c, '-' | '_' | '\'')
    };
    if !(1..=32).contains(&name.chars().count()) || !name.chars().all(letters) {
        form.wrong(&join(at, "name"), "STRING_TYPE_REGEX", "String value did not match validation regex.");
    }
}

fn options(owner: &Value, form: &mut Form, at: &str, depth: usize) {
    let (mut names, mut optional, mut kinds) = (BTreeSet::new(), false, BTreeSet::new());
    for (at, option) in form.list(owner, "options", 0, 25, at) {
        let kind = option["type"].as_u64().unwrap_or(0);
        let named = [
            "type",
            "name",
            "description",
            "required",
            "choices",
            "options",
            "autocomplete",
            "min_value",
            "max_value",
            "min_length",
            "max_length",
            "channel_types",
            "name_localizations",
            "description_localizations",
        ];
        form.keys(&option, &named, &at);
        named_well(&option, form, &at);
        form.needed(&option, "description", &at);
        form.text(&option, "description", 1, 100, &at);
        if !(1..=11).contains(&kind) {
            form.wrong(&join(&at, "type"), "BASE_TYPE_CHOICES", "Value must be one of {1..11}.");
        }
        if !names.insert(option["name"].to_string()) {
            form.wrong(&at, "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option names must be unique");
        }
        let nests = kind == SUBCOMMAND || kind == GROUP;
        kinds.insert(nests);
        if nests {
            if depth > 1 || kind == GROUP && depth > 0 {
                form.wrong(
                    &at,
                    "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
                    "Sub-commands may not be nested here",
                );
            }
            options(&option, form, &at, depth + 1);
            continue;
        }
        if option["required"] == true && optional {
            let told = "Required options must be placed before non-required options";
            form.wrong(&at, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", told);
        }
        optional |= option["required"] != true;
        choices(&option, form, &at);
    }
    if kinds.len() > 1 {
        let told = "Sub-command and sub-command group option types are mutually exclusive to all other types";
        form.wrong(&join(at, "options"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", told);
    }
}

fn choices(option: &Value, form: &mut Form, at: &str) {
    let list = form.list(option, "choices", 0, 25, at);
    if !list.is_empty() && option["autocomplete"] == true {
        form.wrong(
            &join(at, "autocomplete"),
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES",
            "Choices exclude autocomplete",
        );
    }
    for (at, choice) in list {
        check_choice(&choice, form, &at);
    }
    form.number(option, "min_length", 0, 6000, at);
    form.number(option, "max_length", 1, 6000, at);
}

/// A choice, registered or completed.
pub fn check_choice(choice: &Value, form: &mut Form, at: &str) {
    form.keys(choice, &["name", "value", "name_localizations"], at);
    form.needed(choice, "name", at);
    form.needed(choice, "value", at);
    form.text(choice, "name", 1, 100, at);
    if choice["value"].is_string() {
        form.text(choice, "value", 0, 100, at);
    }
}

/// Names, descriptions and values together.
fn size(value: &Value) -> usize {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("name" | "description" | "value", Value::String(text)) => text.chars().count(),
                (_, other) => size(other),
            })
            .sum(),
        Value::Array(items) => items.iter().map(size).sum(),
        _ => 0,
    }
}
