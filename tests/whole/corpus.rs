//! Labelled messages from public sources, which are not part of this repository: where `KUBEMEND_CORPUS` names
//! a file of them (JSON lines), every message is explained and the score printed.

use std::collections::BTreeMap;

use kubemend::diagnosis::{Message, explain};
use kubemend::playbook::Book;
use serde::Deserialize;

#[derive(Deserialize)]
struct Labelled {
    expect: String,
    #[serde(default)]
    also_ok: Vec<String>,
    #[serde(default)]
    cover: String,
    #[serde(flatten)]
    message: Message,
}

#[derive(Default)]
struct Score {
    right: usize,
    wrong: usize,
    none: usize,
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the corpus is no part of the repository; only its place is told"
)]
fn the_labelled_messages_are_explained_rightly() {
    let Ok(path) = std::env::var("KUBEMEND_CORPUS") else {
        println!("not run: set KUBEMEND_CORPUS to a file of labelled messages (JSON lines)");
        return;
    };
    let book = Book::shipped();
    let text = std::fs::read_to_string(&path).unwrap();
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let (mut false_alarms, mut wrong_elsewhere) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let labelled: Labelled = serde_json::from_str(line).unwrap();
        let explained = explain(&book, &labelled.message);
        let found = explained.condition.as_ref().map_or("none", |id| id.as_str());
        let right = found == labelled.expect || labelled.also_ok.iter().any(|id| id == found);
        let ours = book.iter().any(|playbook| playbook.id.as_str() == labelled.expect);
        let told = format!(
            "{}: expected {}, found {found}: {:.200}",
            labelled.message.id, labelled.expect, labelled.message.message
        );
        if ours {
            let score = scores.entry(labelled.expect.clone()).or_default();
            match (right, found) {
                (true, _) => score.right += 1,
                (false, "none") => score.none += 1,
                (false, _) => score.wrong += 1,
            }
            if !right {
                println!("{told}");
            }
        } else if !right && found != "none" {
            let list = if labelled.cover == "benign" { &mut false_alarms } else { &mut wrong_elsewhere };
            list.push(told);
        }
    }
    println!("{:<28} right wrong none", "condition");
    let mut total = Score::default();
    for (id, score) in &scores {
        println!("{id:<28} {:>5} {:>5} {:>4}", score.right, score.wrong, score.none);
        total.right += score.right;
        total.wrong += score.wrong;
        total.none += score.none;
    }
    println!("{:<28} {:>5} {:>5} {:>4}", "all", total.right, total.wrong, total.none);
    println!("false alarms: {}\n{}", false_alarms.len(), false_alarms.join("\n"));
    println!("wrong elsewhere: {}\n{}", wrong_elsewhere.len(), wrong_elsewhere.join("\n"));
    let all = total.right + total.wrong + total.none;
    assert!(total.right * 100 >= all * 95, "{} of {all} right", total.right);
    assert!(false_alarms.is_empty() && wrong_elsewhere.is_empty());
}
