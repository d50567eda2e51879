//! Writing a line: from options with names, as platforms with typed commands give them, to the one line that
//! [`super::parse()`] reads. Pure.
//!
//! Every text comes back as it was: what would part words, open quotes or look like a flag is quoted. So there
//! is one parser, and a typed option means what the same words mean in a line.

use super::words::{Place, Take, spec};

/// What was given for an option.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Text(String),
    Number(i64),
    Yes(bool),
}

/// The line after `/mend` that says the same; options that the command does not take, and empty ones, are left
/// out. A command that is not there is written as it is called, and reading it tells so.
pub fn write(command: &str, given: &[(String, Value)]) -> String {
    let takes = spec(command).map_or(&[][..], |spec| spec.takes);
    let mut line = vec![quoted(command)];
    let said = |take: &Take| given.iter().find(|(name, _)| name == take.name).map(|(_, value)| value);
    let (mut plain, mut words) = (Vec::new(), None);
    for (take, value) in takes.iter().filter_map(|take| Some((take, said(take)?))) {
        let Some(text) = text(value) else { continue };
        match take.place {
            Place::Flag(flag) => line.push(flag.to_owned()),
            Place::Value(flag) => line.push(format!("{flag} {}", quoted(&text))),
            Place::Word | Place::Rest => plain.push(text),
            // Each is a word by itself, with whatever quotes somebody gave it.
            Place::Words => words = Some(text),
        }
    }
    if plain.iter().any(|word| word.starts_with('-')) {
        line.push("--".to_owned());
    }
    line.extend(plain.iter().map(|word| quoted(word)));
    line.extend(words);
    line.join(" ")
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => (!text.trim().is_empty()).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Yes(yes) => yes.then(String::new),
    }
}

/// The text as one word. There is no escape in a line, so what stands between one kind of quotes holds no other
/// of that kind.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/' | ':' | '=');
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let pieces = text.split('"').map(|piece| format!("\"{piece}\"")).collect::<Vec<_>>();
    pieces.join("“\"”")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{ALL, Wish, parse};
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, Value)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned()))).collect()
    }

    #[test]
    fn options_become_the_line_that_somebody_would_type() {
        for (command, options, line) in [
            ("show", given(&[("incident", "i-42")]), "show i-42"),
            (
                "diagnose",
                given(&[("namespace", "shop"), ("object", "pod/web-0")]),
                "diagnose --namespace shop pod/web-0",
            ),
            ("deny", given(&[("proposal", "i-1.p1"), ("reason", "not now")]), "deny i-1.p1 \"not now\""),
            ("deny", given(&[("proposal", "i-1.p1"), ("reason", "-1 no")]), "deny -- i-1.p1 \"-1 no\""),
            (
                "run",
                given(&[("incident", "i-1"), ("remedy", "fix"), ("parameters", "secret=a other='b c'")]),
                "run i-1 fix secret=a other='b c'",
            ),
            ("status", vec![("here".to_owned(), Value::Yes(true))], "status --here"),
            ("status", vec![("here".to_owned(), Value::Yes(false))], "status"),
            ("incidents", vec![("limit".to_owned(), Value::Number(5))], "incidents --limit 5"),
            ("show", given(&[("nonsense", "x")]), "show"),
        ] {
            assert_eq!(write(command, &options), line);
        }
    }

    #[test]
    fn whatever_a_command_requires_comes_first() {
        for spec in ALL {
            let required: Vec<bool> = spec.takes.iter().map(|take| take.required).collect();
            assert!(required.is_sorted_by(|a, b| a >= b), "{}", spec.name);
        }
    }

    proptest! {
        #[test]
        fn a_text_comes_back_to_the_letter(text in "[^\u{0}]{1,60}") {
            prop_assume!(!text.trim().is_empty());
            let line = write("deny", &given(&[("proposal", "i-1.p1"), ("reason", &text)]));
            let read = parse(&line).map(|command| command.wish);
            let expected = Wish::Deny { proposal: "i-1.p1".into(), note: text.as_str().into() };
            prop_assert_eq!(read, Ok(expected), "{}", line);
        }

        #[test]
        fn hostile_text_stays_in_its_place(text in "[-\"'“”` —–a=]{1,30}", cluster in "[-\"'“”` —–a=]{1,30}") {
            prop_assume!(!text.trim().is_empty() && !cluster.trim().is_empty());
            let options = given(&[("text", &text), ("cluster", &cluster)]);
            let command = parse(&write("incidents", &options)).expect("it is read");
            prop_assert!(!command.here);
            let Wish::Incidents(which) = command.wish else { panic!("another wish") };
            prop_assert_eq!(which.text.as_deref(), Some(text.as_str()));
            prop_assert_eq!(which.cluster.as_deref(), Some(cluster.as_str()));
            prop_assert_eq!((which.namespace, which.severity, which.all), (None, None, false));
        }

        #[test]
        fn switches_and_numbers_come_back(all in any::<bool>(), here in any::<bool>(), limit in 1_i64..=50) {
            let options = [("all", Value::Yes(all)), ("here", Value::Yes(here)), ("limit", Value::Number(limit))];
            let options: Vec<_> = options.map(|(name, value)| (name.to_owned(), value)).into();
            let command = parse(&write("incidents", &options)).expect("it is read");
            prop_assert_eq!(command.here, here);
            let Wish::Incidents(which) = command.wish else { panic!("another wish") };
            prop_assert_eq!((which.all, i64::from(which.limit)), (all, limit));
        }
    }
}
