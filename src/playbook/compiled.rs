//! A playbook ready for use: patterns, conditions and templates compiled, durations read.

use std::collections::BTreeSet;
use std::path::Path;

use handlebars::{Handlebars, no_escape};
use jiff::SignedDuration;
use serde_json::Value;
use serde_saphyr::Location;

use super::condition::Condition;
use super::facts::{Facts, TEMPLATE_NAMES};
use super::known::Known;
use super::patterns::{self, Rule, Says};
use super::problem::Problem;
use super::schema::{Document, Matcher, Placed, RemedySpec, Spec, TestSpec};
use crate::incident::{ConditionId, Digest, Mode, Risk, Scope, Severity, Text, WantedCheck};

/// A condition, how to recognise it, and what can be done about it.
#[derive(Debug)]
pub struct Playbook {
    pub id: ConditionId,
    /// Of the file, to the byte.
    pub digest: Digest,
    /// The file's name, and its text as written.
    pub file: String,
    pub source: String,
    pub title: Text,
    pub severity: Severity,
    /// Markdown.
    pub explanation: String,
    pub kinds: Vec<Text>,
    pub scope: Scope,
    pub hold_off_seconds: u32,
    /// Conditions (or families, `image.*`) whose incidents this one's take in.
    pub absorbs: Vec<Text>,
    /// Conditions (or families) that this one wins over.
    pub over: Vec<Text>,
    pub(super) when: Option<Condition>,
    pub(super) rivals: Vec<CompiledRival>,
    pub(super) remedies: Vec<CompiledRemedy>,
    pub(super) captures: BTreeSet<String>,
    /// The facts that the template of the cause names.
    pub(super) cause_facts: Vec<&'static str>,
    pub(super) templates: Handlebars<'static>,
    pub(super) tests: Vec<TestSpec>,
}

#[derive(Debug)]
pub(super) struct CompiledRival {
    pub condition: ConditionId,
    pub when: Option<Condition>,
}

#[derive(Debug)]
pub(super) struct CompiledRemedy {
    pub id: Text,
    pub title: Text,
    pub explanation: String,
    pub risk: Risk,
    pub mode: Mode,
    pub when: Option<Condition>,
    /// Name, and the path of the facts that its candidates come from.
    pub parameters: Vec<(Text, String)>,
    pub steps: Vec<(Text, Argument)>,
    pub checks: Vec<WantedCheck>,
    pub timeout_seconds: u32,
}

/// An argument of an action, before the facts are known.
#[derive(Debug)]
pub(super) enum Argument {
    Literal(Value),
    /// The name of a template.
    Template(String),
    /// The path of a fact, taken as it is.
    From(String),
    List(Vec<Argument>),
    Map(Vec<(String, Argument)>),
}

pub(super) const CAUSE: &str = "cause";
pub(super) const MANUAL: &str = "manual";

/// Reads and compiles one file. The rules go into the book's index.
pub(super) fn compile(file: &str, text: &str) -> Result<(Playbook, Vec<Rule>), Vec<Problem>> {
    let document: Document =
        serde_saphyr::from_str(text).map_err(|error| vec![Problem::of_yaml(file, &error)])?;
    let mut compiler =
        Compiler { file, problems: Vec::new(), captures: BTreeSet::new(), templates: empty_templates() };
    let made = compiler.document(document, text);
    if compiler.problems.is_empty() { Ok(made) } else { Err(compiler.problems) }
}

fn empty_templates() -> Handlebars<'static> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.register_escape_fn(no_escape);
    templates
}

struct Compiler<'f> {
    file: &'f str,
    problems: Vec<Problem>,
    captures: BTreeSet<String>,
    templates: Handlebars<'static>,
}

