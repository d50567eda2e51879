//! The shapes of the API's answers, made from incidents. Pure.

use std::borrow::Cow;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::filter::StateFilter;
use crate::engine::{ClusterState, EngineStatus, KindState, Playbook};
use crate::incident::chain::{Audited, Upkeep};
use crate::incident::{
    Actor, ConditionId, Decision, DecisionKind, Digest, Entry, Evidence, Execution, ExecutionId, Incident,
    IncidentId, ObjectRef, Place, Proposal, ProposalId, ProposalRecord, ProposalState, Recorded, Risk,
    Severity, Status, Text,
};

/// The field that entries are shown without.
const EVIDENCE: &str = "evidence";

/// A page of incidents, newest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IncidentPage {
    pub incidents: Vec<IncidentSummary>,
    /// Give it as `after` to get the next page; `null` on the last one.
    pub next: Option<IncidentId>,
}

/// An incident in a few lines.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IncidentSummary {
    pub id: IncidentId,
    pub state: StateFilter,
    pub condition: ConditionId,
    pub severity: Severity,
    pub title: Text,
    pub cause: String,
    pub subject: ObjectRef,
    pub place: Place,
    /// How many objects it hits now, and the most there were.
    pub members: u32,
    pub members_peak: u32,
    pub since: Option<Timestamp>,
    pub opened: Timestamp,
    pub changed: Timestamp,
    pub silenced_until: Option<Timestamp>,
    pub absorbed_into: Option<IncidentId>,
    pub resolved: Option<Timestamp>,
    pub proposals: Vec<ProposalSummary>,
}

/// A proposal in a line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalSummary {
    pub id: ProposalId,
    pub title: Text,
    pub risk: Risk,
    pub digest: Digest,
    pub state: ProposalState,
    pub expires: Timestamp,
}

/// Everything about an incident.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IncidentDetail {
    pub incident: Incident,
    /// The latest evidence, as it was frozen; redacted.
    pub evidence: Option<Box<Evidence>>,
    /// What happened, oldest first. Evidence is left out of each; the latest stands above.
    pub entries: Vec<EntryView>,
}

/// One entry of the audit log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntryView {
    /// Its place in the chain of all entries.
    pub seq: u64,
    pub at: Timestamp,
    /// `null` for what concerns no single incident.
    pub incident: Option<IncidentId>,
    /// What happened: an object whose `type` names it. Evidence is left out.
    pub entry: EntryBody,
    /// The digest of the record before, and of this one: the chain.
    pub prev: Digest,
    pub hash: Digest,
}

/// What happened; the further fields depend on `type`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntryBody {
    pub r#type: String,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

/// A page of the audit log, oldest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditPage {
    pub entries: Vec<EntryView>,
    /// Give it as `after` to get the next page; `null` on the last one.
    pub next: Option<u64>,
}

/// A proposal, what was decided about it, and what came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalDetail {
    pub incident: IncidentId,
    pub cluster: Text,
    pub condition: ConditionId,
    /// The plan, its digest, the preview (diff and kubectl), the missing rights.
    pub proposal: Proposal,
    pub state: ProposalState,
    pub decisions: Vec<Decision>,
    /// Whose approvals count right now.
    pub approvals: Vec<Actor>,
    pub execution: Option<Execution>,
}

impl IncidentSummary {
    /// The incident in a few lines.
    pub fn of(incident: &Incident) -> Self {
        let finding = &incident.finding;
        let (absorbed_into, resolved) = match &incident.status {
            Status::Open => (None, None),
            Status::Absorbed { into } => (Some(into.clone()), None),
            Status::Resolved { at } => (None, Some(*at)),
        };
        Self {
            id: incident.id.clone(),
            state: StateFilter::from(&incident.status),
            condition: finding.condition.clone(),
            severity: finding.severity,
            title: finding.title.clone(),
            cause: finding.cause.clone(),
            subject: finding.subject.clone(),
            place: finding.key.place.clone(),
            members: incident.members.now,
            members_peak: incident.members.peak,
            since: finding.since,
            opened: incident.opened,
            changed: incident.changed,
            silenced_until: incident.silenced_until,
            absorbed_into,
            resolved,
            proposals: incident.proposals.values().map(ProposalSummary::of).collect(),
        }
    }
}

impl EntryView {
    /// An incident's entry.
    pub fn of(recorded: &Recorded) -> Self {
        Self {
            seq: recorded.seq,
            at: recorded.at,
            incident: Some(recorded.incident.clone()),
            entry: EntryBody::of(&recorded.entry),
            prev: recorded.prev.clone(),
            hash: recorded.hash.clone(),
        }
    }

    /// Any record.
    pub fn of_audited(record: &Audited) -> Self {
        match record {
            Audited::Incident(recorded) => Self::of(recorded),
            Audited::General(general) => Self {
                seq: general.seq,
                at: general.at,
                incident: None,
                entry: EntryBody::of(&general.what),
                prev: general.prev.clone(),
                hash: general.hash.clone(),
            },
        }
    }
}

