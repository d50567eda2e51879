//! An execution: how far each change is, what the checks say, and the way back.

use serde_json::{Value, json};

use super::super::say::Say;
use super::super::visitor::Visitor;
use super::incidents::verdict_tag;
use super::proposal::via;
use crate::incident::{
    Change, ChangeOutcome, CheckResult, Execution, ExecutionState, Incident, Outcome, Plan, Undo, Verdict,
};

/// The panel of one execution; nothing if its proposal is not known any more.
pub(super) fn panel(
    incident: &Incident,
    execution: &Execution,
    say: Say<'_>,
    visitor: &Visitor,
) -> Option<Value> {
    let record = incident.proposals.get(&execution.proposal)?;
    let plan = &record.proposal.plan;
    let can = visitor.who.as_ref().is_some_and(|who| who.can.decide);
    let finished = matches!(execution.state, ExecutionState::Finished { .. });
    let undone =
        incident.proposals.values().any(|other| other.proposal.undoes.as_ref() == Some(&execution.id));
    let undoable = matches!(plan.undo, Undo::Changes(_)) && execution.done.iter().any(is_applied);
    let by: Vec<Value> =
        execution.approvers.iter().map(|by| json!({ "name": by.name, "via": via(by.via, say) })).collect();
    Some(json!({
        "id": execution.id,
        "proposal": execution.proposal,
        "title": record.proposal.remedy.title,
        "running": !finished,
        "by": by,
        "started": say.when(execution.started),
        "changes": plan.changes.iter().enumerate().map(|(at, change)| step(execution, at, change, say)).collect::<Vec<_>>(),
        "checks": checks(execution, plan, say),
        "verdict": verdict(execution, say),
        "settle": settle(execution, can),
        "undo": finished && undoable && !undone && can,
        "digest": execution.digest.short(),
    }))
}

fn is_applied(outcome: &ChangeOutcome) -> bool {
    matches!(outcome, ChangeOutcome::Applied { .. })
}

fn step(execution: &Execution, at: usize, change: &Change, say: Say<'_>) -> Value {
    let at_now = |index: u32| usize::try_from(index) == Ok(at);
    let (tag, why, when) = match (execution.done.get(at), &execution.state) {
        (Some(ChangeOutcome::Applied { receipt }), _) => ("done", String::new(), say.when(receipt.at)),
        (Some(ChangeOutcome::Stale { why }), _) => ("stale", why.to_string(), Value::Null),
        (Some(ChangeOutcome::Needless { why }), _) => ("needless", why.to_string(), Value::Null),
        (Some(ChangeOutcome::Refused { code, why }), _) => ("refused", format!("{code}: {why}"), Value::Null),
        (Some(ChangeOutcome::Unknown { why }), _) => ("unknown", why.to_string(), Value::Null),
        (None, ExecutionState::Intended { index }) if at_now(*index) => {
            ("running", String::new(), Value::Null)
        }
        (None, ExecutionState::Unsettled { index, why }) if at_now(*index) => {
            ("unknown", why.to_string(), Value::Null)
        }
        (None, ExecutionState::Finished { .. }) => ("skipped", String::new(), Value::Null),
        (None, ExecutionState::Ready) if at == execution.done.len() => {
            ("running", String::new(), Value::Null)
        }
        (None, _) => ("waiting", String::new(), Value::Null),
    };
    json!({
        "tag": tag,
        "word": say.t(&format!("change.{tag}")),
        "summary": change.summary,
        "why": why,
        "at": when,
    })
}

/// The checks' results; while they are awaited, that they are.
fn checks(execution: &Execution, plan: &Plan, say: Say<'_>) -> Value {
    let pending = |tag: &str| {
        json!({
            "pending": say.tag("checks", tag),
            "list": [],
            "count": say.count("checks.count", plan.checks.len() as u64),
            "within": say.span(u64::from(plan.check_timeout_seconds)),
            "since": Value::Null,
        })
    };
    match &execution.state {
        ExecutionState::Ready | ExecutionState::Intended { .. } | ExecutionState::Unsettled { .. } => {
            pending("waiting")
        }
        ExecutionState::Verifying { since, outcome: _ } => {
            let mut shown = pending("running");
            shown["since"] = say.when(*since);
            shown
        }
        ExecutionState::Finished { checks, .. } => {
            json!({ "pending": Value::Null, "list": checks.iter().map(|check| result(check, say)).collect::<Vec<_>>() })
        }
    }
}

fn result(check: &CheckResult, say: Say<'_>) -> Value {
    let tag = match check.passed {
        Some(true) => "passed",
        Some(false) => "failed",
        None => "unknown",
    };
    json!({ "tag": tag, "word": say.t(&format!("checks.{tag}")), "check": check.check, "detail": check.detail })
}

fn verdict(execution: &Execution, say: Say<'_>) -> Value {
    let ExecutionState::Finished { outcome, verdict, .. } = &execution.state else { return Value::Null };
    match (outcome, verdict) {
        (Outcome::Stopped { at, why }, None) => json!({
            "tag": "stopped", "word": say.t("verdict.stopped"), "text": stopped(*at, why, say),
        }),
        (Outcome::Stopped { at, why }, Some(verdict)) => {
            let mut shown = said(*verdict, say);
            let text = shown["text"].as_str().unwrap_or_default();
            shown["text"] = format!("{text} {}", stopped(*at, why, say)).into();
            shown
        }
        (_, Some(verdict)) => said(*verdict, say),
        (Outcome::Applied, None) => json!({
            "tag": "unchecked", "word": say.t("verdict.unchecked"), "text": say.t("verdict-text.unchecked"),
        }),
        (Outcome::Unknown { .. }, None) => said(Verdict::Unknown, say),
    }
}

fn stopped(at: u32, why: &str, say: Say<'_>) -> String {
    say.fill("verdict-text.stopped", &[("at", &(u64::from(at) + 1).to_string()), ("why", why)])
}

fn said(verdict: Verdict, say: Say<'_>) -> Value {
    let tag = verdict_tag(verdict);
    json!({ "tag": tag, "word": say.t(&format!("verdict.{tag}")), "text": say.t(&format!("verdict-text.{tag}")) })
}

/// The question that only a person can answer.
fn settle(execution: &Execution, can: bool) -> Value {
    match &execution.state {
        ExecutionState::Unsettled { index, .. } if can => json!({ "index": index, "number": index + 1 }),
        ExecutionState::Unsettled { .. }
        | ExecutionState::Ready
        | ExecutionState::Intended { .. }
        | ExecutionState::Verifying { .. }
        | ExecutionState::Finished { .. } => Value::Null,
    }
}
