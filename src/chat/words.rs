//! The words, by locale: every phrase that a card, an answer or a page shows.
//!
//! `templates/<locale>/*.yaml` map a key to a Handlebars phrase over plain values; what comes out is plain text,
//! which a dialect escapes later. A phrase that a locale lacks is taken from English. A folder of the
//! operator's may hold the same files with some of the keys. Values are data: nothing in them is ever a template.

use std::collections::BTreeMap;
use std::path::Path;

use handlebars::{Handlebars, handlebars_helper, no_escape};
use serde::Serialize;
use serde_json::{Value, json};

use super::card::{Rich, Span};
use super::templates::{Mistake, line_of, overriding};

/// The locale whose words are complete by definition.
pub const FALLBACK: &str = "en";

/// The shipped locales.
pub const LOCALES: &[&str] = &["en", "zh-CN"];

/// The files of a locale.
pub(super) const FILES: &[&str] =
    &["card.yaml", "note.yaml", "answer.yaml", "slack.yaml", "discord.yaml", "web.yaml"];

macro_rules! shipped {
    ($($locale:literal / $file:literal),* $(,)?) => {
        &[$(($locale, $file, include_str!(concat!("../../templates/", $locale, "/", $file)))),*]
    };
}

/// Locale, file and text of each.
const SHIPPED: &[(&str, &str, &str)] = shipped![
    "en" / "card.yaml",
    "en" / "note.yaml",
    "en" / "answer.yaml",
    "en" / "slack.yaml",
    "en" / "discord.yaml",
    "en" / "web.yaml",
    "zh-CN" / "card.yaml",
    "zh-CN" / "note.yaml",
    "zh-CN" / "answer.yaml",
    "zh-CN" / "slack.yaml",
    "zh-CN" / "discord.yaml",
    "zh-CN" / "web.yaml",
];

/// The words of one locale.
#[derive(Debug)]
pub struct Words {
    locale: String,
    phrases: Handlebars<'static>,
    /// The phrases that stand as they are: pages say hundreds of them.
    plain: BTreeMap<String, String>,
    /// Where each phrase is from.
    files: BTreeMap<String, String>,
}

impl Words {
    /// The shipped words.
    pub fn shipped(locale: &str) -> Self {
        Self::load(locale, None).expect("a test reads every shipped locale")
    }

    /// The words of a locale, with those of a folder in their place; or every mistake in them.
    pub fn load(locale: &str, folder: Option<&Path>) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut words = Self {
            locale: locale.to_owned(),
            phrases: empty(),
            plain: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        if !LOCALES.contains(&locale) && folder.is_none_or(|folder| !folder.join(locale).is_dir()) {
            let way_out = format!("use one of {}, or put its words into a folder", LOCALES.join(", "));
            mistakes.push(Mistake::new(locale, 0, "there are no words of this locale", way_out));
        }
        for wanted in [FALLBACK, locale] {
            for (_, file, text) in SHIPPED.iter().filter(|(of, _, _)| *of == wanted) {
                words.add(&format!("templates/{wanted}/{file}"), text, &mut mistakes);
            }
        }
        for file in FILES {
            let own = overriding(folder, &format!("{locale}/{file}"), &mut mistakes);
            if let Some((name, text)) = own {
                words.add(&name, &text, &mut mistakes);
            }
        }
        if mistakes.is_empty() { Ok(words) } else { Err(mistakes) }
    }

    /// The locale's name.
    pub fn locale(&self) -> &str {
        &self.locale
    }

    /// A phrase with values. A key that nothing knows shows as itself, so that a mistake is seen and nothing
    /// fails; a test looks for all keys that the code names.
    pub fn say(&self, key: &str, values: &impl Serialize) -> String {
        if let Some(plain) = self.plain.get(key) {
            return plain.clone();
        }
        self.phrases.render(key, values).unwrap_or_else(|error| {
            tracing::warn!(%error, "the words of {} lack `{key}`", self.locale);
            key.to_owned()
        })
    }

    /// A phrase with values, in which what stands between backticks is to the letter. Backticks in values are
    /// just backticks.
    pub fn rich(&self, key: &str, values: &impl Serialize) -> Rich {
        let mut values = serde_json::to_value(values).unwrap_or_default();
        shield(&mut values);
        marked(&self.say(key, &values))
    }

