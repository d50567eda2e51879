//! An incident as lists need it: small, made once per change of the incident.

use jiff::Timestamp;

use crate::incident::{
    ConditionId, ExecutionState, Incident, IncidentId, ProposalState, Severity, Status, Text, Verdict,
};

/// One line of the incident list.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    pub id: IncidentId,
    pub stage: Stage,
    pub severity: Severity,
    pub condition: ConditionId,
    pub title: Text,
    pub cause: String,
    pub cluster: Text,
    /// `""` for what is of no namespace.
    pub namespace: Text,
    /// What it covers, such as `Deployment payments/checkout`.
    pub place: Text,
    pub opened: Timestamp,
    pub changed: Timestamp,
    pub resolved: Option<Timestamp>,
    pub silenced_until: Option<Timestamp>,
    /// The wider incident it is part of.
    pub part_of: Option<IncidentId>,
    /// How many objects it hits now.
    pub members: u32,
    pub reopened: u32,
    /// How many proposals are open for decisions, and when the first of them ends.
    pub open_proposals: u32,
    pub expires: Option<Timestamp>,
    /// What the last verification said.
    pub verdict: Option<Verdict>,
    /// Everything that a text is looked for in, in lower case.
    words: String,
}

/// Where an incident stands, by what a person has to do about it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// A decision is due, or somebody must say what became of a change.
    Awaiting,
    /// A remedy is being carried out or verified.
    Repairing,
    Open,
    /// Part of a wider incident.
    Absorbed,
    Resolved,
}

impl Row {
    /// The line of an incident.
    pub fn of(incident: &Incident) -> Self {
        let finding = &incident.finding;
        let open = incident.proposals.values().filter(|record| record.state == ProposalState::Open);
        let mut row = Self {
            id: incident.id.clone(),
            stage: stage(incident),
            severity: finding.severity,
            condition: finding.condition.clone(),
            title: finding.title.clone(),
            cause: finding.cause.clone(),
            cluster: finding.key.cluster.clone(),
            namespace: finding.subject.namespace.clone(),
            place: finding.key.place.name.clone(),
            opened: incident.opened,
            changed: incident.changed,
            resolved: resolved(incident),
            silenced_until: incident.silenced_until,
            part_of: part_of(incident),
            members: incident.members.now,
            reopened: incident.reopened,
            open_proposals: u32::try_from(open.clone().count()).unwrap_or(u32::MAX),
            expires: open.map(|record| record.proposal.expires).min(),
            verdict: verdict(incident),
            words: String::new(),
        };
        row.words = words(incident);
        row
    }

    /// Whether a text (in lower case) stands anywhere in it.
    pub fn says(&self, text: &str) -> bool {
        self.words.contains(text)
    }
}

fn words(incident: &Incident) -> String {
    let finding = &incident.finding;
    let names = incident.members.listed.iter().map(|member| member.name.as_str());
    let quotes = finding.quotes.iter().map(|quote| quote.text.as_str());
    let own = [
        incident.id.as_str(),
        finding.condition.as_str(),
        &finding.title,
        &finding.cause,
        &finding.key.cluster,
        &finding.key.place.name,
        &finding.subject.namespace,
        &finding.subject.name,
    ];
    own.into_iter().chain(names).chain(quotes).collect::<Vec<_>>().join("\n").to_lowercase()
}

pub(super) fn stage(incident: &Incident) -> Stage {
    let unsettled = |state: &ExecutionState| matches!(state, ExecutionState::Unsettled { .. });
    let finished = |state: &ExecutionState| matches!(state, ExecutionState::Finished { .. });
    let mut executions = incident.executions.values().map(|execution| &execution.state);
    let has = |wanted: ProposalState| incident.proposals.values().any(|record| record.state == wanted);
    match &incident.status {
        _ if executions.clone().any(unsettled) => Stage::Awaiting,
        _ if executions.any(|state| !finished(state)) => Stage::Repairing,
        Status::Resolved { .. } => Stage::Resolved,
        Status::Absorbed { .. } => Stage::Absorbed,
        Status::Open if has(ProposalState::Approved) => Stage::Repairing,
        Status::Open if has(ProposalState::Open) => Stage::Awaiting,
        Status::Open => Stage::Open,
    }
}

fn resolved(incident: &Incident) -> Option<Timestamp> {
    match &incident.status {
        Status::Resolved { at } => Some(*at),
        Status::Open | Status::Absorbed { .. } => None,
    }
}

fn part_of(incident: &Incident) -> Option<IncidentId> {
    match &incident.status {
        Status::Absorbed { into } => Some(into.clone()),
        Status::Open | Status::Resolved { .. } => None,
    }
}

fn verdict(incident: &Incident) -> Option<Verdict> {
    let last = incident.executions.values().max_by_key(|execution| execution.started)?;
    match &last.state {
        ExecutionState::Finished { verdict, .. } => *verdict,
        ExecutionState::Ready
        | ExecutionState::Intended { .. }
        | ExecutionState::Unsettled { .. }
        | ExecutionState::Verifying { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::samples;

    #[test]
    fn an_incident_with_an_open_proposal_awaits_a_decision() {
        let (entries, _) = samples::executing();
        assert_eq!(Row::of(&samples::fold(&entries[..1])).stage, Stage::Open);
        assert_eq!(Row::of(&samples::fold(&entries[..2])).stage, Stage::Awaiting);
        assert_eq!(Row::of(&samples::fold(&entries[..3])).stage, Stage::Repairing);
        assert_eq!(Row::of(&samples::fold(&entries)).stage, Stage::Repairing);
    }
}
