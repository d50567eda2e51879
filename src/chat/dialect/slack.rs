//! Slack's mrkdwn. Only `&`, `<` and `>` have entities; `*bold*` and its like work at the edge of a word, where
//! a gap keeps them apart.

use super::neutral::{GAP, clean, unfence, unpicture, unping};

pub(super) fn text(text: &str) -> String {
    let text = unpicture(&unping(&clean(text)));
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = '\n';
    let mut after = text.chars().skip(1);
    for c in text.chars() {
        let next = after.next().unwrap_or('\n');
        match c {
            '*' | '_' | '~' if is_edge(before) || is_edge(next) => out.extend([GAP, c, GAP]),
            '`' => out.extend([GAP, c, GAP]),
            '>' if before == '\n' => out.push_str("\u{200b}&gt;"),
            _ => escape(c, &mut out),
        }
        before = c;
    }
    out
}

pub(super) fn code(line: &str) -> String {
    format!("`{}`", escaped(&unping(line).replace('`', "ˋ")))
}

pub(super) fn fence(text: &str) -> String {
    let text = unfence(&unping(&clean(text)));
    let (start, end) = (if text.starts_with('`') { "\u{200b}" } else { "" }, "\n");
    format!("```\n{start}{}{end}```", escaped(text.trim_end_matches('\n')))
}

fn is_edge(c: char) -> bool {
    !c.is_alphanumeric()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        escape(c, &mut out);
    }
    out
}

fn escape(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        c => out.push(c),
    }
}