    /// The same, with a phrase of ours as the value `name`: what is to the letter in it stays so.
    pub fn rich_with(&self, key: &str, values: &impl Serialize, name: &str, phrase: &str) -> Rich {
        let mut values = serde_json::to_value(values).unwrap_or_default();
        shield(&mut values);
        values[name] = json!(phrase);
        marked(&self.say(key, &values))
    }

    /// A phrase without values.
    pub fn word(&self, key: &str) -> String {
        self.say(key, &json!({}))
    }

    /// Whether there is such a phrase.
    pub fn knows(&self, key: &str) -> bool {
        self.files.contains_key(key)
    }

    /// Every key, with the file it is from.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(key, file)| (key.as_str(), file.as_str()))
    }

    fn add(&mut self, file: &str, text: &str, mistakes: &mut Vec<Mistake>) {
        let phrases: BTreeMap<String, String> = match serde_saphyr::from_str(text) {
            Ok(phrases) => phrases,
            Err(error) => {
                let line = error.location().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0));
                let what = error.without_snippet().to_string();
                mistakes.push(Mistake::new(file, line, what, "write `key: \"phrase\"`, one a line"));
                return;
            }
        };
        for (key, phrase) in phrases {
            let line = line_of(text, &format!("{key}:"));
            if file.starts_with("templates/") || self.files.contains_key(&key) {
                if let Err(error) = self.phrases.register_template_string(&key, &phrase) {
                    let what = format!("`{key}`: {}", error.reason());
                    mistakes.push(Mistake::new(file, line, what, "see docs/chat.md, \"Templates\""));
                }
                if phrase.contains("{{") {
                    self.plain.remove(&key);
                } else {
                    self.plain.insert(key.clone(), phrase);
                }
                self.files.insert(key, file.to_owned());
            } else {
                let near = crate::engine::nearest(&key, self.files.keys().map(String::as_str));
                let way_out = near.map_or_else(
                    || "remove it; `kubemend templates list` names the keys".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                mistakes.push(Mistake::new(file, line, format!("nothing shows `{key}`"), way_out));
            }
        }
    }
}

/// Stands for a backtick that is not ours; text with it in it would show a backtick in its place.
const SHIELD: char = '\u{e060}';

