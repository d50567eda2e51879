//! Messages, modals and the app's home: what layouts give, made into what Slack takes.

use serde_json::{Value, json};

use crate::chat::answer::Form;
use crate::chat::card::{Card, Tone};
use crate::chat::layout::{LayoutError, Platform};
use crate::chat::paper::Paper;

/// Slack's longest private note in a modal.
const LONGEST_NOTE: usize = 3_000;

/// What a modal shows while its answer is made. Fixed text: it stands in an acknowledgement, which waits for
/// nothing.
pub(super) fn working() -> Value {
    json!({
        "type": "modal",
        "title": plain("kubemend"),
        "close": plain("OK"),
        "blocks": [{"type": "section", "text": plain("…")}],
    })
}

/// A card as a message's body, for calls that take no unfurl flags.
pub(super) fn message(paper: &Paper, card: &Card) -> Result<Value, LayoutError> {
    let mut body = paper.layouts.card(Platform::Slack, card, &paper.words)?;
    without_unfurls(&mut body);
    Ok(body)
}

/// Only `chat.postMessage` knows them.
pub(super) fn without_unfurls(body: &mut Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("unfurl_links");
        fields.remove("unfurl_media");
    }
}

/// A card to be looked at; `note` comes back with what is pressed in it.
pub(super) fn sheet(paper: &Paper, card: &Card, note: &str) -> Result<Value, LayoutError> {
    paper.layouts.sheet(Platform::Slack, card, &paper.words).map(|view| finished(view, note))
}

/// Questions; `note` comes back with the answers.
pub(super) fn form(paper: &Paper, form: &Form, note: &str) -> Result<Value, LayoutError> {
    paper.layouts.form(Platform::Slack, form, &paper.words).map(|view| finished(view, note))
}

/// A modal after everything was said elsewhere.
pub(super) fn done(paper: &Paper) -> Result<Value, LayoutError> {
    sheet(paper, &Card::sentence(Tone::Neutral, paper.words.word("slack.done")), "")
}

/// The app's home.
pub(super) fn home(paper: &Paper, card: &Card) -> Result<Value, LayoutError> {
    let view = sheet(paper, card, "")?;
    Ok(json!({"type": "home", "blocks": view["blocks"]}))
}

/// Slack wants a title and at least one block, whatever the card holds.
fn finished(mut view: Value, note: &str) -> Value {
    if view["title"]["text"].as_str().is_none_or(|text| text.trim().is_empty()) {
        view["title"] = plain("kubemend");
    }
    if view["blocks"].as_array().is_none_or(Vec::is_empty) {
        view["blocks"] = json!([{"type": "section", "text": plain("…")}]);
    }
    if !note.is_empty() && note.len() <= LONGEST_NOTE {
        view["private_metadata"] = json!(note);
    }
    view
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}
