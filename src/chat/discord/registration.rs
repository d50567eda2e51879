//! `/mend` and the message command as Discord wants them registered, made from the one list of commands. Pure.
//!
//! Owns what is registered and whether what Discord has is that. Refuses to register: that is `register`, and
//! only where something differs, since Discord allows 200 new commands a day.

use serde_json::{Map, Value, json};
use serenity::all::{
    CommandOptionType, CommandType, CreateCommand, CreateCommandOption, InstallationContext,
    InteractionContext,
};

use crate::chat::command::{ALL, MOST, Spec, Take, Thing};
use crate::chat::words::{FALLBACK, LOCALES, Words};

/// The slash command.
pub const MEND: &str = "mend";
/// Discord's longest string that an option takes here: no line is longer than a thousand.
const LONGEST: u16 = 900;

/// Where commands are registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// In one guild: known there at once.
    Guild,
    /// In every guild that the app is in.
    Global,
}

/// What is registered, in the shipped languages: English, and what else clients ask for.
pub fn commands(scope: Scope) -> Vec<Value> {
    let english = Words::shipped(FALLBACK);
    let others: Vec<Words> =
        LOCALES.iter().filter(|locale| **locale != FALLBACK).map(|locale| Words::shipped(locale)).collect();
    let phrases = Phrases { english: &english, others: &others };
    [phrases.mend(), phrases.diagnose()]
        .into_iter()
        .map(|command| match scope {
            Scope::Guild => command,
            Scope::Global => command
                .contexts(vec![InteractionContext::Guild])
                .integration_types(vec![InstallationContext::Guild]),
        })
        .map(|command| normal(&serde_json::to_value(command).expect("builders always serialise"), scope))
        .collect()
}

/// What the message command is called.
pub fn diagnose() -> String {
    Words::shipped(FALLBACK).word("discord.diagnose")
}

/// Whether what Discord has is not what is wanted. Ids, versions and what Discord fills in do not count.
pub fn differ(wanted: &[Value], held: &[Value], scope: Scope) -> bool {
    let sorted = |commands: &[Value]| {
        let mut all: Vec<Value> = commands.iter().map(|command| normal(command, scope)).collect();
        all.sort_by_key(|command| (command["type"].as_u64(), command["name"].to_string()));
        all
    };
    sorted(wanted) != sorted(held)
}

/// The words in English with the others beside them.
struct Phrases<'w> {
    english: &'w Words,
    others: &'w [Words],
}

impl Phrases<'_> {
    fn mend(&self) -> CreateCommand {
        let command = CreateCommand::new(MEND).kind(CommandType::ChatInput);
        let command = command.description(self.english.word("discord.mend"));
        let command = self.others.iter().fold(command, |command, words| {
            command.description_localized(words.locale(), words.word("discord.mend"))
        });
        command.set_options(ALL.iter().map(|spec| self.subcommand(spec)).collect())
    }

    fn diagnose(&self) -> CreateCommand {
        let command = CreateCommand::new(self.english.word("discord.diagnose")).kind(CommandType::Message);
        self.others.iter().fold(command, |command, words| {
            command.name_localized(words.locale(), words.word("discord.diagnose"))
        })
    }

    fn subcommand(&self, spec: &Spec) -> CreateCommandOption {
        let key = format!("discord.command.{}", spec.name);
        let options: Vec<_> = spec.takes.iter().map(|take| self.option(take)).collect();
        self.described(CommandOptionType::SubCommand, spec.name, &key).set_sub_options(options)
    }

    fn option(&self, take: &Take) -> CreateCommandOption {
        let key = format!("discord.option.{}", take.name);
        let kind = match take.thing {
            Thing::Switch => CommandOptionType::Boolean,
            Thing::Number => CommandOptionType::Integer,
            _ => CommandOptionType::String,
        };
        let option = self.described(kind, take.name, &key).required(take.required);
        match take.thing {
            Thing::Switch => option,
            Thing::Number => option.min_int_value(1).max_int_value(u64::from(MOST)),
            Thing::Severity => self.severities(option),
            Thing::Command => {
                ALL.iter().fold(option, |option, spec| option.add_string_choice(spec.name, spec.name))
            }
            Thing::Text => option.max_length(LONGEST),
            Thing::Incident
            | Thing::Proposal
            | Thing::Execution
            | Thing::Object
            | Thing::Remedy
            | Thing::Duration
            | Thing::Search
            | Thing::Namespace
            | Thing::Cluster => option.max_length(LONGEST).set_autocomplete(true),
        }
    }

    fn severities(&self, option: CreateCommandOption) -> CreateCommandOption {
        ["critical", "warning", "info"].into_iter().fold(option, |option, severity| {
            let word = |words: &Words| words.word(&format!("severity.{severity}"));
            let localized: Vec<_> =
                self.others.iter().map(|words| (words.locale().to_owned(), word(words))).collect();
            option.add_string_choice_localized(word(self.english), severity, localized)
        })
    }

    fn described(&self, kind: CommandOptionType, name: &str, key: &str) -> CreateCommandOption {
        let option = CreateCommandOption::new(kind, name, self.english.word(key));
        self.others
            .iter()
            .fold(option, |option, words| option.description_localized(words.locale(), words.word(key)))
    }
}

/// A command with nothing but what is ours to say, and without what says nothing.
fn normal(command: &Value, scope: Scope) -> Value {
    let mut kept = keep(
        command,
        &[
            "name",
            "name_localizations",
            "description",
            "description_localizations",
            "default_member_permissions",
        ],
    );
    kept.insert("type".into(), json!(command["type"].as_u64().unwrap_or(1)));
    if scope == Scope::Global {
        kept.extend(keep(command, &["contexts", "integration_types"]));
    }
    options(command, &mut kept);
    Value::Object(kept)
}

fn option(option: &Value) -> Value {
    let mut kept = keep(
        option,
        &[
            "type",
            "name",
            "name_localizations",
            "description",
            "description_localizations",
            "required",
            "autocomplete",
            "min_value",
            "max_value",
            "min_length",
            "max_length",
        ],
    );
    let choice = |choice: &Value| Value::Object(keep(choice, &["name", "name_localizations", "value"]));
    let choices: Vec<Value> = option["choices"].as_array().into_iter().flatten().map(choice).collect();
    if !choices.is_empty() {
        kept.insert("choices".into(), json!(choices));
    }
    options(option, &mut kept);
    Value::Object(kept)
}

fn options(of: &Value, kept: &mut Map<String, Value>) {
    let inner: Vec<Value> = of["options"].as_array().into_iter().flatten().map(option).collect();
    if !inner.is_empty() {
        kept.insert("options".into(), json!(inner));
    }
}

/// These fields, where they say something.
fn keep(of: &Value, names: &[&str]) -> Map<String, Value> {
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    };
    let found = names.iter().filter_map(|name| Some(((*name).to_owned(), of.get(name)?)));
    found.filter(|(_, value)| says(value)).map(|(name, value)| (name, whole(value))).collect()
}

/// Discord gives some whole numbers with a point.
fn whole(value: &Value) -> Value {
    let number = value.as_f64().filter(|number| number.fract() == 0.0);
    number
        .and_then(|number| format!("{number:.0}").parse::<i64>().ok())
        .map_or_else(|| value.clone(), Value::from)
}

#[cfg(test)]
mod tests;
