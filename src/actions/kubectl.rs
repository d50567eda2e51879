//! The equivalent command, for people who would rather do it themselves or want to know what it means.
//!
//! Every word is quoted for a POSIX shell, so that no name can become a command; the result is one command on
//! one line unless a name itself holds a line break (no Kubernetes name does; a context may).

use serde_json::Value;

use super::workloads_restart::RESTARTED;
use crate::incident::{Change, Delete, Operation, Patch, Target};

/// The command for one change, against a kubeconfig context. Several lines where one command cannot say it.
pub fn kubectl(change: &Change, context: &str) -> Vec<String> {
    let Change { target, operation, .. } = change;
    let mut words = vec!["kubectl".to_owned()];
    if !context.is_empty() {
        words.push(format!("--context={context}"));
    }
    if !target.namespace.is_empty() {
        words.push(format!("--namespace={}", target.namespace));
    }
    match operation {
        Operation::Delete(delete) => words.extend(deletion(target, delete)),
        Operation::Patch(patch) if is_restart(patch) => {
            words.extend(["rollout".to_owned(), "restart".to_owned(), resource(target)]);
        }
        Operation::Patch(patch) => words.extend(patching(target, patch)),
        Operation::Create(body) => return vec![creation(&words, body)],
    }
    vec![line(&words)]
}

fn deletion(target: &Target, delete: &Delete) -> Vec<String> {
    let mut words = vec!["delete".to_owned(), resource(target)];
    match delete.grace_seconds {
        Some(0) => words.extend(["--grace-period=0".to_owned(), "--force".to_owned()]),
        Some(seconds) => words.push(format!("--grace-period={seconds}")),
        None => {}
    }
    words
}

fn patching(target: &Target, patch: &Patch) -> Vec<String> {
    let (kind, body) = match patch {
        Patch::Merge(body) => ("merge", body),
        Patch::Json(body) => ("json", body),
        Patch::Strategic(body) => ("strategic", body),
    };
    vec!["patch".to_owned(), resource(target), format!("--type={kind}"), format!("--patch={body}")]
}

fn creation(words: &[String], body: &Value) -> String {
    let mut words = words.to_vec();
    words.extend(["create".to_owned(), "--filename=-".to_owned()]);
    format!("printf %s {} | {}", quoted(&body.to_string()), line(&words))
}

/// A restart has its own command, which says more than the patch.
fn is_restart(patch: &Patch) -> bool {
    let Patch::Json(Value::Array(operations)) = patch else { return false };
    let writes = operations.iter().filter(|op| op["op"] != "test");
    let pointer = super::patch::below("/spec/template/metadata/annotations", RESTARTED);
    writes.into_iter().any(|op| {
        op["path"] == pointer.as_str() || op.pointer("/value").is_some_and(|v| v.get(RESTARTED).is_some())
    })
}

/// `deployments.apps/api`, which no other kind of that name can be taken for.
fn resource(target: &Target) -> String {
    let Target { api, name, .. } = target;
    if api.group.is_empty() {
        format!("{}/{name}", api.plural)
    } else {
        format!("{}.{}/{name}", api.plural, api.group)
    }
}

fn line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word that a POSIX shell reads as exactly this text.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:=@,+".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
