//! Takes secrets out of text before it goes anywhere.
//!
//! Owns the patterns of what looks like a credential. Every pattern is matched in linear time, whatever the
//! text; only the value is replaced, never the name before it. Refuses to guess at ordinary words: an error message that merely speaks of a token or a secret must
//! arrive whole, because diagnosis reads it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// `text` without what looks like a credential.
pub fn redact(text: &str) -> Cow<'_, str> {
    let hits = WORTH_A_LOOK.matches(text);
    if !hits.matched_any() {
        return Cow::Borrowed(text);
    }
    let mut clean = Cow::Borrowed(text);
    for index in &hits {
        if let Cow::Owned(cleaner) = RULES[index].apply(&clean) {
            clean = Cow::Owned(cleaner);
        }
    }
    clean
}

/// Whether what a pattern found is a secret.
type Judge = fn(&Captures<'_>) -> bool;

/// The lines of one text, such as the end of a log: a private key is spread over several of them, and its
/// beginning may have been cut off.
pub fn redact_lines<'t>(lines: &[&'t str]) -> Vec<Cow<'t, str>> {
    let inside = inside_keys(lines);
    let clean =
        |(line, inside): (&&'t str, bool)| if inside { Cow::Borrowed(REDACTED) } else { redact(line) };
    lines.iter().zip(inside).map(clean).collect()
}

/// Which lines belong to a private key: from its beginning to its end, to where the text breaks off, or from
/// where it begins to be base64 to an end without a beginning.
fn inside_keys(lines: &[&str]) -> Vec<bool> {
    let mut inside = vec![false; lines.len()];
    let mut begun: Option<usize> = None;
    for (n, line) in lines.iter().enumerate() {
        if KEY_BEGINS.is_match(line) {
            begun = Some(n);
        }
        if KEY_ENDS.is_match(line) {
            let body = lines[..n].iter().rev().take_while(|line| KEY_BODY.is_match(line)).count();
            inside[begun.take().unwrap_or(n - body)..=n].fill(true);
        }
    }
    if let Some(begun) = begun {
        inside[begun..].fill(true);
    }
    inside
}

static KEY_BEGINS: LazyLock<Regex> = LazyLock::new(|| constant(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"));
static KEY_ENDS: LazyLock<Regex> = LazyLock::new(|| constant(r"-----END [A-Z0-9 ]*PRIVATE KEY-----"));
/// A line of base64, perhaps after what a logger puts before each line.
static KEY_BODY: LazyLock<Regex> = LazyLock::new(|| constant(r"(?:^|\s)[A-Za-z0-9+/]{4,}={0,2}\s*$"));

fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns are constants and every one is tested")
}

struct Rule {
    pattern: Regex,
    judge: Judge,
}

impl Rule {
    /// Replaces the group `secret` of each match that the judge finds guilty.
    fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.pattern.replace_all(text, |found: &Captures<'_>| {
            let whole = found.get_match();
            match found.name("secret").filter(|_| (self.judge)(found)) {
                None => whole.as_str().to_owned(),
                Some(secret) => {
                    let before = &text[whole.start()..secret.start()];
                    let after = &text[secret.end()..whole.end()];
                    format!("{before}{REDACTED}{after}")
                }
            }
        })
    }
}

