//! Questions to one person, fitted to a platform's modal. Pure.
//!
//! What comes back must be what was offered: a name, a choice or a text that does not fit is left out and never cut,
//! since half of it would mean something else. What is not asked takes the best choice. Labels and hints, which only
//! people read, are cut.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::chat::answer::{Form, Input, InputKind};
use crate::chat::cut::cut;
use crate::chat::dialect::Dialect;
use crate::chat::limits::Limits;

/// What modals have room for.
pub(super) const MOST: usize = 5;
/// How many choices a menu has.
const CHOICES: usize = 25;
/// What something without a name of its own is called.
const NAMELESS: &str = "kubemend";

/// The questions that can be asked, for the layout.
pub(super) fn fitted(form: &Form, limits: &Limits) -> Vec<Value> {
    let mut names = BTreeSet::new();
    let all = form.inputs.iter().filter(|input| fits(&input.name, limits.form_name, limits));
    let each_once = all.filter(|input| names.insert(input.name.as_str()));
    each_once.take(MOST).map(|input| question(input, limits)).collect()
}

/// On one line and never empty: the first of these that says something.
pub(super) fn line(texts: &[&str], limit: usize, limits: &Limits) -> String {
    let lines = texts.iter().map(|text| cut(&one_line(text), limit, limits.unit));
    lines.into_iter().find(|line| !line.trim().is_empty()).unwrap_or_else(|| NAMELESS.to_owned())
}

fn question(input: &Input, limits: &Limits) -> Value {
    let offered = choices(input, limits);
    let (kind, hint) = match &input.kind {
        InputKind::Line { placeholder } => ("line", placeholder.clone()),
        InputKind::Paragraph { placeholder } => ("paragraph", placeholder.clone()),
        // A menu of nothing is none.
        InputKind::Choice { options } if offered.is_empty() => ("line", options.join(" | ")),
        InputKind::Choice { .. } => ("choice", String::new()),
    };
    let chosen = offered.contains(&input.value.as_str());
    let value = if kind == "choice" { chosen } else { fits(&input.value, limits.form_text, limits) };
    let label = |value: &str| cut(&one_line(value), limits.form_option, limits.unit);
    let options = offered.iter().map(
        |value| json!({"label": label(value), "value": value, "chosen": chosen && *value == input.value}),
    );
    json!({
        "name": input.name,
        "label": line(&[&input.label, &input.name], limits.form_label, limits),
        "kind": kind,
        "placeholder": cut(&one_line(&hint), limits.form_hint, limits.unit).trim(),
        "options": options.collect::<Vec<_>>(),
        "value": if value { input.value.as_str() } else { "" },
        "valueLabel": label(if value { &input.value } else { "" }),
        "chosen": chosen,
        "required": input.required,
    })
}

/// The choices that can be offered, each once.
fn choices<'i>(input: &'i Input, limits: &Limits) -> Vec<&'i str> {
    let InputKind::Choice { options } = &input.kind else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let all = options
        .iter()
        .map(String::as_str)
        .filter(|option| fits(option, limits.form_choice, limits) && !one_line(option).trim().is_empty());
    all.filter(|option| seen.insert(*option)).take(CHOICES).collect()
}

fn fits(text: &str, limit: usize, limits: &Limits) -> bool {
    !text.trim().is_empty() && limits.unit.count(text) <= limit
}

fn one_line(text: &str) -> String {
    Dialect::Plain.code(text)
}