impl EntryBody {
    fn of<T: Serialize>(entry: &T) -> Self {
        let Ok(Value::Object(mut rest)) = serde_json::to_value(entry) else {
            return Self { r#type: "unreadable".to_owned(), rest: serde_json::Map::new() };
        };
        let kind = rest.remove("type").and_then(|kind| kind.as_str().map(str::to_owned));
        rest.remove(EVIDENCE);
        Self { r#type: kind.unwrap_or_default(), rest }
    }
}

/// As `EntryBody::of` makes it: every entry of an incident without its evidence, and what concerns none.
impl JsonSchema for EntryBody {
    fn schema_name() -> Cow<'static, str> {
        "EntryBody".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let choices = [Entry::json_schema(generator), Upkeep::json_schema(generator)];
        let mut choices: Vec<Value> = choices.iter().flat_map(choices_of).collect();
        choices.iter_mut().for_each(leave_out_evidence);
        json_schema!({"description": "What happened; the further fields depend on `type`.", "oneOf": choices})
    }
}

fn choices_of(schema: &Schema) -> Vec<Value> {
    schema.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn leave_out_evidence(choice: &mut Value) {
    if let Some(fields) = choice["properties"].as_object_mut() {
        fields.remove(EVIDENCE);
    }
    if let Some(required) = choice["required"].as_array_mut() {
        required.retain(|name| name != EVIDENCE);
    }
}

impl StatusView {
    /// The engine's own words, for programs.
    pub(super) fn of(status: EngineStatus) -> Self {
        let kind = |kind: KindState| KindView {
            kind: kind.kind,
            synced: kind.synced,
            objects: kind.objects,
            unparsed: kind.unparsed,
            trouble: kind.trouble,
        };
        let cluster = |cluster: ClusterState| ClusterView {
            name: cluster.name,
            connected: cluster.connected,
            kinds: cluster.kinds.into_iter().map(kind).collect(),
        };
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: status.at,
            paused: status.paused,
            open_incidents: status.open_incidents,
            waiting: status.waiting,
            left_out: status.left_out,
            clusters: status.clusters.into_iter().map(cluster).collect(),
        }
    }
}

impl PlaybookView {
    /// A playbook in a few lines.
    pub(super) fn of(playbook: &Playbook) -> Self {
        let remedy = |(id, title, risk): (&Text, &Text, Risk)| RemedyView {
            id: id.clone(),
            title: title.clone(),
            risk,
        };
        Self {
            condition: playbook.id.clone(),
            title: playbook.title.clone(),
            severity: playbook.severity,
            remedies: playbook.remedies().map(remedy).collect(),
        }
    }
}

impl ProposalSummary {
    fn of(record: &ProposalRecord) -> Self {
        let proposal = &record.proposal;
        Self {
            id: proposal.id.clone(),
            title: proposal.remedy.title.clone(),
            risk: proposal.plan.risk,
            digest: proposal.digest.clone(),
            state: record.state.clone(),
            expires: proposal.expires,
        }
    }
}

impl ProposalDetail {
    /// The proposal within its incident, if the incident has it.
    pub fn of(incident: &Incident, id: &ProposalId) -> Option<Self> {
        let record = incident.proposals.get(id)?;
        Some(Self {
            incident: incident.id.clone(),
            cluster: incident.finding.subject.cluster.clone(),
            condition: incident.finding.condition.clone(),
            proposal: record.proposal.clone(),
            state: record.state.clone(),
            decisions: record.decisions.clone(),
            approvals: standing(&record.decisions),
            execution: incident.executions.get(&ExecutionId::of(id)).cloned(),
        })
    }
}

/// Those whose last decision is an approval.
fn standing(decisions: &[Decision]) -> Vec<Actor> {
    let mut actors: Vec<Actor> = Vec::new();
    for decision in decisions {
        actors.retain(|actor| *actor != decision.by);
        match decision.kind {
            DecisionKind::Approve => actors.push(decision.by.clone()),
            DecisionKind::Deny | DecisionKind::Withdraw => {}
        }
    }
    actors
}

/// The whole house in a few lines.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusView {
    pub version: String,
    pub at: Timestamp,
    /// Whether executions are stopped.
    pub paused: bool,
    pub open_incidents: usize,
    /// Objects that wait to be looked at, and how many found no room so far.
    pub waiting: usize,
    pub left_out: u64,
    pub clusters: Vec<ClusterView>,
}

/// How kubemend stands to one cluster.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterView {
    pub name: Text,
    pub connected: bool,
    pub kinds: Vec<KindView>,
}

/// How far one kind of objects is known.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KindView {
    pub kind: Text,
    pub synced: bool,
    pub objects: u64,
    /// Objects that could not be read and were left out.
    pub unparsed: u64,
    /// Why it cannot be watched, where it cannot.
    pub trouble: Option<String>,
}

/// Who the token stands for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WhoAmI {
    pub actor: Actor,
    pub roles: Vec<Text>,
}

/// The playbooks in force.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlaybookList {
    pub playbooks: Vec<PlaybookView>,
}

/// A playbook in a few lines.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlaybookView {
    pub condition: ConditionId,
    pub title: Text,
    pub severity: Severity,
    pub remedies: Vec<RemedyView>,
}

/// A remedy in a line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemedyView {
    pub id: Text,
    pub title: Text,
    pub risk: Risk,
}

/// Whether executions are stopped.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PauseView {
    pub paused: bool,
}
