//! The three cookies: the session, the visit (before sign-in, so that the sign-in form is the visitor's own),
//! and how pages are to look.
//!
//! The session is `SameSite=Lax`: a link to an incident in Slack, Discord or a mail must find people signed
//! in, and nothing is ever changed by a GET. Every POST is held against the form's own secret and its origin
//! as well. `Strict` would break such links and the way back from an identity provider, and add nothing.

use axum::http::{HeaderMap, HeaderValue, header};

use super::pages::{Locale, Theme};
use super::secret::Secret;

/// The most bytes of cookies that are read.
const LONGEST: usize = 8192;
/// How long the looks are remembered: a year.
const LOOKS_LAST: u32 = 365 * 24 * 3600;
/// How long a visit before sign-in lasts.
const VISIT_LASTS: u32 = 3600;

/// How cookies are named and marked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cookies {
    pub secure: bool,
}

/// How pages are to look; `None` is for the browser to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Looks {
    pub locale: Option<Locale>,
    pub theme: Theme,
}

impl Cookies {
    /// The session's id.
    pub(super) fn session(self, headers: &HeaderMap) -> Option<Secret> {
        Secret::parse(self.find(headers, "session")?)
    }

    /// The visit's id.
    pub(super) fn visit(self, headers: &HeaderMap) -> Option<Secret> {
        Secret::parse(self.find(headers, "visit")?)
    }

    /// How pages are to look.
    pub(super) fn looks(self, headers: &HeaderMap) -> Looks {
        let text = self.find(headers, "looks").unwrap_or_default();
        let (theme, locale) = text.split_once('.').unwrap_or((text, ""));
        Looks { locale: Locale::of_tag(locale), theme: Theme::of_tag(theme).unwrap_or_default() }
    }

    /// Signs in: until the browser ends, or for the session's longest time.
    pub(super) fn set_session(self, secret: &Secret, seconds: u32) -> HeaderValue {
        self.cookie("session", &secret.reveal(), seconds)
    }

    /// Begins a visit.
    pub(super) fn set_visit(self, secret: &Secret) -> HeaderValue {
        self.cookie("visit", &secret.reveal(), VISIT_LASTS)
    }

    /// Remembers the looks.
    pub(super) fn set_looks(self, looks: Looks) -> HeaderValue {
        let locale = looks.locale.map_or("", Locale::tag);
        self.cookie("looks", &format!("{}.{locale}", looks.theme.tag()), LOOKS_LAST)
    }

    /// Signs out.
    pub(super) fn drop_session(self) -> HeaderValue {
        self.cookie("session", "", 0)
    }

    /// Ends the visit.
    pub(super) fn drop_visit(self) -> HeaderValue {
        self.cookie("visit", "", 0)
    }

    fn cookie(self, name: &str, value: &str, seconds: u32) -> HeaderValue {
        let (name, secure) = (self.name(name), if self.secure { "; Secure" } else { "" });
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&text).expect("names and values are letters, digits and a few signs")
    }

    /// `__Host-`: only this very host can have set it, over HTTPS.
    fn name(self, name: &str) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        format!("{prefix}kubemend-{name}")
    }

    /// The value of a cookie that is there exactly once; two are somebody's attempt to slip one in.
    fn find<'h>(self, headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
        let name = self.name(name);
        let texts = headers.get_all(header::COOKIE).iter().filter(|value| value.len() <= LONGEST);
        let pairs = texts.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
        let mut found = pairs
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Cookies = Cookies { secure: false };
    const SECURE: Cookies = Cookies { secure: true };

    fn with(cookie: &str) -> HeaderMap {
        [(header::COOKIE, HeaderValue::from_str(cookie).expect("a header"))].into_iter().collect()
    }

    #[test]
    fn a_session_reads_back_from_what_the_browser_returns() {
        let secret = Secret::random();
        for cookies in [PLAIN, SECURE] {
            let set = cookies.set_session(&secret, 60);
            let set = set.to_str().expect("text");
            assert!(set.contains("HttpOnly; SameSite=Lax"), "{set}");
            assert_eq!(set.contains("; Secure") && set.starts_with("__Host-"), cookies.secure, "{set}");
            let pair = set.split(';').next().expect("a pair");
            let found = cookies.session(&with(&format!("other=1; {pair}; x=\"y\""))).expect("it is there");
            assert_eq!(found.digest(), secret.digest());
        }
    }

    #[test]
    fn a_cookie_that_is_there_twice_or_of_another_name_is_not_there() {
        let pair = format!("kubemend-session={}", Secret::random().reveal());
        assert!(PLAIN.session(&with(&pair)).is_some());
        assert!(PLAIN.session(&with(&format!("{pair}; {pair}"))).is_none());
        assert!(SECURE.session(&with(&pair)).is_none(), "only the prefixed one counts over HTTPS");
    }

    #[test]
    fn looks_read_back_and_nonsense_is_the_default() {
        let looks = Looks { locale: Some(Locale::ZhCn), theme: Theme::Dark };
        let set = PLAIN.set_looks(looks);
        let pair = set.to_str().expect("text").split(';').next().expect("a pair");
        assert_eq!(PLAIN.looks(&with(pair)), looks);
        assert_eq!(PLAIN.looks(&with("kubemend-looks=<script>.xx")), Looks::default());
    }
}
