//! The pages together: templates compiled, words read, and a page made of both.

use std::path::Path;
use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson,
    html_escape,
};
use serde_json::{Value, json};
use thiserror::Error;

use super::asset::path_of;
use super::model::Page;
use super::say::{Say, said};
use super::view::{View, view};
use super::visitor::{Locale, Part, Theme, Tone, Visitor};
use crate::chat::templates::{Mistake, overriding};
use crate::chat::words::Words;

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../templates/web/", $name, ".hbs")))),*]
    };
}

/// Every template, by name. `<page>-live` is the part of a page that is fetched anew.
pub(super) const TEMPLATES: &[(&str, &str)] = templates![
    "layout",
    "time",
    "severity",
    "row",
    "strip",
    "diff",
    "proposal-card",
    "execution",
    "record",
    "login",
    "error",
    "incidents",
    "incidents-live",
    "incident",
    "incident-live",
    "proposal",
    "proposal-live",
    "playbooks",
    "playbook",
    "audit",
    "status",
    "status-live",
    "cards",
    "cards-live",
];

/// The pages of all locales, ready to be rendered.
#[derive(Debug)]
pub struct Pages {
    locales: Vec<(Locale, Arc<Words>, Handlebars<'static>)>,
}

/// Why a page is not there.
#[derive(Debug, Error)]
pub enum PagesError {
    #[error("page {name} cannot be rendered")]
    Render { name: &'static str, source: Box<RenderError> },
}

impl Pages {
    /// The shipped pages; `overrides` holds `web/*.hbs` and `<locale>/web.yaml` that take their place.
    pub fn load(overrides: Option<&Path>) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let own: Vec<_> = TEMPLATES
            .iter()
            .map(|(name, _)| overriding(overrides, &format!("web/{name}.hbs"), &mut mistakes))
            .collect();
        let mut locales = Vec::new();
        for locale in Locale::ALL {
            let words = Words::load(locale.tag(), overrides)?;
            let words = Arc::new(words);
            let mut templates = registry(&words);
            for ((name, shipped), own) in TEMPLATES.iter().zip(&own) {
                let text = own.as_ref().map_or(*shipped, |(_, text)| text);
                if let Err(error) = templates.register_partial(name, text) {
                    let file = own.as_ref().map_or(*name, |(file, _)| file);
                    let line = error.pos().map_or(0, |(line, _)| line);
                    mistakes.push(Mistake::new(file, line, error.reason().to_string(), ""));
                }
            }
            if !mistakes.is_empty() {
                return Err(mistakes);
            }
            locales.push((locale, words, templates));
        }
        Ok(Self { locales })
    }

    /// How many templates they are made of.
    pub fn templates() -> usize {
        TEMPLATES.len()
    }

    /// The HTML of a page, or of the part that the visitor wants.
    pub fn render(&self, page: &Page<'_>, visitor: &Visitor) -> Result<String, PagesError> {
        let found = self.locales.iter().find(|(locale, ..)| *locale == visitor.locale);
        let (locale, words, templates) = found.expect("all locales are loaded");
        let say = Say { words, locale: *locale, now: visitor.now };
        let made = view(page, say, visitor);
        let template = match visitor.part {
            Some(Part::Live) if !made.live.is_empty() => format!("{}-live", made.template),
            Some(Part::Live) | None => made.template.to_owned(),
        };
        let name = made.template;
        let data = context(&made, say, visitor);
        templates
            .render_with_context(&template, &data)
            .map_err(|source| PagesError::Render { name, source: Box::new(source) })
    }
}

fn context(made: &View, say: Say<'_>, visitor: &Visitor) -> Context {
    let who = visitor.who.as_ref();
    let themes = [Theme::System, Theme::Light, Theme::Dark].map(|theme| say.tag("theme", theme.tag()));
    let data = json!({
        "title": made.title,
        "section": made.section,
        "live": if visitor.live { made.live.as_str() } else { "" },
        "page": &made.data,
        "lang": say.locale.tag(),
        "theme": visitor.theme.tag(),
        "csrf": visitor.csrf,
        "here": visitor.here,
        "demo": visitor.demo,
        "paused": visitor.paused,
        "in": who.is_some(),
        "name": who.map(|who| who.actor.name.clone()),
        "can": {
            "pause": who.is_some_and(|who| who.can.pause),
            "audit": who.is_some_and(|who| who.can.audit),
        },
        "notices": visitor.notices.iter().map(notice).collect::<Vec<_>>(),
        "nav": navigation(made.section, say, visitor),
        "locales": [{ "tag": "en", "word": "English" }, { "tag": "zh-CN", "word": "简体中文" }],
        "themes": themes,
        "now": say.when(visitor.now),
    });
    let mut context = Context::null();
    *context.data_mut() = data;
    context
}

fn notice(notice: &super::Notice) -> Value {
    let tone = match notice.tone {
        Tone::Good => "good",
        Tone::Warning => "warning",
        Tone::Bad => "bad",
    };
    json!({ "tone": tone, "text": notice.text, "hint": notice.hint })
}

fn navigation(section: &str, say: Say<'_>, visitor: &Visitor) -> Vec<Value> {
    let Some(who) = &visitor.who else { return Vec::new() };
    let entries = ["incidents", "playbooks", "audit", "status", "cards"];
    entries
        .into_iter()
        .filter(|name| *name != "audit" || who.can.audit)
        .map(|name| json!({ "href": format!("/{name}"), "word": say.t(&format!("nav.{name}")), "here": name == section }))
        .collect()
}

fn registry(words: &Arc<Words>) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(escape);
    registry.register_helper("t", Box::new(Translate(Arc::clone(words))));
    registry.register_helper("asset", Box::new(AssetPath));
    registry
}

/// A text for HTML. Characters that are not seen or turn the direction of others are shown as such: a name
/// must not read like another one.
pub(super) fn escape(text: &str) -> String {
    let escaped = html_escape(text);
    if escaped.contains(is_deceptive) { escaped.replace(is_deceptive, "\u{fffd}") } else { escaped }
}

pub(super) fn is_deceptive(character: char) -> bool {
    let is_break = matches!(character, '\n' | '\t' | '\r');
    character.is_control() && !is_break
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `{{t "key" name=value}}`: a text of the locale. Its result is escaped like any other value.
struct Translate(Arc<Words>);

impl HelperDef for Translate {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let key = text_of(helper, 0, "t")?;
        let values =
            helper.hash().iter().map(|(name, value)| ((*name).to_owned(), value.value().clone())).collect();
        let text = said(&self.0, &key, &values);
        Ok(ScopedJson::Derived(Value::from(text)))
    }
}

/// `{{asset "console.css"}}`: where the file is.
struct AssetPath;

impl HelperDef for AssetPath {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let name = text_of(helper, 0, "asset")?;
        let path =
            path_of(&name).ok_or_else(|| RenderErrorReason::Other(format!("there is no asset `{name}`")))?;
        Ok(ScopedJson::Derived(Value::from(path)))
    }
}

fn text_of(helper: &Helper<'_>, at: usize, name: &'static str) -> Result<String, RenderError> {
    let param = helper.param(at).ok_or(RenderErrorReason::ParamNotFoundForIndex(name, at))?;
    Ok(plain(param.value()))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
