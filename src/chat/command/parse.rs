//! Reading a line. Total: whatever is typed gives a wish or a slip.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::words::{ALL, Spec, spec};
use super::{Command, Slip, What, Which, Wish};
use crate::chat::press;
use crate::engine::nearest;
use crate::incident::{Severity, Text};

/// No line is longer.
const LONGEST: usize = 1000;
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(24 * 30);
const USUAL: u32 = 15;
/// So many incidents are listed at most.
pub const MOST: u32 = 50;

/// What a line after `/mend` says.
pub fn parse(line: &str) -> Result<Command, Slip> {
    if line.len() > LONGEST {
        return Err(Slip::TooLong);
    }
    let mut words = split(line).into_iter();
    let Some(first) = words.next() else { return Err(Slip::Empty) };
    let name = first.to_lowercase();
    let Some(spec) = spec(&name) else {
        let near = nearest(&name, ALL.iter().map(|spec| spec.name));
        return Err(Slip::Unknown { word: first, near });
    };
    let mut given = Given::read(spec, words)?;
    let here = given.switch("--here");
    let wish = wish(spec, &mut given)?;
    Ok(Command { wish, here })
}

fn wish(spec: &'static Spec, given: &mut Given) -> Result<Wish, Slip> {
    let wish = match spec.name {
        "help" => Wish::Help { about: given.next() },
        "status" => Wish::Status,
        "incidents" => return which(given).map(Wish::Incidents),
        "show" => Wish::Show { incident: given.the(What::Incident, press::incident)? },
        "diagnose" => diagnose(given)?,
        "actions" => Wish::Actions { incident: given.the(What::Incident, press::incident)? },
        "run" => return run(given),
        "approve" => Wish::Approve { proposal: given.the(What::Proposal, press::proposal)? },
        "deny" => {
            let proposal = given.the(What::Proposal, press::proposal)?;
            return Ok(Wish::Deny { proposal, note: given.rest() });
        }
        "undo" => Wish::Undo { execution: given.the(What::Execution, execution)? },
        "silence" => {
            let incident = given.the(What::Incident, press::incident)?;
            let lasting = given.the(What::Duration, duration)?;
            return Ok(Wish::Silence { incident, lasting, note: given.rest() });
        }
        "pause" => Wish::Pause,
        "resume" => Wish::Resume,
        "audit" => Wish::Audit { incident: given.maybe(What::Incident, press::incident)? },
        _ => Wish::WhoAmI,
    };
    given.nothing_more()?;
    Ok(wish)
}

fn which(given: &mut Given) -> Result<Which, Slip> {
    let text = given.rest();
    Ok(Which {
        cluster: given.value("--cluster").map(Text::from),
        namespace: given.value("--namespace").map(Text::from),
        severity: given.read_value("--severity", What::Severity, severity)?,
        all: given.switch("--all"),
        text: (!text.is_empty()).then(|| text.to_string()),
        limit: given.read_value("--limit", What::Number, number)?.unwrap_or(USUAL),
    })
}

fn diagnose(given: &mut Given) -> Result<Wish, Slip> {
    let object = given.the(What::Object, |text| Some(text.to_owned()))?;
    let parts: Vec<&str> = object.splitn(3, '/').collect();
    let (kind, inside, name) = match parts.as_slice() {
        [kind, namespace, name] => (kind.to_lowercase(), Some(*namespace), (*name).to_owned()),
        [kind, name] => (kind.to_lowercase(), None, (*name).to_owned()),
        // `pod checkout` as kubectl takes it.
        _ => match given.next() {
            Some(name) => (object.to_lowercase(), None, name),
            None => ("pod".to_owned(), None, object.clone()),
        },
    };
    if !is_name(&kind) || !is_name(&name) || inside.is_some_and(|namespace| !is_name(namespace)) {
        return Err(Slip::Bad { value: object, what: What::Object });
    }
    Ok(Wish::Diagnose {
        kind,
        name: name.into(),
        namespace: given.value("--namespace").map(Text::from).or(inside.map(Text::from)),
        cluster: given.value("--cluster").map(Text::from),
    })
}

fn run(given: &mut Given) -> Result<Wish, Slip> {
    let incident = given.the(What::Incident, press::incident)?;
    let remedy = given.the(What::Remedy, |text| is_name(text).then(|| Text::from(text)))?;
    let mut parameters = BTreeMap::new();
    while let Some((name, value)) = given.maybe(What::Parameter, parameter)? {
        parameters.insert(name, value);
    }
    Ok(Wish::Run { incident, remedy, parameters })
}