fn shield(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace('`', &SHIELD.to_string()),
        Value::Array(items) => items.iter_mut().for_each(shield),
        Value::Object(fields) => fields.values_mut().for_each(shield),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Text of ours, in which what stands between backticks is to the letter.
pub(super) fn marked(text: &str) -> Rich {
    let parts: Vec<&str> = text.split('`').collect();
    let whole = |part: &str| part.replace(SHIELD, "`");
    let span = |(index, part): (usize, &&str)| {
        let is_code = index % 2 == 1 && index + 1 < parts.len();
        let text = whole(part);
        if is_code { Span::Code { text } } else { Span::Plain { text } }
    };
    let spans = parts.iter().enumerate().map(span);
    let empty = |span: &Span| matches!(span, Span::Plain { text } | Span::Code { text } if text.is_empty());
    Rich(spans.filter(|span| !empty(span)).collect())
}

fn empty() -> Handlebars<'static> {
    handlebars_helper!(plural: |n: u64, one: str, many: str| if n == 1 { one } else { many });
    let mut phrases = Handlebars::new();
    phrases.set_strict_mode(true);
    phrases.register_escape_fn(no_escape);
    phrases.register_helper("plural", Box::new(plural));
    phrases
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The phrases that a locale has itself.
    fn own(locale: &str) -> BTreeMap<String, String> {
        let texts = SHIPPED.iter().filter(|(of, _, _)| *of == locale);
        let read = |text| serde_saphyr::from_str::<BTreeMap<String, String>>(text).expect("YAML");
        texts.flat_map(|(_, _, text)| read(text)).collect()
    }

    fn own_keys(locale: &str) -> BTreeSet<String> {
        own(locale).into_keys().collect()
    }

    #[test]
    fn every_shipped_locale_has_every_phrase() {
        let english = own_keys(FALLBACK);
        assert!(english.len() > 150);
        for locale in LOCALES {
            Words::load(locale, None).expect("no mistakes");
            assert_eq!(own_keys(locale), english, "{locale}");
        }
    }

    #[test]
    fn a_phrase_shows_the_same_values_in_every_locale() {
        const NOT_VALUES: [&str; 6] = ["if", "else", "eq", "gt", "plural", "len"];
        let quoted = regex::Regex::new("\"[^\"]*\"").unwrap();
        let (tag, name) =
            (regex::Regex::new(r"\{\{[^}]*\}\}").unwrap(), regex::Regex::new("[a-z][a-zA-Z_]*").unwrap());
        let values = |phrase: &str| -> BTreeSet<String> {
            let tags = tag.find_iter(phrase).map(|tag| quoted.replace_all(tag.as_str(), " ").into_owned());
            let names =
                |tag: String| name.find_iter(&tag).map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
            tags.flat_map(names).filter(|name| !NOT_VALUES.contains(&name.as_str())).collect()
        };
        let english = own(FALLBACK);
        for locale in LOCALES {
            for (key, phrase) in own(locale) {
                assert_eq!(values(&phrase), values(&english[&key]), "{locale}: {key}");
                assert!(!phrase.trim().is_empty(), "{locale}: {key}");
            }
        }
    }

    #[test]
    fn every_phrase_that_the_code_and_the_pages_name_is_there() {
        let (known, root) = (own_keys(FALLBACK), Path::new(env!("CARGO_MANIFEST_DIR")));
        let (mut named, mut open) =
            (BTreeSet::new(), vec![root.join("src/chat"), root.join("templates/web")]);
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let pages = text.contains("use super::say")
                        || text.contains("::Say")
                        || path.extension().is_some_and(|end| end == "hbs");
                    let starts = [
                        ("say(\"", ""),
                        (".word(\"", ""),
                        (".rich(\"", ""),
                        (".rich_with(\"", ""),
                        (".t(\"", "web."),
                        (".fill(\"", "web."),
                        (".count(\"", "web."),
                        ("{{t \"", "web."),
                        ("(t \"", "web."),
                    ];
                    for (start, prefix) in starts.iter().filter(|(_, prefix)| pages || prefix.is_empty()) {
                        let found = text.split(start).skip(1).filter_map(|rest| rest.split('"').next());
                        named.extend(
                            found.filter(|key| key.contains('.')).map(|key| format!("{prefix}{key}")),
                        );
                    }
                }
            }
        }
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(named.len() > 200, "the code names its phrases: {}", named.len());
    }

    #[test]
    fn phrases_count() {
        let words = Words::shipped("en");
        assert_eq!(words.say("note.members", &json!({"n": 1})), "Hits 1 object now.");
        assert_eq!(words.say("card.hit.value", &json!({"now": 2, "peak": 5})), "2 objects (at most 5)");
        let chinese = Words::shipped("zh-CN");
        assert_eq!(chinese.say("card.hit.value", &json!({"now": 2, "peak": 2})), "2 个对象");
    }

    #[test]
    fn what_stands_between_backticks_is_to_the_letter_and_values_make_none() {
        let words = Words::shipped("en");
        let code = |text: &str| Span::Code { text: text.into() };
        let plain = |text: &str| Span::Plain { text: text.into() };
        let said = words.rich("command.unknown", &json!({"word": "a`b"}));
        assert_eq!(said, Rich(vec![plain("There is no command "), code("a`b"), plain(".")]));
        assert_eq!(marked("one `two"), Rich(vec![plain("one "), plain("two")]));
        assert_eq!(marked("``"), Rich(vec![]));
    }

    #[test]
    fn what_looks_like_a_template_in_a_value_stays_text() {
        let words = Words::shipped("en");
        let unknown = ["no", "such", "key"].join(".");
        assert_eq!(words.word(&unknown), unknown);
        assert_eq!(words.say("answer.hint", &json!({"hint": "{{plural 1}}"})), "{{plural 1}}");
    }

    #[test]
    fn a_folder_replaces_phrases_and_is_told_its_mistakes() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("en")).unwrap();
        let file = dir.path().join("en/card.yaml");
        std::fs::write(&file, "button.deny: \"No!\"\n").unwrap();
        let words = Words::load("en", Some(dir.path())).expect("no mistakes");
        assert_eq!(words.word("button.deny"), "No!");
        std::fs::write(&file, "# ours\nbuton.deny: \"No!\"\nbutton.show: \"{{#if}\"\n").unwrap();
        let mistakes = Words::load("en", Some(dir.path())).expect_err("two");
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert!(
            told[0].contains("card.yaml:2") && told[0].contains("did you mean `button.deny`?"),
            "{told:?}"
        );
        assert!(told[1].contains("card.yaml:3"), "{told:?}");
    }
}
