//! Whether a rendered message or modal is one that Discord takes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Breach, Checker};

/// A message: `{content?, embeds, components, allowed_mentions}`.
pub fn message(body: &Value) -> Vec<Breach> {
    let mut check = Checker::utf16();
    check.optional(body, "/content", 2000);
    let nobody = body.pointer("/allowed_mentions/parse").and_then(Value::as_array).is_some_and(Vec::is_empty);
    check.claim(nobody, "/allowed_mentions", "the message may call anybody", "set `\"parse\": []`");
    let embeds = check.list(body, "/embeds", 1, 10);
    for (index, embed) in embeds.iter().enumerate() {
        check.enter(&format!("/embeds/{index}"));
        one(&mut check, embed);
        check.leave();
    }
    check.sum_of(&embeds, "/embeds", 6000, &["title", "description", "name", "value", "text"]);
    rows(&mut check, body);
    check.found
}

fn one(check: &mut Checker, embed: &Value) {
    check.optional(embed, "/title", 256);
    check.optional(embed, "/description", 4096);
    check.optional(embed, "/footer/text", 2048);
    check.optional(embed, "/author/name", 256);
    let something = ["title", "description", "fields"].iter().any(|part| embed.get(part).is_some());
    check.claim(something, "", "the embed is empty", "give it a title, a description or fields");
    if embed.get("fields").is_some() {
        for (index, field) in check.list(embed, "/fields", 0, 25).iter().enumerate() {
            check.enter(&format!("/fields/{index}"));
            check.text(field, "/name", 1, 256);
            check.text(field, "/value", 1, 1024);
            check.leave();
        }
    }
}

fn rows(check: &mut Checker, body: &Value) {
    if body.get("components").is_none() {
        return;
    }
    let mut ids = BTreeSet::new();
    for (index, row) in check.list(body, "/components", 0, 5).iter().enumerate() {
        check.enter(&format!("/components/{index}"));
        for (place, component) in check.list(row, "/components", 1, 5).iter().enumerate() {
            check.enter(&format!("/components/{place}"));
            check.text(component, "/custom_id", 1, 100);
            let id = component.get("custom_id").and_then(Value::as_str).unwrap_or_default().to_owned();
            check.claim(ids.insert(id), "/custom_id", "it stands twice", "make it unique");
            match component.get("type").and_then(Value::as_u64) {
                Some(2) => {
                    check.text(component, "/label", 1, 80);
                    let style = component.get("style").and_then(Value::as_u64);
                    check.claim(
                        matches!(style, Some(1..=4)),
                        "/style",
                        "there is no such style",
                        "use 1 to 4",
                    );
                }
                Some(3) => {
                    let alone =
                        row.get("components").and_then(Value::as_array).is_some_and(|all| all.len() == 1);
                    check.claim(alone, "", "a menu takes a row of its own", "put it into its own row");
                    check.optional(component, "/placeholder", 150);
                    options(check, component);
                }
                _ => check.claim(false, "/type", "no such component is used", "use 2 (button) or 3 (menu)"),
            }
            check.leave();
        }
        check.leave();
    }
}

fn options(check: &mut Checker, menu: &Value) {
    let mut values = BTreeSet::new();
    for (index, option) in check.list(menu, "/options", 1, 25).iter().enumerate() {
        check.enter(&format!("/options/{index}"));
        check.text(option, "/label", 1, 100);
        check.text(option, "/value", 1, 100);
        let value = option.get("value").and_then(Value::as_str).unwrap_or_default().to_owned();
        check.claim(values.insert(value), "/value", "it stands twice", "make it unique");
        check.leave();
    }
    let chosen = |option: &&Value| option.get("default").and_then(Value::as_bool) == Some(true);
    let all = menu.get("options").and_then(Value::as_array).into_iter().flatten();
    check.claim(all.filter(chosen).count() <= 1, "/options", "two are chosen", "choose one");
}

/// A modal.
pub fn modal(body: &Value) -> Vec<Breach> {
    let mut check = Checker::utf16();
    check.text(body, "/title", 1, 45);
    check.text(body, "/custom_id", 1, 100);
    let mut ids = BTreeSet::new();
    for (index, part) in check.list(body, "/components", 1, 5).iter().enumerate() {
        check.enter(&format!("/components/{index}"));
        match part.get("type").and_then(Value::as_u64) {
            Some(10) => check.text(part, "/content", 1, 4000),
            Some(18) => {
                check.text(part, "/label", 1, 45);
                check.optional(part, "/description", 100);
                check.enter("/component");
                input(&mut check, &part["component"], &mut ids);
                check.leave();
            }
            _ => check.claim(false, "/type", "a modal takes labels and text", "use 18 (label) or 10 (text)"),
        }
        check.leave();
    }
    check.found
}

fn input(check: &mut Checker, input: &Value, ids: &mut BTreeSet<String>) {
    check.text(input, "/custom_id", 1, 100);
    let id = input.get("custom_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    check.claim(ids.insert(id), "/custom_id", "it stands twice", "make it unique");
    match input.get("type").and_then(Value::as_u64) {
        Some(3) => options(check, input),
        Some(4) => {
            check.optional(input, "/placeholder", 100);
            check.optional(input, "/value", 4000);
        }
        _ => check.claim(false, "/type", "no such input is used", "use 3 (menu) or 4 (text)"),
    }
}
