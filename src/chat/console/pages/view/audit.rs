//! The records of all that was done: filtered, exported, verified.

use serde_json::{Value, json};

use super::super::model::{AuditPage, ChainCheck};
use super::super::say::Say;
use super::View;
use super::history::record;
use crate::incident::chain::Audited;

/// The types of entries, as the filter names them.
const KINDS: [&str; 19] = [
    "opened",
    "updated",
    "absorbed",
    "released",
    "resolved",
    "reopened",
    "silenced",
    "unsilenced",
    "proposed",
    "decided",
    "expired",
    "stale",
    "superseded",
    "executionStarted",
    "changeDone",
    "executionFinished",
    "verified",
    "settled",
    "noted",
];

pub(super) fn view(page: &AuditPage<'_>, say: Say<'_>) -> View {
    let query = page.query;
    let last = page.records.last().map(|audited| match audited {
        Audited::Incident(recorded) => recorded.seq,
        Audited::General(general) => general.seq,
    });
    let kinds: Vec<Value> =
        KINDS.iter().map(|kind| json!({ "value": kind, "chosen": query.kind == *kind })).collect();
    View {
        template: "audit",
        title: say.t("audit.title"),
        section: "audit",
        live: String::new(),
        data: json!({
            "incident": query.incident,
            "actor": query.actor,
            "since": query.since,
            "until": query.until,
            "kinds": kinds,
            "problem": page.problem,
            "export": query.query(None),
            "older": page.more.then(|| format!("/audit{}", query.query(last))),
            "newest": query.before.map(|_| format!("/audit{}", query.query(None))),
            "check": page.check.map(|check| checked(check, say)),
            "records": page.records.iter().map(|audited| record(audited, say)).collect::<Vec<_>>(),
        }),
    }
}

fn checked(check: &ChainCheck, say: Say<'_>) -> Value {
    match check {
        ChainCheck::Whole { records, head } => json!({
            "tag": "whole",
            "title": say.t("audit.whole"),
            "text": say.fill("audit.whole-text", &[("count", &records.to_string()), ("seq", &head.seq.to_string())]),
            "hash": head.hash.as_str(),
        }),
        ChainCheck::Broken(broken) => json!({
            "tag": "broken",
            "title": say.fill("audit.broken", &[("seq", &broken.seq.to_string())]),
            "text": broken.why,
            "hash": "",
        }),
        ChainCheck::Failed(why) => {
            json!({ "tag": "failed", "title": say.t("audit.failed"), "text": why, "hash": "" })
        }
    }
}
