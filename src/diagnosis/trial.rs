//! The tests that playbooks hold, run with the whole book: a playbook is right only beside its neighbours.

use std::fmt;

use serde::Deserialize;

use super::{Message, assemble, diagnose, explain};
use crate::incident::{ConditionId, Evidence, Finding, Text};
use crate::playbook::{Book, Playbook, Trial, remedies};

/// A test that did not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    pub playbook: ConditionId,
    pub file: String,
    pub line: u64,
    pub test: String,
    pub why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}: {}", self.file, self.line, self.playbook, self.test, self.why)
    }
}

/// Runs the tests of one playbook.
pub fn run(book: &Book, playbook: &Playbook) -> Vec<Failure> {
    let failures = playbook.trials().filter_map(|trial| {
        let why = try_one(book, playbook, &trial).err()?;
        Some(Failure {
            playbook: playbook.id.clone(),
            file: playbook.file.clone(),
            line: trial.line,
            test: trial.name.to_owned(),
            why,
        })
    });
    failures.collect()
}

/// What came of the evidence, whichever form it had.
struct Outcome {
    condition: Option<ConditionId>,
    also_possible: Vec<ConditionId>,
    variables: std::collections::BTreeMap<Text, Text>,
    remedies: Vec<Text>,
    others: Vec<ConditionId>,
}

fn try_one(book: &Book, playbook: &Playbook, trial: &Trial<'_>) -> Result<(), String> {
    let outcome = outcome(book, playbook, trial)?;
    let found = outcome.condition.as_ref().map_or("none", ConditionId::as_str);
    if found != trial.expect {
        return Err(format!("expected {}, found {found}", trial.expect));
    }
    if !outcome.others.is_empty() {
        return Err(format!("found besides: {:?}", outcome.others));
    }
    if let Some(wanted) = trial.also_possible
        && !outcome.also_possible.iter().map(ConditionId::as_str).eq(wanted.iter().map(String::as_str))
    {
        return Err(format!("expected also possible {wanted:?}, found {:?}", outcome.also_possible));
    }
    if let Some(wanted) = trial.remedies
        && !outcome.remedies.iter().map(Text::as_str).eq(wanted.iter().map(String::as_str))
    {
        return Err(format!("expected the remedies {wanted:?}, found {:?}", outcome.remedies));
    }
    for (name, value) in trial.variables {
        let found = outcome.variables.get(name.as_str()).map_or("", Text::as_str);
        if found != value {
            return Err(format!("expected {name}={value}, found {name}={found}"));
        }
    }
    Ok(())
}

fn outcome(book: &Book, playbook: &Playbook, trial: &Trial<'_>) -> Result<Outcome, String> {
    if let Some(message) = trial.message {
        let message = Message::deserialize(message).map_err(|error| format!("not a message: {error}"))?;
        let explained = explain(book, &message);
        return Ok(Outcome {
            condition: explained.condition,
            also_possible: explained.also_possible,
            variables: explained.variables,
            remedies: Vec::new(),
            others: Vec::new(),
        });
    }
    let evidence = assemble(trial.evidence.cloned().unwrap_or_default());
    let found = diagnose(book, &evidence);
    let offered = |finding: &Finding| offered(book, finding, &evidence);
    let position = found.iter().position(|finding| finding.condition == playbook.id).unwrap_or(0);
    let others = found.iter().enumerate().filter(|(at, _)| *at != position);
    Ok(Outcome {
        others: others.map(|(_, finding)| finding.condition.clone()).collect(),
        remedies: found.get(position).map(offered).unwrap_or_default(),
        condition: found.get(position).map(|finding| finding.condition.clone()),
        also_possible: found.get(position).map(|finding| finding.also_possible.clone()).unwrap_or_default(),
        variables: found.get(position).map(|finding| finding.variables.clone()).unwrap_or_default(),
    })
}

fn offered(book: &Book, finding: &Finding, evidence: &Evidence) -> Vec<Text> {
    let playbook = book.get(&finding.condition);
    let candidates = playbook.map(|playbook| remedies(playbook, finding, evidence)).unwrap_or_default();
    candidates.into_iter().map(|candidate| candidate.remedy).collect()
}
