//! How Slack and Discord would show the sample cards.

use serde_json::{Value, json};

use super::super::cards::{discord, slack};
use super::super::model::{Cards, Platform, RenderedCard};
use super::super::say::Say;
use super::View;

pub(super) fn view(page: &Cards<'_>, say: Say<'_>) -> View {
    let names: Vec<Value> =
        page.names.iter().map(|name| json!({ "name": name, "chosen": name == page.chosen })).collect();
    View {
        template: "cards",
        title: say.t("cards.title"),
        section: "cards",
        live: "cards".to_owned(),
        data: json!({ "live": {
            "names": names,
            "chosen": page.chosen,
            "cards": page.cards.iter().map(shown).collect::<Vec<_>>(),
        }}),
    }
}

fn shown(card: &RenderedCard) -> Value {
    let (platform, tag, html) = match card.platform {
        Platform::Slack => ("Slack", "slack", slack::html(&card.layout)),
        Platform::Discord => ("Discord", "discord", discord::html(&card.layout)),
    };
    json!({
        "platform": platform,
        "tag": tag,
        "locale": card.locale.tag(),
        "problems": card.problems,
        "html": html,
        "json": serde_json::to_string_pretty(&card.layout).unwrap_or_default(),
    })
}
