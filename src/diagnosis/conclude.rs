//! From matches to findings: places, keys, quotes, variables.

use std::collections::BTreeMap;

use super::judge::{Match, cut, fitting, spoken};
use super::pieces::{Focus, Piece, focuses};
use crate::incident::{Evidence, Finding, Gathered, IncidentKey, Place, Quote, Scope, Source, Text};
use crate::playbook::{Book, Facts, facts_of, workload};

/// No more quotes are shown, and none is longer (in bytes).
const MOST_QUOTES: usize = 5;
const LONGEST_QUOTE: usize = 1_000;

/// What the evidence shows: nothing, one cause, or several that do not depend on each other.
pub fn diagnose(book: &Book, evidence: &Evidence) -> Vec<Finding> {
    let mut found: Vec<(Finding, bool)> = Vec::new();
    for focus in focuses(evidence) {
        let spoken = spoken(book, &evidence.seen.subject.api.kind, &focus.pieces);
        if spoken.is_empty() {
            continue;
        }
        let mut facts = facts_of(evidence, focus.container.as_deref());
        let best = fitting(book, spoken, &focus.pieces, &facts).into_iter().next();
        if let Some(best) = best {
            facts.captures.clone_from(&best.captures);
            found.push((finding(evidence, &focus, &best, &facts), focus.container.is_none()));
        }
    }
    independent(book, &found)
}

/// A finding about the whole object and one about a container exclude each other as their playbooks say;
/// equal keys are one finding.
fn independent(book: &Book, found: &[(Finding, bool)]) -> Vec<Finding> {
    let beaten = |loser: &Finding, whole: bool| {
        found.iter().any(|(other, other_whole)| {
            *other_whole != whole && book.get(&other.condition).is_some_and(|p| p.beats(&loser.condition))
        })
    };
    let mut kept: Vec<Finding> = Vec::new();
    for (finding, whole) in found {
        if beaten(finding, *whole) {
            continue;
        }
        match kept.iter_mut().find(|other| other.key == finding.key) {
            None => kept.push(finding.clone()),
            Some(first) => {
                let more = finding.quotes.iter().filter(|quote| !first.quotes.contains(quote)).cloned();
                let more: Vec<Quote> = more.take(MOST_QUOTES.saturating_sub(first.quotes.len())).collect();
                first.quotes.extend(more);
                first.since = [first.since, finding.since].into_iter().flatten().min();
            }
        }
    }
    kept
}

fn finding(evidence: &Evidence, focus: &Focus, best: &Match<'_>, facts: &Facts) -> Finding {
    let (seen, playbook) = (&evidence.seen, best.playbook);
    let pieces = || best.pieces.iter().map(|&at| &focus.pieces[at]);
    let places = places(seen, facts);
    let mut quotes = told(pieces());
    // How each secret stands to the registry belongs to what is said about credentials, and nowhere else.
    if playbook.id.as_str().starts_with("image.auth-") {
        quotes.extend(facts.image.secrets.iter().map(computed));
    }
    let own = Place { scope: Scope::Object, name: Text::unpooled(&seen.subject.to_string()) };
    let place = places.iter().find(|place| place.scope == playbook.scope).cloned().unwrap_or(own);
    Finding {
        condition: playbook.id.clone(),
        playbook: playbook.digest.clone(),
        severity: playbook.severity,
        title: playbook.title.clone(),
        cause: playbook.cause(facts),
        subject: seen.subject.clone(),
        key: IncidentKey { cluster: seen.subject.cluster.clone(), condition: playbook.id.clone(), place },
        places,
        quotes,
        variables: variables(facts),
        also_possible: best.also_possible.clone(),
        hold_off_seconds: playbook.hold_off_seconds,
        since: pieces().filter_map(|piece| piece.since).min(),
    }
}

