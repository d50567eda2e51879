//! Which line of a layout gave what is not JSON.
//!
//! Every line of a template begins outside of a JSON string, so each can be given a mark with its number; what
//! is rendered then tells where its lines are from. Only done after a mistake.

use handlebars::Handlebars;
use serde_json::Value;

/// No value can hold it: values are escaped for JSON strings.
const MARK: char = '\u{1}';

/// The template's line at which its output ends to be JSON; 0 if that cannot be said.
pub(super) fn of(templates: &Handlebars<'_>, template: &str, values: &Value) -> usize {
    let marked: Vec<String> = (1_usize..)
        .zip(template.lines())
        .map(|(number, line)| format!("{MARK}{number}{MARK}{line}"))
        .collect();
    let Ok(text) = templates.render_template(&marked.join("\n"), values) else { return 0 };
    let (text, origins) = unmarked(&text);
    let Err(error) = serde_json::from_str::<Value>(&super::without_last_commas(&text)) else { return 0 };
    origins.get(error.line().saturating_sub(1)).copied().unwrap_or_default()
}

/// What was rendered without marks, and for each of its lines the template's line.
fn unmarked(text: &str) -> (String, Vec<usize>) {
    let (mut clean, mut origins, mut last) = (Vec::new(), Vec::new(), 0);
    for line in text.lines() {
        // Even parts are text, odd ones numbers; the last mark before any text is the line's own.
        let mut shown = String::new();
        for (at, part) in line.split(MARK).enumerate() {
            if at % 2 == 0 {
                shown.push_str(part);
            } else if shown.trim().is_empty() {
                last = part.parse().unwrap_or(last);
            }
        }
        clean.push(shown);
        origins.push(last);
    }
    (clean.join("\n"), origins)
}

/// The error without its place in the output, which nobody can look at.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").map_or(text.clone(), |end| text[..end].to_owned())
}