impl Compiler<'_> {
    fn document(&mut self, document: Document, text: &str) -> (Playbook, Vec<Rule>) {
        let Document { api_version, kind, metadata, spec } = document;
        self.expect_word(&api_version, "kubemend.dev/v1");
        self.expect_word(&kind, "Playbook");
        self.name(&metadata.name);
        let rules = self.rules(&spec);
        let when = self.condition(spec.when.as_ref());
        let rivals = spec.rivals.iter().map(|rival| {
            let when = self.condition(rival.when.as_ref());
            CompiledRival { condition: ConditionId::from(rival.condition.value.as_str()), when }
        });
        let rivals = rivals.collect();
        self.template(CAUSE, &spec.cause);
        self.template(MANUAL, &spec.manual);
        let remedies = spec.remedies.iter().map(|remedy| self.remedy(remedy)).collect();
        self.ids(&spec);
        self.tests(&spec, &metadata.name);
        let playbook = Playbook {
            id: ConditionId::from(metadata.name.value.as_str()),
            digest: Digest::of_bytes(text.as_bytes()),
            file: self.file.to_owned(),
            source: text.to_owned(),
            title: Text::from(&spec.title),
            severity: spec.severity,
            explanation: spec.explanation,
            kinds: spec.kinds.iter().map(Text::from).collect(),
            scope: spec.scope,
            hold_off_seconds: self.seconds(&spec.lasting),
            absorbs: spec.absorbs.iter().map(|p| Text::from(&p.value)).collect(),
            over: spec.over.iter().map(|p| Text::from(&p.value)).collect(),
            when,
            rivals,
            remedies,
            captures: std::mem::take(&mut self.captures),
            cause_facts: TEMPLATE_NAMES
                .iter()
                .copied()
                .filter(|name| spec.cause.value.contains(name))
                .collect(),
            templates: std::mem::replace(&mut self.templates, Handlebars::new()),
            tests: spec.tests,
        };
        self.try_out(&playbook, spec.when.as_ref().map(|when| when.referenced), spec.cause.referenced);
        (playbook, rules)
    }

    fn problem(&mut self, at: Location, message: impl Into<String>) {
        self.problems.push(Problem::new(self.file, Some(at), message));
    }

    fn expect_word(&mut self, found: &Placed, wanted: &str) {
        if found.value != wanted {
            self.problem(found.referenced, format!("`{}` where `{wanted}` is expected", found.value));
        }
    }

    fn name(&mut self, name: &Placed) {
        let part = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let valid = name.value.split_once('.').is_some_and(|(family, rest)| part(family) && part(rest));
        if !valid {
            self.problem(name.referenced, format!("`{}` is not an id of the form family.name", name.value));
        }
        let folder =
            Path::new(self.file).parent().and_then(Path::file_name).and_then(|folder| folder.to_str());
        let family = name.value.split('.').next().unwrap_or_default();
        if self.file.starts_with("playbooks/") && folder != Some(family) {
            self.problem(name.referenced, format!("this playbook belongs in the folder `{family}`"));
        }
    }

    fn rules(&mut self, spec: &Spec) -> Vec<Rule> {
        if spec.matching.any.is_empty() {
            self.problem(spec.cause.referenced, "`match.any` is empty, so nothing would ever match");
        }
        let speaking = spec.matching.any.iter().map(|matcher| (Says::For, matcher));
        let against = spec.matching.none.iter().map(|matcher| (Says::Against, matcher));
        speaking.chain(against).map(|(says, matcher)| self.rule(says, matcher)).collect()
    }

    fn rule(&mut self, says: Says, matcher: &Matcher) -> Rule {
        let mut compiled = Vec::new();
        for pattern in &matcher.patterns {
            match patterns::compile(&pattern.value) {
                Ok(regex) => {
                    self.captures.extend(regex.capture_names().flatten().map(str::to_owned));
                    compiled.push(regex);
                }
                Err(message) => self.problem(pattern.referenced, message),
            }
        }
        Rule {
            playbook: 0,
            says,
            places: matcher.places.clone(),
            reasons: matcher.reasons.clone(),
            kinds: matcher.types.clone(),
            statuses: matcher.statuses.clone(),
            exit_codes: matcher.exit_codes.clone(),
            patterns: compiled,
        }
    }

    fn condition(&mut self, text: Option<&Placed>) -> Option<Condition> {
        let text = text?;
        match Condition::compile(&text.value) {
            Ok(condition) => Some(condition),
            Err(message) => {
                self.problem(text.referenced, message);
                None
            }
        }
    }

    fn template(&mut self, name: &str, text: &Placed) {
        if let Err(error) = self.templates.register_template_string(name, &text.value) {
            self.problem(text.referenced, format!("not a template: {error}"));
        }
    }

    fn seconds(&mut self, text: &Placed) -> u32 {
        let read = text
            .value
            .parse::<SignedDuration>()
            .ok()
            .and_then(|duration| u32::try_from(duration.as_secs()).ok());
        read.unwrap_or_else(|| {
            self.problem(
                text.referenced,
                format!("`{}` is not a duration such as `30s` or `5m`", text.value),
            );
            0
        })
    }

    fn remedy(&mut self, remedy: &RemedySpec) -> CompiledRemedy {
        let id = &remedy.id.value;
        let steps = remedy.steps.iter().enumerate().map(|(at, step)| {
            let arguments = step.arguments.iter().map(|(name, value)| {
                let template = format!("{id}/{at}/{name}");
                (name.clone(), self.argument(&template, value, step.action.referenced))
            });
            let arguments = arguments.collect();
            (Text::from(&step.action.value), Argument::Map(arguments))
        });
        let steps: Vec<_> = steps.collect();
        if steps.is_empty() {
            self.problem(
                remedy.id.referenced,
                "a remedy has at least one step; what only people can do goes to `manual`",
            );
        }
        CompiledRemedy {
            id: Text::from(id),
            title: Text::from(&remedy.title),
            explanation: remedy.explanation.clone(),
            risk: remedy.risk,
            mode: remedy.mode,
            when: self.condition(remedy.when.as_ref()),
            parameters: remedy
                .parameters
                .iter()
                .map(|p| (Text::from(&p.name), p.from.value.clone()))
                .collect(),
            steps,
            checks: remedy.checks.clone(),
            timeout_seconds: self.seconds(&remedy.timeout),
        }
    }

    fn argument(&mut self, template: &str, value: &Value, at: Location) -> Argument {
        match value {
            Value::String(text) if text.contains("{{") => {
                if let Err(error) = self.templates.register_template_string(template, text) {
                    self.problem(at, format!("not a template: {error}"));
                }
                Argument::Template(template.to_owned())
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                Argument::List(
                    items.map(|(n, item)| self.argument(&format!("{template}/{n}"), item, at)).collect(),
                )
            }
            Value::Object(map) => {
                if let (1, Some(path)) = (map.len(), map.get("from").and_then(Value::as_str)) {
                    return Argument::From(path.to_owned());
                }
                let fields = map.iter();
                Argument::Map(
                    fields
                        .map(|(k, v)| (k.clone(), self.argument(&format!("{template}/{k}"), v, at)))
                        .collect(),
                )
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Argument::Literal(value.clone())
            }
        }
    }

    fn ids(&mut self, spec: &Spec) {
        let mut seen = BTreeSet::new();
        for remedy in &spec.remedies {
            if !seen.insert(&remedy.id.value) {
                self.problem(
                    remedy.id.referenced,
                    format!("the remedy `{}` is there twice", remedy.id.value),
                );
            }
        }
    }

    fn tests(&mut self, spec: &Spec, name: &Placed) {
        for test in &spec.tests {
            if test.message.is_some() == test.evidence.is_some() {
                self.problem(test.name.referenced, "a test has either a `message` or `evidence`");
            }
        }
        let expects = |wanted: bool| spec.tests.iter().any(|test| (test.expect == name.value) == wanted);
        if !expects(true) {
            self.problem(name.referenced, "no test expects this condition");
        }
        if !expects(false) {
            self.problem(name.referenced, "no test is a near miss, which must not match");
        }
    }

    /// Conditions and templates are tried on facts about which nothing is known, so that a misspelt field is
    /// found now and not in the night.
    fn try_out(&mut self, playbook: &Playbook, when: Option<Location>, cause: Location) {
        let facts = playbook.bare_facts();
        let known = Known::new(&facts);
        if let (Some(condition), Some(at)) = (&playbook.when, when)
            && let Err(message) = condition.holds(&known, &facts.captures)
        {
            self.problem(at, message);
        }
        let conditions = playbook.rivals.iter().filter_map(|rival| rival.when.as_ref());
        let conditions = conditions.chain(playbook.remedies.iter().filter_map(|remedy| remedy.when.as_ref()));
        for condition in conditions {
            if let Err(message) = condition.holds(&known, &facts.captures) {
                self.problem(cause, message);
            }
        }
        for message in playbook.try_templates(&facts) {
            self.problem(cause, message);
        }
    }
}

impl Playbook {
    /// Facts about which nothing is known.
    fn bare_facts(&self) -> Facts {
        let captures = self.captures.iter().map(|name| (name.clone(), String::new())).collect();
        Facts { captures, ..Facts::default() }
    }

    /// Whether this playbook wins over that one where both match.
    pub fn beats(&self, other: &ConditionId) -> bool {
        self.over.iter().any(|pattern| covers(pattern, other))
    }

    /// Whether an incident of this one takes in incidents of that condition.
    pub fn takes_in(&self, other: &ConditionId) -> bool {
        self.absorbs.iter().any(|pattern| covers(pattern, other))
    }
}

/// `image.*` covers a family, anything else itself.
fn covers(pattern: &str, id: &ConditionId) -> bool {
    match pattern.strip_suffix('*') {
        Some(family) => id.as_str().starts_with(family),
        None => pattern == id.as_str(),
    }
}
