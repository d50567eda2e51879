//! Inline marks of mrkdwn and of Discord's Markdown: bold, italic, struck, code, blocks, quotes, links.

use jiff::Timestamp;

use super::{Html, Moment};

/// Whose marks they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Slack,
    Discord,
}

/// A whole text: code blocks, quotes and lines.
pub(super) fn block(html: &mut Html, text: &str, dialect: Dialect) {
    for (at, part) in text.split("```").enumerate() {
        if at % 2 == 1 {
            let part = part.strip_prefix("diff\n").filter(|_| dialect == Dialect::Discord).unwrap_or(part);
            html.leaf("pre", "", unescaped(part.trim_matches('\n'), dialect).as_str());
        } else {
            lines(html, part, dialect);
        }
    }
}

fn lines(html: &mut Html, text: &str, dialect: Dialect) {
    let mut first = true;
    for line in text.trim_matches('\n').split('\n') {
        if let Some(quoted) = quote(line, dialect) {
            html.open("blockquote", "");
            inline(html, quoted, dialect);
            html.close("blockquote");
            first = true;
            continue;
        }
        if !first {
            html.open("br", "");
        }
        first = false;
        inline(
            html,
            line.strip_prefix("-# ").filter(|_| dialect == Dialect::Discord).unwrap_or(line),
            dialect,
        );
    }
}

fn quote(line: &str, dialect: Dialect) -> Option<&str> {
    match dialect {
        Dialect::Slack => line.strip_prefix("&gt;").or_else(|| line.strip_prefix('>')).map(str::trim_start),
        Dialect::Discord => line.strip_prefix("> "),
    }
}

/// One line.
pub(super) fn inline(html: &mut Html, line: &str, dialect: Dialect) {
    let mut plain = String::new();
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        if next == '\\' && dialect == Dialect::Discord {
            let escaped = rest.chars().nth(1);
            plain.extend(escaped);
            rest = &rest[1 + escaped.map_or(0, char::len_utf8)..];
            continue;
        }
        if next == '\u{200b}' && dialect == Dialect::Slack {
            // How a mark of a cluster's text is kept from being one: what follows it is only a character.
            rest = &rest[next.len_utf8()..];
            let shielded = rest.chars().next().filter(|c| !matches!(c, '&' | '<' | '\u{200b}'));
            plain.extend(shielded);
            rest = &rest[shielded.map_or(0, char::len_utf8)..];
            continue;
        }
        let after_word = plain.chars().last().is_some_and(char::is_alphanumeric);
        let found = if after_word && dialect == Dialect::Slack { None } else { mark(rest, dialect) };
        if let Some(found) = found.or_else(|| angle(rest)) {
            html.text(&unescaped(&std::mem::take(&mut plain), dialect));
            write(html, &found, dialect);
            rest = &rest[found.length..];
        } else {
            plain.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    html.text(&unescaped(&plain, dialect));
}

struct Found<'t> {
    what: What<'t>,
    length: usize,
}

enum What<'t> {
    Marked(&'static str, &'t str),
    Code(&'t str),
    Link {
        url: &'t str,
        text: &'t str,
    },
    /// Somebody is named: `@ops`.
    Mention(String),
    Time(Moment<'t>),
}

fn write(html: &mut Html, found: &Found<'_>, dialect: Dialect) {
    match &found.what {
        What::Marked(tag, inner) => {
            html.open(tag, "");
            inline(html, inner, dialect);
            html.close(tag);
        }
        What::Code(inner) => {
            html.leaf("code", "", &unescaped(inner, dialect));
        }
        What::Link { url, text } => {
            html.link(&unescaped(url, dialect), &unescaped(text, dialect));
        }
        What::Mention(name) => {
            html.leaf("span", "mention", name);
        }
        What::Time(moment) => {
            html.moment(moment);
        }
    }
}

const SLACK: &[(&str, &str)] = &[("*", "b"), ("_", "i"), ("~", "s")];
const DISCORD: &[(&str, &str)] = &[("**", "b"), ("__", "u"), ("~~", "s"), ("*", "i"), ("_", "i")];

fn mark(rest: &str, dialect: Dialect) -> Option<Found<'_>> {
    if let Some(inner) = between(rest, "`", "`") {
        return Some(Found { length: inner.len() + 2, what: What::Code(inner) });
    }
    let marks = if dialect == Dialect::Slack { SLACK } else { DISCORD };
    for &(sign, tag) in marks {
        if let Some(inner) = marked(rest, sign)
            && !inner.starts_with(' ')
            && !inner.ends_with(' ')
        {
            return Some(Found { length: inner.len() + 2 * sign.len(), what: What::Marked(tag, inner) });
        }
    }
    let text = between(rest, "[", "](").filter(|_| dialect == Dialect::Discord)?;
    let url = between(&rest[text.len() + 2..], "(", ")")?;
    Some(Found { length: text.len() + url.len() + 4, what: What::Link { url, text } })
}

/// `<https://example.com|text>`, `<@U1>`, `<!here>`, `<#C1>`, `<t:1700000000:R>`.
fn angle(rest: &str) -> Option<Found<'_>> {
    let inner = between(rest, "<", ">")?;
    let length = inner.len() + 2;
    let what = match inner.chars().next()? {
        // `<!date^1790000010^{date_short_pretty}|2026-09-21 14:13:30Z>`: what stands there for old clients.
        '!' if inner.starts_with("!date^") => What::Time(Moment::Told(inner.rsplit('|').next()?)),
        '@' | '#' | '!' => What::Mention(inner.replacen('!', "@", 1)),
        't' if inner.starts_with("t:") => {
            let mut parts = inner.split(':').skip(1);
            let at = parts.next()?.parse().ok().and_then(|second| Timestamp::from_second(second).ok())?;
            What::Time(if parts.next() == Some("R") { Moment::Ago(at) } else { Moment::At(at) })
        }
        _ if inner.starts_with("http") => {
            let (url, text) = inner.split_once('|').unwrap_or((inner, inner));
            What::Link { url, text }
        }
        _ => return None,
    };
    Some(Found { what, length })
}

/// What stands between a sign and the next one that is not kept from being one.
fn marked<'t>(text: &'t str, sign: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(sign)?;
    let mut ends = rest.match_indices(sign).map(|(end, _)| &rest[..end]);
    ends.find(|inner| !inner.is_empty() && !inner.ends_with(['\\', '\u{200b}']))
}

fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(open)?;
    let end = rest.find(close)?;
    (end > 0).then(|| &rest[..end])
}

/// Slack's three entities as the characters they stand for; they are escaped again when written.
fn unescaped(text: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Slack => text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
        Dialect::Discord => text.to_owned(),
    }
}
