//! What to say about an incident: the difference between what it is now and what was said before.
//!
//! Level, not edge: however many updates were missed, one look says everything that is new. Pure.

use std::collections::BTreeMap;

use super::paint::{Paint, Tone, harmless};
use crate::incident::{
    ChangeOutcome, Execution, ExecutionId, ExecutionState, Incident, Outcome, Plan, Proposal, ProposalId,
    ProposalRecord, ProposalState, Risk, Severity, Status, Undo, Verdict,
};

/// The longest text of a cluster's that is shown.
const LONGEST: usize = 300;
const QUOTES: usize = 2;

/// What was said of one incident.
#[derive(Default)]
pub(super) struct Said {
    status: Option<(Status, u32)>,
    cause: String,
    proposals: BTreeMap<ProposalId, ProposalState>,
    changes: BTreeMap<ExecutionId, usize>,
    ended: BTreeMap<ExecutionId, String>,
}

/// How to say things.
#[derive(Clone, Copy)]
pub(super) struct Teller {
    pub paint: Paint,
    /// Whether to offer keys.
    pub keys: bool,
}

impl Teller {
    /// The lines that are new; `number` names a proposal on the keyboard.
    pub(super) fn news(
        self,
        said: &mut Said,
        incident: &Incident,
        number: &mut dyn FnMut(&ProposalId) -> usize,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        self.status(said, incident, &mut lines);
        for (id, record) in &incident.proposals {
            if said.proposals.insert(id.clone(), record.state.clone()).as_ref() != Some(&record.state) {
                lines.extend(self.proposal(incident, record, number(id)));
            }
        }
        for (id, execution) in &incident.executions {
            let record = incident.proposals.get(&execution.proposal);
            if let Some(record) = record {
                self.execution(said, incident, id, execution, &record.proposal, &mut lines);
            }
        }
        lines
    }

    fn status(self, said: &mut Said, incident: &Incident, lines: &mut Vec<String>) {
        let status = (incident.status.clone(), incident.reopened);
        let is_new = said.status.replace(status.clone()) != Some(status);
        let is_told_better = said.cause != incident.finding.cause;
        said.cause.clone_from(&incident.finding.cause);
        let id = &incident.id;
        match &incident.status {
            Status::Open if is_new => lines.extend(self.headline(incident)),
            Status::Open if is_told_better => {
                lines.push(format!("{id}  now: {}", harmless(&incident.finding.cause, LONGEST)));
            }
            Status::Absorbed { into } if is_new => {
                lines.push(self.paint.tone(Tone::Faint, &format!("{id}  is part of {into}")));
            }
            Status::Resolved { .. } if is_new => {
                let title = harmless(&incident.finding.title, LONGEST);
                lines.push(format!("{id}  {} {title}", self.paint.tone(Tone::Good, "resolved:")));
            }
            Status::Open | Status::Absorbed { .. } | Status::Resolved { .. } => {}
        }
    }

    fn headline(self, incident: &Incident) -> Vec<String> {
        let finding = &incident.finding;
        let tone = match finding.severity {
            Severity::Critical => Tone::Bad,
            Severity::Warning => Tone::Warn,
            Severity::Info => Tone::Faint,
        };
        let again = if incident.reopened > 0 { " (again)" } else { "" };
        let title = self.paint.tone(tone, &harmless(&finding.title, LONGEST));
        let mut lines = vec![
            format!("{}  {title}{again}  [{}]", incident.id, finding.condition),
            format!("      {}{}", place(incident), count(incident)),
            format!("      {}", harmless(&finding.cause, LONGEST)),
        ];
        for quote in finding.quotes.iter().take(QUOTES) {
            let text = format!("      | {}: {}", harmless(&quote.origin, 80), harmless(&quote.text, LONGEST));
            lines.push(self.paint.tone(Tone::Faint, &text));
        }
        lines
    }

