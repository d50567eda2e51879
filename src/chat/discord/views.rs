//! Messages, modals and files: what layouts give, made into what Discord takes.

use serde_json::{Value, json};

use super::web::File;
use crate::chat::answer::Form;
use crate::chat::card::{Block, Button, Card, Style, Tone};
use crate::chat::cut::{Unit, cut};
use crate::chat::dialect::Dialect;
use crate::chat::fit::Fitted;
use crate::chat::layout::{LayoutError, Platform};
use crate::chat::limits;
use crate::chat::paper::Paper;

/// The longest text that is attached.
const LONGEST_FILE: usize = 512 * 1024;

/// A message, and what did not fit into it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Shown {
    pub(super) body: Value,
    pub(super) file: Option<File>,
}

/// A card as a message.
pub(super) fn message(paper: &Paper, card: &Card) -> Result<Value, LayoutError> {
    paper.layouts.card(Platform::Discord, card, &paper.words)
}

/// A card to be looked at closely: the whole of it is attached where the message holds less.
pub(super) fn sheet(paper: &Paper, card: &Card) -> Result<Shown, LayoutError> {
    if !Fitted::of(card, &limits::DISCORD, "").left_out {
        let body = paper.layouts.sheet(Platform::Discord, card, &paper.words)?;
        return Ok(Shown { body, file: None });
    }
    let said = Block::Note { text: crate::chat::card::Rich::plain(paper.words.word("discord.attached")) };
    let mut told = card.clone();
    told.blocks.insert(0, said);
    let body = paper.layouts.sheet(Platform::Discord, &told, &paper.words)?;
    let text = cut(&whole(card), LONGEST_FILE, Unit::Chars);
    Ok(Shown { body, file: Some(File { name: "kubemend.txt".into(), text }) })
}

/// Questions as a modal.
pub(super) fn modal(paper: &Paper, form: &Form) -> Result<Value, LayoutError> {
    paper.layouts.form(Platform::Discord, form, &paper.words)
}

/// A button that opens the questions, where a modal cannot be shown right now.
pub(super) fn questions(paper: &Paper, form: &Form) -> Result<Value, LayoutError> {
    let open = Button {
        id: form.id.clone(),
        label: paper.words.word("discord.questions.open"),
        style: Style::Primary,
        risk: None,
    };
    let mut card = Card::sentence(Tone::Neutral, paper.words.word("discord.questions"));
    card.title.clone_from(&form.title);
    card.blocks.extend(form.intro.iter().cloned());
    card.blocks.push(Block::Actions { buttons: vec![open], more: Vec::new() });
    message(paper, &card)
}

/// The same message, addressed to somebody and to nobody else.
pub(super) fn addressed(mut body: Value, user: &str, line: &str) -> Value {
    let user: String = user.chars().filter(char::is_ascii_digit).collect();
    body["content"] = json!(format!("<@{user}> {}", Dialect::Discord.text(line)));
    body["allowed_mentions"] = json!({"parse": [], "users": [user]});
    body
}

/// The whole card as plain text.
fn whole(card: &Card) -> String {
    let mut parts = vec![card.title.clone()];
    parts.extend(card.blocks.iter().map(|block| match block {
        Block::Fields { fields } => {
            let line = |field: &crate::chat::card::Field| {
                format!("{}: {}", field.label, Dialect::Plain.rich(&field.value))
            };
            fields.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Block::Note { text } => Dialect::Plain.rich(text),
        Block::Heading { .. }
        | Block::Text { .. }
        | Block::Quote { .. }
        | Block::Code { .. }
        | Block::Diff { .. }
        | Block::List { .. }
        | Block::Actions { .. } => Dialect::Plain.block(block),
    }));
    parts.retain(|part| !part.trim().is_empty());
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::chat::card::Rich;
    use crate::chat::layout::Layouts;
    use crate::chat::words::Words;

    fn paper() -> Paper {
        Paper { layouts: Arc::new(Layouts::shipped()), words: Arc::new(Words::shipped("en")) }
    }

    fn preview(lines: usize) -> Card {
        let mut card = Card::sentence(Tone::Warning, "What it would change");
        card.blocks.push(Block::Diff { text: "+ one more line\n".repeat(lines) });
        card.blocks.push(Block::Note { text: Rich::plain("Digest 12") });
        card
    }

    #[test]
    fn a_short_diff_stands_in_the_message_in_colours() {
        let shown = sheet(&paper(), &preview(3)).expect("JSON");
        let text = shown.body["embeds"][0]["description"].as_str().expect("a text");
        assert!(text.contains("```diff\n+ one more line"), "{text}");
        assert_eq!(shown.file, None);
    }

    #[test]
    fn a_long_diff_is_attached_whole() {
        let shown = sheet(&paper(), &preview(2_000)).expect("JSON");
        assert_eq!(limits::discord::message(&shown.body), Vec::new());
        assert!(shown.body.to_string().contains("in the file"), "the message says so");
        let file = shown.file.expect("a file");
        assert_eq!(file.text.matches("+ one more line").count(), 2_000);
        assert!(file.text.contains("Digest 12"));
    }

    #[test]
    fn a_late_answer_calls_its_asker_and_nobody_else() {
        let card = Card::sentence(Tone::Good, "@everyone <@&5>");
        let body = addressed(message(&paper(), &card).expect("JSON"), "77> @here", "done @everyone");
        assert_eq!(body["allowed_mentions"], json!({"parse": [], "users": ["77"]}));
        let content = body["content"].as_str().expect("text");
        assert!(content.starts_with("<@77> done @") && !content.contains("@everyone"), "{content}");
        assert_eq!(limits::discord::message(&body), Vec::new());
    }

    #[test]
    fn questions_that_cannot_be_shown_wait_behind_a_button() {
        let form = Form {
            id: "k1.rn.i-1.fix".to_owned(),
            title: "Ask for a remedy".to_owned(),
            intro: vec![crate::chat::layout::text("Add a pull secret")],
            inputs: Vec::new(),
            submit: "Ask".to_owned(),
        };
        let body = questions(&paper(), &form).expect("JSON");
        assert_eq!(limits::discord::message(&body), Vec::new());
        assert_eq!(body["components"][0]["components"][0]["custom_id"], "k1.rn.i-1.fix");
    }
}
