//! What somebody may be typing: choices for an option of a command, from memory.
//!
//! Whoever has no role is shown nothing, as nobody learns names who may not ask for them. Nothing is asked of a
//! cluster or a store: people type faster than those answer. Refuses to cut: platforms do.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::Desk;
use super::objects::known;
use crate::chat::command::{ALL, Thing, spec};
use crate::chat::identity::Caller;
use crate::chat::press;
use crate::engine::Naming;
use crate::incident::{
    ApiKind, ExecutionState, Incident, ObjectRef, ProposalRecord, ProposalState, Status, Undo,
};

/// No more choices than these; platforms show fewer.
const MOST: usize = 25;
/// Usual times of quiet.
const TIMES: &[&str] = &["30m", "1h", "2h", "4h", "8h", "1d", "3d", "1w"];

/// An option that is being typed.
#[derive(Clone, Copy, Debug)]
pub struct Typing<'t> {
    pub command: &'t str,
    pub option: &'t str,
    pub typed: &'t str,
    /// The other options, as far as they are filled in.
    pub others: &'t BTreeMap<String, String>,
}

/// Something that may be meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// What is shown.
    pub label: String,
    /// What is then in the option.
    pub value: String,
}

impl Choice {
    fn of(value: impl Into<String>) -> Self {
        let value = value.into();
        Self { label: value.clone(), value }
    }

    fn told(value: impl Into<String>, about: &[&str]) -> Self {
        let value = value.into();
        let about = about.iter().filter(|text| !text.trim().is_empty()).copied();
        let label = std::iter::once(value.as_str()).chain(about).collect::<Vec<_>>().join(" · ");
        Self { label, value }
    }

    fn holds(&self, typed: &str) -> bool {
        typed.is_empty() || self.label.to_lowercase().contains(typed)
    }
}

impl Desk {
    /// What may be meant, the likeliest first; at most 25.
    pub fn complete(&self, who: &Caller, typing: &Typing<'_>) -> Vec<Choice> {
        self.recognise(who);
        let take = spec(typing.command).and_then(|spec| spec.take(typing.option));
        let Some(take) = take.filter(|_| !self.is_nobody(&who.actor)) else { return Vec::new() };
        let typed = typing.typed.trim().to_lowercase();
        let mut found = match take.thing {
            Thing::Incident => self.incidents_named(&typed),
            Thing::Proposal => self.proposals_named(&typed),
            Thing::Execution => self.executions_named(&typed),
            Thing::Remedy => self.remedies_named(&typed, typing.others),
            Thing::Object => self.objects_named(&typed, typing.others),
            Thing::Namespace => self.namespaces_named(&typed, typing.others),
            Thing::Cluster => {
                let clusters = self.engine.status().clusters.into_iter();
                fitting(clusters.map(|cluster| Choice::of(cluster.name.to_string())), &typed)
            }
            Thing::Search => self.conditions_named(&typed),
            Thing::Command => fitting(ALL.iter().map(|spec| Choice::of(spec.name)), &typed),
            Thing::Duration => fitting(TIMES.iter().map(|time| Choice::of(*time)), &typed),
            Thing::Severity => fitting(["critical", "warning", "info"].into_iter().map(Choice::of), &typed),
            Thing::Number | Thing::Text | Thing::Switch => Vec::new(),
        };
        found.truncate(MOST);
        found
    }

    /// What is on comes first, then what is worst, then what is newest.
    fn known_incidents(&self) -> Vec<Arc<Incident>> {
        let mut all = self.engine.current();
        let is_over = |incident: &Incident| matches!(incident.status, Status::Resolved { .. });
        all.sort_by_key(|incident| {
            let newest = std::cmp::Reverse(incident.changed);
            (is_over(incident), std::cmp::Reverse(incident.finding.severity), newest)
        });
        all
    }

    fn incidents_named(&self, typed: &str) -> Vec<Choice> {
        let known = self.known_incidents();
        fitting(known.iter().map(|incident| self.incident_choice(incident)), typed)
    }

    fn incident_choice(&self, incident: &Incident) -> Choice {
        let place = self.with_teller(|teller, _| teller.place(incident));
        let text = |key: &str| place[key].as_str().unwrap_or_default().to_owned();
        Choice::told(incident.id.to_string(), &[&text("title"), &text("subject"), &text("cluster")])
    }

    fn proposals_named(&self, typed: &str) -> Vec<Choice> {
        let known = self.known_incidents();
        let open = known.iter().flat_map(|incident| {
            let records = incident.proposals.values();
            let open = records.filter(|record| record.state == ProposalState::Open);
            open.map(|record| self.proposal_choice(record.proposal.id.to_string(), incident, record))
        });
        fitting(open, typed)
    }