/// Pattern and judge, in the order they are applied.
const PATTERNS: &[(&str, Judge)] = &[
    (
        r"(?s)(?P<secret>-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z))",
        always,
    ),
    // JSON Web Tokens, and base64 of a document that begins with {"auth (a docker configuration).
    (r"\b(?P<secret>eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)", always),
    (r"\b(?P<secret>eyJhdXRo[A-Za-z0-9+/_=-]{12,})", always),
    // Tokens that say what they are.
    (
        r"\b(?P<secret>(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{30,}|sk_(?:live|test)_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{24,}|hvs\.[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,})",
        always,
    ),
    (
        r#"(?i)\bauthorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|token|negotiate|digest)\s+)?(?P<secret>[^\s"',;]{4,})"#,
        always,
    ),
    (r"(?i)\b(?:bearer|basic)\s+(?P<secret>[A-Za-z0-9+/._~-]{8,}=*)", looks_random),
    // scheme://user:password@host and scheme://token@host
    (r"(?i)\b[a-z][a-z0-9+.-]{1,20}://(?P<secret>[^\s/@?#'\x22]{1,512})@", always),
    // Command-line flags: --password hunter2
    (
        r#"(?i)(?:^|\s)--?(?:[a-z0-9]+[-_])*(?:password|passwd|token|secret|api[-_]?key|access[-_]?key)\s+(?P<secret>[^\s"'-][^\s"']*)"#,
        not_a_placeholder,
    ),
    // name=value, whatever the value.
    (
        r#"(?i)(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|account[_-]?key|credentials?|signature|sig)["']?\s?=\s?["']?(?P<secret>[^\s"',;&)}\]=<>][^\s"',;&)}\]]*)"#,
        not_a_placeholder,
    ),
    // "name": "value" and name: "value", also with the quotes escaped in a log of logs.
    (
        r#"(?i)(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|account[_-]?key|auth)\\?["']\s*:\s*\\?["'](?P<secret>[^"'\\]+)"#,
        not_a_placeholder,
    ),
    // password: value, without quotes.
    (
        r#"(?i)(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key)\s*:\s+["']?(?P<secret>[^\s"',;]+)"#,
        looks_random,
    ),
    (
        r#"(?im)^\s*(?:[a-z0-9]+[_.-])*(?:password|passwd|passphrase|pwd)\s*:\s*["']?(?P<secret>[^\s"',;]+)["']?\s*$"#,
        not_a_placeholder,
    ),
    // A long random string after a word that announces one: `signing key 9f86d0…`.
    (
        r#"(?i)\b(?:key|secret|token|password|credentials?|signature|cookie|session)\b["':=]*\s+(?:is\s+|was\s+|=\s*)?["']?(?P<secret>[A-Za-z0-9+/_-]{32,}=*)"#,
        looks_like_key,
    ),
    // A line that is nothing but base64: part of a key whose beginning stands elsewhere.
    (r"(?m)^\s*(?P<secret>[A-Za-z0-9+][A-Za-z0-9+/]{39,}={0,2})\s*$", looks_like_key),
    (r"(?i)\b(?:set-)?cookie:\s*(?P<secret>[^\r\n]+)", always),
];

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rule = |&(pattern, judge): &(&str, Judge)| Rule { pattern: constant(pattern), judge };
    PATTERNS.iter().map(rule).collect()
});

static WORTH_A_LOOK: LazyLock<RegexSet> = LazyLock::new(|| {
    regex::RegexSetBuilder::new(PATTERNS.iter().map(|(pattern, _)| pattern))
        .dfa_size_limit(32 << 20)
        .build()
        .expect("the patterns are constants and every one is tested")
});

fn always(_: &Captures<'_>) -> bool {
    true
}

fn secret<'t>(found: &Captures<'t>) -> &'t str {
    found.name("secret").map_or("", |group| group.as_str())
}

/// Values that say nothing: `token=true`, `password=***`, `--token <TOKEN>`.
fn not_a_placeholder(found: &Captures<'_>) -> bool {
    let value = secret(found);
    let empty = ["true", "false", "null", "nil", "none", "yes", "no", "<nil>", "0", "1"];
    !empty.iter().any(|word| value.eq_ignore_ascii_case(word))
        && !value.starts_with(['<', '*', '$', '{', '['])
}

/// Not a word, a path, a host or a status code: letters and digits mixed, in one piece.
fn looks_random(found: &Captures<'_>) -> bool {
    let value = secret(found).trim_end_matches(['.', ',', ':']);
    let letters = value.bytes().any(|b| b.is_ascii_alphabetic());
    let digits = value.bytes().any(|b| b.is_ascii_digit());
    let cased =
        value.bytes().any(|b| b.is_ascii_uppercase()) && value.bytes().any(|b| b.is_ascii_lowercase());
    let host_or_path = value.contains("://") || (value.contains(['.', '/', ':']) && value.len() < 40);
    value.len() >= 8 && letters && (digits || (cased && value.len() >= 20)) && !host_or_path
}

/// Base64 (three kinds of characters) or, where a word announces it, plain hexadecimal: alone on its line
/// that is a digest or a container's id. Names of objects are neither.
fn looks_like_key(found: &Captures<'_>) -> bool {
    let value = secret(found).as_bytes();
    let has = |kind: fn(&u8) -> bool| value.iter().any(kind);
    let base64 = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    let announced = found.get_match().as_str().trim() != secret(found);
    base64 || (announced && value.iter().all(u8::is_ascii_hexdigit) && has(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests;
