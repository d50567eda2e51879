//! Buttons, menus and inputs: what Discord takes of them, in messages and in modals.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::form::{Form, join};

/// The rows of a message.
pub fn in_message(body: &Value, form: &mut Form, at: &str) {
    let mut ids = BTreeSet::new();
    for (at, row) in form.list(body, "components", 0, 5, at) {
        form.keys(&row, &["type", "id", "components"], &at);
        if row["type"] != 1 {
            form.wrong(&join(&at, "type"), "BASE_TYPE_CHOICES", "Value must be one of {1}.");
            continue;
        }
        form.needed(&row, "components", &at);
        let items = form.list(&row, "components", 1, 5, &at);
        let alone = items.len() == 1;
        for (at, item) in items {
            match item["type"].as_u64() {
                Some(2) => button(&item, form, &at),
                Some(3) => {
                    let named =
                        ["custom_id", "options", "placeholder", "min_values", "max_values", "disabled"];
                    form.keys(&item, &[&["type", "id"], &named[..]].concat(), &at);
                    menu(&item, form, &at);
                    takes_the_row(alone, form, &at);
                }
                Some(5..=8) => {
                    let named = [
                        "custom_id",
                        "placeholder",
                        "min_values",
                        "max_values",
                        "disabled",
                        "default_values",
                    ];
                    form.keys(&item, &[&["type", "id", "channel_types"], &named[..]].concat(), &at);
                    takes_the_row(alone, form, &at);
                }
                _ => form.wrong(
                    &join(&at, "type"),
                    "BASE_TYPE_CHOICES",
                    "Value must be one of {2, 3, 5, 6, 7, 8}.",
                ),
            }
            unique(&item, &mut ids, form, &at);
        }
    }
}

fn takes_the_row(alone: bool, form: &mut Form, at: &str) {
    if !alone {
        form.wrong(
            at,
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            "The specified component exceeds the maximum width",
        );
    }
}