fn parameter(text: &str) -> Option<(Text, Text)> {
    let (name, value) = text.split_once('=')?;
    (is_name(name) && !value.is_empty()).then(|| (name.into(), value.into()))
}

/// With or without its `x-`.
fn execution(text: &str) -> Option<crate::incident::ExecutionId> {
    press::execution(text).or_else(|| press::proposal(text).map(|id| crate::incident::ExecutionId::of(&id)))
}

fn severity(text: &str) -> Option<Severity> {
    match text.to_lowercase().as_str() {
        "critical" => Some(Severity::Critical),
        "warning" => Some(Severity::Warning),
        "info" => Some(Severity::Info),
        _ => None,
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| (1..=MOST).contains(number))
}

/// `90s`, `30m`, `2h`, `3d`, `1w`, or some of them together.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let (mut total, mut digits) = (SignedDuration::ZERO, String::new());
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let seconds = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return None,
        };
        let count: i64 = digits.parse().ok()?;
        total = total.checked_add(SignedDuration::from_secs(count.checked_mul(seconds)?))?;
        digits.clear();
    }
    (digits.is_empty() && total > SignedDuration::ZERO && total <= LONGEST_SILENCE).then_some(total)
}

/// The name of a kind, an object or a remedy: nothing that could mean more.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    !text.is_empty() && text.len() <= 253 && text.chars().all(fits)
}

/// The words of a line: white space parts them, quotes hold them together.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut open) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (None, '"' | '“' | '”') => (quote, open) = (Some(if c == '"' { '"' } else { '”' }), true),
            (None, '\'') if word.is_empty() => (quote, open) = (Some('\''), true),
            (None, c) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            // What phones and Slack make of two hyphens.
            (None, '—' | '–') if word.is_empty() => word.push_str("--"),
            (None, '`') => {}
            (Some(_) | None, c) => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    words
}

/// What was given to a command.
struct Given {
    spec: &'static Spec,
    words: std::vec::IntoIter<String>,
    flags: BTreeMap<&'static str, String>,
}

impl Given {
    fn read(spec: &'static Spec, words: impl Iterator<Item = String>) -> Result<Self, Slip> {
        let (mut plain, mut flags) = (Vec::new(), BTreeMap::new());
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            // From here on nothing is a flag.
            if word == "--" {
                plain.extend(words);
                break;
            }
            if !word.starts_with('-') || word.len() < 2 {
                plain.push(word);
                continue;
            }
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word.clone(), None),
            };
            let name = if name == "-n" { "--namespace".to_owned() } else { name.to_lowercase() };
            if let Some(flag) = spec.values().find(|flag| *flag == name) {
                let value = inline.or_else(|| words.next()).filter(|value| !value.is_empty());
                flags.insert(flag, value.ok_or(Slip::Value { flag })?);
            } else if let Some(flag) = spec.switches().find(|flag| *flag == name) {
                flags.insert(flag, String::new());
            } else {
                let known = spec.values().chain(spec.switches());
                let near = nearest(&name, known);
                return Err(Slip::Flag { command: spec.name, flag: word, near });
            }
        }
        Ok(Self { spec, words: plain.into_iter(), flags })
    }

    fn next(&mut self) -> Option<String> {
        self.words.next()
    }

    /// The next word, which must be there.
    fn the<T>(&mut self, what: What, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Slip> {
        let found = self.maybe(what, read)?;
        found.ok_or(Slip::Missing { command: self.spec.name, what })
    }

    /// The next word, if there is one.
    fn maybe<T>(&mut self, what: What, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Slip> {
        let Some(word) = self.words.next() else { return Ok(None) };
        read(&word).map(Some).ok_or(Slip::Bad { value: word, what })
    }

    /// All further words as one text.
    fn rest(&mut self) -> Text {
        Text::from(self.words.by_ref().collect::<Vec<_>>().join(" "))
    }

    fn nothing_more(&mut self) -> Result<(), Slip> {
        match self.words.next() {
            Some(word) => Err(Slip::Extra { command: self.spec.name, word }),
            None => Ok(()),
        }
    }

    fn switch(&mut self, flag: &str) -> bool {
        self.flags.remove(flag).is_some()
    }

    fn value(&mut self, flag: &str) -> Option<String> {
        self.flags.remove(flag)
    }

    fn read_value<T>(
        &mut self,
        flag: &str,
        what: What,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Slip> {
        let Some(value) = self.flags.remove(flag) else { return Ok(None) };
        read(&value).map(Some).ok_or(Slip::Bad { value, what })
    }
}
