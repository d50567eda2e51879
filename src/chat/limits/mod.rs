//! What the platforms take, as data; and whether a rendered message keeps to it.
//!
//! A card is fitted to [`Limits`] before it is rendered, so that what comes out is valid by construction. The
//! validators ([`slack`], [`discord`]) look at the rendered JSON instead: `templates lint` and the tests hold
//! every layout against them.

pub mod discord;
pub mod slack;

use std::fmt;

use serde_json::Value;

use super::cut::Unit;
use super::dialect::Dialect;

/// How much fits where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub dialect: Dialect,
    pub unit: Unit,
    /// The plain line of a notification.
    pub summary: usize,
    pub title: usize,
    /// One block of the body.
    pub text: usize,
    /// All blocks of the body together.
    pub body: usize,
    /// How many blocks the body may have.
    pub blocks: usize,
    pub fields: usize,
    pub field_label: usize,
    pub field_value: usize,
    /// All fields together.
    pub all_fields: usize,
    /// All small print together.
    pub notes: usize,
    /// Everything together.
    pub total: usize,
    pub buttons: usize,
    pub button_label: usize,
    /// How many choices the menu has.
    pub options: usize,
    pub option_label: usize,
    /// Titles of forms, and what their buttons say.
    pub form_title: usize,
    pub form_label: usize,
    /// What a value is called when it comes back.
    pub form_name: usize,
    /// A choice as it is read, and as it comes back.
    pub form_option: usize,
    pub form_choice: usize,
    /// What stands in a field at first, and the hint where nothing does.
    pub form_text: usize,
    pub form_hint: usize,
}

/// Slack's, from Block Kit's reference; `total` stays below what is refused as `msg_blocks_too_long`, which is
/// not documented.
pub const SLACK: Limits = Limits {
    dialect: Dialect::Slack,
    unit: Unit::Chars,
    summary: 3000,
    title: 150,
    text: 3000,
    body: 7000,
    blocks: 40,
    fields: 10,
    field_label: 80,
    field_value: 600,
    all_fields: 2000,
    notes: 1500,
    total: 10_000,
    buttons: 5,
    button_label: 75,
    options: 5,
    option_label: 75,
    form_title: 24,
    form_label: 150,
    form_name: 255,
    form_option: 75,
    form_choice: 150,
    form_text: 3000,
    form_hint: 150,
};

/// Discord's: 6,000 over title, description, fields and footer.
pub const DISCORD: Limits = Limits {
    dialect: Dialect::Discord,
    unit: Unit::Utf16,
    summary: 1500,
    title: 256,
    text: 3000,
    body: 3800,
    blocks: 40,
    fields: 10,
    field_label: 200,
    field_value: 500,
    all_fields: 1200,
    notes: 600,
    total: 5800,
    buttons: 5,
    button_label: 80,
    options: 25,
    option_label: 100,
    form_title: 45,
    form_label: 45,
    form_name: 100,
    form_option: 100,
    form_choice: 100,
    form_text: 4000,
    form_hint: 100,
};

/// Where a rendered message breaks a limit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Breach {
    /// A JSON pointer.
    pub at: String,
    pub what: String,
    pub way_out: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

/// Looks at a rendered message, place by place.
struct Checker {
    unit: Unit,
    path: Vec<String>,
    found: Vec<Breach>,
}

impl Checker {
    fn chars() -> Self {
        Self { unit: Unit::Chars, path: Vec::new(), found: Vec::new() }
    }

    fn utf16() -> Self {
        Self { unit: Unit::Utf16, ..Self::chars() }
    }

    fn enter(&mut self, part: &str) {
        self.path.push(part.to_owned());
    }

    fn leave(&mut self) {
        self.path.pop();
    }

    fn claim(&mut self, holds: bool, at: &str, what: &str, way_out: &str) {
        if !holds {
            let at = format!("{}{at}", self.path.concat());
            self.found.push(Breach { at, what: what.to_owned(), way_out: way_out.to_owned() });
        }
    }

    /// A text that must be there, of so many units.
    fn text(&mut self, value: &Value, at: &str, least: usize, most: usize) {
        let text = value.pointer(at).and_then(Value::as_str);
        let length = text.map(|text| self.unit.count(text));
        let fits = length.is_some_and(|length| (least..=most).contains(&length));
        let filled = least == 0 || text.is_some_and(|text| !text.trim().is_empty());
        let what = match length {
            None => "a text is missing".to_owned(),
            Some(length) => format!("the text has {length} of {least} to {most} characters"),
        };
        self.claim(fits && filled, at, &what, "show less, or leave it out where it is empty");
    }

    /// A text that may be there.
    fn optional(&mut self, value: &Value, at: &str, most: usize) {
        if value.pointer(at).is_some() {
            self.text(value, at, 0, most);
        }
    }

    fn word(&mut self, value: &Value, at: &str, words: &[&str]) {
        let word = value.pointer(at).and_then(Value::as_str).unwrap_or_default();
        self.claim(
            words.contains(&word),
            at,
            &format!("it is `{word}`"),
            &format!("use {}", words.join(" or ")),
        );
    }

    fn list(&mut self, value: &Value, at: &str, least: usize, most: usize) -> Vec<Value> {
        let list = value.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
        let fits = (least..=most).contains(&list.len());
        self.claim(
            fits,
            at,
            &format!("{} of {least} to {most} entries", list.len()),
            "show fewer, or leave it out",
        );
        list
    }

    /// All texts under `text` together.
    fn sum(&mut self, values: &[Value], at: &str, most: usize) {
        self.sum_of(values, at, most, &["text"]);
    }

    fn sum_of(&mut self, values: &[Value], at: &str, most: usize, keys: &[&str]) {
        let sum: usize = values.iter().map(|value| texts(value, keys, self.unit)).sum();
        self.claim(sum <= most, at, &format!("{sum} of at most {most} characters together"), "show less");
    }
}

fn texts(value: &Value, keys: &[&str], unit: Unit) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if keys.contains(&key.as_str()) => unit.count(text),
                other => texts(other, keys, unit),
            })
            .sum(),
        Value::Array(items) => items.iter().map(|item| texts(item, keys, unit)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
