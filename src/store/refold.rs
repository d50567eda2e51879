//! Stored states follow from stored entries. When the program makes another state of them than the one that
//! wrote it did (a field more, a rule changed), the states are folded anew, once, before anything is read.

use sqlx::{Sqlite, Transaction};

use super::error::failed;
use super::{Store, StoreError, append, row, settings};
use crate::incident::chain::Audited;
use crate::incident::{Incident, IncidentId, fold_mark, replay};

const MARK: &str = "fold";

impl Store {
    /// Folds every state anew if another program wrote them.
    pub(super) async fn refold(&self) -> Result<(), StoreError> {
        let mark = fold_mark();
        if settings::get(&self.writer, MARK).await?.as_deref() == Some(mark.as_str()) {
            return Ok(());
        }
        let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM incidents ORDER BY number")
            .fetch_all(&self.writer)
            .await
            .map_err(failed("list", "the incidents"))?;
        for id in ids {
            self.refold_one(&IncidentId::from(id.as_str())).await?;
        }
        let error = || failed("write the setting", MARK);
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
        settings::set(&mut tx, MARK, mark.as_str()).await?;
        tx.commit().await.map_err(error())
    }

    async fn refold_one(&self, id: &IncidentId) -> Result<(), StoreError> {
        let error = || failed("fold anew", format!("incident {id}"));
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
        match folded(&mut tx, id).await? {
            Ok(Some(state)) => append::put_state(&mut tx, &state).await?,
            Ok(None) => {}
            // The old state stays, and `verify` tells of it: one bad incident must not keep the rest away.
            Err(illegal) => {
                tracing::error!(incident.id = %id, "the entries of {id} do not follow one another: {illegal}");
            }
        }
        tx.commit().await.map_err(error())
    }
}

type Folded = Result<Option<Incident>, crate::incident::Illegal>;

/// What an incident's entries add up to.
pub(super) async fn folded(tx: &mut Transaction<'_, Sqlite>, id: &IncidentId) -> Result<Folded, StoreError> {
    let rows = sqlx::query(
        "SELECT seq, incident, number, at, prev, digest, hash, body FROM records
         WHERE incident = ? AND incident <> '' ORDER BY number",
    )
    .bind(id.as_str())
    .fetch_all(&mut **tx)
    .await
    .map_err(failed("read the entries of", format!("incident {id}")))?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(Audited::Incident(recorded)) = row::audited(row)? {
            entries.push((recorded.at, recorded.entry));
        }
    }
    Ok(replay(id, entries.iter().map(|(at, entry)| (*at, entry))))
}