    fn executions_named(&self, typed: &str) -> Vec<Choice> {
        let known = self.known_incidents();
        let undoable = known.iter().flat_map(|incident| {
            let over = incident.executions.values();
            let over = over.filter(|run| matches!(run.state, ExecutionState::Finished { .. }));
            over.filter_map(|run| {
                let record = incident.proposals.get(&run.proposal)?;
                let possible = matches!(record.proposal.plan.undo, Undo::Changes(_));
                possible.then(|| self.proposal_choice(run.id.to_string(), incident, record))
            })
        });
        fitting(undoable, typed)
    }

    fn proposal_choice(&self, value: String, incident: &Incident, record: &ProposalRecord) -> Choice {
        let risk = self.with_teller(|teller, _| teller.risk(record.proposal.plan.risk));
        let named = json!({"title": record.proposal.remedy.title, "risk": risk});
        let title = self.words.say("card.proposal", &named);
        let place = self.with_teller(|teller, _| teller.place(incident));
        Choice::told(value, &[&title, place["subject"].as_str().unwrap_or_default()])
    }

    /// The remedies of the incident's playbook, whether they fit at this moment or not.
    fn remedies_named(&self, typed: &str, others: &BTreeMap<String, String>) -> Vec<Choice> {
        let id = others.get("incident").and_then(|text| press::incident(text.trim()));
        let known = self.known_incidents();
        let Some(incident) = id.and_then(|id| known.into_iter().find(|incident| incident.id == id)) else {
            return Vec::new();
        };
        self.with_teller(|teller, book| {
            let playbook = book.get(&incident.finding.condition);
            let remedies = playbook.into_iter().flat_map(crate::engine::Playbook::remedies);
            let choices = remedies
                .map(|(id, title, risk)| Choice::told(id.to_string(), &[title.as_str(), &teller.risk(risk)]));
            fitting(choices, typed)
        })
    }

    /// `pod/web` as it is typed; the namespace stands in the value where it is not named beside it.
    fn objects_named(&self, typed: &str, others: &BTreeMap<String, String>) -> Vec<Choice> {
        let (kind, name) = typed.rsplit_once('/').unwrap_or(("", typed));
        let (kind, inside) = kind.split_once('/').map_or((kind, None), |(kind, inside)| (kind, Some(inside)));
        let api = known(kind);
        if !kind.is_empty() && api.is_none() {
            return Vec::new();
        }
        let naming = Naming {
            namespace: filled(others, "namespace").or(inside),
            kind: api.as_ref(),
            holds: name,
            ..naming(others)
        };
        let short = filled(others, "namespace").is_some();
        let choice = |object: ObjectRef| {
            let value = object_value(&object, short);
            Choice::told(value, &[object.cluster.as_str()])
        };
        self.engine.objects(&naming).into_iter().map(choice).collect()
    }

    fn namespaces_named(&self, typed: &str, others: &BTreeMap<String, String>) -> Vec<Choice> {
        let found = self.engine.namespaces(&Naming { holds: typed, ..naming(others) });
        found.into_iter().map(|name| Choice::of(name.to_string())).collect()
    }

    /// The conditions of what is on, then those of all playbooks.
    fn conditions_named(&self, typed: &str) -> Vec<Choice> {
        let mut ids: Vec<_> =
            self.known_incidents().iter().map(|incident| incident.finding.condition.clone()).collect();
        self.with_teller(|teller, book| {
            ids.extend(book.iter().map(|playbook| playbook.id.clone()));
            let mut named = std::collections::BTreeSet::new();
            ids.retain(|id| named.insert(id.clone()));
            fitting(ids.iter().map(|id| Choice::told(id.to_string(), &[&teller.condition(id)])), typed)
        })
    }
}

fn fitting(choices: impl Iterator<Item = Choice>, typed: &str) -> Vec<Choice> {
    choices.filter(|choice| choice.holds(typed)).take(MOST).collect()
}

fn naming(others: &BTreeMap<String, String>) -> Naming<'_> {
    Naming { cluster: filled(others, "cluster"), most: MOST, ..Naming::default() }
}

fn filled<'o>(others: &'o BTreeMap<String, String>, name: &str) -> Option<&'o str> {
    others.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn object_value(object: &ObjectRef, short: bool) -> String {
    let ObjectRef { api: ApiKind { kind, .. }, namespace, name, .. } = object;
    let kind = kind.to_lowercase();
    if short || namespace.is_empty() {
        format!("{kind}/{name}")
    } else {
        format!("{kind}/{namespace}/{name}")
    }
}
