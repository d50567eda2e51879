//! What people type, and what it means.

use proptest::prelude::*;

use super::parse::duration;
use super::*;

fn wish(line: &str) -> Wish {
    parse(line).unwrap_or_else(|slip| panic!("{line}: {slip:?}")).wish
}

#[test]
fn lines_are_understood() {
    let id = || IncidentId::from("i-42");
    let proposal = || ProposalId::from("i-42.p1");
    for (line, expected) in [
        ("help", Wish::Help { about: None }),
        ("HELP run", Wish::Help { about: Some("run".to_owned()) }),
        ("status", Wish::Status),
        ("show i-42", Wish::Show { incident: id() }),
        ("show `i-42`", Wish::Show { incident: id() }),
        ("actions i-42", Wish::Actions { incident: id() }),
        ("approve i-42.p1", Wish::Approve { proposal: proposal() }),
        ("deny i-42.p1 not now", Wish::Deny { proposal: proposal(), note: "not now".into() }),
        ("undo x-i-42.p1", Wish::Undo { execution: "x-i-42.p1".into() }),
        ("undo i-42.p1", Wish::Undo { execution: "x-i-42.p1".into() }),
        ("pause", Wish::Pause),
        ("resume", Wish::Resume),
        ("audit", Wish::Audit { incident: None }),
        ("audit i-42", Wish::Audit { incident: Some(id()) }),
        ("whoami", Wish::WhoAmI),
        (
            "silence i-42 1h30m \"a deploy\"",
            Wish::Silence { incident: id(), lasting: SignedDuration::from_mins(90), note: "a deploy".into() },
        ),
        (
            "run i-42 add-pull-secret secret=harbor",
            Wish::Run {
                incident: id(),
                remedy: "add-pull-secret".into(),
                parameters: [("secret".into(), "harbor".into())].into(),
            },
        ),
        (
            "diagnose pod/a-1 -n payments --cluster=prod",
            Wish::Diagnose {
                kind: "pod".to_owned(),
                name: "a-1".into(),
                namespace: Some("payments".into()),
                cluster: Some("prod".into()),
            },
        ),
        (
            "diagnose pod/payments/a-1",
            Wish::Diagnose {
                kind: "pod".to_owned(),
                name: "a-1".into(),
                namespace: Some("payments".into()),
                cluster: None,
            },
        ),
        (
            "diagnose node n1",
            Wish::Diagnose { kind: "node".to_owned(), name: "n1".into(), namespace: None, cluster: None },
        ),
    ] {
        assert_eq!(wish(line), expected, "{line}");
    }
}

#[test]
fn incidents_are_narrowed() {
    let which = Which {
        cluster: Some("prod".into()),
        namespace: Some("pay".into()),
        severity: Some(Severity::Critical),
        all: true,
        text: Some("image pull".to_owned()),
        limit: 5,
    };
    let line = "incidents image -n pay pull --severity Critical --all --cluster prod --limit 5";
    assert_eq!(wish(line), Wish::Incidents(which));
}

#[test]
fn an_answer_is_for_everybody_only_if_it_is_said() {
    assert!(!parse("show i-1").expect("fine").here);
    assert!(parse("show i-1 --here").expect("fine").here);
    assert!(parse("show i-1 —here").expect("as a phone writes it").here);
}

#[test]
fn slips_are_told() {
    for (line, expected) in [
        ("", Slip::Empty),
        ("   ", Slip::Empty),
        ("aprove i-1.p1", Slip::Unknown { word: "aprove".to_owned(), near: Some("approve") }),
        ("incident", Slip::Unknown { word: "incident".to_owned(), near: Some("incidents") }),
        ("frobnicate", Slip::Unknown { word: "frobnicate".to_owned(), near: None }),
        ("show", Slip::Missing { command: "show", what: What::Incident }),
        ("show 42", Slip::Bad { value: "42".to_owned(), what: What::Incident }),
        ("show i-42 i-43", Slip::Extra { command: "show", word: "i-43".to_owned() }),
        ("approve i-42", Slip::Bad { value: "i-42".to_owned(), what: What::Proposal }),
        ("silence i-42", Slip::Missing { command: "silence", what: What::Duration }),
        ("silence i-42 forever", Slip::Bad { value: "forever".to_owned(), what: What::Duration }),
        (
            "incidents --clster x",
            Slip::Flag { command: "incidents", flag: "--clster".to_owned(), near: Some("--cluster") },
        ),
        ("incidents --cluster", Slip::Value { flag: "--cluster" }),
        ("incidents --severity bad", Slip::Bad { value: "bad".to_owned(), what: What::Severity }),
        ("incidents --limit 500", Slip::Bad { value: "500".to_owned(), what: What::Number }),
        ("run i-42 fix secret", Slip::Bad { value: "secret".to_owned(), what: What::Parameter }),
        ("diagnose pod/$(rm)", Slip::Bad { value: "pod/$(rm)".to_owned(), what: What::Object }),
    ] {
        assert_eq!(parse(line), Err(expected), "{line}");
    }
    assert_eq!(parse(&"x".repeat(1001)), Err(Slip::TooLong));
}

#[test]
fn times_are_read() {
    for (text, seconds) in [("90s", 90), ("30m", 1800), ("2h", 7200), ("3d", 259_200), ("1w", 604_800)] {
        assert_eq!(duration(text), Some(SignedDuration::from_secs(seconds)), "{text}");
    }
    for text in ["", "0m", "5", "h", "31d", "-5m", "99999999999999999999h", "9223372036854775807w"] {
        assert_eq!(duration(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_typed_is_read_without_harm(line in ".{0,120}") {
        let _ = parse(&line);
    }

    #[test]
    fn every_command_with_anything_behind_it_is_read_without_harm(at in 0..ALL.len(), rest in "[ -~]{0,60}") {
        let _ = parse(&format!("{} {rest}", ALL[at].name));
    }
}
