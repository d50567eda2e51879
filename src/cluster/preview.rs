//! What a plan would change, asked of the API server itself.
//!
//! Each change is sent with `dryRun=All` and the same bytes, and the object before is compared with the object
//! that comes back: so admission, defaults and validation speak before a person decides. A later change of an
//! object that an earlier one changes cannot be tried (the earlier one was not made) and is described from the
//! plan. Managed fields, versions and status are left out, and credentials are hidden.

#[cfg(test)]
mod tests;

use std::time::Duration;

use kube::Client;
use serde_json::Value;
use similar::TextDiff;

use super::apply::{Answer, Caller, Found, Trial};
use crate::actions::{kubectl, secrecy};
use crate::incident::{Change, Operation, Plan, Preview, Text};

const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_DIFF: usize = 24 * 1024;

/// The preview of a plan. `client` is the one that does not retry; `context` names the cluster to kubectl.
pub async fn preview(client: &Client, context: &str, plan: &Plan) -> Preview {
    let caller = Caller::new(client.clone(), PATIENCE);
    let mut preview = Preview::default();
    for (index, change) in plan.changes.iter().enumerate() {
        preview.kubectl.extend(kubectl(change, context));
        let depends = plan.changes[..index].iter().any(|earlier| earlier.target.uid == change.target.uid);
        let (diff, gap) =
            if depends { (described(change), Some(later(change))) } else { tried(&caller, change).await };
        preview.gaps.extend(gap);
        add(&mut preview, &diff);
    }
    preview
}

/// Adds a diff while there is room, and says once that there is none.
fn add(preview: &mut Preview, diff: &str) {
    if preview.diff.len() + diff.len() <= LONGEST_DIFF {
        preview.diff.push_str(diff);
    } else if !preview.gaps.iter().any(|gap| gap == CUT) {
        preview.gaps.push(CUT.into());
    }
}

const CUT: &str = "the diff is too long to be shown whole; the plan holds every change";

/// The diff by dry run; described from the plan, with the reason, where there is none.
async fn tried(caller: &Caller, change: &Change) -> (String, Option<Text>) {
    let before = match caller.read(&change.target).await {
        Ok(found) => found,
        Err(why) => return (described(change), Some(why)),
    };
    let words = change.target.in_cluster(&Text::default());
    let refused = |why: String| (described(change), Some(Text::from(format!("dry run for {words}: {why}"))));
    match caller.send(change, Trial::Yes).await {
        Answer::Made(after) => (diff(change, before, after), None),
        Answer::Refused { code, why } => refused(format!("refused with {code}: {why}")),
        Answer::Lost(why) | Answer::Unfit(why) => refused(why.to_string()),
    }
}

fn later(change: &Change) -> Text {
    let words = change.target.in_cluster(&Text::default());
    format!("{words} is changed by an earlier step, so this step could not be tried; shown from the plan")
        .into()
}

fn diff(change: &Change, before: Found, after: Option<Value>) -> String {
    let kind = &change.target.api.kind;
    let words = change.target.in_cluster(&Text::default()).to_string();
    match change.operation {
        Operation::Delete(_) => described(change),
        Operation::Create(_) => unified(&words, "", &readable(kind, after.unwrap_or_default())),
        Operation::Patch(_) => {
            let before = readable(kind, before.unwrap_or_default());
            unified(&words, &before, &readable(kind, after.unwrap_or_default()))
        }
    }
}

fn unified(words: &str, before: &str, after: &str) -> String {
    let (old, new) = (format!("{words} (now)"), format!("{words} (then)"));
    TextDiff::from_lines(before, after).unified_diff().context_radius(3).header(&old, &new).to_string()
}

/// A change in the form of a diff, from the plan alone.
fn described(change: &Change) -> String {
    let words = change.target.in_cluster(&Text::default());
    let Change { summary, target, operation, .. } = change;
    match operation {
        Operation::Delete(_) => {
            format!("--- {words} (now)\n+++ /dev/null\n@@ {summary} @@\n-{words} (uid {})\n", target.uid)
        }
        Operation::Patch(_) | Operation::Create(_) => {
            format!("--- {words} (now)\n+++ {words} (then)\n@@ {summary} @@\n")
        }
    }
}

/// An object as a person reads it: YAML, without what the server keeps for itself.
fn readable(kind: &str, mut object: Value) -> String {
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    if let Some(meta) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        for noise in ["managedFields", "resourceVersion", "generation", "selfLink"] {
            meta.remove(noise);
        }
    }
    secrecy::hide(kind, &mut object);
    serde_saphyr::to_string(&object).unwrap_or_else(|_| format!("{object:#}\n"))
}
