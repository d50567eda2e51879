//! What the cluster said: quotes, events in order, the ends of logs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::say::Say;
use super::incident::source_tag;
use super::incidents::cut;
use crate::incident::objects::Event;
use crate::incident::{Evidence, LogTail, Quote};

/// Quotes that stay in sight.
const IN_SIGHT: usize = 3;
const MOST_EVENTS: usize = 40;
const MOST_LINES: usize = 60;
const LONGEST: usize = 2_000;

/// The quotes, the first few apart from the others.
pub(super) fn quotes(quotes: &[Quote], say: Say<'_>) -> Value {
    let one = |quote: &Quote| {
        json!({
            "source": say.t(&format!("source.{}", source_tag(quote.source))),
            // The source says already that it is an event.
            "origin": quote.origin.strip_prefix("event ").unwrap_or(&quote.origin),
            "text": cut(&quote.text, LONGEST),
            "at": say.maybe(quote.at),
        })
    };
    let all: Vec<Value> = quotes.iter().map(one).collect();
    let (first, rest) = all.split_at(all.len().min(IN_SIGHT));
    json!({
        "first": first,
        "rest": rest,
        "others": (!rest.is_empty()).then(|| say.count("incident.quotes", rest.len() as u64)),
    })
}

/// Events, oldest first, as one line each.
pub(super) fn events(evidence: &Evidence, say: Say<'_>) -> Vec<Value> {
    let mut events: Vec<(Option<Timestamp>, &Event)> =
        evidence.seen.events.iter().map(|event| (event.last.or(event.first), event)).collect();
    events.sort_by_key(|(at, _)| *at);
    let skip = events.len().saturating_sub(MOST_EVENTS);
    let one = |(at, event): &(Option<Timestamp>, &Event)| {
        json!({
            "at": say.maybe(*at),
            "first": (event.count > 1).then(|| say.maybe(event.first)),
            "warning": event.kind == "Warning",
            "reason": event.reason,
            "text": cut(&event.message, LONGEST),
            "times": (event.count > 1).then(|| say.count("incident.times", event.count)),
            "component": event.component,
        })
    };
    events.iter().skip(skip).map(one).collect()
}

/// The ends of logs.
pub(super) fn logs(evidence: &Evidence, say: Say<'_>) -> Vec<Value> {
    let one = |tail: &LogTail| {
        let skip = tail.lines.len().saturating_sub(MOST_LINES);
        let lines: Vec<String> = tail.lines.iter().skip(skip).map(|line| cut(line, LONGEST)).collect();
        let key = if tail.previous { "incident.log-before" } else { "incident.log" };
        json!({ "title": say.fill(key, &[("container", &tail.container)]), "text": lines.join("\n") })
    };
    evidence.seen.logs.iter().filter(|tail| !tail.lines.is_empty()).map(one).collect()
}
