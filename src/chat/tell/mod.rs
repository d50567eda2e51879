//! Telling: from incidents, proposals and entries to cards. Pure; the words come from `words`.
//!
//! A card of an incident is the same for as long as the incident is: it asks no clock, moments stand in it as
//! moments. Refuses to escape, to cut and to lay out.

mod approvals;
mod digest;
mod incident;
mod note;
mod proposal;
#[cfg(test)]
mod tests;

use serde_json::json;

use super::card::{Button, Field, Rich, Style, Tone};
use super::press::Press;
use super::words::Words;
use crate::engine::Book;
use crate::incident::{Actor, ConditionId, Incident, Risk, Rule, Severity};

pub use approvals::standing;
pub use digest::{Asked, Missed};
pub(in crate::chat) use incident::{heading, quoted};

/// Somebody who puts things into words.
#[derive(Clone, Copy, Debug)]
pub struct Teller<'w> {
    pub words: &'w Words,
    /// For the titles of conditions.
    pub book: &'w Book,
}

impl Teller<'_> {
    pub(super) fn severity(&self, severity: Severity) -> String {
        match severity {
            Severity::Critical => self.words.word("severity.critical"),
            Severity::Warning => self.words.word("severity.warning"),
            Severity::Info => self.words.word("severity.info"),
        }
    }

    pub(super) fn risk(&self, risk: Risk) -> String {
        match risk {
            Risk::Low => self.words.word("risk.low"),
            Risk::Medium => self.words.word("risk.medium"),
            Risk::High => self.words.word("risk.high"),
        }
    }

    pub(super) fn condition(&self, id: &ConditionId) -> String {
        self.book.get(id).map_or_else(|| id.to_string(), |playbook| playbook.title.to_string())
    }

    pub(super) fn field(&self, key: &str, value: Rich) -> Field {
        Field { label: self.words.word(key), value }
    }

    /// What is told of an object in a line.
    pub(super) fn place(&self, incident: &Incident) -> serde_json::Value {
        let finding = &incident.finding;
        json!({
            "id": incident.id,
            "title": finding.title,
            "subject": place_of(incident),
            "cluster": finding.key.cluster,
            "condition": finding.condition,
            "severity": self.severity(finding.severity),
            "state": self.state_word(incident),
        })
    }
}

/// What the incident covers: the object itself, or the workload, node or registry.
pub(super) fn place_of(incident: &Incident) -> String {
    let place = &incident.finding.key.place.name;
    if place.is_empty() { incident.finding.subject.to_string() } else { place.to_string() }
}

pub(super) fn names(people: &[Actor]) -> String {
    people.iter().map(|actor| actor.name.as_str()).collect::<Vec<_>>().join(", ")
}

pub(super) fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Critical,
        Severity::Warning => Tone::Warning,
        Severity::Info => Tone::Info,
    }
}

fn right(rule: &Rule) -> String {
    let Rule { verb, group, resource, namespace, name: _ } = rule;
    let resource = if group.is_empty() { resource.to_string() } else { format!("{resource}.{group}") };
    let place = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
    format!("`{verb} {resource}`{place}")
}

/// A button, unless its id would be too long to be one.
fn button(press: &Press, label: String, style: Style, risk: Option<Risk>) -> Option<Button> {
    press.id().map(|id| Button { id, label, style, risk })
}

fn rights(rules: &[Rule]) -> String {
    let mut named: Vec<String> = rules.iter().take(4).map(right).collect();
    if rules.len() > named.len() {
        named.push("…".to_owned());
    }
    named.join(", ")
}