    fn proposal(self, incident: &Incident, record: &ProposalRecord, number: usize) -> Vec<String> {
        let proposal = &record.proposal;
        let title = harmless(&proposal.remedy.title, LONGEST);
        match &record.state {
            ProposalState::Open => self.offer(incident, proposal, number),
            ProposalState::Approved => {
                vec![format!("{}  {} {title}", incident.id, self.paint.tone(Tone::Strong, "approved:"))]
            }
            ProposalState::Denied => vec![format!("{}  denied: {title}", incident.id)],
            ProposalState::Expired => vec![format!("{}  expired: {title}", incident.id)],
            ProposalState::Stale { why } => {
                vec![format!(
                    "{}  no longer fits, nothing was changed: {title}: {}",
                    incident.id,
                    harmless(why, LONGEST)
                )]
            }
            ProposalState::Superseded { by } => {
                vec![self.paint.tone(Tone::Faint, &format!("{}  replaced by {by}: {title}", incident.id))]
            }
            ProposalState::Executed { .. } => Vec::new(),
        }
    }

    fn offer(self, incident: &Incident, proposal: &Proposal, number: usize) -> Vec<String> {
        let tag = self.paint.tone(Tone::Strong, &format!("[{number}]"));
        let title = harmless(&proposal.remedy.title, LONGEST);
        let mut line = format!("{}  {tag} {title}  (risk {})", incident.id, risk(proposal.plan.risk));
        if !proposal.missing_rights.is_empty() {
            line.push_str("  cannot be approved: rights are missing, see the preview");
        } else if self.keys {
            let keys = match &proposal.policy.typed_confirmation {
                Some(word) => format!("  a {number} {} · p {number} · d {number}", harmless(word, 80)),
                None => format!("  a {number} · p {number} · d {number}"),
            };
            line.push_str(&self.paint.tone(Tone::Faint, &keys));
        }
        vec![line]
    }

    fn execution(
        self,
        said: &mut Said,
        incident: &Incident,
        id: &ExecutionId,
        execution: &Execution,
        proposal: &Proposal,
        lines: &mut Vec<String>,
    ) {
        let before = said.changes.insert(id.clone(), execution.done.len()).unwrap_or_default();
        for (outcome, change) in execution.done.iter().zip(&proposal.plan.changes).skip(before) {
            lines.push(format!(
                "{}  {} {}",
                incident.id,
                self.done(outcome),
                harmless(&change.summary, LONGEST)
            ));
        }
        if let Some(end) = self.end(&execution.state)
            && said.ended.insert(id.clone(), end.clone()).as_ref() != Some(&end)
        {
            lines.push(format!("{}  {end}", incident.id));
        }
    }

    fn done(self, outcome: &ChangeOutcome) -> String {
        match outcome {
            ChangeOutcome::Applied { .. } => self.paint.tone(Tone::Good, "done:"),
            ChangeOutcome::Stale { why } => self
                .paint
                .tone(Tone::Warn, &format!("not done, it changed since ({}):", harmless(why, LONGEST))),
            ChangeOutcome::Needless { why } => {
                self.paint.tone(Tone::Faint, &format!("not needed any more ({}):", harmless(why, LONGEST)))
            }
            ChangeOutcome::Refused { code, why } => {
                self.paint.tone(Tone::Bad, &format!("refused with {code} ({}):", harmless(why, LONGEST)))
            }
            ChangeOutcome::Unknown { why } => self
                .paint
                .tone(Tone::Bad, &format!("nobody knows whether it happened ({}):", harmless(why, LONGEST))),
        }
    }

    fn end(self, state: &ExecutionState) -> Option<String> {
        match state {
            ExecutionState::Ready | ExecutionState::Intended { .. } => None,
            ExecutionState::Unsettled { index, .. } => Some(
                self.paint.tone(Tone::Bad, &format!("somebody must say whether change {index} happened")),
            ),
            ExecutionState::Verifying { .. } => {
                Some(self.paint.tone(Tone::Faint, "checking whether it helped"))
            }
            ExecutionState::Finished { outcome, verdict, .. } => Some(self.verdict(outcome, *verdict)),
        }
    }

