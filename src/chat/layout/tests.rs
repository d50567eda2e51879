//! Layouts: whatever a card holds, what comes out is JSON that the platform takes.

use proptest::prelude::*;

use super::*;
use crate::chat::answer::{Input, InputKind};
use crate::chat::card::{Mention, Span};
use crate::chat::samples::{any_card, any_form, any_incident, forms};
use crate::chat::tell::Teller;
use crate::engine::Book;

fn valid(platform: Platform, body: &Value) -> Vec<limits::Breach> {
    match platform {
        Platform::Slack => limits::slack::message(body),
        Platform::Discord => limits::discord::message(body),
    }
}

fn layouts() -> &'static Layouts {
    static ONCE: std::sync::OnceLock<Layouts> = std::sync::OnceLock::new();
    ONCE.get_or_init(Layouts::shipped)
}

fn words(locale: &str) -> &'static Words {
    static ENGLISH: std::sync::OnceLock<Words> = std::sync::OnceLock::new();
    static CHINESE: std::sync::OnceLock<Words> = std::sync::OnceLock::new();
    match locale {
        "zh-CN" => CHINESE.get_or_init(|| Words::shipped("zh-CN")),
        _ => ENGLISH.get_or_init(|| Words::shipped("en")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_incident_whatsoever_renders_to_a_valid_message(incident in any_incident(), chinese in any::<bool>()) {
        let words = words(if chinese { "zh-CN" } else { "en" });
        let book = Book::default();
        let teller = Teller { words, book: &book };
        let mut cards = vec![teller.incident(&incident), teller.digest(std::slice::from_ref(&incident))];
        cards.extend(incident.proposals.values().map(|record| teller.preview(&incident, record)));
        for card in &cards {
            for platform in Platform::ALL {
                let body = layouts().card(*platform, card, words).expect("JSON");
                prop_assert_eq!(valid(*platform, &body), Vec::new(), "{:?}", platform);
            }
            let sheet = layouts().sheet(Platform::Slack, card, words).expect("JSON");
            prop_assert_eq!(limits::slack::view(&sheet), Vec::new());
        }
    }

    #[test]
    fn any_card_whatsoever_renders_to_a_valid_message(card in any_card()) {
        for platform in Platform::ALL {
            let body = layouts().card(*platform, &card, words("en")).expect("JSON");
            prop_assert_eq!(valid(*platform, &body), Vec::new(), "{:?}", platform);
        }
    }
}

/// Everything that is called so, wherever it stands.
fn all<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key).and_then(Value::as_str));
            fields.values().for_each(|inner| all(inner, key, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| all(inner, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_questions_whatsoever_make_a_valid_modal_and_what_comes_back_is_what_was_offered(form in any_form()) {
        let modal = layouts().form(Platform::Discord, &form, words("en")).expect("JSON");
        prop_assert_eq!(limits::discord::modal(&modal), Vec::new());
        let view = layouts().form(Platform::Slack, &form, words("en")).expect("JSON");
        prop_assert_eq!(limits::slack::view(&view), Vec::new());
        let choices = |input: &Input| {
            let options = match &input.kind {
                InputKind::Choice { options } => options.clone(),
                InputKind::Line { .. } | InputKind::Paragraph { .. } => Vec::new(),
            };
            options.into_iter().chain([input.value.clone()])
        };
        let offered: Vec<String> = form.inputs.iter().flat_map(choices).collect();
        for (body, id) in [(&modal["components"], "custom_id"), (&view["blocks"], "action_id")] {
            let (mut names, mut values) = (Vec::new(), Vec::new());
            all(body, id, &mut names);
            all(body, "value", &mut values);
            prop_assert!(names.iter().all(|name| form.inputs.iter().any(|input| input.name == *name)));
            prop_assert!(values.iter().all(|value| offered.iter().any(|own| own == value)), "{:?}", values);
        }
    }
}

#[test]
fn a_choice_that_is_too_long_to_come_back_is_not_offered_and_one_that_is_only_long_to_read_is() {
    let (long, longer) = ("s".repeat(90), "s".repeat(160));
    let input = Input {
        name: "secret".to_owned(),
        label: String::new(),
        kind: InputKind::Choice { options: vec!["a".to_owned(), long.clone(), "a".to_owned(), longer] },
        value: long.clone(),
        required: true,
    };
    let form = Form {
        id: "k1.rn.i-1.add".to_owned(),
        title: String::new(),
        intro: Vec::new(),
        inputs: vec![input],
        submit: String::new(),
    };
    let view = layouts().form(Platform::Slack, &form, words("en")).expect("JSON");
    assert_eq!(limits::slack::view(&view), Vec::new());
    let menu = &view["blocks"][0]["element"];
    assert_eq!(menu["options"].as_array().map(Vec::len), Some(2));
    assert_eq!(menu["initial_option"]["value"], json!(long));
    assert_eq!(menu["initial_option"], menu["options"][1]);
    assert_eq!(view["blocks"][0]["label"]["text"], "secret");
    let modal = layouts().form(Platform::Discord, &form, words("en")).expect("JSON");
    assert_eq!(limits::discord::modal(&modal), Vec::new());
    assert_eq!(modal["components"][0]["component"]["options"][1]["value"], json!(long));
    assert_eq!(modal["title"], "kubemend");
}

#[test]
fn the_shipped_layouts_pass_their_own_check_in_every_locale() {
    for locale in crate::chat::words::LOCALES {
        let cards = crate::chat::samples::cards(words(locale));
        assert!(cards.len() >= 6);
        assert_eq!(lint(layouts(), words(locale), &cards, &forms()), Vec::new(), "{locale}");
    }
}

#[test]
fn what_is_cut_says_so() {
    let long = Card::sentence(Tone::Info, "word ".repeat(9000));
    for platform in Platform::ALL {
        let body = layouts().card(*platform, &long, words("en")).expect("JSON");
        assert_eq!(valid(*platform, &body), Vec::new());
        assert!(body.to_string().contains("Something was left out"), "{platform:?}");
        assert!(body.to_string().contains('…'));
    }
    let short = Card::sentence(Tone::Info, "word");
    let body = layouts().card(Platform::Slack, &short, words("en")).expect("JSON");
    assert!(!body.to_string().contains("left out"));
}

#[test]
fn text_cannot_break_out_of_the_json() {
    let hostile = "\"}], \"blocks\": [{\"type\": \"x\\\"";
    let card = Card { title: hostile.to_owned(), ..Card::sentence(Tone::Info, hostile) };
    for platform in Platform::ALL {
        let body = layouts().card(*platform, &card, words("en")).expect("JSON");
        assert_eq!(valid(*platform, &body), Vec::new());
        let texts = body.to_string();
        assert!(texts.contains("\\\"}], \\\"blocks\\\"") || texts.contains("blocks"), "{texts}");
    }
}

#[test]
fn only_the_configured_are_called() {
    let whom = Mention::Group("123".to_owned());
    let calling = Rich(vec![Span::Mention { whom }, Span::Plain { text: " @everyone <@&9>".to_owned() }]);
    let card = Card::sentence(Tone::Info, "x").with(Block::Text { text: calling });
    let body = layouts().card(Platform::Discord, &card, words("en")).expect("JSON");
    assert_eq!(body["allowed_mentions"], json!({"parse": [], "users": [], "roles": ["123"]}));
    assert_eq!(body["content"], "<@&123> ");
}

#[test]
fn a_layout_that_lets_text_in_as_it_is_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("slack")).unwrap();
    let file = dir.path().join("slack/card.json.hbs");
    for raw in ["{{{summary}}}", "{{&summary}}", "{{> other}}", "{{~{summary}~}}"] {
        std::fs::write(&file, format!("{{\n\"text\": \"{raw}\"}}")).unwrap();
        let mistakes = Layouts::load(Some(dir.path())).expect_err("refused");
        assert_eq!(mistakes[0].line, 2, "{raw}: {mistakes:?}");
    }
}

