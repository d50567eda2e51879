//! Entries in words: what happened, who did it, where it stands in the chain.

use serde_json::{Value, json};

use super::super::say::Say;
use super::incidents::verdict_tag;
use super::proposal::via;
use crate::incident::chain::{Audited, General, Upkeep};
use crate::incident::{Actor, ChangeOutcome, DecisionKind, Entry, Outcome, Recorded};

/// A record as a line: a tag for its mark, a sentence, and who.
struct Line {
    tag: &'static str,
    text: String,
    note: String,
    by: Option<Actor>,
}

impl Line {
    fn of(tag: &'static str, text: String) -> Self {
        Self { tag, text, note: String::new(), by: None }
    }

    fn by(self, by: &Actor) -> Self {
        Self { by: Some(by.clone()), ..self }
    }

    fn note(self, note: &str) -> Self {
        Self { note: note.to_owned(), ..self }
    }
}

/// The entries of one incident.
pub(super) fn history(entries: &[Recorded], say: Say<'_>) -> Vec<Value> {
    entries.iter().map(|recorded| of_incident(recorded, say)).collect()
}

/// A record of the audit.
pub(super) fn record(audited: &Audited, say: Say<'_>) -> Value {
    match audited {
        Audited::Incident(recorded) => of_incident(recorded, say),
        Audited::General(general) => of_house(general, say),
    }
}

fn of_incident(recorded: &Recorded, say: Say<'_>) -> Value {
    let line = line(&recorded.entry, say);
    json!({
        "seq": recorded.seq,
        "at": say.when(recorded.at),
        "incident": recorded.incident,
        "hash": recorded.hash.as_str(),
        "short": recorded.hash.short(),
        "tag": line.tag,
        "text": line.text,
        "note": line.note,
        "by": line.by.as_ref().map(|by| by.name.clone()),
        "via": line.by.map(|by| via(by.via, say)),
    })
}

fn of_house(general: &General, say: Say<'_>) -> Value {
    let (tag, text, by) = match &general.what {
        Upkeep::Forgotten { incident, entries } => {
            let values = [("incident", incident.as_str()), ("count", &entries.to_string())];
            ("upkeep", say.fill("entry.forgotten", &values), None)
        }
        Upkeep::Checkpoint { through, hash: _ } => {
            ("upkeep", say.fill("entry.checkpoint", &[("seq", &through.to_string())]), None)
        }
        Upkeep::Paused { by } => ("brake", say.t("entry.paused"), Some(by)),
        Upkeep::Resumed { by } => ("brake", say.t("entry.resumed"), Some(by)),
    };
    json!({
        "seq": general.seq,
        "at": say.when(general.at),
        "incident": Value::Null,
        "hash": general.hash.as_str(),
        "short": general.hash.short(),
        "tag": tag,
        "text": text,
        "note": "",
        "by": by.map(|by| by.name.clone()),
        "via": by.map(|by| via(by.via, say)),
    })
}

fn line(entry: &Entry, say: Say<'_>) -> Line {
    match entry {
        Entry::Opened { finding, .. } => {
            Line::of("seen", say.fill("entry.opened", &[("title", &finding.title)]))
        }
        Entry::Updated { finding, .. } => Line::of("seen", say.t("entry.updated")).note(&finding.cause),
        Entry::MembersChanged { members } => Line::of("seen", say.count("entry.members", members.now)),
        Entry::Absorbed { into } => {
            Line::of("seen", say.fill("entry.absorbed", &[("incident", into.as_str())]))
        }
        Entry::Released => Line::of("seen", say.t("entry.released")),
        Entry::Resolved => Line::of("good", say.t("entry.resolved")),
        Entry::Reopened { .. } => Line::of("seen", say.t("entry.reopened")),
        Entry::Silenced { until, by, note } => {
            let until = super::super::say::exact(*until);
            Line::of("quiet", say.fill("entry.silenced", &[("until", &until)])).by(by).note(note)
        }
        Entry::Unsilenced { by } => Line::of("quiet", say.t("entry.unsilenced")).by(by),
        Entry::Noted { text } => Line::of("note", say.t("entry.noted")).note(text),
        Entry::Proposed { .. }
        | Entry::Decided { .. }
        | Entry::Expired { .. }
        | Entry::Stale { .. }
        | Entry::Superseded { .. } => of_proposal(entry, say),
        Entry::ExecutionStarted { .. }
        | Entry::ChangeIntended { .. }
        | Entry::ChangeDone { .. }
        | Entry::ExecutionFinished { .. }
        | Entry::Verified { .. }
        | Entry::Settled { .. } => of_execution(entry, say),
    }
}

