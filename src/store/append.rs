//! Writing: entries and the state they lead to, in one transaction, under the version the writer saw.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use sqlx::{Sqlite, Transaction};

use super::error::failed;
use super::row::{self, nanos};
use super::{Store, StoreError, settings};
use crate::incident::chain::{Head, Record, Upkeep, link};
use crate::incident::{Entry, Incident, IncidentId, ProposalState, Recorded, Severity, Status};

/// New entries of one incident and the state after them.
#[derive(Clone, Debug)]
pub struct Append {
    pub state: Incident,
    pub entries: Vec<(Timestamp, Entry)>,
}

impl Store {
    /// Stores the entries and the state. What is returned is on the disk. Another version than the entries
    /// start from is a [`StoreError::Conflict`], and nothing is stored.
    pub async fn append(&self, append: &Append) -> Result<Vec<Recorded>, StoreError> {
        let expected = expected(append)?;
        let id = &append.state.id;
        let error = || failed("append entries to", format!("incident {id}"));
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
        check_version(&mut tx, id, expected).await?;
        let mut head = settings::head(&mut tx).await?;
        let mut recorded = Vec::with_capacity(append.entries.len());
        for (number, (at, entry)) in (expected + 1..).zip(&append.entries) {
            let record = link(&head, number, *at, id, raw(entry));
            insert(&mut tx, &record, row::kind(entry), row::actor(entry).map(row::actor_name)).await?;
            head = record.head();
            recorded.push(recorded_as(record, entry));
        }
        settings::set_head(&mut tx, &head).await?;
        put_state(&mut tx, &append.state).await?;
        tx.commit().await.map_err(error())?;
        Ok(recorded)
    }
}

/// Adds a record that concerns no single incident.
pub(super) async fn note(
    tx: &mut Transaction<'_, Sqlite>,
    head: &Head,
    at: Timestamp,
    what: &Upkeep,
) -> Result<Head, StoreError> {
    let record = link(head, 0, at, &IncidentId::from(""), raw(what));
    let (kind, actor) = match what {
        Upkeep::Forgotten { .. } => ("forgotten", None),
        Upkeep::Checkpoint { .. } => ("checkpoint", None),
        Upkeep::Paused { by } => ("paused", Some(row::actor_name(by))),
        Upkeep::Resumed { by } => ("resumed", Some(row::actor_name(by))),
    };
    insert(tx, &record, kind, actor).await?;
    settings::set_head(tx, &record.head()).await?;
    Ok(record.head())
}

fn expected(append: &Append) -> Result<u64, StoreError> {
    let Append { state, entries } = append;
    let mismatch = |expected| StoreError::Mismatch {
        incident: state.id.clone(),
        entries: entries.len(),
        expected,
        version: state.version,
    };
    let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    state.version.checked_sub(count).ok_or_else(|| mismatch(0))
}

async fn check_version(
    tx: &mut Transaction<'_, Sqlite>,
    id: &IncidentId,
    expected: u64,
) -> Result<(), StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT version FROM incidents WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(&mut **tx)
        .await
        .map_err(failed("read the version of", format!("incident {id}")))?;
    let found = found.unwrap_or(0).cast_unsigned();
    if found == expected {
        return Ok(());
    }
    Err(StoreError::Conflict { incident: id.clone(), expected, found })
}

async fn insert(
    tx: &mut Transaction<'_, Sqlite>,
    record: &Record,
    kind: &'static str,
    actor: Option<String>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO records (seq, incident, number, at, kind, actor, prev, digest, hash, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(record.seq.cast_signed())
    .bind(record.incident.as_str())
    .bind(record.number.cast_signed())
    .bind(nanos(record.at))
    .bind(kind)
    .bind(actor.unwrap_or_default())
    .bind(record.prev.as_str())
    .bind(record.body.as_str())
    .bind(record.hash.as_str())
    .bind(record.entry.as_deref().map(RawValue::get))
    .execute(&mut **tx)
    .await
    .map_err(failed("write", format!("record {}", record.seq)))?;
    Ok(())
}

/// Writes the state an incident is in.
pub(super) async fn put_state(tx: &mut Transaction<'_, Sqlite>, state: &Incident) -> Result<(), StoreError> {
    let (status, resolved) = match &state.status {
        Status::Open => ("open", None),
        Status::Absorbed { into: _ } => ("absorbed", None),
        Status::Resolved { at } => ("resolved", Some(nanos(*at))),
    };
    sqlx::query(
        "INSERT INTO incidents (id, number, version, cluster, namespace, condition, severity, status, busy,
                                opened, changed, resolved, search, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             version = excluded.version, cluster = excluded.cluster, namespace = excluded.namespace,
             condition = excluded.condition, severity = excluded.severity, status = excluded.status,
             busy = excluded.busy, changed = excluded.changed, resolved = excluded.resolved,
             search = excluded.search, state = excluded.state",
    )
    .bind(state.id.as_str())
    .bind(number(&state.id)?)
    .bind(state.version.cast_signed())
    .bind(state.finding.key.cluster.as_str())
    .bind(state.finding.subject.namespace.as_str())
    .bind(state.finding.condition.as_str())
    .bind(rank(state.finding.severity))
    .bind(status)
    .bind(is_busy(state))
    .bind(nanos(state.opened))
    .bind(nanos(state.changed))
    .bind(resolved)
    .bind(search_text(state))
    .bind(raw(state).get())
    .execute(&mut **tx)
    .await
    .map_err(failed("write the state of", format!("incident {}", state.id)))?;
    Ok(())
}

/// The number in an incident's id: `42` of `i-42`.
pub(super) fn number(id: &IncidentId) -> Result<i64, StoreError> {
    let malformed = || StoreError::Malformed {
        what: format!("incident {id}"),
        why: "its id is not `i-` and a number".into(),
    };
    id.as_str().strip_prefix("i-").and_then(|n| n.parse().ok()).ok_or_else(malformed)
}

pub(super) fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

/// Whether something in it is not over: it must not be forgotten, and is loaded at start.
fn is_busy(state: &Incident) -> bool {
    use crate::incident::ExecutionState as X;
    let running = state.executions.values().any(|execution| match &execution.state {
        X::Ready | X::Intended { .. } | X::Unsettled { .. } | X::Verifying { .. } => true,
        X::Finished { .. } => false,
    });
    let live = state.proposals.values().any(|record| match &record.state {
        ProposalState::Open | ProposalState::Approved => true,
        ProposalState::Denied
        | ProposalState::Expired
        | ProposalState::Stale { .. }
        | ProposalState::Superseded { .. }
        | ProposalState::Executed { .. } => false,
    });
    running || live
}

fn search_text(state: &Incident) -> String {
    let finding = &state.finding;
    let mut words = vec![state.id.as_str(), finding.condition.as_str(), &finding.title, &finding.cause];
    words.push(&finding.key.place.name);
    words.extend(finding.quotes.iter().map(|quote| quote.text.as_str()));
    words.extend(finding.variables.values().map(crate::incident::Text::as_str));
    for member in &state.members.listed {
        words.extend([member.namespace.as_str(), member.name.as_str()]);
    }
    words.join("\n").to_lowercase()
}

fn recorded_as(record: Record, entry: &Entry) -> Recorded {
    let Record { seq, number, at, incident, prev, body: _, hash, entry: _ } = record;
    Recorded { seq, number, at, incident, prev, hash, entry: entry.clone() }
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("plain data with string keys always serialises")
}
