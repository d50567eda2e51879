//! Embeds and components as Discord would show them.

use serde_json::Value;

use super::Html;
use super::inline::{Dialect, block};
use super::slack::options;

/// The HTML of a message with `content`, `embeds` and `components`, or of a modal with `title` and `components`.
pub(in super::super) fn html(layout: &Value) -> String {
    let mut html = Html::default();
    html.open("div", "discord");
    plain(&mut html, "modal-title", &layout["title"]);
    marked(&mut html, "text", &layout["content"]);
    for one in list(&layout["embeds"]) {
        embed(&mut html, one);
    }
    for row in list(&layout["components"]) {
        component(&mut html, row);
    }
    if layout["title"].is_string() {
        // Discord's own button; nothing names it.
        html.open("div", "actions").leaf("span", "key primary", "⏎").close("div");
    }
    html.close("div");
    html.0
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn embed(html: &mut Html, one: &Value) {
    html.open("div", tone(one["color"].as_u64()));
    plain(html, "author", &one["author"]["name"]);
    let title = one["title"].as_str().unwrap_or_default();
    if !title.is_empty() {
        html.open("p", "title");
        match one["url"].as_str() {
            Some(url) => {
                html.link(url, title);
            }
            None => block(html, title, Dialect::Discord),
        }
        html.close("p");
    }
    marked(html, "text", &one["description"]);
    if !list(&one["fields"]).is_empty() {
        html.open("div", "fields");
        for field in list(&one["fields"]) {
            self::field(html, field);
        }
        html.close("div");
    }
    plain(html, "footer", &one["footer"]["text"]);
    html.close("div");
}

/// The bar at the side can only have colours of ours: a style in the page is refused by its policy.
fn tone(color: Option<u64>) -> &'static str {
    let Some(color) = color else { return "embed" };
    let (red, green, blue) = (color >> 16 & 0xff, color >> 8 & 0xff, color & 0xff);
    match (red, green, blue) {
        _ if green > red && green >= blue => "embed good",
        _ if blue > red => "embed info",
        _ if red > 120 && green > 90 && blue < 110 => "embed warning",
        _ if red > green.saturating_add(40) => "embed critical",
        _ => "embed",
    }
}

fn field(html: &mut Html, field: &Value) {
    let class = if field["inline"].as_bool().unwrap_or_default() { "field inline" } else { "field" };
    html.open("div", class);
    marked(html, "name", &field["name"]);
    marked(html, "text", &field["value"]);
    html.close("div");
}

fn plain(html: &mut Html, class: &'static str, value: &Value) {
    if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
        html.leaf("p", class, text);
    }
}

fn marked(html: &mut Html, class: &'static str, value: &Value) {
    if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
        html.open("div", class);
        block(html, text, Dialect::Discord);
        html.close("div");
    }
}

/// By their numbers: 1 row, 2 button, 4 text to type, 3 and 5 to 8 menus, 10 text, 12 gallery, 14 line, 17 container,
/// 18 label.
fn component(html: &mut Html, one: &Value) {
    match one["type"].as_u64() {
        Some(1) => {
            html.open("div", "actions");
            for inner in list(&one["components"]) {
                component(html, inner);
            }
            html.close("div");
        }
        Some(2) => {
            let class = match one["style"].as_u64() {
                Some(1) => "key primary",
                Some(3) => "key success",
                Some(4) => "key danger",
                _ => "key",
            };
            html.leaf("span", class, one["label"].as_str().unwrap_or("⋯"));
        }
        Some(3 | 5..=8) => {
            html.leaf("span", "key menu", one["placeholder"].as_str().unwrap_or("⋯"));
            options(html, &one["options"], |option| &option["label"]);
        }
        Some(4) => {
            let shown = one["value"].as_str().or(one["placeholder"].as_str()).unwrap_or("⋯");
            let class = if one["style"].as_u64() == Some(2) { "blank tall" } else { "blank" };
            let label = one["label"].as_str().unwrap_or_default();
            html.open("div", "input");
            if !label.is_empty() {
                html.leaf("b", "", label);
            }
            html.leaf("div", class, shown).close("div");
        }
        Some(10) => marked(html, "text", &one["content"]),
        Some(18) => {
            html.open("div", "input").leaf("b", "", one["label"].as_str().unwrap_or_default());
            component(html, &one["component"]);
            html.close("div");
        }
        Some(14) => {
            html.open("hr", "");
        }
        Some(9 | 17) => {
            html.open("div", tone(one["accent_color"].as_u64()));
            for inner in list(&one["components"]) {
                component(html, inner);
            }
            if !one["accessory"].is_null() {
                component(html, &one["accessory"]);
            }
            html.close("div");
        }
        other => {
            html.leaf("p", "unknown", &other.map_or("?".to_owned(), |kind| format!("type {kind}")));
        }
    }
}
