//! One kind of request: what it is called in metrics and errors, its path, and what its rate limit counts.
//!
//! What is put into a path is escaped, so that no id can lead elsewhere.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use http::Method;

/// A request's way.
#[derive(Clone, PartialEq, Eq)]
pub struct Route {
    pub(super) method: Method,
    /// Such as `channels/{}/messages`.
    pub(super) template: &'static str,
    pub(super) path: String,
    /// A number for what the limit is counted by besides the route: the channel, the guild, the webhook.
    pub(super) major: u64,
    pub(super) lane: Lane,
}

/// Which requests wait for one another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lane {
    /// With the bot's token, under the global limit.
    Bot,
    /// With an interaction's token, exempt from the global limit, on connections of its own.
    Interaction,
}

impl Route {
    pub fn get(template: &'static str, names: &[&str]) -> Self {
        Self::new(Method::GET, template, names)
    }

    pub fn post(template: &'static str, names: &[&str]) -> Self {
        Self::new(Method::POST, template, names)
    }

    pub fn put(template: &'static str, names: &[&str]) -> Self {
        Self::new(Method::PUT, template, names)
    }

    pub fn patch(template: &'static str, names: &[&str]) -> Self {
        Self::new(Method::PATCH, template, names)
    }

    pub fn delete(template: &'static str, names: &[&str]) -> Self {
        Self::new(Method::DELETE, template, names)
    }

    /// `template` with each `{}` replaced by the next of `names`.
    pub fn new(method: Method, template: &'static str, names: &[&str]) -> Self {
        let mut path = String::with_capacity(template.len() + 24 * names.len());
        let mut names_left = names.iter();
        for (index, part) in template.split("{}").enumerate() {
            if index > 0 {
                escape(&mut path, names_left.next().copied().unwrap_or_default());
            }
            path.push_str(part);
        }
        let majors = match template.split('/').next() {
            Some("channels" | "guilds") => 1,
            Some("webhooks" | "interactions") => 2,
            _ => 0,
        };
        let lane = match template.split('/').next() {
            Some("webhooks" | "interactions") => Lane::Interaction,
            _ => Lane::Bot,
        };
        let mut hasher = DefaultHasher::new();
        names.iter().take(majors).for_each(|name| name.hash(&mut hasher));
        Self { method, template, path, major: hasher.finish(), lane }
    }

    /// The same with a query, which is written by hand and holds no text of anybody.
    #[must_use]
    pub fn with(mut self, query: &str) -> Self {
        self.path.push('?');
        self.path.push_str(query);
        self
    }
}

/// The text as one part of a path.
fn escape(path: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'@') {
            path.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_made_from_names_and_no_name_leads_elsewhere() {
        let route = Route::get("channels/{}/messages/{}", &["12", "../34?x=1"]);
        assert_eq!(route.path, "channels/12/messages/%2E%2E%2F34%3Fx%3D1");
        assert_eq!(
            Route::get("channels/{}/messages", &["12"]).with("limit=5").path,
            "channels/12/messages?limit=5"
        );
    }

    #[test]
    fn the_limit_is_counted_by_channel_guild_or_webhook() {
        let route = |channel, message| Route::patch("channels/{}/messages/{}", &[channel, message]).major;
        assert_eq!(route("1", "2"), route("1", "3"));
        assert_ne!(route("1", "2"), route("2", "2"));
        let hook = |token| Route::post("webhooks/{}/{}", &["1", token]);
        assert_ne!(hook("a").major, hook("b").major);
        assert_eq!((hook("a").lane, Route::get("users/@me", &[]).lane), (Lane::Interaction, Lane::Bot));
    }
}
