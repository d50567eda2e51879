//! What `kubemend doctor` found: what was looked at, what is wrong with it, and what to click.

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    pub what: String,
    /// What is wrong, and the way out.
    pub wrong: Option<(String, String)>,
}

impl Check {
    /// Nothing is wrong.
    pub(in crate::chat) fn good(what: impl Into<String>) -> Self {
        Self { what: what.into(), wrong: None }
    }

    /// Why it is wrong, and the way out.
    pub(in crate::chat) fn bad(
        what: impl Into<String>,
        why: impl Into<String>,
        way_out: impl Into<String>,
    ) -> Self {
        Self { what: what.into(), wrong: Some((why.into(), way_out.into())) }
    }
}
