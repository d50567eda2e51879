//! What people did and saw, as a text that is the same in every run.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use super::plain;

/// Grows as people do things; held against a snapshot in the end.
#[derive(Default)]
pub struct Story(String);

impl Story {
    /// Writes down what somebody sees.
    pub fn tell(&mut self, what: &str, text: &str) {
        let _ = writeln!(self.0, "── {what}\n{}\n", settled(text).trim_end());
    }

    pub fn end(self) -> String {
        self.0
    }
}

/// The text without what differs from run to run.
pub fn settled(text: &str) -> String {
    static TIME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"<!date\^[^>]*>|<t:\d+:[a-zA-Z]>( \(<t:\d+:R>\))?").expect("a pattern"));
    static DIGEST: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{8,16}\b").expect("a pattern"));
    static SNOWFLAKE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d{17,20}\b").expect("a pattern"));
    static COUNT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\d+( objects)|(\*{1,2}Waiting for a look\*{1,2}:?) \d+").expect("a pattern")
    });
    // A container that is started again and again is seen in one state or another.
    static CONTAINER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^`container [^`]*` · \[time\]\n(> .*\n)+\n?").expect("a pattern"));
    let text = TIME.replace_all(text, "[time]");
    let text = CONTAINER.replace_all(&text, "");
    let text = SNOWFLAKE.replace_all(&text, "[id]");
    let text = COUNT.replace_all(&text, "$2 [count]$1");
    DIGEST.replace_all(&plain::text(&text), "[digest]").into_owned()
}

/// The id of the incident that a text is about.
pub fn incident(shown: &str) -> String {
    static ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bi-\d+\b").expect("a pattern"));
    ID.find(shown).unwrap_or_else(|| panic!("no incident in:\n{shown}")).as_str().to_owned()
}

/// What the button to approve says, with the risk it has.
pub fn approve_label(shown: &str) -> String {
    let labels = ["Approve (low risk)", "Approve (medium risk)", "Approve (high risk)"];
    labels
        .into_iter()
        .find(|label| shown.contains(label))
        .unwrap_or_else(|| panic!("nothing can be approved in:\n{shown}"))
        .to_owned()
}
