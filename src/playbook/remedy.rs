//! What a playbook offers for a finding: remedies whose conditions hold, and steps for a person, both
//! rendered over the facts. Facts are data here; nothing in them is ever taken for a template.

use std::collections::BTreeMap;

use handlebars::Context;
use serde_json::{Value, json};

use super::compiled::{Argument, CAUSE, CompiledRemedy, MANUAL, Playbook};
use super::facts::Facts;
use super::known::Known;
use super::view::facts;
use crate::incident::{Candidate, CandidateStep, Evidence, Finding, Risk, Text};

/// Room for a sentence. The library's own buffer has eight KiB; made at each look, and given back, it keeps the
/// allocator tidying up.
const SENTENCE: usize = 512;

/// The remedies that fit, in the playbook's order.
pub fn remedies(playbook: &Playbook, finding: &Finding, evidence: &Evidence) -> Vec<Candidate> {
    let facts = playbook.facts_of(finding, evidence);
    let known = Known::new(&facts);
    let fits = |remedy: &&CompiledRemedy| {
        remedy.when.as_ref().is_none_or(|when| when.holds(&known, &facts.captures).unwrap_or(false))
    };
    playbook.remedies.iter().filter(fits).filter_map(|remedy| playbook.candidate(remedy, &facts)).collect()
}