#[test]
fn a_layout_of_the_operator_takes_the_place_of_the_shipped_one_and_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("slack")).unwrap();
    let file = dir.path().join("slack/card.json.hbs");
    std::fs::write(&file, "{\"text\": \"{{summary}}\", \"blocks\": []}").unwrap();
    let layouts = Layouts::load(Some(dir.path())).expect("it is a template");
    let mistakes = lint(&layouts, words("en"), &[Card::sentence(Tone::Info, "x")], &[]);
    let told = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(told.contains("slack/card.json.hbs") && told.contains("/blocks: 0 of 1 to 50"), "{told}");
    assert!(!told.contains("discord"), "{told}");
}

#[test]
fn commas_before_a_closing_bracket_are_dropped_outside_of_strings_only() {
    let text = "{\"a\": [1, 2, ], \"b\": \", ]\\\",}\", \"c\": {\"d\": 1,\n},\n}";
    let read: Value = serde_json::from_str(&without_last_commas(text)).expect("JSON");
    assert_eq!(read, json!({"a": [1, 2], "b": ", ]\",}", "c": {"d": 1}}));
}

#[test]
fn a_form_offers_its_choices() {
    let input = Input {
        name: "secret".to_owned(),
        label: "Which secret".to_owned(),
        kind: InputKind::Choice { options: vec!["a".to_owned(), "b".to_owned()] },
        value: "b".to_owned(),
        required: true,
    };
    let form = Form {
        id: "k1.rn.i-1.add".to_owned(),
        title: "Ask".to_owned(),
        intro: vec![text("Choose")],
        inputs: vec![input],
        submit: "Go".to_owned(),
    };
    let view = layouts().form(Platform::Slack, &form, words("en")).expect("JSON");
    assert_eq!(limits::slack::view(&view), Vec::new());
    assert_eq!(view.pointer("/blocks/1/element/initial_option/value"), Some(&json!("b")));
    let modal = layouts().form(Platform::Discord, &form, words("en")).expect("JSON");
    assert_eq!(limits::discord::modal(&modal), Vec::new());
    assert_eq!(modal.pointer("/components/0/content"), Some(&json!("Choose")));
    let menu = &modal["components"][1]["component"];
    assert_eq!(
        menu["options"],
        json!([{"label": "a", "value": "a"}, {"label": "b", "value": "b", "default": true}])
    );
}

#[test]
fn a_form_with_five_questions_leaves_no_room_above_and_a_choice_of_nothing_is_a_line() {
    let input = |name: usize| Input {
        name: format!("n{name}"),
        label: "L".repeat(60),
        kind: InputKind::Choice { options: Vec::new() },
        value: String::new(),
        required: false,
    };
    let form = Form {
        id: "k1.rn.i-1.add".to_owned(),
        title: "Ask".to_owned(),
        intro: vec![text("Choose")],
        inputs: (0..5).map(input).collect(),
        submit: "Go".to_owned(),
    };
    let modal = layouts().form(Platform::Discord, &form, words("en")).expect("JSON");
    assert_eq!(limits::discord::modal(&modal), Vec::new());
    assert_eq!(
        (modal["components"].as_array().map(Vec::len), &modal["components"][0]["component"]["type"]),
        (Some(5), &json!(4))
    );
}

#[test]
fn the_main_card_in_both_layouts() {
    let card = crate::chat::samples::cards(words("en")).remove(0);
    insta::assert_json_snapshot!("slack", layouts().card(Platform::Slack, &card, words("en")).unwrap());
    insta::assert_json_snapshot!("discord", layouts().card(Platform::Discord, &card, words("en")).unwrap());
}
