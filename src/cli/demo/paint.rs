//! Colour on a terminal, and nothing but text everywhere.

use std::fmt::Write as _;

/// Whether to colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Paint {
    Plain,
    Colour,
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tone {
    Bad,
    Warn,
    Good,
    Strong,
    Faint,
}

impl Paint {
    /// The text in its tone.
    pub(super) fn tone(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Bad => "31",
            Tone::Warn => "33",
            Tone::Good => "32",
            Tone::Strong => "1",
            Tone::Faint => "2",
        };
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// What a cluster says, made harmless for a terminal: one line, no control characters (they can move the
/// cursor, retitle the window or hide text), no characters that turn the direction of writing.
pub(super) fn harmless(text: &str, longest: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(longest * 4));
    for (count, c) in text.trim().chars().enumerate() {
        if count == longest {
            shown.push('…');
            break;
        }
        match c {
            '\n' | '\t' => shown.push(' '),
            c if c.is_control() || is_directional(c) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}

fn is_directional(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cluster_says_cannot_command_the_terminal() {
        let said = "pull\u{1b}]0;owned\u{7} \u{202e}failed\nagain";
        assert_eq!(harmless(said, 100), "pull\\u{1b}]0;owned\\u{7} \\u{202e}failed again");
        assert_eq!(harmless("äöüß", 3), "äöü…");
    }

    #[test]
    fn plain_has_no_colour() {
        assert_eq!(Paint::Plain.tone(Tone::Bad, "x"), "x");
        assert_eq!(Paint::Colour.tone(Tone::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
