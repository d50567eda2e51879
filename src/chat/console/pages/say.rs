//! How a page says things: words of its locale, and times as seen from its moment.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::visitor::Locale;
use crate::chat::words::Words;

/// A locale's words, and the moment that times are told from.
#[derive(Clone, Copy)]
pub(super) struct Say<'w> {
    pub words: &'w Words,
    pub locale: Locale,
    pub now: Timestamp,
}

impl Say<'_> {
    pub(super) fn t(&self, key: &str) -> String {
        said(self.words, key, &Map::new())
    }

    pub(super) fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        let values: Map<String, Value> =
            values.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        said(self.words, key, &values)
    }

    pub(super) fn count(&self, key: &str, count: impl TryInto<u64>) -> String {
        let count = count.try_into().unwrap_or(u64::MAX);
        said(self.words, key, &Map::from_iter([("count".to_owned(), Value::from(count))]))
    }

    /// Whether there is a word for it.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.words.knows(&named(key))
    }

    /// A closed list's member: how styles name it, and how people do.
    pub(super) fn tag(&self, list: &str, tag: &str) -> Value {
        json!({ "tag": tag, "word": self.t(&format!("{list}.{tag}")) })
    }

    /// A time: relative, and exact.
    pub(super) fn when(&self, at: Timestamp) -> Value {
        json!({ "iso": iso(at), "exact": exact(at), "relative": self.relative(at) })
    }

    pub(super) fn maybe(&self, at: Option<Timestamp>) -> Value {
        at.map_or(Value::Null, |at| self.when(at))
    }

    pub(super) fn relative(&self, at: Timestamp) -> String {
        let seconds = self.now.duration_since(at).as_secs();
        let key = if seconds < 0 { "time.ahead" } else { "time.ago" };
        self.fill(key, &[("span", &self.span(seconds.unsigned_abs()))])
    }

    /// A length of time in its largest sensible unit.
    pub(super) fn span(&self, seconds: u64) -> String {
        let (count, unit) = match seconds {
            0..60 => (seconds, "time.seconds"),
            60..3_600 => (seconds / 60, "time.minutes"),
            3_600..172_800 => (seconds / 3_600, "time.hours"),
            _ => (seconds / 86_400, "time.days"),
        };
        self.fill(unit, &[("n", &count.to_string())])
    }
}

/// A phrase of the pages.
pub(super) fn said(words: &Words, key: &str, values: &Map<String, Value>) -> String {
    words.say(&named(key), values)
}

/// The words of the pages stand beside those of messages.
fn named(key: &str) -> String {
    format!("web.{key}")
}

/// For machines: `2026-01-31T12:00:00Z`.
pub(super) fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// For people: `2026-01-31 12:00:00 UTC`.
pub(super) fn exact(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The time of day: `12:00`.
pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_largest_unit() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        for (locale, told) in [
            (Locale::En, ["5 s ago", "3 min ago", "2 h ago", "9 d ago", "in 42 min"]),
            (Locale::ZhCn, ["5 秒前", "3 分钟前", "2 小时前", "9 天前", "42 分钟后"]),
        ] {
            let words = Words::shipped(locale.tag());
            let say = Say { words: &words, locale, now };
            let at = |seconds: i64| now - jiff::SignedDuration::from_secs(seconds);
            let said = [5, 185, 7_300, 9 * 86_400, -2_550].map(|s| say.relative(at(s)));
            assert_eq!(said, told);
        }
    }
}
