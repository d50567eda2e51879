//! Cutting and splitting text to a limit, on borders where a reader would.
//!
//! Counts in the platform's own unit. Never cuts within a character, nor between a letter and what is joined
//! to it (accents, variation selectors, joined emoji). What was left out shows as `…`.

use serde::{Deserialize, Serialize};

/// What stands where something was left out.
pub const MARK: char = '…';

/// What a platform counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    Chars,
    /// UTF-16 code units: never fewer than characters.
    Utf16,
}

impl Unit {
    /// How long a text is.
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::Chars => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
        }
    }
}

/// The text if it fits, or as much of its beginning as does with the mark.
pub fn cut(text: &str, limit: usize, unit: Unit) -> String {
    fit(text, limit, unit, &str::to_owned)
}

/// `form` of as much of the beginning of `text` as fits into `limit` once formed (escaped, fenced, quoted). The
/// mark is formed along. Nothing, if not even the mark fits.
pub fn fit(text: &str, limit: usize, unit: Unit, form: &dyn Fn(&str) -> String) -> String {
    let whole = form(text);
    if unit.count(&whole) <= limit {
        return whole;
    }
    let borders = borders(text);
    let try_at = |at: usize| form(&format!("{}{MARK}", text[..borders[at]].trim_end()));
    // Forming is nearly monotonic; the search finds the region and the last steps make sure.
    let fits = |at: usize| unit.count(&try_at(at)) <= limit;
    let mut at = borders.partition_point(|border| {
        unit.count(&form(&format!("{}{MARK}", text[..*border].trim_end()))) <= limit
    });
    at = at.min(borders.len() - 1);
    while at > 0 && !fits(at) {
        at -= 1;
    }
    if fits(at) { try_at(at) } else { String::new() }
}

/// The text in pieces that each fit, cut after a line, else after a word, else anywhere.
pub fn split(text: &str, limit: usize, unit: Unit) -> Vec<String> {
    let limit = limit.max(8);
    let (mut rest, mut pieces) = (text, Vec::new());
    while unit.count(rest) > limit {
        let end = longest_prefix(rest, limit, unit);
        let head = &rest[..end];
        let at =
            head.rfind('\n').or_else(|| head.rfind(' ')).filter(|at| *at > end / 2).map_or(end, |at| at + 1);
        pieces.push(rest[..at].trim_end_matches('\n').to_owned());
        rest = &rest[at..];
    }
    pieces.push(rest.to_owned());
    pieces
}

fn longest_prefix(text: &str, limit: usize, unit: Unit) -> usize {
    let mut end = 0;
    for border in borders(text).into_iter().skip(1) {
        if unit.count(&text[..border]) > limit {
            break;
        }
        end = border;
    }
    // A single cluster longer than the limit is cut within; it is no text that anybody reads.
    if end == 0 { text.char_indices().nth(limit / 2).map_or(text.len(), |(at, _)| at) } else { end }
}

/// Where the text may be cut, the beginning and the end included.
fn borders(text: &str) -> Vec<usize> {
    let mut borders = vec![0];
    let mut joins = false;
    for (at, c) in text.char_indices().skip(1) {
        if !joins && !is_attached(c) {
            borders.push(at);
        }
        joins = c == '\u{200d}';
    }
    if !text.is_empty() {
        borders.push(text.len());
    }
    borders
}

/// Whether a character belongs to the one before.
fn is_attached(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05bd}' | '\u{064b}'..='\u{065f}'
        | '\u{0900}'..='\u{0903}' | '\u{093a}'..='\u{094f}' | '\u{0e31}' | '\u{0e34}'..='\u{0e3a}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fits_is_left_alone_and_what_does_not_is_marked() {
        assert_eq!(cut("checkout", 8, Unit::Chars), "checkout");
        assert_eq!(cut("checkout-api", 8, Unit::Chars), "checkou…");
        assert_eq!(cut("", 0, Unit::Chars), "");
        assert_eq!(cut("abc", 0, Unit::Chars), "");
    }

    #[test]
    fn joined_characters_stay_together() {
        let family = "👨‍👩‍👧";
        assert_eq!(cut(&format!("ab{family}cd"), 5, Unit::Utf16), "ab…");
        assert_eq!(cut("cafe\u{301}s", 5, Unit::Chars), "caf…");
    }

    #[test]
    fn pieces_end_where_a_reader_would_pause() {
        assert_eq!(split("one two\nthree four", 12, Unit::Chars), ["one two", "three four"]);
        assert_eq!(split("one two three", 9, Unit::Chars), ["one two ", "three"]);
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_begins_like_the_whole(text in "\\PC{0,80}", limit in 0..60_usize, wide in any::<bool>()) {
            let unit = if wide { Unit::Utf16 } else { Unit::Chars };
            let short = cut(&text, limit, unit);
            prop_assert!(unit.count(&short) <= limit);
            prop_assert!(short == text || text.starts_with(short.trim_end_matches(MARK)));
        }

        #[test]
        fn nothing_is_lost_in_pieces(text in "[a-z \n👍é]{0,200}", limit in 8..40_usize) {
            let pieces = split(&text, limit, Unit::Utf16);
            for piece in &pieces {
                prop_assert!(Unit::Utf16.count(piece) <= limit);
            }
            let without_breaks = |text: &str| text.replace('\n', "");
            prop_assert_eq!(without_breaks(&pieces.concat()), without_breaks(&text));
        }
    }
}
