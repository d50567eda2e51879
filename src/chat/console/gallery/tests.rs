//! The gallery: every sample shows, a saved template does too, and a mistake leaves what was there.

use super::*;
use crate::chat::console::pages::{Cards, Page, Pages, Theme, Visitor};

fn html(sampled: &Sampled) -> String {
    let Sampled { names, chosen, cards, mistakes } = sampled;
    let pages = Pages::load(None).expect("the shipped pages");
    let visitor = Visitor {
        who: None,
        csrf: String::new(),
        locale: Locale::En,
        theme: Theme::System,
        now: jiff::Timestamp::UNIX_EPOCH,
        demo: false,
        paused: false,
        notices: Vec::new(),
        live: true,
        part: None,
        here: "/cards".to_owned(),
    };
    pages.render(&Page::Cards(Cards { names, chosen, cards, mistakes }), &visitor).expect("a page")
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for own in ["slack", "en", "de"] {
        std::fs::create_dir(dir.path().join(own)).unwrap();
    }
    dir
}

#[test]
fn every_sample_is_shown_on_both_platforms_in_both_locales_and_nothing_is_unknown() {
    let gallery = Gallery::new(None, &["en".to_owned()]);
    let names = gallery.show("", Locale::En).expect("the first").names;
    assert_eq!(
        names,
        ["incident", "rights", "resolved", "preview", "digest", "gap", "trouble", "hostile", "form"]
    );
    for name in &names {
        let sampled = gallery.show(name, Locale::ZhCn).expect("it is among the names");
        let shown: Vec<_> = sampled.cards.iter().map(|card| (card.platform, card.locale.as_str())).collect();
        let wanted = [
            (Shown::Slack, "zh-CN"),
            (Shown::Discord, "zh-CN"),
            (Shown::Slack, "en"),
            (Shown::Discord, "en"),
        ];
        assert_eq!(shown, wanted, "{name}");
        assert!(sampled.cards.iter().all(|card| card.problems.is_empty()), "{name}");
        let html = html(&sampled);
        let mocks =
            html.split("class=\"mock-body\"").skip(1).filter_map(|rest| rest.split("<details").next());
        assert!(!mocks.collect::<String>().contains('\u{fffd}'), "{name} shows what nobody sees");
        assert!(!html.contains("class=\"unknown\""), "{name} has something that cannot be shown: {html}");
        assert!(!html.contains("</script>\"") && html.matches("<script ").count() == 4, "{name}: {html}");
        assert_eq!(html.matches("class=\"mock-body\"").count(), 4, "{name}");
    }
    assert!(gallery.show("nothing", Locale::En).is_none());
}

#[test]
fn what_a_sample_says_is_what_its_look_alike_says() {
    let gallery = Gallery::new(None, &[]);
    let incident = html(&gallery.show("incident", Locale::En).unwrap());
    for text in [
        "Private registry without credentials",
        "Failed to pull image &quot;registry.example.com/payments/checkout:v7&quot;: 401 Unauthorized",
        ">Approve (medium",
    ] {
        assert!(incident.matches(text).count() >= 2, "{text}: {incident}");
    }
    let preview = html(&gallery.show("preview", Locale::En).unwrap());
    assert!(preview.contains("+imagePullSecrets:"), "{preview}");
    let form = html(&gallery.show("form", Locale::En).unwrap());
    for text in ["Ask for a remedy", "Which secret", "harbor-pull", "checkout", "Ask for it"] {
        assert!(form.matches(text).count() >= 4, "{text}: {form}");
    }
}

#[test]
fn a_saved_template_shows_and_one_with_mistakes_leaves_what_was_there() {
    let dir = folder();
    let words = dir.path().join("en/card.yaml");
    let gallery = Gallery::new(Some(dir.path().to_path_buf()), &[]);
    let shown = || html(&gallery.show("incident", Locale::En).unwrap());
    assert!(shown().contains(">Deny<") && !shown().contains("Leave it"));
    let before = gallery.stamp();
    std::fs::write(&words, "button.deny: \"Leave it\"\n").unwrap();
    assert_ne!(gallery.stamp(), before);
    gallery.reload();
    assert!(shown().contains("Leave it") && !shown().contains("class=\"mistakes\""));

    std::fs::write(&words, "# ours\nbuton.deny: \"x\"\n").unwrap();
    gallery.reload();
    let html = shown();
    assert!(
        html.contains("en/card.yaml:2</code>")
            && html.contains("did you mean")
            && html.contains("button.deny"),
        "{html}"
    );
    assert!(html.contains("Leave it"), "the last that could be used stays");

    std::fs::remove_file(&words).unwrap();
    let layout = dir.path().join("slack/card.json.hbs");
    for (text, line, told) in [
        ("{\n  \"text\": \"x\",\n  {{#if title}}\n  \"blocks\" [],\n  {{/if}}\n}", 4, "not JSON"),
        ("{\n  \"text\": \"{{titel}}\"\n}", 2, "titel"),
        ("{\n  \"text\": \"{{#if title}}\"\n}", 3, ""),
    ] {
        std::fs::write(&layout, text).unwrap();
        gallery.reload();
        let mistakes = gallery.mistakes();
        assert_eq!(mistakes.first().map(|mistake| mistake.line), Some(line), "{text}: {mistakes:?}");
        assert!(mistakes[0].what.contains(told) && !mistakes[0].way_out.is_empty(), "{mistakes:?}");
        assert!(shown().contains("Leave it") && shown().contains("slack/card.json.hbs"));
    }
    std::fs::remove_file(&layout).unwrap();
    gallery.reload();
    assert!(gallery.mistakes().is_empty() && !shown().contains("Leave it"));
}

#[test]
fn what_the_platform_would_refuse_is_told_beside_the_card_with_its_line() {
    let dir = folder();
    std::fs::write(dir.path().join("slack/card.json.hbs"), "{\"text\": \"{{summary}}\",\n\"blocks\": []}")
        .unwrap();
    let gallery = Gallery::new(Some(dir.path().to_path_buf()), &[]);
    let sampled = gallery.show("incident", Locale::En).unwrap();
    assert!(sampled.mistakes.is_empty());
    let problems = &sampled.cards[0].problems;
    assert!(problems[0].contains("card.json.hbs:2: /blocks"), "{problems:?}");
    assert!(sampled.cards[1].problems.is_empty());
}

#[test]
fn a_locale_of_ones_own_is_shown_too_and_a_broken_folder_shows_the_shipped_templates() {
    let dir = folder();
    std::fs::write(dir.path().join("de/card.yaml"), "button.deny: \"Ablehnen\"\n").unwrap();
    let gallery = Gallery::new(Some(dir.path().to_path_buf()), &["de".to_owned()]);
    let sampled = gallery.show("incident", Locale::En).unwrap();
    assert_eq!(sampled.cards.len(), 6);
    assert!(html(&sampled).contains("Ablehnen"));
    std::fs::write(dir.path().join("de/card.yaml"), "button.deny: [\n").unwrap();
    let gallery = Gallery::new(Some(dir.path().to_path_buf()), &["de".to_owned()]);
    let sampled = gallery.show("incident", Locale::En).unwrap();
    assert_eq!((sampled.cards.len(), sampled.mistakes.len()), (4, 1));
    assert!(html(&sampled).contains("de/card.yaml"));
}
