//! The words of the pages, per locale: `templates/<locale>/web.yaml`.
//!
//! A key is a path such as `incidents.title`. `{name}` in a text is filled in. A text that counts has `one`
//! and `other` below its key; a language without a singular has `other` alone.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::visitor::Locale;

const SHIPPED: [(Locale, &str); 2] = [
    (Locale::En, include_str!("../../../../templates/en/web.yaml")),
    (Locale::ZhCn, include_str!("../../../../templates/zh-CN/web.yaml")),
];

/// The words of one locale.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(BTreeMap<String, String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Node {
    Text(String),
    Tree(BTreeMap<String, Node>),
}

impl Words {
    /// The words that come with the binary.
    pub(super) fn shipped(locale: Locale) -> Result<Self, String> {
        let text = SHIPPED.iter().find(|(of, _)| *of == locale).map_or("", |(_, text)| text);
        Self::read(text)
    }

    pub(super) fn read(text: &str) -> Result<Self, String> {
        let tree: BTreeMap<String, Node> = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let mut words = Self::default();
        words.flatten("", tree);
        Ok(words)
    }

    /// Puts other texts in the place of these.
    pub(super) fn put(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The text of a key; the key itself where there is none, so that a gap is seen and breaks nothing.
    pub(super) fn text<'w>(&'w self, key: &'w str) -> &'w str {
        self.0.get(key).map_or(key, String::as_str)
    }

    /// The text of a key with its places filled in.
    pub(super) fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        filled(self.text(key), values)
    }

    /// The text for so many, with `{count}` filled in as well.
    pub(super) fn count(&self, key: &str, count: u64, values: &[(&str, &str)]) -> String {
        let singular = (count == 1).then(|| self.0.get(&format!("{key}.one"))).flatten();
        let text = singular.or_else(|| self.0.get(&format!("{key}.other"))).map_or(key, String::as_str);
        let number = count.to_string();
        filled(&filled(text, &[("count", &number)]), values)
    }

    fn flatten(&mut self, prefix: &str, tree: BTreeMap<String, Node>) {
        for (name, node) in tree {
            let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            match node {
                Node::Text(text) => drop(self.0.insert(key, text)),
                Node::Tree(inner) => self.flatten(&key, inner),
            }
        }
    }
}

/// One pass, so that a value is never taken for a place.
fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        let place = after.find('}').map(|end| (&after[..end], &after[end + 1..]));
        let known = place.and_then(|(name, behind)| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value, behind))
        });
        if let Some((value, behind)) = known {
            out.push_str(value);
            rest = behind;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_value_is_never_taken_for_a_place() {
        assert_eq!(filled("{a} and {b}", &[("a", "{b}"), ("b", "x")]), "{b} and x");
        assert_eq!(filled("{unknown} {a", &[("a", "x")]), "{unknown} {a");
    }

    #[test]
    fn every_word_is_there_in_every_locale_with_the_same_places() {
        let places = |text: &str| {
            let named = text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()));
            named.collect::<BTreeSet<_>>()
        };
        let english = Words::shipped(Locale::En).unwrap();
        let chinese = Words::shipped(Locale::ZhCn).unwrap();
        let needed = |key: &&str| key.rsplit('.').next() != Some("one");
        let (all, there): (BTreeSet<_>, BTreeSet<_>) = (
            english.0.keys().map(String::as_str).filter(needed).collect(),
            chinese.0.keys().map(String::as_str).filter(needed).collect(),
        );
        assert_eq!(all, there);
        for key in all {
            assert_eq!(places(english.text(key)), places(chinese.text(key)), "{key}");
            assert!(!chinese.text(key).trim().is_empty(), "{key}");
        }
    }
}