fn unique(item: &Value, ids: &mut BTreeSet<String>, form: &mut Form, at: &str) {
    form.text(item, "custom_id", 1, 100, at);
    if let Some(id) = item["custom_id"].as_str()
        && !ids.insert(id.to_owned())
    {
        let told = "Component custom id cannot be duplicated";
        form.wrong(&join(at, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", told);
    }
}

fn button(item: &Value, form: &mut Form, at: &str) {
    form.keys(item, &["type", "id", "custom_id", "style", "label", "emoji", "url", "disabled"], at);
    form.needed(item, "style", at);
    form.number(item, "style", 1, 5, at);
    form.text(item, "label", 0, 80, at);
    form.truth(item, "disabled", at);
    if item["label"].as_str().is_none_or(str::is_empty) && item["emoji"].is_null() {
        form.wrong(at, "BUTTON_COMPONENT_INVALID_LABEL", "A button must have a label or an emoji");
    }
    if item["style"] == 5 {
        form.needed(item, "url", at);
        form.url(item, "url", 512, &["http", "https", "discord"], at);
        if !item["custom_id"].is_null() {
            form.wrong(
                at,
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            );
        }
    } else {
        form.needed(item, "custom_id", at);
        if !item["url"].is_null() {
            form.wrong(
                at,
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            );
        }
    }
}

fn menu(item: &Value, form: &mut Form, at: &str) {
    form.needed(item, "custom_id", at);
    form.needed(item, "options", at);
    form.text(item, "placeholder", 0, 150, at);
    form.number(item, "min_values", 0, 25, at);
    form.number(item, "max_values", 1, 25, at);
    form.truth(item, "disabled", at);
    let options = form.list(item, "options", 1, 25, at);
    let most = item["max_values"].as_u64().unwrap_or(1);
    if most > options.len() as u64 {
        form.wrong(
            &join(at, "max_values"),
            "SELECT_COMPONENT_MAX_VALUES",
            "Must not be more than the options",
        );
    }
    let chosen = options.iter().filter(|(_, option)| option["default"] == true).count() as u64;
    if chosen > most {
        form.wrong(at, "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", "Too many default values specified");
    }
    let mut values = BTreeSet::new();
    for (at, option) in options {
        form.keys(&option, &["label", "value", "description", "default", "emoji"], &at);
        form.needed(&option, "label", &at);
        form.needed(&option, "value", &at);
        form.text(&option, "label", 1, 100, &at);
        form.text(&option, "value", 1, 100, &at);
        form.text(&option, "description", 0, 100, &at);
        form.truth(&option, "default", &at);
        if !values.insert(option["value"].to_string()) {
            let told = "The specified option value is already used";
            form.wrong(&join(&at, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", told);
        }
    }
}

/// A modal.
pub fn modal(data: &Value, form: &mut Form, at: &str) {
    form.keys(data, &["custom_id", "title", "components"], at);
    for name in ["custom_id", "title", "components"] {
        form.needed(data, name, at);
    }
    form.text(data, "custom_id", 1, 100, at);
    form.text(data, "title", 1, 45, at);
    let mut ids = BTreeSet::new();
    for (at, part) in form.list(data, "components", 1, 5, at) {
        match part["type"].as_u64() {
            Some(1) => {
                form.keys(&part, &["type", "id", "components"], &at);
                for (at, item) in form.list(&part, "components", 1, 1, &at) {
                    form.needed(&item, "label", &at);
                    form.text(&item, "label", 1, 45, &at);
                    input(&item, form, &at);
                    unique(&item, &mut ids, form, &at);
                }
            }
            Some(18) => {
                form.keys(&part, &["type", "id", "label", "description", "component"], &at);
                form.needed(&part, "label", &at);
                form.text(&part, "label", 1, 45, &at);
                form.text(&part, "description", 1, 100, &at);
                let (item, at) = (&part["component"], join(&at, "component"));
                if item["type"] == 3 {
                    let named =
                        ["custom_id", "options", "placeholder", "min_values", "max_values", "required"];
                    form.keys(item, &[&["type", "id"], &named[..]].concat(), &at);
                    form.truth(item, "required", &at);
                    menu(item, form, &at);
                } else {
                    if !item["label"].is_null() {
                        form.wrong(
                            &join(&at, "label"),
                            "COMPONENT_LABEL_NOT_ALLOWED",
                            "The label around it has one",
                        );
                    }
                    input(item, form, &at);
                }
                unique(item, &mut ids, form, &at);
            }
            Some(10) => form.keys(&part, &["type", "id", "content"], &at),
            _ => form.wrong(&join(&at, "type"), "BASE_TYPE_CHOICES", "Value must be one of {1, 10, 18}."),
        }
    }
}

fn input(item: &Value, form: &mut Form, at: &str) {
    if item["type"] != 4 {
        form.wrong(&join(at, "type"), "BASE_TYPE_CHOICES", "Value must be one of {4}.");
        return;
    }
    let named =
        ["custom_id", "style", "label", "min_length", "max_length", "required", "value", "placeholder"];
    form.keys(item, &[&["type", "id"], &named[..]].concat(), at);
    form.needed(item, "custom_id", at);
    form.needed(item, "style", at);
    form.number(item, "style", 1, 2, at);
    form.number(item, "min_length", 0, 4000, at);
    form.number(item, "max_length", 1, 4000, at);
    form.truth(item, "required", at);
    form.text(item, "placeholder", 0, 100, at);
    let most = item["max_length"].as_u64().unwrap_or(4000).min(4000);
    form.text(item, "value", 0, most as usize, at);
}

/// Components as Discord gives them back: each with a number.
pub fn given_back(components: &Value) -> Value {
    let mut number = 0;
    let mut rows = components.as_array().cloned().unwrap_or_default();
    for row in &mut rows {
        numbered(row, &mut number);
    }
    json!(rows)
}

fn numbered(component: &mut Value, number: &mut i64) {
    *number += 1;
    if component["id"].is_null() {
        component["id"] = json!(*number);
    }
    if component["type"] == 3 {
        for name in ["min_values", "max_values"] {
            if component[name].is_null() {
                component[name] = json!(1);
            }
        }
    }
    for item in component["components"].as_array_mut().into_iter().flatten() {
        numbered(item, number);
    }
}