    fn verdict(self, outcome: &Outcome, verdict: Option<Verdict>) -> String {
        match (outcome, verdict) {
            (Outcome::Stopped { at, why }, verdict) => {
                let stopped = format!("stopped before change {at}: {}", harmless(why, LONGEST));
                let verified = verdict.map(|verdict| format!("; {}", in_words(verdict))).unwrap_or_default();
                self.paint.tone(Tone::Warn, &format!("{stopped}{verified}"))
            }
            (_, Some(verdict)) => self.paint.tone(tone(verdict), in_words(verdict)),
            (Outcome::Applied, None) => "ended without checks".to_owned(),
            (Outcome::Unknown { at }, None) => format!("ended; what became of change {at} is not known"),
        }
    }

    /// Everything a person should see before deciding.
    pub(super) fn preview(self, proposal: &Proposal) -> Vec<String> {
        let plan = &proposal.plan;
        let mut lines = vec![format!(
            "{}  {}  (risk {}, digest {})",
            proposal.id,
            harmless(&proposal.remedy.title, LONGEST),
            risk(plan.risk),
            proposal.digest.short()
        )];
        lines.extend(plan.changes.iter().map(|change| format!("  - {}", harmless(&change.summary, LONGEST))));
        lines.extend(proposal.preview.diff.lines().map(|line| self.diff_line(line)));
        lines.extend(proposal.preview.kubectl.iter().map(|line| format!("  $ {}", harmless(line, 2000))));
        lines.extend(
            proposal.preview.gaps.iter().map(|gap| format!("  no dry run: {}", harmless(gap, LONGEST))),
        );
        lines.extend(self.cautions(plan, proposal));
        lines
    }

    fn diff_line(self, line: &str) -> String {
        let shown = harmless_indented(line);
        let text = match line.as_bytes().first() {
            Some(b'+') => self.paint.tone(Tone::Good, &shown),
            Some(b'-') => self.paint.tone(Tone::Bad, &shown),
            _ => shown,
        };
        format!("    {text}")
    }

    fn cautions(self, plan: &Plan, proposal: &Proposal) -> Vec<String> {
        let mut lines: Vec<String> = plan
            .warnings
            .iter()
            .map(|warning| self.paint.tone(Tone::Warn, &format!("  mind: {}", harmless(warning, LONGEST))))
            .collect();
        lines.extend(proposal.missing_rights.iter().map(|rule| {
            let place = if rule.namespace.is_empty() { "the cluster" } else { &rule.namespace };
            format!("  missing right: {} {} in {}", rule.verb, rule.resource, harmless(place, 80))
        }));
        lines.push(match &plan.undo {
            Undo::Impossible(why) => format!("  cannot be undone: {}", harmless(why, LONGEST)),
            Undo::Needless(why) => format!("  nothing to undo: {}", harmless(why, LONGEST)),
            Undo::Changes(changes) => format!("  can be undone ({} changes)", changes.len()),
        });
        lines
    }
}

/// A diff line keeps its indentation.
fn harmless_indented(line: &str) -> String {
    let body = line.trim_start();
    format!("{}{}", &line[..line.len() - body.len()].replace('\t', "    "), harmless(body, 500))
}

fn place(incident: &Incident) -> String {
    let finding = &incident.finding;
    let place = if finding.key.place.name.is_empty() {
        finding.subject.to_string()
    } else {
        finding.key.place.name.to_string()
    };
    format!("{} in {}", harmless(&place, 200), harmless(&finding.subject.cluster, 80))
}

fn count(incident: &Incident) -> String {
    match incident.members.now {
        0 | 1 => String::new(),
        many => format!(", {many} objects"),
    }
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
    }
}

fn in_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fixed => "verified: fixed",
        Verdict::NotFixed => "verified: it did not help",
        Verdict::Regressed => "verified: it is worse than before",
        Verdict::Unknown => "could not be verified",
    }
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Fixed => Tone::Good,
        Verdict::NotFixed | Verdict::Unknown => Tone::Warn,
        Verdict::Regressed => Tone::Bad,
    }
}
