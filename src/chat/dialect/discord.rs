//! Discord's Markdown. A backslash takes the meaning from any mark, outside of code; within code nothing has a
//! meaning but the backtick.

use super::neutral::{GAP, clean, unfence, unping};

pub(super) fn text(text: &str) -> String {
    let text = unping(&clean(text));
    let mut out = String::with_capacity(text.len() + 16);
    let mut line_begins = true;
    let mut number = false;
    for c in text.chars() {
        let list = line_begins && matches!(c, '-' | '+') || number && matches!(c, '.');
        match c {
            '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '[' | ']' | '(' | ')' | '#' | ':' => {
                out.extend(['\\', c]);
            }
            '@' => out.extend(['@', GAP]),
            c if list => out.extend(['\\', c]),
            c => out.push(c),
        }
        number = c.is_ascii_digit() && (line_begins || number);
        line_begins = c == '\n' || line_begins && c.is_whitespace();
    }
    out
}

pub(super) fn code(line: &str) -> String {
    format!("`{}`", unping(line).replace('`', "ˋ"))
}

pub(super) fn fence(text: &str) -> String {
    let text = unfence(&unping(&clean(text)));
    let text = text.trim_end_matches('\n');
    let start = if text.starts_with('`') { "\u{200b}" } else { "" };
    format!("```\n{start}{text}\n```")
}
