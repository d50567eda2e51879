//! Layouts: from a fitted card to the JSON that a platform takes.
//!
//! `templates/<platform>/<name>.json.hbs` are Handlebars over a [`Fitted`] card or form; what comes out must be
//! JSON. Every value is escaped as the inside of a JSON string, whatever the template does: raw output
//! (`{{{x}}}`, `{{&x}}`) is refused when a template is read, and so are partials from elsewhere. Values are in
//! the platform's dialect before they get here. Any layout may be replaced by one in the operator's folder.

mod lines;
mod questions;

use std::path::Path;

use handlebars::Handlebars;
use serde_json::{Value, json};
use thiserror::Error;

use super::answer::Form;
use super::card::{Block, Card, Rich, Tone};
use super::cut::cut;
use super::fit::Fitted;
use super::limits::{self, Limits};
use super::templates::{Mistake, line_of, overriding};
use super::words::Words;

/// The platforms with layouts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Platform {
    Slack,
    Discord,
}

impl Platform {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Slack, Self::Discord];

    /// As folders and keys name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Discord => "discord",
        }
    }

    /// What it takes.
    pub fn limits(self) -> &'static Limits {
        match self {
            Self::Slack => &limits::SLACK,
            Self::Discord => &limits::DISCORD,
        }
    }
}

/// The kinds of layouts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Layout {
    /// A message.
    Card,
    /// A card to be looked at closely: a modal in Slack, a message in Discord.
    Sheet,
    /// A modal with questions.
    Form,
}

impl Layout {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Card, Self::Sheet, Self::Form];

    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Card => "card.json.hbs",
            Self::Sheet => "sheet.json.hbs",
            Self::Form => "form.json.hbs",
        }
    }
}

macro_rules! shipped {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../templates/", $file)))),*]
    };
}

const SHIPPED: &[(&str, &str)] = shipped![
    "slack/card.json.hbs",
    "slack/sheet.json.hbs",
    "slack/form.json.hbs",
    "discord/card.json.hbs",
    "discord/sheet.json.hbs",
    "discord/form.json.hbs",
];

/// A layout that did not give what it must; a mistake in a template.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("layout {layout}: {why}")]
pub struct LayoutError {
    pub layout: String,
    /// Of the template, from 1; 0 where it is not known.
    pub line: usize,
    pub why: String,
}

/// All layouts, ready for use.
#[derive(Debug)]
pub struct Layouts {
    templates: Handlebars<'static>,
    files: Vec<File>,
}

/// A layout as it is written.
#[derive(Debug)]
struct File {
    name: String,
    /// Where it is from.
    origin: String,
    text: String,
}

impl Layouts {
    /// The shipped layouts.
    pub fn shipped() -> Self {
        Self::load(None).expect("a test reads every shipped layout")
    }

    /// The shipped layouts, with those of a folder in their place; or every mistake in them.
    pub fn load(folder: Option<&Path>) -> Result<Self, Vec<Mistake>> {
        let mut layouts = Self { templates: empty(), files: Vec::new() };
        let mut mistakes = Vec::new();
        for (name, text) in SHIPPED {
            let own = overriding(folder, name, &mut mistakes);
            let (file, text) = own.unwrap_or_else(|| (format!("templates/{name}"), (*text).to_owned()));
            layouts.add(name, &file, &text, &mut mistakes);
        }
        if mistakes.is_empty() { Ok(layouts) } else { Err(mistakes) }
    }

    /// The files in use.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.origin.as_str())
    }

    /// The file of a layout.
    pub fn file(&self, platform: Platform, layout: Layout) -> &str {
        self.written(&name(platform, layout)).map_or("", |written| &written.origin)
    }

    fn written(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|file| file.name == name)
    }

    /// A card as the platform's message. What does not fit was cut, and the message says so.
    pub fn card(&self, platform: Platform, card: &Card, words: &Words) -> Result<Value, LayoutError> {
        self.fitted(platform, Layout::Card, card, words)
    }

    /// What of a card its message or sheet does not hold, whole.
    pub fn rest(&self, platform: Platform, card: &Card) -> Vec<Block> {
        Fitted::rest(card, platform.limits())
    }

    /// A card to be looked at closely.
    pub fn sheet(&self, platform: Platform, card: &Card, words: &Words) -> Result<Value, LayoutError> {
        self.fitted(platform, Layout::Sheet, card, words)
    }

    /// A form as the platform's modal.
    pub fn form(&self, platform: Platform, form: &Form, words: &Words) -> Result<Value, LayoutError> {
        let limits = platform.limits();
        let summary = form.title.clone();
        let intro = Card { tone: Tone::Neutral, summary, title: String::new(), blocks: form.intro.clone() };
        let left_out = words.word("card.left_out.plain");
        let inputs = questions::fitted(form, limits);
        let title = questions::line(&[&form.title], limits.form_title, limits);
        let mut values = Fitted::of(&intro, limits, &left_out).values();
        // Where a modal has room for five things, what stands above comes after the questions.
        let above = if inputs.len() < questions::MOST { values["body"].as_array().cloned() } else { None };
        let mut above: Vec<String> =
            above.iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        if inputs.is_empty() && above.is_empty() {
            // A modal of nothing is refused.
            above = vec![limits.dialect.text(&title)];
            values["body"] = json!(above);
        }
        values["id"] = json!(form.id);
        values["submit"] = json!(questions::line(&[&form.submit, &title], limits.form_title, limits));
        values["title"] = json!(title);
        values["inputs"] = json!(inputs);
        values["intro"] = json!(above.join("\n"));
        self.render(&name(platform, Layout::Form), &values)
    }

    fn fitted(
        &self,
        platform: Platform,
        layout: Layout,
        card: &Card,
        words: &Words,
    ) -> Result<Value, LayoutError> {
        let limits = platform.limits();
        let left_out = words.word("card.left_out.plain");
        let mut values = Fitted::of(card, limits, &left_out).values();
        let title = super::dialect::Dialect::Plain.code(&card.title);
        let title = if title.is_empty() { "kubemend".to_owned() } else { title };
        values["formTitle"] = json!(cut(short_title(&title, limits), limits.form_title, limits.unit));
        self.render(&name(platform, layout), &values)
    }

    fn render(&self, name: &str, values: &Value) -> Result<Value, LayoutError> {
        let failed = |line, why: String| LayoutError { layout: name.to_owned(), line, why };
        let text = self.templates.render(name, values).map_err(|error| {
            let why = error.reason().to_string();
            failed(error.line_no.unwrap_or_default(), why)
        })?;
        let text = without_last_commas(&text);
        serde_json::from_str(&text).map_err(|error| {
            let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
            let shown = cut(line.trim(), 120, super::cut::Unit::Chars);
            let at = self.written(name).map_or(0, |file| lines::of(&self.templates, &file.text, values));
            failed(at, format!("what it gives is not JSON: {}: {shown}", lines::without_place(&error)))
        })
    }

    fn add(&mut self, name: &str, file: &str, text: &str, mistakes: &mut Vec<Mistake>) {
        for raw in ["{{{", "{{&", "{{~&", "{{~{", "{{>", "{{~>", "{{#>", "{{~#>"] {
            if let Some(line) = text.lines().position(|line| line.contains(raw)) {
                let what = format!("`{raw}` would let text in as it is, or a template from elsewhere");
                mistakes.push(Mistake::new(file, line + 1, what, "write `{{name}}` within a JSON string"));
            }
        }
        if let Err(error) = self.templates.register_template_string(name, text) {
            let (line, _) = error.pos().unwrap_or((0, 0));
            let what = error.reason().to_string();
            mistakes.push(Mistake::new(file, line, what, "see docs/chat.md, \"Templates\""));
        }
        self.files.push(File { name: name.to_owned(), origin: file.to_owned(), text: text.to_owned() });
    }
}

