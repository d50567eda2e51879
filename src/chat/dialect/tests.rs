//! Text stays text in every dialect.

use proptest::prelude::*;

use super::*;

/// Texts made of what has a meaning somewhere, and of anything.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("@everyone".to_owned()),
        Just("@HERE".to_owned()),
        Just("<!channel>".to_owned()),
        Just("<@U123>".to_owned()),
        Just("<@&99>".to_owned()),
        Just("[click](https://evil.example)".to_owned()),
        Just("```".to_owned()),
        Just("``".to_owned()),
        Just("`".to_owned()),
        Just("**".to_owned()),
        Just("\n> ".to_owned()),
        Just("\n# ".to_owned()),
        Just("\n- ".to_owned()),
        Just("||".to_owned()),
        Just("\\".to_owned()),
        Just("</code><script>alert(1)</script>".to_owned()),
        Just("\" onload=\"x".to_owned()),
        Just(":fire:".to_owned()),
        Just("\u{202e}".to_owned()),
        "\\PC{0,6}",
        "[a-z_*~. -]{0,8}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Every way a text can come into a message.
fn all_ways(dialect: Dialect, text: &str) -> Vec<String> {
    vec![
        dialect.text(text),
        dialect.code(text),
        dialect.fence(text),
        dialect.quote(text),
        dialect.strong(text),
    ]
}

proptest! {
    #[test]
    fn nothing_pings_in_slack(text in hostile()) {
        for written in all_ways(Dialect::Slack, &text) {
            prop_assert!(!written.contains('<'), "{written}");
            let lower = written.to_lowercase();
            for call in ["@everyone", "@here", "@channel", "@group"] {
                prop_assert!(!lower.contains(call), "{written}");
            }
        }
    }

    #[test]
    fn every_ampersand_in_slack_begins_an_entity(text in hostile()) {
        for written in all_ways(Dialect::Slack, &text) {
            for (at, _) in written.match_indices('&') {
                let rest = &written[at..];
                prop_assert!(["&amp;", "&lt;", "&gt;"].iter().any(|entity| rest.starts_with(entity)), "{rest}");
            }
        }
    }

    #[test]
    fn nothing_pings_in_discord(text in hostile()) {
        for written in all_ways(Dialect::Discord, &text) {
            let lower = written.to_lowercase();
            for call in ["@everyone", "@here", "<@&", "<@!"] {
                prop_assert!(!lower.contains(call), "{written}");
            }
        }
    }

    #[test]
    fn every_mark_in_discord_is_escaped(text in hostile()) {
        let written = Dialect::Discord.text(&text);
        let mut escaped = false;
        for c in written.chars() {
            prop_assert!(escaped || !"*_~`|<>[]()#:".contains(c), "{c} in {written}");
            escaped = c == '\\' && !escaped;
        }
        prop_assert!(!escaped, "a backslash is left at the end of {written}");
    }

    #[test]
    fn no_fence_is_broken_out_of(text in hostile()) {
        for dialect in [Dialect::Slack, Dialect::Discord] {
            let fenced = dialect.fence(&text);
            let inner = fenced.strip_prefix("```\n").and_then(|rest| rest.strip_suffix("\n```"));
            prop_assert!(!inner.expect("a fence").contains("``"), "{fenced}");
            let code = dialect.code(&text);
            prop_assert!(code.is_empty() || code.matches('`').count() == 2, "{code}");
            prop_assert!(!code.contains('\n'));
        }
    }

    #[test]
    fn html_is_text(text in hostile()) {
        let written = Dialect::Html.text(&text);
        prop_assert!(!written.contains(['<', '>', '"', '\'']), "{written}");
        let code = Dialect::Html.code(&text);
        prop_assert_eq!(code.matches('<').count(), if code.is_empty() { 0 } else { 2 });
    }

    #[test]
    fn nothing_turns_the_order_of_reading_around(text in hostile()) {
        for dialect in [Dialect::Slack, Dialect::Discord, Dialect::Html, Dialect::Plain] {
            for written in all_ways(dialect, &text) {
                prop_assert!(!written.contains(['\u{202e}', '\u{2066}', '\0', '\u{1b}']), "{written}");
            }
        }
    }
}

#[test]
fn ordinary_names_are_left_as_they_are() {
    for name in ["checkout-api-6f9", "my_pod_name", "registry.example.com:5000/team/api:v1.2", "a@sha256:ab"]
    {
        assert_eq!(Dialect::Slack.text(name), name);
        assert_eq!(Dialect::Slack.code(name), format!("`{name}`"));
        assert_eq!(Dialect::Discord.code(name), format!("`{name}`"));
    }
}

#[test]
fn marks_are_taken_their_meaning() {
    assert_eq!(Dialect::Slack.text("a <b> & c"), "a &lt;b&gt; &amp; c");
    assert_eq!(Dialect::Discord.text("**x** [a](b)"), "\\*\\*x\\*\\* \\[a\\]\\(b\\)");
    assert_eq!(Dialect::Discord.text("- one\n1. two"), "\\- one\n1\\. two");
    assert_eq!(Dialect::Slack.fence("a\n```\nb"), "```\na\n`\u{200b}`\u{200b}`\nb\n```");
}

#[test]
fn only_the_configuration_calls_somebody() {
    let rich = Rich(vec![
        Span::Mention { whom: Mention::Group("S123".to_owned()) },
        Span::Plain { text: " <!subteam^S999>".to_owned() },
    ]);
    assert_eq!(Dialect::Slack.rich(&rich), "<!subteam^S123> &lt;!subteam^S999&gt;");
    let hostile = Mention::User("U1> <!channel".to_owned());
    assert_eq!(Dialect::Slack.mention(&hostile), "<@U1channel>");
}
