//! A proposal: what would be done, what it would change, what it takes, and who decided what.

use serde_json::{Value, json};

use super::super::diff;
use super::super::model::ProposalPage;
use super::super::say::Say;
use super::super::visitor::Visitor;
use super::View;
use super::incidents::cut;
use crate::incident::{
    Actor, Decision, DecisionKind, Incident, Proposal, ProposalRecord, ProposalState, Risk, Rule, Undo, Via,
};

pub(super) fn view(page: &ProposalPage<'_>, say: Say<'_>, visitor: &Visitor) -> View {
    let (incident, record) = (page.incident, page.record);
    View {
        template: "proposal",
        title: format!("{} {}", record.proposal.id, cut(&record.proposal.remedy.title, 80)),
        section: "incidents",
        live: format!("incident:{}", incident.id),
        data: json!({
            "id": record.proposal.id,
            "incident": incident.id,
            "live": {
                "title": incident.finding.title,
                "cause": incident.finding.cause,
                "cluster": incident.finding.key.cluster,
                "subject": incident.finding.subject.to_string(),
                "card": card(incident, record, say, visitor),
                "execution": incident.executions.values()
                    .find(|execution| execution.proposal == record.proposal.id)
                    .and_then(|execution| super::execution::panel(incident, execution, say, visitor)),
            },
        }),
    }
}

/// Everything about one proposal.
pub(super) fn card(incident: &Incident, record: &ProposalRecord, say: Say<'_>, visitor: &Visitor) -> Value {
    let proposal = &record.proposal;
    let plan = &proposal.plan;
    let open = record.state == ProposalState::Open;
    json!({
        "id": proposal.id,
        "title": proposal.remedy.title,
        "cluster": incident.finding.key.cluster,
        "risk": risk(plan.risk, say),
        "state": state(&record.state, say),
        "open": open,
        "unfolded": open,
        "made": say.when(proposal.made),
        "expires": open.then(|| say.when(proposal.expires)),
        "asked_by": proposal.requested_by.as_ref().map(|by| by.name.clone()),
        "undoes": proposal.undoes,
        "changes": plan.changes.iter().map(|change| change.summary.clone()).collect::<Vec<_>>(),
        "diffs": diff::parts(&proposal.preview.diff),
        "kubectl": proposal.preview.kubectl.join("\n"),
        "gaps": proposal.preview.gaps,
        "warnings": plan.warnings,
        "missing": proposal.missing_rights.iter().map(rule).collect::<Vec<_>>(),
        "rights": plan.rules.iter().map(rule).collect::<Vec<_>>(),
        "undo": undo(&plan.undo, say),
        "decisions": record.decisions.iter().map(|one| decision(one, say)).collect::<Vec<_>>(),
        "approvals": approvals(record, say),
        "digest": proposal.digest.as_str(),
        "digest_short": proposal.digest.short(),
        "form": form(record, say, visitor),
    })
}

fn risk(risk: Risk, say: Say<'_>) -> Value {
    let tag = match risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
    };
    json!({ "tag": tag, "word": say.t(&format!("risk.{tag}")), "text": say.t(&format!("risk-text.{tag}")) })
}

/// The mark of a risk alone.
pub(super) fn risk_mark(of: Risk, say: Say<'_>) -> Value {
    risk(of, say)
}

fn state(state: &ProposalState, say: Say<'_>) -> Value {
    let (tag, why) = match state {
        ProposalState::Open => ("open", String::new()),
        ProposalState::Approved => ("approved", String::new()),
        ProposalState::Denied => ("denied", String::new()),
        ProposalState::Expired => ("expired", String::new()),
        ProposalState::Stale { why } => ("stale", why.to_string()),
        ProposalState::Superseded { by } => ("superseded", by.to_string()),
        ProposalState::Executed { .. } => ("executed", String::new()),
    };
    json!({ "tag": tag, "word": say.t(&format!("proposal.{tag}")), "why": why })
}

