//! Block Kit as Slack would show it.

use serde_json::Value;

use super::Html;
use super::inline::{Dialect, block};

/// The HTML of a message or a modal: an array of blocks, or an object with `blocks` or `attachments`.
pub(in super::super) fn html(layout: &Value) -> String {
    let mut html = Html::default();
    html.open("div", "slack");
    for attachment in list(&layout["attachments"]) {
        blocks(&mut html, &attachment["blocks"]);
    }
    match layout {
        Value::Array(_) => blocks(&mut html, layout),
        _ if kind(layout) == "modal" => modal(&mut html, layout),
        _ if layout["blocks"].is_array() => blocks(&mut html, &layout["blocks"]),
        _ => text(&mut html, layout),
    }
    html.close("div");
    html.0
}

fn modal(html: &mut Html, view: &Value) {
    html.leaf("p", "modal-title", view["title"]["text"].as_str().unwrap_or_default());
    blocks(html, &view["blocks"]);
    if let Some(submit) = view["submit"]["text"].as_str() {
        html.open("div", "actions").leaf("span", "key primary", submit).close("div");
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn blocks(html: &mut Html, all: &Value) {
    for one in list(all) {
        match kind(one) {
            "header" => {
                html.leaf("p", "header", one["text"]["text"].as_str().unwrap_or_default());
            }
            "section" => section(html, one),
            "context" => {
                html.open("div", "context");
                for element in list(&one["elements"]) {
                    text(html, element);
                }
                html.close("div");
            }
            "divider" => {
                html.open("hr", "");
            }
            "actions" => {
                html.open("div", "actions");
                for element in list(&one["elements"]) {
                    button(html, element);
                }
                html.close("div");
            }
            "markdown" => {
                html.open("div", "section");
                block(html, one["text"].as_str().unwrap_or_default(), Dialect::Discord);
                html.close("div");
            }
            "input" => {
                html.open("div", "input");
                html.leaf("b", "", one["label"]["text"].as_str().unwrap_or_default());
                element(html, &one["element"]);
                html.close("div");
            }
            other => {
                html.leaf("p", "unknown", other);
            }
        }
    }
}

fn kind(value: &Value) -> &str {
    value["type"].as_str().unwrap_or("?")
}

fn section(html: &mut Html, one: &Value) {
    html.open("div", "section").open("div", "words");
    if !one["text"].is_null() {
        text(html, &one["text"]);
    }
    if one["fields"].is_array() {
        html.open("div", "fields");
        for field in list(&one["fields"]) {
            text(html, field);
        }
        html.close("div");
    }
    html.close("div");
    if !one["accessory"].is_null() {
        button(html, &one["accessory"]);
    }
    html.close("div");
}

fn text(html: &mut Html, value: &Value) {
    let words = value["text"].as_str().unwrap_or_default();
    html.open("div", "text");
    if kind(value) == "plain_text" {
        html.text(words);
    } else {
        block(html, words, Dialect::Slack);
    }
    html.close("div");
}

/// What is filled in: its value, or what stands there before; the choices of a menu below it.
fn element(html: &mut Html, one: &Value) {
    let texts = [&one["initial_value"], &one["initial_option"]["text"]["text"], &one["placeholder"]["text"]];
    let shown = texts.into_iter().find_map(Value::as_str).unwrap_or("⋯");
    match kind(one) {
        "plain_text_input" if one["multiline"].as_bool() == Some(true) => {
            html.leaf("div", "blank tall", shown)
        }
        "plain_text_input" => html.leaf("div", "blank", shown),
        _ => html.leaf("div", "blank choice", shown),
    };
    options(html, &one["options"], |option| &option["text"]["text"]);
}

/// The entries of a menu, which the platform shows once it is opened.
pub(super) fn options(html: &mut Html, all: &Value, text: impl Fn(&Value) -> &Value) {
    if !list(all).is_empty() {
        html.open("ul", "options");
        for option in list(all) {
            html.leaf("li", "", text(option).as_str().unwrap_or_default());
        }
        html.close("ul");
    }
}

fn button(html: &mut Html, element: &Value) {
    let label = element["text"]["text"].as_str().or_else(|| element["placeholder"]["text"].as_str());
    let class = match (kind(element), element["style"].as_str()) {
        ("button", Some("primary")) => "key primary",
        ("button", Some("danger")) => "key danger",
        ("button", _) => "key",
        _ => "key menu",
    };
    html.leaf("span", class, label.unwrap_or("⋯"));
    options(html, &element["options"], |option| &option["text"]["text"]);
}
