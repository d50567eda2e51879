//! What the desk says to somebody who pressed a button, typed a command, or filled in a form.

use serde::{Deserialize, Serialize};

use super::card::{Block, Card};

/// An answer to one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A message.
    Card { card: Card, to: Audience },
    /// Something to look at closely, with nothing to fill in: a modal where the platform has one with room
    /// for it, otherwise a message that only the asker sees.
    Sheet(Card),
    /// Questions; what is filled in comes back through `Desk::submit` with the form's id.
    Form(Form),
    /// Nothing to say: the incident's own message tells it.
    Quiet,
}

/// Who sees an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// Only the one who asked.
    Asker,
    /// Everybody in the channel.
    Channel,
}

/// Questions to one person. A modal on every platform.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Form {
    /// Opaque, as a button's.
    pub id: String,
    pub title: String,
    /// What stands above the questions, where there is room.
    pub intro: Vec<Block>,
    /// At most five.
    pub inputs: Vec<Input>,
    /// What the button says.
    pub submit: String,
}

/// One question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// What the value is called when it comes back.
    pub name: String,
    pub label: String,
    pub kind: InputKind,
    /// What stands there at first.
    pub value: String,
    pub required: bool,
}

/// How a question is answered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum InputKind {
    Line {
        placeholder: String,
    },
    Paragraph {
        placeholder: String,
    },
    /// One of these; at most 25. A platform without menus in forms shows a line and the choices as its
    /// placeholder.
    Choice {
        options: Vec<String>,
    },
}

impl Answer {
    /// A message that only the asker sees.
    pub fn only(card: Card) -> Self {
        Self::Card { card, to: Audience::Asker }
    }
}
