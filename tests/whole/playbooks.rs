//! The shipped playbooks compile, and each holds its own tests beside all the others.

use std::collections::BTreeSet;

use kubemend::diagnosis::{diagnose, run};
use kubemend::incident::Evidence;
use kubemend::playbook::{Book, remedies};
use serde_json::json;

#[test]
fn every_shipped_playbook_compiles() {
    let problems = Book::load(&[], &[]).map(drop).unwrap_err_or_default();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_shipped_playbook_holds_its_tests() {
    let book = Book::shipped();
    let failures: Vec<String> =
        book.iter().flat_map(|playbook| run(&book, playbook)).map(|f| f.to_string()).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert_eq!(book.len(), 16);
}

/// A pod of a workload of its own that is being deleted on a node that does not answer.
fn stuck(n: u32) -> Evidence {
    let pod = format!("worker-{n}");
    let namespace = format!("team-{}", n % 5);
    serde_json::from_value(json!({"seen": {
        "at": "2026-11-21T09:10:00Z",
        "subject": {"cluster": "test", "api": {"version": "v1", "kind": "Pod", "plural": "pods"},
            "namespace": namespace, "name": pod, "uid": format!("u{n}")},
        "pod": {"meta": {"name": pod, "namespace": namespace, "uid": format!("u{n}"), "deleting": "2026-11-21T09:00:00Z"},
            "node": "node-1", "phase": "Running", "containers": [{"name": "w", "state": {"is": "running"}}]},
        "owners": [{"kind": "StatefulSet", "meta": {"name": format!("worker-{n}"), "namespace": namespace}}],
        "node": {"meta": {"name": "node-1"}, "conditions": [{"kind": "Ready", "status": "Unknown"}]},
    }}))
    .unwrap()
}

#[test]
fn thirty_pods_that_wait_for_one_lost_node_are_one_incident_with_a_remedy() {
    let book = Book::shipped();
    let evidence: Vec<Evidence> = (0..30).map(stuck).collect();
    let mut keys = BTreeSet::new();
    for one in &evidence {
        let findings = diagnose(&book, one);
        assert_eq!(findings.len(), 1, "{findings:?}");
        let playbook = book.get(&findings[0].condition).unwrap();
        assert_eq!(remedies(playbook, &findings[0], one).len(), 1);
        keys.insert(findings[0].key.to_string());
    }
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(keys.first().unwrap().contains("node-1"), "{keys:?}");
}

trait Told {
    fn unwrap_err_or_default(self) -> Vec<String>;
}

impl Told for Result<(), Vec<kubemend::playbook::Problem>> {
    fn unwrap_err_or_default(self) -> Vec<String> {
        self.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }
}