/// One remedy with parameters that somebody chose; what they did not name takes the best choice. Only what the
/// evidence offers can be chosen: nothing that was typed becomes part of a plan by itself.
pub fn chosen(
    playbook: &Playbook,
    finding: &Finding,
    evidence: &Evidence,
    remedy: &str,
    wanted: &BTreeMap<Text, Text>,
) -> Result<Candidate, String> {
    let facts = playbook.facts_of(finding, evidence);
    let known = Known::new(&facts);
    let fits = |remedy: &&CompiledRemedy| {
        remedy.when.as_ref().is_none_or(|when| when.holds(&known, &facts.captures).unwrap_or(false))
    };
    let offered: Vec<&CompiledRemedy> = playbook.remedies.iter().filter(fits).collect();
    let Some(compiled) = offered.iter().find(|compiled| compiled.id == *remedy) else {
        let names: Vec<&str> = offered.iter().map(|compiled| compiled.id.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(format!("there is no remedy `{remedy}` that fits now; those that do: {names}"));
    };
    let takes = |name: &Text| compiled.parameters.iter().any(|(parameter, _)| parameter == name);
    if let Some(name) = wanted.keys().find(|name| !takes(name)) {
        return Err(format!("`{remedy}` takes no parameter `{name}`"));
    }
    playbook.candidate_with(compiled, &facts, wanted)
}

/// Exact steps for a person, in Markdown, with this object's names filled in.
pub fn manual(playbook: &Playbook, finding: &Finding, evidence: &Evidence) -> String {
    let facts = playbook.facts_of(finding, evidence);
    playbook.render(MANUAL, &Playbook::data(&facts, &BTreeMap::new())).trim().to_owned()
}

impl Playbook {
    /// The remedies it may offer: id, title, least risk.
    pub fn remedies(&self) -> impl Iterator<Item = (&Text, &Text, Risk)> {
        self.remedies.iter().map(|remedy| (&remedy.id, &remedy.title, remedy.risk))
    }

    /// What a remedy does and when it is right, in Markdown.
    pub fn explanation_of(&self, remedy: &Text) -> Option<&str> {
        let found = self.remedies.iter().find(|known| known.id == *remedy)?;
        Some(found.explanation.trim())
    }

    /// The cause in one sentence. Every look renders it, so it is given only the facts that it names.
    pub fn cause(&self, facts: &Facts) -> String {
        let mut context = Context::null();
        *context.data_mut() = facts.groups(&self.cause_facts);
        let mut rendered = Vec::with_capacity(SENTENCE);
        if self.templates.render_with_context_to_write(CAUSE, &context, &mut rendered).is_err() {
            return String::new();
        }
        on_one_line(&String::from_utf8_lossy(&rendered))
    }

    fn facts_of(&self, finding: &Finding, evidence: &Evidence) -> Facts {
        let variable = |name: &str| finding.variables.get(name).map(ToString::to_string);
        let mut facts = facts(evidence, variable("container").as_deref());
        facts.captures =
            self.captures.iter().map(|name| (name.clone(), variable(name).unwrap_or_default())).collect();
        facts
    }

    fn data(facts: &Facts, parameters: &BTreeMap<Text, Text>) -> Value {
        let mut data = serde_json::to_value(facts).expect("facts are plain data with string keys");
        data["parameters"] = json!(parameters);
        data
    }

    /// The linter renders every template, so that what fails here fails there first.
    fn render(&self, template: &str, data: &Value) -> String {
        self.templates.render(template, data).unwrap_or_default()
    }

    /// What goes wrong when the templates are rendered over these facts.
    pub(super) fn try_templates(&self, facts: &Facts) -> Vec<String> {
        let parameters = self.remedies.iter().flat_map(|remedy| &remedy.parameters);
        let parameters = parameters.map(|(name, _)| (name.clone(), Text::new("example"))).collect();
        let data = Self::data(facts, &parameters);
        let mut problems: Vec<String> = self
            .templates
            .get_templates()
            .keys()
            .filter_map(|name| {
                self.templates.render(name, &data).err().map(|error| format!("template {name}: {error}"))
            })
            .collect();
        let paths = self.remedies.iter().flat_map(|remedy| {
            let parameters = remedy.parameters.iter().map(|(_, path)| path.clone());
            parameters.chain(remedy.steps.iter().flat_map(|(_, argument)| paths(argument)))
        });
        problems.extend(
            paths
                .filter(|path| at(&data, path).is_none())
                .map(|path| format!("there is no fact at `{path}`")),
        );
        problems.sort();
        problems
    }

    fn candidate(&self, remedy: &CompiledRemedy, facts: &Facts) -> Option<Candidate> {
        self.candidate_with(remedy, facts, &BTreeMap::new()).ok()
    }

    fn candidate_with(
        &self,
        remedy: &CompiledRemedy,
        facts: &Facts,
        wanted: &BTreeMap<Text, Text>,
    ) -> Result<Candidate, String> {
        let bare = Self::data(facts, &BTreeMap::new());
        let mut parameters = BTreeMap::new();
        let mut alternatives = BTreeMap::new();
        for (name, path) in &remedy.parameters {
            let mut choices = choices(&bare, path);
            let at = match wanted.get(name) {
                Some(value) => choices.iter().position(|choice| choice == value).ok_or_else(|| {
                    let known: Vec<&str> = choices.iter().take(10).map(Text::as_str).collect();
                    format!("`{value}` is no choice for `{name}`; the choices are: {}", known.join(", "))
                })?,
                None if choices.is_empty() => return Err(format!("there is nothing to choose for `{name}`")),
                None => 0,
            };
            parameters.insert(name.clone(), choices.remove(at));
            alternatives.insert(name.clone(), choices);
        }
        let data = Self::data(facts, &parameters);
        let steps = remedy.steps.iter().map(|(action, arguments)| CandidateStep {
            action: action.clone(),
            arguments: self.fill(arguments, &data),
        });
        Ok(Candidate {
            condition: self.id.clone(),
            remedy: remedy.id.clone(),
            title: remedy.title.clone(),
            explanation: remedy.explanation.clone(),
            risk: remedy.risk,
            mode: remedy.mode,
            steps: steps.collect(),
            parameters,
            alternatives,
            checks: remedy.checks.clone(),
            timeout_seconds: remedy.timeout_seconds,
        })
    }

    fn fill(&self, argument: &Argument, data: &Value) -> Value {
        match argument {
            Argument::Literal(value) => value.clone(),
            Argument::Template(name) => Value::String(self.render(name, data)),
            Argument::From(path) => at(data, path).cloned().unwrap_or_default(),
            Argument::List(items) => items.iter().map(|item| self.fill(item, data)).collect(),
            Argument::Map(fields) => Value::Object(
                fields.iter().map(|(name, field)| (name.clone(), self.fill(field, data))).collect(),
            ),
        }
    }
}

fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

fn paths(argument: &Argument) -> Vec<String> {
    match argument {
        Argument::Literal(_) | Argument::Template(_) => Vec::new(),
        Argument::From(path) => vec![path.clone()],
        Argument::List(items) => items.iter().flat_map(paths).collect(),
        Argument::Map(fields) => fields.iter().flat_map(|(_, field)| paths(field)).collect(),
    }
}

/// The fact at a dotted path.
fn at<'d>(data: &'d Value, path: &str) -> Option<&'d Value> {
    path.split('.').try_fold(data, |value, key| value.get(key))
}

/// The texts at a path: a list, or one text that is not empty.
fn choices(data: &Value, path: &str) -> Vec<Text> {
    match at(data, path) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(Text::new).collect(),
        Some(Value::String(text)) if !text.is_empty() => vec![Text::new(text)],
        Some(_) | None => Vec::new(),
    }
}