/// `patch serviceaccounts in payments`
fn rule(rule: &Rule) -> Value {
    let group = if rule.group.is_empty() { String::new() } else { format!(".{}", rule.group) };
    let name = if rule.name.is_empty() { String::new() } else { format!("/{}", rule.name) };
    json!({
        "verb": rule.verb,
        "what": format!("{}{group}{name}", rule.resource),
        "namespace": rule.namespace,
    })
}

fn undo(undo: &Undo, say: Say<'_>) -> Value {
    match undo {
        Undo::Impossible(why) => {
            json!({ "tag": "impossible", "word": say.t("undo.impossible"), "text": why })
        }
        Undo::Needless(why) => json!({ "tag": "needless", "word": say.t("undo.needless"), "text": why }),
        Undo::Changes(changes) => json!({
            "tag": "possible",
            "word": say.t("undo.possible"),
            "changes": changes.iter().map(|change| change.summary.clone()).collect::<Vec<_>>(),
        }),
    }
}

fn decision(decision: &Decision, say: Say<'_>) -> Value {
    let tag = match decision.kind {
        DecisionKind::Approve => "approve",
        DecisionKind::Deny => "deny",
        DecisionKind::Withdraw => "withdraw",
    };
    json!({
        "tag": tag,
        "text": say.fill(&format!("decided.{tag}"), &[("who", &decision.by.name)]),
        "via": via(decision.by.via, say),
        "at": say.when(decision.at),
        "note": decision.note,
    })
}

/// Where somebody spoke.
pub(super) fn via(via: Via, say: Say<'_>) -> String {
    say.t(match via {
        Via::Api => "via.api",
        Via::Console => "via.console",
        Via::Terminal => "via.terminal",
        Via::Slack => "via.slack",
        Via::Discord => "via.discord",
        Via::Auto => "via.auto",
    })
}

/// Who has approved and not taken it back.
fn standing(record: &ProposalRecord) -> Vec<&Actor> {
    let mut approvers: Vec<&Actor> = Vec::new();
    for decision in &record.decisions {
        approvers.retain(|by| **by != decision.by);
        if decision.kind == DecisionKind::Approve {
            approvers.push(&decision.by);
        }
    }
    approvers
}

fn approvals(record: &ProposalRecord, say: Say<'_>) -> Value {
    let (have, need) = (standing(record).len(), usize::from(record.proposal.policy.approvals));
    let dots: Vec<bool> = (0..need).map(|at| at < have).collect();
    let (have, need) = (have.to_string(), need.to_string());
    json!({ "dots": dots, "text": say.fill("proposal.approvals", &[("have", &have), ("need", &need)]) })
}

/// What the visitor may do about it.
fn form(record: &ProposalRecord, say: Say<'_>, visitor: &Visitor) -> Value {
    let proposal = &record.proposal;
    let mine = visitor.who.as_ref().is_some_and(|who| standing(record).contains(&&who.actor));
    let can = visitor.who.as_ref().is_some_and(|who| who.can.decide);
    let undecided = matches!(record.state, ProposalState::Open | ProposalState::Approved);
    let open = record.state == ProposalState::Open;
    json!({
        "can": can,
        "approve": can && open && !mine && proposal.missing_rights.is_empty(),
        "deny": can && open,
        "withdraw": can && undecided && mine,
        "paused": visitor.paused,
        "any": can && (open || (undecided && mine)),
        "confirmation": proposal.policy.typed_confirmation,
        "own": own_request(proposal, visitor).then(|| say.t("proposal.own-request")),
    })
}

/// Whether the visitor asked for it and so may not approve it.
fn own_request(proposal: &Proposal, visitor: &Visitor) -> bool {
    let asked = proposal.requested_by.as_ref();
    !proposal.policy.requester_counts && visitor.who.as_ref().is_some_and(|who| asked == Some(&who.actor))
}
