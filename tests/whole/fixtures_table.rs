//! A hundred failures recorded on a real kubelet, each diagnosed from its objects and events alone.
//!
//! Every condition that has a playbook must be found, or be named as also possible where the objects cannot
//! decide; conditions without a playbook must not be taken for one that has.

use std::collections::BTreeMap;
use std::path::Path;

use kubemend::cluster::dump::Dump;
use kubemend::diagnosis::{assemble, diagnose, registry_trouble};
use kubemend::incident::Finding;
use kubemend::playbook::Book;
use serde::Deserialize;

/// Two recordings say "the image does not exist" where the registry answered `401` to a pull without any
/// credential, and one that the project does not exist where containerd kept nothing but "not found" of the
/// answer. Only the registry could tell; the right condition must then be named as also possible.
const UNDECIDABLE: &[&str] =
    &["img-init-container-bad", "img-two-containers-one-bad", "img-project-not-found"];

#[derive(Deserialize)]
struct Expected {
    expect: String,
    also_ok: Vec<String>,
}

fn findings(book: &Book, dump: &Dump) -> Vec<Finding> {
    let registries = registry_trouble(&dump.pods, &dump.events, dump.at);
    let mut found: Vec<Finding> = Vec::new();
    for subject in dump.subjects(&"recorded".into(), None) {
        let mut gathered = dump.gather(&subject);
        gathered.neighbours.registries.clone_from(&registries);
        found.extend(diagnose(book, &assemble(gathered)));
    }
    found
}

#[test]
fn recorded_failures_are_diagnosed_rightly() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recorded");
    let expected = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_str(&expected).unwrap();
    let book = Book::shipped();
    let (mut wrong, mut ours, mut right) = (Vec::new(), 0, 0);
    println!("{:<38} {:<28} {:<28} verdict", "case", "expected", "found");
    for (case, expected) in &expected {
        let mut dump = Dump::default();
        dump.read(&std::fs::read(folder.join(format!("{case}.json"))).unwrap());
        assert!(dump.unreadable.is_empty(), "{case}: {:?}", dump.unreadable);
        let found = findings(&book, &dump);
        let mut ids: Vec<&str> = found.iter().map(|finding| finding.condition.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let allowed = |id: &&str| **id == *expected.expect || expected.also_ok.iter().any(|ok| ok == *id);
        let has_playbook = book.iter().any(|playbook| playbook.id.as_str() == expected.expect);
        let strange: Vec<&&str> = ids.iter().filter(|id| !allowed(id)).collect();
        let possible =
            found.iter().any(|finding| finding.also_possible.iter().any(|id| id.as_str() == expected.expect));
        let verdict = match (has_playbook, ids.iter().any(allowed), strange.is_empty()) {
            (_, true, true) => "right",
            (false, false, true) => "no playbook, no finding",
            (true, false, _) if possible && UNDECIDABLE.contains(&case.as_str()) => "also possible",
            _ => "WRONG",
        };
        ours += usize::from(has_playbook);
        right += usize::from(has_playbook && verdict == "right");
        println!("{case:<38} {:<28} {:<28} {verdict}", expected.expect, ids.join(", "));
        if verdict == "WRONG" {
            wrong.push(format!("{case}: expected {}, found {ids:?}", expected.expect));
        }
    }
    println!(
        "{right} of {ours} cases with a playbook right, {} also possible, {} wrong",
        UNDECIDABLE.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(right + UNDECIDABLE.len(), ours);
}
