//! Between rows and values.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::StoreError;
use super::error::failed;
use crate::incident::chain::{Audited, General, Head, Record};
use crate::incident::{Actor, Digest, Entry, Incident, IncidentId, Recorded, Via};

/// Nanoseconds since 1970; outside of the years 1678 to 2262 the nearest that fits.
pub(super) fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(if at < Timestamp::UNIX_EPOCH { i64::MIN } else { i64::MAX })
}

pub(super) fn record(row: &SqliteRow) -> Result<Record, StoreError> {
    let seq: i64 = get(row, "seq")?;
    let what = || format!("record {seq}");
    let digest = |column| -> Result<Digest, StoreError> {
        let text: String = get(row, column)?;
        Digest::parse(&text).ok_or_else(|| malformed(what(), "a digest is malformed"))
    };
    let at: i64 = get(row, "at")?;
    let at = Timestamp::from_nanosecond(i128::from(at))
        .map_err(|_| malformed(what(), "its time is out of range"))?;
    let number: i64 = get(row, "number")?;
    let incident: String = get(row, "incident")?;
    let body: Option<String> = get(row, "body")?;
    let body = body
        .map(RawValue::from_string)
        .transpose()
        .map_err(|source| StoreError::Unreadable { what: what(), source })?;
    Ok(Record {
        seq: seq.cast_unsigned(),
        number: number.cast_unsigned(),
        at,
        incident: IncidentId::from(incident.as_str()),
        prev: digest("prev")?,
        body: digest("digest")?,
        hash: digest("hash")?,
        entry: body,
    })
}

/// `None` for a record whose incident is forgotten.
pub(super) fn audited(row: &SqliteRow) -> Result<Option<Audited>, StoreError> {
    let Record { seq, number, at, incident, prev, body: _, hash, entry } = record(row)?;
    let Some(body) = entry else { return Ok(None) };
    let what = format!("record {seq}");
    if incident.as_str().is_empty() {
        let general = General { seq, at, prev, hash, what: parse(what, body.get())? };
        return Ok(Some(Audited::General(general)));
    }
    let entry: Entry = parse(what, body.get())?;
    Ok(Some(Audited::Incident(Recorded { seq, number, at, incident, prev, hash, entry })))
}

pub(super) fn incident(row: &SqliteRow) -> Result<Incident, StoreError> {
    let id: String = get(row, "id")?;
    let state: String = get(row, "state")?;
    parse(format!("incident {id}"), &state)
}

pub(super) fn head(value: &str) -> Result<Head, StoreError> {
    parse("the head of the records".to_owned(), value)
}

pub(super) fn parse<T: DeserializeOwned>(what: String, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Unreadable { what, source })
}

pub(super) fn get<'r, T>(row: &'r SqliteRow, column: &'static str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(failed("read the column", column))
}

fn malformed(what: String, why: &str) -> StoreError {
    StoreError::Malformed { what, why: why.to_owned() }
}

/// The entry's type as it stands in its JSON.
pub(super) fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Opened { .. } => "opened",
        Entry::Updated { .. } => "updated",
        Entry::MembersChanged { .. } => "membersChanged",
        Entry::Absorbed { .. } => "absorbed",
        Entry::Released => "released",
        Entry::Resolved => "resolved",
        Entry::Reopened { .. } => "reopened",
        Entry::Silenced { .. } => "silenced",
        Entry::Unsilenced { .. } => "unsilenced",
        Entry::Proposed { .. } => "proposed",
        Entry::Decided { .. } => "decided",
        Entry::Expired { .. } => "expired",
        Entry::Stale { .. } => "stale",
        Entry::Superseded { .. } => "superseded",
        Entry::ExecutionStarted { .. } => "executionStarted",
        Entry::ChangeIntended { .. } => "changeIntended",
        Entry::ChangeDone { .. } => "changeDone",
        Entry::ExecutionFinished { .. } => "executionFinished",
        Entry::Verified { .. } => "verified",
        Entry::Settled { .. } => "settled",
        Entry::Noted { .. } => "noted",
    }
}

/// Who is behind an entry, where somebody is.
pub(super) fn actor(entry: &Entry) -> Option<&Actor> {
    match entry {
        Entry::Silenced { by, .. } | Entry::Unsilenced { by } | Entry::Settled { by, .. } => Some(by),
        Entry::Decided { decision, .. } => Some(&decision.by),
        Entry::ExecutionStarted { approvers, .. } => approvers.first(),
        Entry::Opened { .. }
        | Entry::Updated { .. }
        | Entry::MembersChanged { .. }
        | Entry::Absorbed { .. }
        | Entry::Released
        | Entry::Resolved
        | Entry::Reopened { .. }
        | Entry::Proposed { .. }
        | Entry::Expired { .. }
        | Entry::Stale { .. }
        | Entry::Superseded { .. }
        | Entry::ChangeIntended { .. }
        | Entry::ChangeDone { .. }
        | Entry::ExecutionFinished { .. }
        | Entry::Verified { .. }
        | Entry::Noted { .. } => None,
    }
}

/// An actor as the audit finds it: `api:ann`.
pub(super) fn actor_name(actor: &Actor) -> String {
    let via = match actor.via {
        Via::Api => "api",
        Via::Console => "console",
        Via::Terminal => "terminal",
        Via::Slack => "slack",
        Via::Discord => "discord",
        Via::Auto => "auto",
    };
    format!("{via}:{}", actor.id)
}
