//! What people see of every page, as text: tags left out, so that a change of words or order shows.

use super::shown;
use crate::chat::console::pages::{Locale, Part};

/// The main part as lines of text.
fn read(html: &str) -> String {
    let main = html.split_once("<main").map_or(html, |(_, rest)| rest).split("</main>").next().unwrap();
    let main = main.split_once('>').map_or(main, |(_, rest)| rest);
    let mut text = String::new();
    for piece in main.split('<') {
        let (tag, words) = piece.split_once('>').unwrap_or(("", piece));
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
        let inline = ["span", "b", "code", "time", "a", "strong", "i", "svg", "path", "q", "option", "em"];
        text.push_str(if inline.contains(&name) { " " } else { "\n" });
        text.push_str(words);
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_page_says_what_it_says() {
    for (name, html) in shown::all(&|_| {}) {
        insta::assert_snapshot!(format!("page-{name}"), read(&html));
    }
}

/// A phrase that lacks a value, or is not there, shows its name.
#[test]
fn no_page_shows_the_name_of_a_phrase() {
    let name = regex::Regex::new(r"\bweb\.[a-z]+[.a-z-]*").unwrap();
    for locale in Locale::ALL {
        for (page, html) in shown::all(&|visitor| visitor.locale = locale) {
            assert_eq!(name.find(&html).map(|found| found.as_str()), None, "{page} in {}", locale.tag());
        }
    }
}

#[test]
fn the_main_pages_say_it_in_chinese() {
    let chinese = shown::all(&|visitor| visitor.locale = Locale::ZhCn);
    for (name, html) in chinese
        .into_iter()
        .filter(|(name, _)| ["incidents", "proposed", "fixed", "empty"].contains(&name.as_str()))
    {
        insta::assert_snapshot!(format!("page-{name}-zh"), read(&html));
    }
}

#[test]
fn a_live_part_is_what_the_whole_page_holds() {
    let whole = shown::all(&|_| {});
    let parts = shown::all(&|visitor| visitor.part = Some(Part::Live));
    for ((name, whole), (_, part)) in whole.into_iter().zip(parts) {
        assert!(whole.contains(part.trim()) || whole == part, "{name}");
    }
}
