//! Who looks, and how they want it shown.

use jiff::Timestamp;

use crate::incident::Actor;

/// Whoever asked for a page, and the moment they did.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// `None` before login.
    pub who: Option<Who>,
    /// Goes into every form.
    pub csrf: String,
    pub locale: Locale,
    pub theme: Theme,
    pub now: Timestamp,
    /// Whether this is `kubemend demo`.
    pub demo: bool,
    /// Whether all executions are paused.
    pub paused: bool,
    /// What happened to what they last asked for; shown once.
    pub notices: Vec<Notice>,
    /// Whether the page keeps itself up to date.
    pub live: bool,
    /// Only this part of the page.
    pub part: Option<Part>,
    /// Path and query of this page, to come back to.
    pub here: String,
}

/// Somebody who is logged in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Who {
    pub actor: Actor,
    pub can: Can,
}

/// What is offered to somebody. The gate judges again, whatever is offered.
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own; none follows from another")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Can {
    pub decide: bool,
    pub silence: bool,
    pub pause: bool,
    pub audit: bool,
}

/// The languages there are words for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Locale {
    #[default]
    En,
    ZhCn,
}

impl Locale {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::En, Self::ZhCn];

    /// As HTML, cookies and folders name it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }

    /// The locale of a tag such as `zh-CN`, `zh-Hans` or `en-GB`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let tag = tag.trim().to_ascii_lowercase();
        match tag.split(['-', '_']).next() {
            Some("en") => Some(Self::En),
            Some("zh") => Some(Self::ZhCn),
            _ => None,
        }
    }

    /// The best of an `Accept-Language` header; English if none of them is there.
    pub fn accepted(header: &str) -> Self {
        let mut wanted: Vec<(f32, Self)> = header.split(',').take(20).filter_map(one_wish).collect();
        wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
        wanted.first().map_or_else(Self::default, |&(_, locale)| locale)
    }
}

/// `zh-CN;q=0.8`
fn one_wish(item: &str) -> Option<(f32, Locale)> {
    let mut parts = item.split(';');
    let locale = Locale::of_tag(parts.next()?)?;
    let quality = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
    (quality > 0.0).then_some((quality, locale))
}

/// Light or dark.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// As forms and cookies name it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that name.
    pub fn of_tag(tag: &str) -> Option<Self> {
        [Self::System, Self::Light, Self::Dark].into_iter().find(|theme| theme.tag() == tag)
    }
}

/// Something to tell the visitor at the top of the page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    pub tone: Tone,
    pub text: String,
    /// What to do about it; `""` where there is nothing.
    pub hint: String,
}

/// What a notice means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    Good,
    Warning,
    Bad,
}

/// A part of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// What changes while one looks: everything below the page's own head.
    Live,
}

impl Part {
    /// The part that `?part=` names.
    pub fn of_tag(tag: &str) -> Option<Self> {
        (tag == "live").then_some(Self::Live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_accepted_language_wins() {
        for (header, locale) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Locale::ZhCn),
            ("en-GB,zh;q=0.9", Locale::En),
            ("de, zh-Hans;q=0.5, en;q=0.4", Locale::ZhCn),
            ("de-DE", Locale::En),
            ("zh;q=0, en;q=0.1", Locale::En),
            ("", Locale::En),
            (";;;,q=1,\u{202e}", Locale::En),
        ] {
            assert_eq!(Locale::accepted(header), locale, "{header}");
        }
    }
}
