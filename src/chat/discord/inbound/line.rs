//! The options of `/mend` as the line that everybody else types, so that both mean the same. Pure.
//!
//! Owns which options stand in which place of a line; whoever registers the commands builds them from here.

use serde_json::Value;

use super::wire::Given;
use crate::chat::command::spec;

/// An option that is no flag: its name in Discord, and whether it holds one word or free text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub required: bool,
    pub holds: Holds,
}

/// What stands in a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// One word.
    Word,
    /// A sentence.
    Text,
    /// Several words that each mean something: `replicas=3 force=yes`.
    Words,
}

const fn word(name: &'static str) -> Parameter {
    Parameter { name, required: true, holds: Holds::Word }
}

const fn maybe(name: &'static str, holds: Holds) -> Parameter {
    Parameter { name, required: false, holds }
}

/// The parameters of each command, in the order of the line. Flags are named as in
/// [`crate::chat::command::Spec`], without their hyphens.
const PLACES: &[(&str, &[Parameter])] = &[
    ("incidents", &[maybe("text", Holds::Text)]),
    ("show", &[word("incident")]),
    ("diagnose", &[word("object")]),
    ("actions", &[word("incident")]),
    ("run", &[word("incident"), word("remedy"), maybe("parameters", Holds::Words)]),
    ("approve", &[word("proposal")]),
    ("deny", &[word("proposal"), maybe("reason", Holds::Text)]),
    ("undo", &[word("execution")]),
    ("silence", &[word("incident"), word("duration"), maybe("reason", Holds::Text)]),
    ("audit", &[maybe("incident", Holds::Word)]),
    ("help", &[maybe("command", Holds::Word)]),
];

/// The parameters of a command, in the order of its line.
pub fn places(command: &str) -> &'static [Parameter] {
    PLACES.iter().find(|(name, _)| *name == command).map_or(&[], |(_, places)| *places)
}

/// A sub command with its options as a line. Options that the command does not have are left out: they are
/// of another time.
pub(super) fn line(command: &str, options: &[Given]) -> String {
    let mut line = command.to_owned();
    for place in places(command) {
        if let Some(given) = options.iter().find(|given| given.name == place.name) {
            let text = text(&given.value);
            let held = match place.holds {
                Holds::Word | Holds::Text => quoted(&text),
                Holds::Words => text,
            };
            push(&mut line, &held);
        }
    }
    let Some(spec) = spec(command) else { return line };
    for given in options {
        let flag = format!("--{}", given.name);
        if spec.switches.contains(&flag.as_str()) {
            if given.value.as_bool().unwrap_or_else(|| text(&given.value) == "true") {
                push(&mut line, &flag);
            }
        } else if spec.values.contains(&flag.as_str()) {
            push(&mut line, &flag);
            push(&mut line, &quoted(&text(&given.value)));
        }
    }
    line
}

/// An option's value as it would be typed.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn push(line: &mut String, word: &str) {
    line.push(' ');
    line.push_str(word);
}

/// One word of the line, whatever stands in it: the line's own quotes cannot be told apart from the text's, so
/// those become apostrophes, and a first hyphen would be a flag, so it becomes a minus sign.
fn quoted(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| match c {
            '"' | '“' | '”' => '\'',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    let plain = plain.trim();
    match plain.strip_prefix('-') {
        Some(rest) => format!("\"−{rest}\""),
        None => format!("\"{plain}\""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::chat::command::{ALL, Wish, parse};

    fn given(options: &Value) -> Vec<Given> {
        serde_json::from_value(options.clone()).expect("options")
    }

    #[test]
    fn options_become_the_line_that_would_be_typed() {
        let told = |command: &str, options: Value| line(command, &given(&options));
        assert_eq!(told("status", json!([])), "status");
        let silence = json!([{"name": "reason", "value": "it is \"known\""}, {"name": "duration", "value": "2h"},
            {"name": "incident", "value": "i-42"}]);
        assert_eq!(told("silence", silence), "silence \"i-42\" \"2h\" \"it is 'known'\"");
        let incidents = json!([{"name": "namespace", "value": "payments"}, {"name": "all", "value": true},
            {"name": "here", "value": false}, {"name": "limit", "value": 5}, {"name": "strange", "value": "x"}]);
        assert_eq!(told("incidents", incidents), "incidents --namespace \"payments\" --all --limit \"5\"");
    }

    #[test]
    fn every_place_is_understood_by_the_parser() {
        for spec in ALL {
            let value = |name: &str| match name {
                "incident" => "i-42",
                "proposal" => "i-42.p1",
                "execution" => "x-i-42.p1",
                "object" => "pod/web",
                "duration" => "2h",
                "remedy" => "restart",
                "parameters" => "replicas=3 force=yes",
                _ => "words",
            };
            let options: Vec<Value> = places(spec.name)
                .iter()
                .map(|place| json!({"name": place.name, "value": value(place.name)}))
                .collect();
            let line = line(spec.name, &given(&json!(options)));
            assert!(parse(&line).is_ok(), "{line}: {:?}", parse(&line));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_into_a_reason_stays_a_reason(reason in "\\PC{1,200}") {
            prop_assume!(!reason.trim().is_empty() && !reason.contains('`'));
            let options = given(&json!([{"name": "proposal", "value": "i-42.p1"}, {"name": "reason", "value": reason}]));
            let read = parse(&line("deny", &options)).expect("a wish");
            let Wish::Deny { proposal, note } = read.wish else { panic!("a denial") };
            prop_assert_eq!(proposal.as_str(), "i-42.p1");
            prop_assert!(!note.is_empty() || reason.trim().chars().all(char::is_control));
            prop_assert!(!read.here);
        }
    }
}
