//! Secrets of chat platforms: where the file says they are, and text that is never shown.
//!
//! Refuses to read files or the environment: that is the room of the configuration.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// One secret of the section: how it is called there, and where the file says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source<'s> {
    /// The field's name without `File` and `Env`.
    pub field: &'static str,
    pub file: Option<&'s Path>,
    pub env: Option<&'s str>,
    /// What it begins with, where the platform says so.
    pub prefix: &'static str,
    /// Where in the platform's settings it is found.
    pub found: &'static str,
}

/// Text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Takes it without the line break that files end with; says what is wrong with it, never what it is.
    pub fn parse(text: &str, source: &Source<'_>) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if !text.starts_with(source.prefix) {
            return Err(format!("it does not begin with {}", source.prefix));
        }
        if text.len() > 1_000 || text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err("it is not one word of plain ASCII".to_owned());
        }
        Ok(Self(Arc::from(text)))
    }

    pub(in crate::chat) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_checked_and_never_shown() {
        let bot = Source { field: "botToken", file: None, env: None, prefix: "xoxb-", found: "there" };
        let read = Secret::parse("xoxb-12-hunter2\n", &bot).expect("a bot token");
        assert_eq!(read.expose(), "xoxb-12-hunter2");
        assert!(!format!("{read:?}").contains("hunter2"));
        for text in ["", "xapp-1", "xoxb-1 2"] {
            let told = Secret::parse(text, &bot).expect_err("refused");
            assert!(text.is_empty() || !told.contains(text), "{told}");
        }
    }
}