/// Renders every layout in these words with this card, and holds it against the platform's limits.
pub fn lint(layouts: &Layouts, words: &Words, cards: &[Card], forms: &[Form]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for platform in Platform::ALL {
        for layout in Layout::ALL {
            let rendered: Vec<Result<Value, LayoutError>> = match layout {
                Layout::Card => cards.iter().map(|card| layouts.card(*platform, card, words)).collect(),
                Layout::Sheet => cards.iter().map(|card| layouts.sheet(*platform, card, words)).collect(),
                Layout::Form => forms.iter().map(|form| layouts.form(*platform, form, words)).collect(),
            };
            for made in rendered {
                mistakes.extend(judge(layouts, *platform, *layout, &made));
            }
        }
    }
    mistakes.sort();
    mistakes.dedup();
    mistakes
}

/// What is wrong with what a layout gave: it is not JSON, or the platform would refuse it.
pub fn judge(
    layouts: &Layouts,
    platform: Platform,
    layout: Layout,
    made: &Result<Value, LayoutError>,
) -> Vec<Mistake> {
    let written = layouts.written(&name(platform, layout));
    let (file, text) = written.map_or(("", ""), |written| (&written.origin, &written.text));
    let body = match made {
        Ok(body) => body,
        Err(error) => {
            let way_out = "a layout is JSON with `{{name}}` in its strings; see docs/chat.md, \"Templates\"";
            return vec![Mistake::new(file, error.line, error.why.clone(), way_out)];
        }
    };
    let found = match (platform, layout) {
        (Platform::Slack, Layout::Card) => limits::slack::message(body),
        (Platform::Slack, Layout::Sheet | Layout::Form) => limits::slack::view(body),
        (Platform::Discord, Layout::Card | Layout::Sheet) => limits::discord::message(body),
        (Platform::Discord, Layout::Form) => limits::discord::modal(body),
    };
    let line = |pointer: &str| {
        let key = pointer.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or_default();
        line_of(text, &format!("\"{key}\""))
    };
    found
        .into_iter()
        .map(|breach| Mistake::new(file, line(&breach.at), breach.to_string(), breach.way_out))
        .collect()
}

/// A window's title is short, and the whole one stands in it: "Preview" of "Preview: Replace the pod".
fn short_title<'t>(title: &'t str, limits: &Limits) -> &'t str {
    let first = title.split_once([':', '：']).map_or(title, |(first, _)| first).trim();
    if limits.unit.count(title) > limits.form_title && !first.is_empty() { first } else { title }
}

fn name(platform: Platform, layout: Layout) -> String {
    format!("{}/{}", platform.name(), layout.file())
}

fn empty() -> Handlebars<'static> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.register_escape_fn(inside_json);
    templates
}

/// Text as it may stand between the quotes of a JSON string.
fn inside_json(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// JSON knows no comma before a closing bracket; a template with parts that may be missing cannot do without.
fn without_last_commas(text: &str) -> String {
    let (mut out, mut comma) = (String::with_capacity(text.len()), None);
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '"' {
            (in_string, comma) = (true, None);
        } else if c == ',' {
            comma = Some(out.len());
        } else if matches!(c, ']' | '}') {
            if let Some(at) = comma.take() {
                out.remove(at);
            }
        } else if !c.is_whitespace() {
            comma = None;
        }
        out.push(c);
    }
    out
}

/// A text block, for those who build small cards.
pub fn text(text: impl Into<String>) -> Block {
    Block::Text { text: Rich::plain(text) }
}

#[cfg(test)]
mod tests;
