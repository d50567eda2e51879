//! The message before any platform: what stands in it, in which order, and what can be pressed.
//!
//! Plain data. Every text here is unescaped and untrusted; dialects escape it, limits cut it, layouts frame
//! it. Refuses markup: emphasis is a [`Span`], never a character.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::Risk;

/// A message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    pub tone: Tone,
    /// One line without any formatting: what a notification shows.
    pub summary: String,
    /// Plain text; `""` for a message without a title.
    pub title: String,
    pub blocks: Vec<Block>,
}

/// What a message's colour says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    Critical,
    Warning,
    Info,
    /// Over, or fixed.
    Good,
    /// Says nothing about how bad it is.
    Neutral,
}

/// One part of a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
pub enum Block {
    /// The title of what follows.
    Heading {
        text: String,
    },
    Text {
        text: Rich,
    },
    /// Short facts, side by side where there is room.
    Fields {
        fields: Vec<Field>,
    },
    /// What something else said, and when.
    Quote {
        origin: String,
        at: Option<Timestamp>,
        text: String,
    },
    /// To the letter: commands.
    Code {
        text: String,
    },
    /// To the letter: lines that come and go.
    Diff {
        text: String,
    },
    /// One line each.
    List {
        items: Vec<Rich>,
    },
    /// What can be done; `more` is behind a menu.
    Actions {
        buttons: Vec<Button>,
        more: Vec<Button>,
    },
    /// Small print.
    Note {
        text: Rich,
    },
}

/// A label and what it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    pub label: String,
    pub value: Rich,
}

/// Something to press.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Button {
    /// Opaque; made and read by [`super::press`] alone. At most 100 characters.
    pub id: String,
    pub label: String,
    pub style: Style,
    /// The risk of what it leads to, where it leads to a change.
    pub risk: Option<Risk>,
}

/// How a button looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Style {
    Primary,
    Danger,
    Plain,
}

/// Text with emphasis.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rich(pub Vec<Span>);

/// A piece of text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Span {
    Plain {
        text: String,
    },
    Strong {
        text: String,
    },
    /// A name, to the letter.
    Code {
        text: String,
    },
    /// Shown in the reader's own time zone where the platform can.
    Time {
        at: Timestamp,
    },
    /// Somebody to call, as the configuration names them; never from a cluster.
    Mention {
        whom: Mention,
    },
}

/// Whom to call.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Mention {
    /// A user id of the platform.
    User(String),
    /// A Slack user group or a Discord role.
    Group(String),
}

impl Card {
    /// A message of one sentence.
    pub fn sentence(tone: Tone, text: impl Into<String>) -> Self {
        let text = text.into();
        let block = Block::Text { text: Rich::plain(text.clone()) };
        Self { tone, summary: text, title: String::new(), blocks: vec![block] }
    }

    /// A message of one sentence with emphasis.
    pub fn said(tone: Tone, text: Rich) -> Self {
        let summary = super::dialect::Dialect::Plain.rich(&text);
        Self { tone, summary, title: String::new(), blocks: vec![Block::Text { text }] }
    }

    /// The same with a further block.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Everything that can be pressed.
    pub fn buttons(&self) -> impl Iterator<Item = &Button> {
        let actions = self.blocks.iter().filter_map(|block| match block {
            Block::Actions { buttons, more } => Some(buttons.iter().chain(more)),
            Block::Heading { .. }
            | Block::Text { .. }
            | Block::Fields { .. }
            | Block::Quote { .. }
            | Block::Code { .. }
            | Block::Diff { .. }
            | Block::List { .. }
            | Block::Note { .. } => None,
        });
        actions.flatten()
    }
}

impl Rich {
    /// Text without emphasis.
    pub fn plain(text: impl Into<String>) -> Self {
        Self(vec![Span::Plain { text: text.into() }])
    }

    /// A name, to the letter.
    pub fn code(text: impl Into<String>) -> Self {
        Self(vec![Span::Code { text: text.into() }])
    }

    /// A moment.
    pub fn time(at: Timestamp) -> Self {
        Self(vec![Span::Time { at }])
    }

    /// The same with a further piece.
    #[must_use]
    pub fn and(mut self, span: Span) -> Self {
        self.0.push(span);
        self
    }

    /// The same, followed by text.
    #[must_use]
    pub fn then(self, text: impl Into<String>) -> Self {
        self.and(Span::Plain { text: text.into() })
    }

    /// The same, followed by other text.
    #[must_use]
    pub fn followed_by(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The same, followed by emphasised text.
    #[must_use]
    pub fn strong(self, text: impl Into<String>) -> Self {
        self.and(Span::Strong { text: text.into() })
    }
}
