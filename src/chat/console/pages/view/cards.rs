//! How Slack and Discord would show the sample cards.

use serde_json::{Value, json};

use super::super::cards::{discord, slack};
use super::super::model::{Cards, Platform, RenderedCard};
use super::super::say::Say;
use super::View;
use crate::chat::templates::Mistake;

pub(super) fn view(page: &Cards<'_>, say: Say<'_>) -> View {
    let names: Vec<Value> = page
        .names
        .iter()
        .map(|name| json!({ "name": name, "word": word(name, say), "chosen": name == page.chosen }))
        .collect();
    let mistake = |one: &Mistake| {
        let line = if one.line > 0 { format!(":{}", one.line) } else { String::new() };
        json!({ "place": format!("{}{line}", one.file), "what": one.what, "way_out": one.way_out })
    };
    View {
        template: "cards",
        title: say.t("cards.title"),
        section: "cards",
        live: "cards".to_owned(),
        data: json!({ "live": {
            "names": names,
            "chosen": page.chosen,
            "mistakes": page.mistakes.iter().map(mistake).collect::<Vec<_>>(),
            "cards": page.cards.iter().map(shown).collect::<Vec<_>>(),
        }}),
    }
}

/// What a sample is called, where there are words for it.
fn word(name: &str, say: Say<'_>) -> String {
    let key = format!("cards.sample.{name}");
    if say.knows(&key) { say.t(&key) } else { name.to_owned() }
}

fn shown(card: &RenderedCard) -> Value {
    let (platform, tag, html) = match card.platform {
        Platform::Slack => ("Slack", "slack", slack::html(&card.layout)),
        Platform::Discord => ("Discord", "discord", discord::html(&card.layout)),
    };
    json!({
        "platform": platform,
        "tag": tag,
        "locale": card.locale,
        "problems": card.problems,
        "html": html,
        "json": serde_json::to_string_pretty(&card.layout).unwrap_or_default(),
    })
}
