//! What no dialect lets through: control characters, and marks that turn the order of reading around.

/// Joins nothing, shows nothing; keeps two characters from meaning something together.
pub(super) const GAP: char = '\u{200b}';

/// The text without control characters (line breaks and tabs stay) and without marks of direction.
pub(super) fn clean(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(visible).collect()
}

/// The same on one line.
pub(super) fn one_line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\u{2028}' | '\u{2029}' | '\u{85}' | '\r' => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// Puts a gap behind each `@` that would call somebody, in whatever case.
pub(super) fn unping(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        out.push(c);
        if c == '@' && calls(&text[at + 1..]) {
            out.push(GAP);
        }
    }
    out
}

fn calls(rest: &str) -> bool {
    let begins = |word: &str| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    ["everyone", "here", "channel", "group"].into_iter().any(begins)
        || rest.starts_with(['!', '&'])
        || rest.starts_with(|c: char| c.is_ascii_digit())
}

/// Puts a gap after the first colon of `:name:`, which would become a picture.
pub(super) fn unpicture(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        out.push(c);
        if c == ':' && is_name_and_colon(&text[at + 1..]) {
            out.push(GAP);
        }
    }
    out
}

fn is_name_and_colon(rest: &str) -> bool {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '\'')));
    end.is_some_and(|end| end > 0 && rest[end..].starts_with(':'))
}

/// Puts gaps between backticks, so that three of them never stand together.
pub(super) fn unfence(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '`' && out.ends_with('`') {
            out.push(GAP);
        }
        out.push(c);
    }
    out
}
