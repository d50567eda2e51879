//! Windows of anything: whatever a playbook asks and offers, the strict stand-ins for Slack and Discord take the
//! modal that is made of it.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::fake_discord::{components, form};
use crate::fake_slack::blocks;
use kubemend::chat::answer::{Form, Input, InputKind};
use kubemend::chat::layout::{self, Layouts, Platform};
use kubemend::chat::words::Words;

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(Layouts::shipped);
static WORDS: LazyLock<Words> = LazyLock::new(|| Words::shipped("en"));

/// What stands in playbooks and clusters, and what nobody would write.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z][a-z0-9-]{0,30}",
        2 => "\\PC{0,120}",
        1 => "[ \t\n\u{3000}]{0,3}",
        1 => ("\\PC{1,3}", 1..2500_usize).prop_map(|(text, times)| text.repeat(times)),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let kind = prop_oneof![
        3 => vec(text(), 0..60).prop_map(|options| InputKind::Choice { options }),
        1 => text().prop_map(|placeholder| InputKind::Line { placeholder }),
        1 => text().prop_map(|placeholder| InputKind::Paragraph { placeholder }),
    ];
    (text(), text(), kind, text(), any::<(bool, bool)>()).prop_map(
        |(name, label, kind, own, (required, first))| {
            let value = match &kind {
                // As the desk does it: the best choice stands first and is chosen.
                InputKind::Choice { options } if first => options.first().cloned().unwrap_or_default(),
                InputKind::Choice { .. } | InputKind::Line { .. } | InputKind::Paragraph { .. } => own,
            };
            Input { name, label, kind, value, required }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_stand_ins_take_the_window(
        title in text(), above in text(), inputs in vec(input(), 0..8), submit in text(), none in any::<bool>(),
    ) {
        let intro = if none { Vec::new() } else { vec![layout::text(above)] };
        let asked = Form { id: "k1.rn.i-1.fix".to_owned(), title, intro, inputs, submit };
        let modal = LAYOUTS.form(Platform::Discord, &asked, &WORDS).expect("JSON");
        let mut judge = form::Form::default();
        components::modal(&modal, &mut judge, "");
        let judged = judge.conclude().map_err(|refused| refused.body().to_string());
        prop_assert_eq!(judged, Ok(()), "{}", modal);
        let view = LAYOUTS.form(Platform::Slack, &asked, &WORDS).expect("JSON");
        prop_assert_eq!(blocks::view_mistakes(&view), Vec::<String>::new(), "{}", view);
    }
}
