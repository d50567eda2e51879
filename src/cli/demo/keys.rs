//! What somebody types: a letter, and the number of a proposal.

/// One line, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Key {
    /// Approve, with the text that high risk wants typed.
    Approve {
        number: usize,
        confirmation: Option<String>,
    },
    Deny {
        number: usize,
    },
    Withdraw {
        number: usize,
    },
    Preview {
        number: usize,
    },
    /// Show what is open.
    List,
    Help,
    Quit,
    /// An empty line.
    Nothing,
    /// Something else; the text says what would be understood.
    Unknown(String),
}

pub(super) const HELP: &str = "\
a N   approve proposal N (high risk: a N NAME, typing the name that is asked for)
d N   deny it          w N   withdraw your approval
p N   preview: the diff, the kubectl commands, the checks
l     what is open     ?     this help          q   quit";

/// Reads one line.
pub(super) fn read(line: &str) -> Key {
    let mut words = line.split_whitespace();
    let Some(letter) = words.next() else { return Key::Nothing };
    let (number, rest) = (words.next().map(str::parse::<usize>), words.collect::<Vec<_>>().join(" "));
    match (letter.to_lowercase().as_str(), number) {
        ("q" | "quit" | "exit", _) => Key::Quit,
        ("l" | "list", _) => Key::List,
        ("?" | "h" | "help", _) => Key::Help,
        ("a" | "approve", Some(Ok(number))) => {
            Key::Approve { number, confirmation: (!rest.is_empty()).then_some(rest) }
        }
        ("d" | "deny", Some(Ok(number))) => Key::Deny { number },
        ("w" | "withdraw", Some(Ok(number))) => Key::Withdraw { number },
        ("p" | "preview", Some(Ok(number))) => Key::Preview { number },
        ("a" | "d" | "w" | "p" | "approve" | "deny" | "withdraw" | "preview", _) => {
            Key::Unknown(format!("`{letter}` wants the number of a proposal, such as `{letter} 1`"))
        }
        _ => Key::Unknown("that is not a command; ? shows them".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_and_a_number_is_a_command() {
        assert_eq!(read("a 1"), Key::Approve { number: 1, confirmation: None });
        assert_eq!(
            read(" A  12 ledger-2 "),
            Key::Approve { number: 12, confirmation: Some("ledger-2".into()) }
        );
        assert_eq!(read("d 3"), Key::Deny { number: 3 });
        assert_eq!(read("p 2"), Key::Preview { number: 2 });
        assert_eq!(read("q"), Key::Quit);
        assert_eq!(read("   "), Key::Nothing);
    }

    #[test]
    fn anything_else_says_what_would_be_understood() {
        assert!(matches!(read("a"), Key::Unknown(text) if text.contains("a 1")));
        assert!(matches!(read("a one"), Key::Unknown(_)));
        assert!(matches!(read("rm -rf"), Key::Unknown(text) if text.contains('?')));
    }
}