/// Entries about proposals; others are not given to it.
fn of_proposal(entry: &Entry, say: Say<'_>) -> Line {
    let about = |key: &str, id: &str| say.fill(key, &[("id", id)]);
    match entry {
        Entry::Proposed { proposal } => {
            let values = [("id", proposal.id.as_str()), ("title", &*proposal.remedy.title)];
            let line = Line::of("offer", say.fill("entry.proposed", &values));
            proposal.requested_by.iter().fold(line, Line::by)
        }
        Entry::Decided { proposal, decision } => {
            let (tag, key) = match decision.kind {
                DecisionKind::Approve => ("good", "entry.approved"),
                DecisionKind::Deny => ("bad", "entry.denied"),
                DecisionKind::Withdraw => ("quiet", "entry.withdrawn"),
            };
            Line::of(tag, about(key, proposal.as_str())).by(&decision.by).note(&decision.note)
        }
        Entry::Expired { proposal } => Line::of("quiet", about("entry.expired", proposal.as_str())),
        Entry::Stale { proposal, why } => {
            Line::of("quiet", about("entry.stale", proposal.as_str())).note(why)
        }
        Entry::Superseded { proposal, by } => {
            let values = [("id", proposal.as_str()), ("by", by.as_str())];
            Line::of("quiet", say.fill("entry.superseded", &values))
        }
        _ => Line::of("note", String::new()),
    }
}

/// Entries about executions; others are not given to it.
fn of_execution(entry: &Entry, say: Say<'_>) -> Line {
    let about = |key: &str, index: &u32| say.fill(key, &[("number", &(u64::from(*index) + 1).to_string())]);
    match entry {
        Entry::ExecutionStarted { proposal, digest, .. } => Line::of(
            "act",
            say.fill("entry.started", &[("id", proposal.as_str()), ("digest", digest.short())]),
        ),
        Entry::ChangeIntended { index, .. } => Line::of("act", about("entry.intended", index)),
        Entry::ChangeDone { index, outcome, .. } => {
            let (tag, key, why) = match outcome {
                ChangeOutcome::Applied { .. } => ("act", "entry.applied", ""),
                ChangeOutcome::Stale { why } => ("quiet", "entry.change-stale", why.as_str()),
                ChangeOutcome::Needless { why } => ("quiet", "entry.needless", why.as_str()),
                ChangeOutcome::Refused { why, .. } => ("bad", "entry.refused", why.as_str()),
                ChangeOutcome::Unknown { why } => ("bad", "entry.unknown", why.as_str()),
            };
            Line::of(tag, about(key, index)).note(why)
        }
        Entry::ExecutionFinished { outcome, .. } => match outcome {
            Outcome::Applied => Line::of("act", say.t("entry.finished")),
            Outcome::Stopped { at, why } => Line::of("bad", about("entry.stopped", at)).note(why),
            Outcome::Unknown { at } => Line::of("bad", about("entry.unknown", at)),
        },
        Entry::Verified { verdict, .. } => {
            let tag = verdict_tag(*verdict);
            let mark = if tag == "fixed" { "good" } else { "bad" };
            Line::of(mark, say.fill("entry.verified", &[("verdict", &say.t(&format!("verdict.{tag}")))]))
        }
        Entry::Settled { index, applied, by, .. } => {
            let key = if *applied { "entry.settled-yes" } else { "entry.settled-no" };
            Line::of("act", about(key, index)).by(by)
        }
        _ => Line::of("note", String::new()),
    }
}