fn places(seen: &Gathered, facts: &Facts) -> Vec<Place> {
    let subject = &seen.subject;
    let namespace = &subject.namespace;
    let mut places = vec![Place { scope: Scope::Object, name: Text::unpooled(&subject.to_string()) }];
    let mut add = |scope: Scope, name: String| places.push(Place { scope, name: Text::from(name) });
    match (workload(seen), facts.pod.workload.as_str()) {
        (Some(top), _) => add(Scope::Workload, format!("{} {namespace}/{}", top.kind, top.meta.name)),
        (None, "") => add(Scope::Workload, subject.to_string()),
        (None, name) => add(Scope::Workload, format!("{} {namespace}/{name}", facts.pod.workload_kind)),
    }
    if facts.pod.known {
        let account =
            if facts.pod.service_account.is_empty() { "default" } else { &facts.pod.service_account };
        add(Scope::ServiceAccount, format!("{namespace}/{account}"));
    }
    if subject.api.kind == "Namespace" {
        add(Scope::Namespace, subject.name.to_string());
    } else if !namespace.is_empty() {
        add(Scope::Namespace, namespace.to_string());
    }
    if !facts.node.name.is_empty() {
        add(Scope::Node, facts.node.name.clone());
    }
    if !facts.image.registry.is_empty() {
        add(Scope::Registry, facts.image.registry.clone());
    }
    add(Scope::Cluster, String::new());
    places
}

/// What speaks for it, each text once: the newest of it, by kind and then in order of time. Times alone would
/// not do: an event and the state it tells of repeat in turn, and each turn would put the other first.
fn told<'p>(pieces: impl Iterator<Item = &'p Piece>) -> Vec<Quote> {
    let mut quotes: Vec<Quote> = Vec::new();
    for piece in pieces.filter(|piece| !piece.text.is_empty()) {
        let Some(source) = piece.place else { continue };
        let short = piece.text.len() <= LONGEST_QUOTE;
        let text = if short { piece.text.clone() } else { Text::unpooled(cut(&piece.text, LONGEST_QUOTE)) };
        // The state and its event often tell the same, one with more words around it.
        if quotes.iter().any(|quote| quote.text.contains(text.as_str())) {
            continue;
        }
        quotes.retain(|quote| !text.contains(quote.text.as_str()));
        quotes.push(Quote { source, origin: piece.origin.clone(), text, at: piece.at });
    }
    quotes.sort_by_key(|quote| quote.at);
    let surplus = quotes.len().saturating_sub(MOST_QUOTES);
    quotes.drain(..surplus);
    quotes.sort_by_key(|quote| quote.source);
    quotes
}

fn computed(secret: &crate::playbook::SecretView) -> Quote {
    let mut text = match secret.coverage.as_str() {
        "covered" => format!("secret {} covers the registry", secret.name),
        "missing" => format!("secret {} does not exist in this namespace", secret.name),
        "invalid" => format!("secret {} cannot be used for the registry", secret.name),
        _ => format!("secret {} could not be looked at", secret.name),
    };
    if !secret.defects.is_empty() {
        text = format!("{text}: {}", secret.defects.join("; "));
    } else if !secret.registries.is_empty() {
        text = format!("{text}: it is for {}", secret.registries.join(", "));
    }
    Quote {
        source: Source::Computed,
        origin: Text::from(format!("secret {}", secret.name)),
        text: Text::from(text),
        at: None,
    }
}

/// The captures, and the names that people look for. A group whose name begins with `_` is a mark for
/// conditions, not a variable.
pub(super) fn variables(facts: &Facts) -> BTreeMap<Text, Text> {
    let missing = facts.missing.first();
    let exit_code =
        if facts.container.exit_code < 0 { String::new() } else { facts.container.exit_code.to_string() };
    let secrets: Vec<&str> = facts.image.secrets.iter().map(|secret| secret.name.as_str()).collect();
    let named = [
        ("container", facts.container.name.clone()),
        ("image", facts.image.name.clone()),
        ("registry", facts.image.registry.clone()),
        ("repository", facts.image.repository.clone()),
        ("tag", facts.image.tag.clone()),
        ("secrets", secrets.join(", ")),
        ("node", facts.node.name.clone()),
        ("serviceAccount", facts.pod.service_account.clone()),
        ("workload", facts.pod.workload.clone()),
        ("exitCode", exit_code),
        ("finalizers", facts.subject.owned_finalizers.join(", ")),
        ("nearest", missing.map(|m| m.nearest.clone()).unwrap_or_default()),
    ];
    let caught = facts
        .captures
        .iter()
        .filter(|(name, _)| !name.starts_with('_'))
        .map(|(name, value)| (name.as_str(), value.clone()));
    named
        .into_iter()
        .chain(caught)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (Text::new(name), Text::unpooled(&value)))
        .collect()
}
