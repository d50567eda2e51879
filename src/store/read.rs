//! Reading incidents and their entries.

use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite};

use super::append::{number, rank};
use super::error::failed;
use super::row::{self, nanos};
use super::{Store, StoreError};
use crate::incident::chain::Audited;
use crate::incident::{Incident, IncidentId, Recorded, Severity};

/// Here as wherever records of one incident are wanted, `incident <> ''` is said too: the index of incidents'
/// records has no others, and SQLite takes it only where the query says the same.
pub(super) const ENTRIES: &str = "SELECT seq, incident, number, at, prev, digest, hash, body FROM records
     WHERE incident = ? AND incident <> '' AND number > ? ORDER BY number LIMIT ?";
pub(super) const NEWEST_EVIDENCE: &str =
    "SELECT seq, incident, number, at, prev, digest, hash, body FROM records
     WHERE incident = ? AND incident <> '' AND kind IN ('opened', 'updated', 'reopened')
     ORDER BY number DESC LIMIT 1";

/// Which incidents. What is left out does not restrict.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IncidentFilter {
    pub cluster: Option<String>,
    pub namespace: Option<String>,
    /// A condition, or its family followed by a dot: `image.`.
    pub condition: Option<String>,
    /// This severity or a worse one.
    pub severity: Option<Severity>,
    pub status: Option<StatusFilter>,
    /// Text in the title, the cause, the quotes or the names; case does not count.
    pub text: Option<String>,
    /// Only incidents older than this one: where the page before ended.
    pub before: Option<IncidentId>,
}

/// Where an incident stands, for a filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusFilter {
    Open,
    Absorbed,
    Resolved,
}

impl Store {
    /// Incidents that ask for attention: not resolved, or resolved at `since` or later, or with something
    /// in them that is not over.
    pub async fn current(&self, since: Timestamp) -> Result<Vec<Incident>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, state FROM incidents WHERE status <> 'resolved' OR busy = 1 OR resolved >= ?
             ORDER BY number",
        )
        .bind(nanos(since))
        .fetch_all(&self.reader)
        .await
        .map_err(failed("read", "the current incidents"))?;
        rows.iter().map(row::incident).collect()
    }

    /// One incident.
    pub async fn incident(&self, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
        let row = sqlx::query("SELECT id, state FROM incidents WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(failed("read", format!("incident {id}")))?;
        row.as_ref().map(row::incident).transpose()
    }

    /// At most `limit` incidents, newest first.
    pub async fn incidents(&self, filter: &IncidentFilter, limit: u32) -> Result<Vec<Incident>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT id, state FROM incidents WHERE 1 = 1");
        restrict(&mut query, filter)?;
        query.push(" ORDER BY number DESC LIMIT ").push_bind(limit);
        let rows = query.build().fetch_all(&self.reader).await.map_err(failed("read", "the incidents"))?;
        rows.iter().map(row::incident).collect()
    }

    /// At most `limit` entries of an incident, from the one after number `after` on.
    pub async fn entries(
        &self,
        id: &IncidentId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let rows = sqlx::query(ENTRIES)
            .bind(id.as_str())
            .bind(after.cast_signed())
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the entries of", format!("incident {id}")))?;
        recorded(&rows)
    }

    /// The newest entry of an incident that carries evidence.
    pub async fn newest_evidence(&self, id: &IncidentId) -> Result<Option<Recorded>, StoreError> {
        let rows = sqlx::query(NEWEST_EVIDENCE)
            .bind(id.as_str())
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the evidence of", format!("incident {id}")))?;
        Ok(recorded(&rows)?.pop())
    }
}

fn recorded(rows: &[sqlx::sqlite::SqliteRow]) -> Result<Vec<Recorded>, StoreError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        match row::audited(row)? {
            Some(Audited::Incident(recorded)) => found.push(recorded),
            Some(Audited::General(_)) | None => {}
        }
    }
    Ok(found)
}

fn restrict(query: &mut QueryBuilder<Sqlite>, filter: &IncidentFilter) -> Result<(), StoreError> {
    let IncidentFilter { cluster, namespace, condition, severity, status, text, before } = filter;
    if let Some(cluster) = cluster {
        query.push(" AND cluster = ").push_bind(cluster.clone());
    }
    if let Some(namespace) = namespace {
        query.push(" AND namespace = ").push_bind(namespace.clone());
    }
    match condition {
        Some(family) if family.ends_with('.') => {
            query.push(" AND substr(condition, 1, length(").push_bind(family.clone());
            query.push(")) = ").push_bind(family.clone());
        }
        Some(condition) => drop(query.push(" AND condition = ").push_bind(condition.clone())),
        None => {}
    }
    if let Some(severity) = severity {
        query.push(" AND severity >= ").push_bind(rank(*severity));
    }
    if let Some(status) = status {
        query.push(" AND status = ").push_bind(match status {
            StatusFilter::Open => "open",
            StatusFilter::Absorbed => "absorbed",
            StatusFilter::Resolved => "resolved",
        });
    }
    if let Some(text) = text {
        query.push(" AND instr(search, ").push_bind(text.to_lowercase()).push(") > 0");
    }
    if let Some(before) = before {
        query.push(" AND number < ").push_bind(number(before)?);
    }
    Ok(())
}
