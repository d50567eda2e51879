//! What can be computed about how it looks: contrast, weight, the same palette twice.

use std::collections::BTreeMap;

use super::samples::{self, clusters, visitor};
use crate::chat::console::pages::*;

const CSS: &str = include_str!("../../../../../assets/console.css");

/// Text and what it stands on, at least 4.5 to 1.
const TEXT: &[(&str, &[&str])] = &[
    ("ink", &["paper", "sheet", "well", "good-wash", "critical-wash"]),
    ("soft", &["paper", "sheet", "well"]),
    ("faint", &["paper", "sheet", "well"]),
    ("critical", &["paper", "sheet", "critical-wash"]),
    ("warning", &["paper", "sheet", "warning-wash"]),
    ("info", &["paper", "sheet", "info-wash"]),
    ("good", &["paper", "sheet", "good-wash"]),
    ("code-key", &["sheet", "good-wash", "critical-wash"]),
    ("act-ink", &["act"]),
    ("sheet", &["critical", "good"]),
];

/// Marks and borders of controls, at least 3 to 1.
const MARKS: &[(&str, &[&str])] = &[("edge", &["paper", "sheet"]), ("focus", &["paper", "sheet"])];

fn palette(after: &str) -> BTreeMap<String, [f64; 3]> {
    let block = CSS.split_once(after).unwrap().1.split_once('}').unwrap().0;
    let color = regex::Regex::new(r"--([\w-]+): #([0-9a-f]{6});").unwrap();
    let channel = |hex: &str, at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
    let all = color.captures_iter(block);
    all.map(|found| (found[1].to_owned(), [0, 2, 4].map(|at| channel(&found[2], at)))).collect()
}

fn luminance(color: [f64; 3]) -> f64 {
    let [red, green, blue] =
        color.map(|c| if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_can_be_read_on_what_it_stands_on() {
    for theme in [":root {", ":root[data-theme=\"dark\"] {"] {
        let colors = palette(theme);
        for (wanted, pairs) in [(4.5, TEXT), (3.0, MARKS)] {
            for (over, grounds) in pairs {
                for under in *grounds {
                    let found = contrast(colors[*over], colors[*under]);
                    assert!(found >= wanted, "{theme} {over} on {under}: {found:.2}");
                }
            }
        }
    }
}

#[test]
fn dark_by_choice_is_dark_by_system() {
    assert_eq!(palette(":root[data-theme=\"dark\"] {"), palette(":root[data-theme=\"system\"] {"));
    assert_eq!(palette(":root {").len(), palette(":root[data-theme=\"dark\"] {").len());
}

#[test]
fn a_page_of_five_hundred_incidents_is_a_light_one() {
    let mut rows = Vec::new();
    for number in 0..500 {
        let mut row = samples::rows()[number % 5].clone();
        row.id = format!("i-{number}").as_str().into();
        rows.push(row);
    }
    let filter = Filter::default();
    let page = Incidents { rows: &rows, filter: &filter, more: false, clusters: &clusters(), playbooks: 21 };
    let html = Pages::load(None).unwrap().render(&Page::Incidents(page), &visitor()).unwrap();
    assert_eq!(html.matches("<li class=\"row ").count(), 50);
    assert!(html.contains("Page 1 of 10 · 500 incidents"));
    // Before compression; the limit for all that a first visit transfers is 100 KiB compressed.
    assert!(html.len() < 100 * 1024, "{} bytes", html.len());
}

#[test]
fn the_live_part_of_the_list_is_the_same_for_all_who_see_it() {
    let pages = Pages::load(None).unwrap();
    let rows = samples::rows();
    let filter = Filter::default();
    let made = |csrf: &str, who: Option<Who>| {
        let page =
            Incidents { rows: &rows, filter: &filter, more: false, clusters: &clusters(), playbooks: 21 };
        let visitor = Visitor { csrf: csrf.into(), who, part: Some(Part::Live), ..visitor() };
        pages.render(&Page::Incidents(page), &visitor).unwrap()
    };
    let (one, other) = (made("csrf-one", visitor().who), made("csrf-two", None));
    assert_eq!(one, other);
    assert!(!one.contains("csrf"));
}

#[test]
fn overrides_take_the_place_of_words_and_templates() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("web")).unwrap();
    std::fs::create_dir_all(folder.path().join("en")).unwrap();
    std::fs::write(folder.path().join("en/web.yaml"), "web.incidents.title: Trouble\n").unwrap();
    let page = || Incidents {
        rows: &[],
        filter: Box::leak(Box::default()),
        more: false,
        clusters: &[],
        playbooks: 0,
    };
    let pages = Pages::load(Some(folder.path())).unwrap();
    let html = pages.render(&Page::Incidents(page()), &visitor()).unwrap();
    assert!(html.contains("<h1>Trouble</h1>"), "{html}");
    std::fs::write(folder.path().join("web/row.hbs"), "{{#if}").unwrap();
    let mistakes = Pages::load(Some(folder.path())).err().unwrap();
    assert!(mistakes[0].to_string().contains("web/row.hbs:1: "), "{mistakes:?}");
}
