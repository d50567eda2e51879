//! Names and texts as an attacker would write them.

use proptest::prelude::*;

use super::*;
use crate::actions::{kubectl, names};
use crate::incident::{Delete, Patch};

/// What a POSIX shell makes of a line without expansions: words by single quotes, backslashes and blanks.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                open = !open;
                word.get_or_insert_default();
            }
            _ if open => word.get_or_insert_default().push(c),
            '\\' => word.get_or_insert_default().push(chars.next().expect("something escaped")),
            c if c.is_whitespace() => words.extend(word.take()),
            '$' | '`' | '"' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '*' | '?' | '~' | '#' | '!' | '{'
            | '[' => {
                panic!("an unquoted {c} in {line}")
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    assert!(!open, "an open quote in {line}");
    words.extend(word);
    words
}

fn change(name: &str, operation: Operation) -> Change {
    let api = ApiKind::known("Deployment").expect("known");
    let target = Target { api, namespace: "payments".into(), name: name.into(), uid: "u".into() };
    Change { target, relies_on: Vec::new(), operation, summary: "x".into() }
}

proptest! {
    #[test]
    fn a_shell_reads_back_exactly_the_words_that_were_meant(name in "\\PC{1,20}", context in "[^\\x00]{1,20}", text in "\\PC{0,30}") {
        let body = json!([{"op": "add", "path": "/metadata/annotations/x", "value": text}]);
        let command = kubectl(&change(&name, Operation::Patch(Patch::Json(body.clone()))), &context);
        let words = words(&command[0]);
        prop_assert_eq!(&words, &[
            "kubectl".to_owned(), format!("--context={context}"), "--namespace=payments".to_owned(), "patch".to_owned(),
            format!("deployments.apps/{name}"), "--type=json".to_owned(), format!("--patch={body}"),
        ]);
    }

    #[test]
    fn no_name_that_is_let_through_can_leave_its_place_in_a_path(name in "\\PC{0,30}", namespace in "\\PC{0,30}") {
        let mut target = change(&name, Operation::Delete(Delete { grace_seconds: None })).target;
        target.namespace = namespace.as_str().into();
        if names::target(&target).is_ok() {
            let path = format!("{namespace}/{name}");
            prop_assert!(path.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./".contains(&b)));
            prop_assert_eq!(path.matches('/').count(), 1);
            prop_assert!(!name.split('.').any(str::is_empty));
        }
    }
}

#[test]
fn hostile_names_are_refused_before_anything_is_read() {
    for name in [
        "../secrets/x",
        "a/b",
        "a?dryRun=All",
        "a%2fb",
        "",
        "-rf",
        "A",
        "a b",
        "a\nb",
        "$(reboot)",
        "..",
        "a..b",
        &"a".repeat(254),
    ] {
        for (action, arguments) in [
            ("pods.delete", json!({"pod": {"namespace": "payments", "name": name}})),
            ("pods.delete", json!({"pod": {"namespace": name, "name": "api"}})),
            ("workloads.restart", json!({"workload": {"namespace": "payments", "name": name}})),
            (
                "pull-secrets.add",
                json!({"serviceAccount": {"namespace": "payments", "name": "default"}, "secret": name}),
            ),
            (
                "finalizers.strip",
                json!({"object": {"apiVersion": "v1", "kind": "Pod", "plural": name, "name": "a"}, "finalizers": ["a/b"]}),
            ),
        ] {
            let error = inputs(&[(action.into(), arguments)], &evidence()).expect_err(name);
            assert!(matches!(error.why, Why::Arguments(_)), "{action} {name:?}: {error}");
        }
    }
}

#[test]
fn names_with_meaning_elsewhere_stay_names() {
    let target = |kind: ApiKind, name: &str| Target {
        api: kind,
        namespace: Text::default(),
        name: name.into(),
        uid: Text::default(),
    };
    let role = ApiKind::new("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles");
    assert!(names::target(&target(role.clone(), "system:node")).is_ok());
    assert!(names::target(&target(role, "..")).is_err());
    assert!(
        names::target(&target(ApiKind::known("Node").expect("known"), "ip-10-0-0-1.eu.internal")).is_ok()
    );
}

#[test]
fn the_command_for_a_force_delete_and_a_restart_is_the_one_that_people_know() {
    let force = kubectl(&change("api", Operation::Delete(Delete { grace_seconds: Some(0) })), "prod");
    assert_eq!(
        force,
        ["kubectl --context=prod --namespace=payments delete deployments.apps/api --grace-period=0 --force"]
    );
    let restart = json!([
        {"op": "test", "path": "/metadata/uid", "value": "u"},
        {"op": "add", "path": "/spec/template/metadata/annotations", "value": {"kubectl.kubernetes.io/restartedAt": AT}},
    ]);
    let command = kubectl(&change("api", Operation::Patch(Patch::Json(restart))), "");
    assert_eq!(command, ["kubectl --namespace=payments rollout restart deployments.apps/api"]);
}
