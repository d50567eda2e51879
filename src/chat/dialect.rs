//! Untrusted text in each platform's dialect: it reads as it is, and does nothing.
//!
//! Nobody is called, nothing is formatted, linked or embedded, and no fence is broken out of. Formatting that
//! kubemend itself wants comes from the structure of a card ([`Span`], [`Block`]), never from a text. Refuses
//! to cut (that is `cut`) and to know JSON (that is `layout`).

mod discord;
mod html;
mod neutral;
mod slack;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::card::{Block, Mention, Rich, Span};

/// A way to write text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Dialect {
    /// mrkdwn.
    Slack,
    /// Discord's Markdown.
    Discord,
    Html,
    /// No formatting at all.
    Plain,
}

impl Dialect {
    /// Text that reads as it is.
    pub fn text(self, text: &str) -> String {
        match self {
            Self::Slack => slack::text(text),
            Self::Discord => discord::text(text),
            Self::Html => html::text(text),
            Self::Plain => neutral::clean(text),
        }
    }

    /// A name, to the letter, within a line.
    pub fn code(self, text: &str) -> String {
        let line = neutral::one_line(text);
        match self {
            _ if line.trim().is_empty() => String::new(),
            Self::Slack => slack::code(&line),
            Self::Discord => discord::code(&line),
            Self::Html => format!("<code>{}</code>", html::text(&line)),
            Self::Plain => line,
        }
    }

    /// Lines, to the letter.
    pub fn fence(self, text: &str) -> String {
        match self {
            Self::Slack => slack::fence(text),
            Self::Discord => discord::fence(text),
            Self::Html => format!("<pre><code>{}</code></pre>", html::text(text)),
            Self::Plain => neutral::clean(text),
        }
    }

    /// Lines that come and go, to the letter; in colours where the platform has them.
    pub fn diff(self, text: &str) -> String {
        match self {
            Self::Discord => self.fence(text).replacen("```\n", "```diff\n", 1),
            Self::Slack | Self::Html | Self::Plain => self.fence(text),
        }
    }

    /// What somebody else said, each line marked.
    pub fn quote(self, text: &str) -> String {
        let marked = |mark: &str| {
            self.text(text).lines().map(|line| format!("{mark}{line}")).collect::<Vec<_>>().join("\n")
        };
        match self {
            Self::Slack | Self::Discord | Self::Plain => marked("> "),
            Self::Html => format!("<blockquote>{}</blockquote>", html::text(text)),
        }
    }

    /// Emphasised.
    pub fn strong(self, text: &str) -> String {
        let inner = self.text(&neutral::one_line(text));
        match self {
            _ if inner.trim().is_empty() => inner,
            Self::Slack => format!("*{}*", inner.trim()),
            Self::Discord => format!("**{}**", inner.trim()),
            Self::Html => format!("<strong>{inner}</strong>"),
            Self::Plain => inner,
        }
    }

    /// A moment, in the reader's time zone where the platform can.
    pub fn time(self, at: Timestamp) -> String {
        let plain = at.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        match self {
            Self::Slack => {
                format!("<!date^{}^{{date_short_pretty}} {{time_secs}}|{plain}>", at.as_second())
            }
            Self::Discord => format!("<t:{0}:f> (<t:{0}:R>)", at.as_second()),
            Self::Html => format!("<time datetime=\"{at}\">{plain}</time>"),
            Self::Plain => plain,
        }
    }

    /// Somebody to call, from the configuration.
    pub fn mention(self, whom: &Mention) -> String {
        let id = |id: &str| id.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        match (self, whom) {
            (Self::Slack, Mention::Group(group)) => format!("<!subteam^{}>", id(group)),
            (Self::Slack | Self::Discord, Mention::User(user)) => format!("<@{}>", id(user)),
            (Self::Discord, Mention::Group(group)) => format!("<@&{}>", id(group)),
            (Self::Html | Self::Plain, Mention::User(name) | Mention::Group(name)) => {
                self.text(&format!("@{name}"))
            }
        }
    }

    /// A piece of text.
    pub fn span(self, span: &Span) -> String {
        match span {
            Span::Plain { text } => self.text(text),
            Span::Strong { text } => self.strong(text),
            Span::Code { text } => self.code(text),
            Span::Time { at } => self.time(*at),
            Span::Mention { whom } => self.mention(whom),
        }
    }

    /// Text with emphasis.
    pub fn rich(self, rich: &Rich) -> String {
        rich.0.iter().map(|span| self.span(span)).collect()
    }

    /// A block of a body; `""` for blocks that have their own place (fields, buttons, small print).
    pub fn block(self, block: &Block) -> String {
        match block {
            Block::Heading { text } => self.strong(text),
            Block::Text { text } => self.rich(text),
            Block::Quote { origin, at, text } => self.said(origin, *at, text),
            Block::Code { text } => self.fence(text),
            Block::Diff { text } => self.diff(text),
            Block::List { items } => items.iter().map(|item| self.item(item)).collect::<Vec<_>>().join("\n"),
            Block::Fields { .. } | Block::Actions { .. } | Block::Note { .. } => String::new(),
        }
    }

    fn said(self, origin: &str, at: Option<Timestamp>, text: &str) -> String {
        let at = at.map(|at| format!(" · {}", self.time(at))).unwrap_or_default();
        let head = if origin.is_empty() { String::new() } else { format!("{}{at}\n", self.code(origin)) };
        format!("{head}{}", self.quote(text))
    }

    fn item(self, item: &Rich) -> String {
        let line = self.rich(item).replace('\n', " ");
        match self {
            Self::Slack | Self::Plain => format!("• {line}"),
            Self::Discord => format!("- {line}"),
            Self::Html => format!("<li>{line}</li>"),
        }
    }
}

#[cfg(test)]
mod tests;
