//! One incident: what is broken, why, what can be done, what it would change, and all that happened.

use serde_json::{Value, json};

use super::super::filter::severity_tag;
use super::super::markdown::markdown;
use super::super::model::IncidentPage;
use super::super::row::{Row, Stage, stage};
use super::super::say::Say;
use super::super::visitor::Visitor;
use super::evidence::{events, logs, quotes};
use super::history::history;
use super::incidents::{cut, standing, verdict_tag};
use super::{View, execution, proposal};
use crate::incident::{Incident, Members, ProposalRecord, ProposalState, Source, Status};

/// How long somebody may keep an incident quiet, in minutes.
const SILENCES: [u32; 4] = [30, 120, 480, 1_440];

pub(super) fn view(page: &IncidentPage<'_>, say: Say<'_>, visitor: &Visitor) -> View {
    let incident = page.incident;
    let id = incident.id.as_str();
    View {
        template: "incident",
        title: format!("{id} {}", cut(&incident.finding.title, 80)),
        section: "incidents",
        live: format!("incident:{id}"),
        data: json!({ "id": id, "live": live(page, say, visitor) }),
    }
}

fn live(page: &IncidentPage<'_>, say: Say<'_>, visitor: &Visitor) -> Value {
    let incident = page.incident;
    let row = Row::of(incident);
    let (mut current, past): (Vec<&ProposalRecord>, Vec<&ProposalRecord>) =
        newest_first(incident).partition(|record| is_current(record));
    // The playbook's order: what it would do first stands first, and is the one that is unfolded.
    current.reverse();
    let shown = |records: Vec<&ProposalRecord>| {
        records.into_iter().map(|record| proposal::card(incident, record, say, visitor)).collect::<Vec<_>>()
    };
    let executions = incident.executions.values().rev();
    let executions: Vec<Value> =
        executions.filter_map(|one| execution::panel(incident, one, say, visitor)).collect();
    let mut offers = shown(current);
    offers.iter_mut().skip(1).for_each(|card| card["unfolded"] = false.into());
    json!({
        "heading": say.t(heading(incident, row.stage)),
        "condition": incident.finding.condition,
        "head": head(incident, &row, say),
        "quotes": quotes(&incident.finding.quotes, say),
        "rivals": rivals(page),
        "proposals": offers,
        "past": shown(past),
        "executions": executions,
        "nothing": nothing(incident, say),
        "objects": objects(&incident.members, say),
        "facts": facts(incident, say),
        "events": page.evidence.map(|evidence| events(evidence, say)),
        "logs": page.evidence.map(|evidence| logs(evidence, say)),
        "gaps": page.evidence.map(|evidence| evidence.seen.gaps.clone()).unwrap_or_default(),
        "gathered": page.evidence.map(|evidence| say.when(evidence.seen.at)),
        "explanation": page.explanation.map(markdown),
        "manual": page.manual.filter(|text| !text.is_empty()).map(markdown),
        "history": history(page.entries, say),
        "silence": silence(incident, say, visitor),
    })
}

fn newest_first(incident: &Incident) -> impl Iterator<Item = &ProposalRecord> {
    let mut all: Vec<&ProposalRecord> = incident.proposals.values().collect();
    all.sort_by_key(|record| std::cmp::Reverse((record.proposal.made, &record.proposal.id)));
    all.into_iter()
}

/// Whether a proposal still asks for something.
fn is_current(record: &ProposalRecord) -> bool {
    matches!(record.state, ProposalState::Open | ProposalState::Approved)
}

