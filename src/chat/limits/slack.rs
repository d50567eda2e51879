//! Whether a rendered message or modal is one that Slack takes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Breach, Checker};

/// What Slack refuses as `msg_blocks_too_long` is not documented; seen at 11,341.
const ALL_TEXT: usize = 11_000;

/// A message: `{text, blocks}`.
pub fn message(body: &Value) -> Vec<Breach> {
    let mut check = Checker::chars();
    check.text(body, "/text", 1, 4000);
    let blocks = check.list(body, "/blocks", 1, 50);
    check_blocks(&mut check, &blocks);
    check.sum(&blocks, "/blocks", ALL_TEXT);
    check.found
}

/// A modal.
pub fn view(body: &Value) -> Vec<Breach> {
    let mut check = Checker::chars();
    check.word(body, "/type", &["modal"]);
    check.text(body, "/title/text", 1, 24);
    if body.get("submit").is_some() {
        check.text(body, "/submit/text", 1, 24);
    }
    if body.get("close").is_some() {
        check.text(body, "/close/text", 1, 24);
    }
    check.optional(body, "/callback_id", 255);
    check.optional(body, "/private_metadata", 3000);
    let blocks = check.list(body, "/blocks", 1, 100);
    check_blocks(&mut check, &blocks);
    check.sum(&blocks, "/blocks", 200_000);
    check.found
}

fn check_blocks(check: &mut Checker, blocks: &[Value]) {
    let mut ids = BTreeSet::new();
    for (index, block) in blocks.iter().enumerate() {
        check.enter(&format!("/blocks/{index}"));
        if let Some(id) = block.get("block_id").and_then(Value::as_str) {
            check.optional(block, "/block_id", 255);
            check.claim(ids.insert(id.to_owned()), "/block_id", "it stands twice", "make it unique");
        }
        one(check, block);
        check.leave();
    }
}

fn one(check: &mut Checker, block: &Value) {
    match block.get("type").and_then(Value::as_str).unwrap_or_default() {
        "header" => {
            check.word(block, "/text/type", &["plain_text"]);
            check.text(block, "/text/text", 1, 150);
        }
        "section" => section(check, block),
        "context" => {
            for (index, _) in check.list(block, "/elements", 1, 10).iter().enumerate() {
                check.text(block, &format!("/elements/{index}/text"), 1, 3000);
            }
        }
        "actions" => actions(check, block),
        "input" => input(check, block),
        "divider" => {}
        other => check.claim(
            false,
            "/type",
            &format!("`{other}` is no block that layouts use"),
            "use header, section, context, actions, input or divider",
        ),
    }
}

fn section(check: &mut Checker, block: &Value) {
    let (text, fields) = (block.get("text").is_some(), block.get("fields").is_some());
    check.claim(text || fields, "", "a section has neither text nor fields", "give it one of them");
    if text {
        check.word(block, "/text/type", &["mrkdwn", "plain_text"]);
        check.text(block, "/text/text", 1, 3000);
    }
    if fields {
        for (index, _) in check.list(block, "/fields", 1, 10).iter().enumerate() {
            check.text(block, &format!("/fields/{index}/text"), 1, 2000);
        }
    }
}

fn actions(check: &mut Checker, block: &Value) {
    let mut ids = BTreeSet::new();
    for (index, element) in check.list(block, "/elements", 1, 25).iter().enumerate() {
        check.enter(&format!("/elements/{index}"));
        check.text(element, "/action_id", 1, 255);
        let id = element.get("action_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        check.claim(ids.insert(id), "/action_id", "it stands twice", "make it unique");
        match element.get("type").and_then(Value::as_str).unwrap_or_default() {
            "button" => {
                check.text(element, "/text/text", 1, 75);
                check.optional(element, "/value", 2000);
                if element.get("style").is_some() {
                    check.word(element, "/style", &["primary", "danger"]);
                }
            }
            "overflow" => options(check, element, 5),
            "static_select" => options(check, element, 100),
            other => {
                let what = format!("`{other}` is no element that layouts use");
                check.claim(false, "/type", &what, "use button, overflow or static_select");
            }
        }
        check.leave();
    }
}

fn options(check: &mut Checker, element: &Value, most: usize) {
    for (index, option) in check.list(element, "/options", 1, most).iter().enumerate() {
        check.enter(&format!("/options/{index}"));
        check.text(option, "/text/text", 1, 75);
        check.text(option, "/value", 1, 150);
        check.leave();
    }
}

fn input(check: &mut Checker, block: &Value) {
    check.text(block, "/label/text", 1, 2000);
    check.text(block, "/element/action_id", 1, 255);
    check.word(block, "/element/type", &["plain_text_input", "static_select"]);
    check.optional(block, "/element/placeholder/text", 150);
    check.optional(block, "/element/initial_value", 3000);
    if block.pointer("/element/type").and_then(Value::as_str) == Some("static_select") {
        check.enter("/element");
        options(check, &block["element"], 100);
        let element = &block["element"];
        let chosen = element.get("initial_option");
        let offered = element.get("options").and_then(Value::as_array);
        let known = chosen.is_none_or(|chosen| offered.is_some_and(|all| all.contains(chosen)));
        check.claim(known, "/initial_option", "it is none of the options", "choose one that is offered");
        check.leave();
    }
}
