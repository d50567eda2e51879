//! The samples of `/cards`: every card and form in each platform's own form, from the templates in force.
//!
//! Made when first looked at, and anew when a template changed. Templates with mistakes change nothing: what was
//! made before stays, and the mistakes are told beside it. Refuses to watch files; whoever watches says when.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parking_lot::Mutex;
use serde_json::Value;

use super::pages::{Locale, Platform as Shown, RenderedCard};
use super::{CardSamples, Sampled};
use crate::chat::layout::{Layout, LayoutError, Layouts, Platform, judge};
use crate::chat::samples;
use crate::chat::templates::Mistake;
use crate::chat::words::{self, LOCALES, Words};

/// How the samples look, from shipped templates and those of a folder.
pub struct Gallery {
    folder: Option<PathBuf>,
    locales: Vec<String>,
    shelf: Mutex<Option<Shelf>>,
}

/// What was made.
struct Shelf {
    samples: Vec<Sample>,
    /// Of templates that could not be used.
    mistakes: Vec<Mistake>,
}

/// One sample in one locale, as each platform shows it.
struct Sample {
    name: &'static str,
    cards: Vec<RenderedCard>,
}

/// When the files were saved, to see whether they were again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stamp(Vec<Option<(SystemTime, u64)>>);

impl Gallery {
    /// Samples in the shipped locales and in `further` ones, whose words are in the folder.
    pub fn new(folder: Option<PathBuf>, further: &[String]) -> Self {
        let mut locales: Vec<String> = LOCALES.iter().map(|locale| (*locale).to_owned()).collect();
        for locale in further {
            if !locales.contains(locale) {
                locales.push(locale.clone());
            }
        }
        Self { folder, locales, shelf: Mutex::new(None) }
    }

    /// For [`super::Parts`].
    pub fn samples(self: &std::sync::Arc<Self>) -> CardSamples {
        let gallery = self.clone();
        Box::new(move |name, locale| gallery.show(name, locale))
    }

    /// A sample by its name, the visitor's locale first; the first one where no name is given.
    pub fn show(&self, name: &str, locale: Locale) -> Option<Sampled> {
        let mut shelf = self.shelf.lock();
        let Shelf { samples, mistakes } = shelf.get_or_insert_with(|| self.first());
        let mut names: Vec<String> = samples.iter().map(|sample| sample.name.to_owned()).collect();
        let mut known = std::collections::BTreeSet::new();
        names.retain(|name| known.insert(name.clone()));
        let chosen = if name.is_empty() { names.first()? } else { names.iter().find(|one| *one == name)? };
        let wanted = samples.iter().filter(|sample| sample.name == chosen);
        let mut cards: Vec<RenderedCard> = wanted.flat_map(|sample| sample.cards.iter().cloned()).collect();
        cards.sort_by_key(|card| card.locale != locale.tag());
        Some(Sampled { chosen: chosen.clone(), names, cards, mistakes: mistakes.clone() })
    }

    /// Reads the templates again. What was shown stays where they have mistakes.
    pub fn reload(&self) {
        let made = self.make(self.folder.as_deref());
        let mut shelf = self.shelf.lock();
        let before = shelf.take().unwrap_or_else(|| self.first());
        *shelf = Some(match made {
            Ok(samples) => Shelf { samples, mistakes: Vec::new() },
            Err(mistakes) => Shelf { mistakes, ..before },
        });
    }

    /// The mistakes in the templates right now.
    pub fn mistakes(&self) -> Vec<Mistake> {
        self.shelf.lock().get_or_insert_with(|| self.first()).mistakes.clone()
    }

    /// When the folder's templates were saved.
    pub fn stamp(&self) -> Stamp {
        let Some(folder) = &self.folder else { return Stamp::default() };
        let layouts = Platform::ALL.iter().flat_map(|platform| {
            Layout::ALL.iter().map(move |layout| format!("{}/{}", platform.name(), layout.file()))
        });
        let words = self
            .locales
            .iter()
            .flat_map(|locale| words::FILES.iter().map(move |file| format!("{locale}/{file}")));
        let saved = |name: String| std::fs::metadata(folder.join(name)).ok().as_ref().and_then(saved);
        Stamp(layouts.chain(words).map(saved).collect())
    }

    /// What is shown first: where the folder cannot be used, the shipped templates, and why.
    fn first(&self) -> Shelf {
        match self.make(self.folder.as_deref()) {
            Ok(samples) => Shelf { samples, mistakes: Vec::new() },
            Err(mistakes) => Shelf { samples: self.make(None).unwrap_or_default(), mistakes },
        }
    }

    fn make(&self, folder: Option<&Path>) -> Result<Vec<Sample>, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let layouts = Layouts::load(folder).map_err(|found| mistakes.extend(found)).ok();
        let mut made = Vec::new();
        // A locale of the operator's own has no words where their folder is left out.
        let own = |locale: &String| folder.is_some() || LOCALES.contains(&locale.as_str());
        for locale in self.locales.iter().filter(|locale| own(locale)) {
            let words = Words::load(locale, folder).map_err(|found| mistakes.extend(found)).ok();
            if let (Some(layouts), Some(words)) = (&layouts, words) {
                made.extend(all(layouts, &words, &mut mistakes));
            }
        }
        mistakes.sort();
        mistakes.dedup();
        if mistakes.is_empty() { Ok(made) } else { Err(mistakes) }
    }
}

fn saved(metadata: &Metadata) -> Option<(SystemTime, u64)> {
    metadata.modified().ok().map(|at| (at, metadata.len()))
}

fn all(layouts: &Layouts, words: &Words, mistakes: &mut Vec<Mistake>) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut add = |name, layout: Layout, render: &dyn Fn(Platform) -> Result<Value, LayoutError>| {
        let mut cards = Vec::new();
        for platform in Platform::ALL {
            let made = render(*platform);
            let problems = judge(layouts, *platform, layout, &made);
            match made {
                Ok(layout) => cards.push(RenderedCard {
                    platform: shown(*platform),
                    locale: words.locale().to_owned(),
                    layout,
                    problems: problems.iter().map(ToString::to_string).collect(),
                }),
                Err(_) => mistakes.extend(problems),
            }
        }
        samples.push(Sample { name, cards });
    };
    for (name, card) in samples::named(words) {
        if name == "preview" {
            add("preview", Layout::Sheet, &|platform| layouts.sheet(platform, &card, words));
        } else {
            add(name, Layout::Card, &|platform| layouts.card(platform, &card, words));
        }
    }
    for form in samples::forms() {
        add("form", Layout::Form, &|platform| layouts.form(platform, &form, words));
    }
    samples
}

fn shown(platform: Platform) -> Shown {
    match platform {
        Platform::Slack => Shown::Slack,
        Platform::Discord => Shown::Discord,
    }
}

#[cfg(test)]
mod tests;