fn head(incident: &Incident, row: &Row, say: Say<'_>) -> Value {
    let finding = &incident.finding;
    let verdict = row.verdict.map(|verdict| {
        let tag = verdict_tag(verdict);
        json!({ "tag": tag, "word": say.t(&format!("verdict.{tag}")), "text": say.t(&format!("verdict-text.{tag}")) })
    });
    json!({
        "id": incident.id,
        "title": finding.title,
        "cause": finding.cause,
        "severity": say.tag("severity", severity_tag(finding.severity)),
        "stage": standing(row, say),
        "cluster": finding.key.cluster,
        "subject": finding.subject.to_string(),
        "members": (incident.members.now > 0).then(|| say.count("incident.members", incident.members.now)),
        "since": say.when(finding.since.unwrap_or(incident.opened)),
        "resolved": say.maybe(row.resolved),
        "again": (incident.reopened > 0).then(|| say.count("incident.again", incident.reopened)),
        "silenced": say.maybe(incident.silenced_until),
        "part_of": row.part_of,
        "verdict": verdict,
    })
}

fn rivals(page: &IncidentPage<'_>) -> Vec<Value> {
    let rivals = page.incident.finding.also_possible.iter();
    rivals.map(|id| json!({ "id": id, "title": page.titles.get(id) })).collect()
}

/// What the middle of the page is about now.
fn heading(incident: &Incident, stage: Stage) -> &'static str {
    let nothing_was_done = incident.executions.is_empty();
    match stage {
        Stage::Awaiting => "incident.can",
        Stage::Repairing => "incident.doing",
        Stage::Open | Stage::Absorbed if nothing_was_done => "incident.can",
        Stage::Open | Stage::Absorbed | Stage::Resolved => "incident.done",
    }
}

/// Why there is nothing to decide, where there is not.
fn nothing(incident: &Incident, say: Say<'_>) -> Value {
    let current = incident.proposals.values().any(is_current);
    if current || !incident.executions.is_empty() {
        return Value::Null;
    }
    let key = match &incident.status {
        Status::Open => "nothing.open",
        Status::Absorbed { .. } => "nothing.absorbed",
        Status::Resolved { .. } => "nothing.resolved",
    };
    say.t(key).into()
}

fn objects(members: &Members, say: Say<'_>) -> Value {
    let listed: Vec<String> = members.listed.iter().map(ToString::to_string).collect();
    let others = members.now.saturating_sub(u32::try_from(listed.len()).unwrap_or(u32::MAX));
    json!({
        "listed": listed,
        "others": (others > 0).then(|| say.count("incident.others", others)),
        "peak": (members.peak > members.now).then(|| say.count("incident.peak", members.peak)),
    })
}

/// Names and values for the margin.
fn facts(incident: &Incident, say: Say<'_>) -> Vec<Value> {
    let finding = &incident.finding;
    let own = [
        ("fact.cluster", finding.key.cluster.as_str()),
        ("fact.namespace", finding.subject.namespace.as_str()),
        ("fact.covers", finding.key.place.name.as_str()),
    ];
    let own = own.into_iter().filter(|(_, value)| !value.is_empty());
    let own = own.map(|(key, value)| json!({ "name": say.t(key), "value": value }));
    let variables =
        finding.variables.iter().filter(|(name, value)| !name.starts_with('_') && !value.is_empty());
    own.chain(variables.map(|(name, value)| json!({ "name": name, "value": value }))).collect()
}

fn silence(incident: &Incident, say: Say<'_>, visitor: &Visitor) -> Value {
    let can = visitor.who.as_ref().is_some_and(|who| who.can.silence);
    if !can || stage(incident) == Stage::Resolved {
        return Value::Null;
    }
    let choice = |minutes: u32| json!({ "minutes": minutes, "word": say.span(u64::from(minutes) * 60) });
    json!({ "on": incident.silenced_until.is_some(), "choices": SILENCES.map(choice) })
}

/// Where a quote is from, in words.
pub(super) fn source_tag(source: Source) -> &'static str {
    match source {
        Source::Event => "event",
        Source::ContainerState => "container",
        Source::LastState => "last",
        Source::Log => "log",
        Source::PodCondition => "pod",
        Source::NodeCondition => "node",
        Source::ObjectMeta => "object",
        Source::Computed => "computed",
    }
}
