//! Forgetting: incidents that were over long ago lose their bodies, and the chain says so.
//!
//! How the chain stays whole is told in `incident::chain`.

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};

use super::error::failed;
use super::row::{self, nanos};
use super::{Store, StoreError, append, settings};
use crate::incident::IncidentId;
use crate::incident::chain::{Head, Upkeep};

/// The chain's beginning is cut only when that removes more than the checkpoint adds.
const WORTH_CUTTING: i64 = 100;

/// What a sweep did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    pub incidents: u64,
    pub entries: u64,
    /// Heads of records that were removed from the chain's beginning.
    pub heads: u64,
}

impl Store {
    /// Forgets at most `limit` incidents that were resolved before `before` and have nothing going on.
    pub async fn sweep(&self, before: Timestamp, now: Timestamp, limit: u32) -> Result<Swept, StoreError> {
        let due: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM incidents WHERE status = 'resolved' AND busy = 0 AND resolved < ?
             ORDER BY number LIMIT ?",
        )
        .bind(nanos(before))
        .bind(limit)
        .fetch_all(&self.reader)
        .await
        .map_err(failed("look for", "incidents to forget"))?;
        let mut swept = Swept::default();
        for id in due {
            swept.entries += self.forget(&IncidentId::from(id.as_str()), before, now).await?;
            swept.incidents += 1;
        }
        swept.heads = self.cut(before, now).await?;
        Ok(swept)
    }

    /// The incident is looked at again inside the transaction: it may have come back since.
    async fn forget(&self, id: &IncidentId, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        let error = || failed("forget", format!("incident {id}"));
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
        let gone = sqlx::query(
            "DELETE FROM incidents WHERE id = ? AND status = 'resolved' AND busy = 0 AND resolved < ?",
        )
        .bind(id.as_str())
        .bind(nanos(before))
        .execute(&mut *tx)
        .await
        .map_err(error())?;
        if gone.rows_affected() == 0 {
            return Ok(0);
        }
        let bodies =
            sqlx::query("UPDATE records SET body = NULL, actor = '' WHERE incident = ? AND incident <> ''")
                .bind(id.as_str())
                .execute(&mut *tx)
                .await
                .map_err(error())?;
        let entries = bodies.rows_affected();
        let head = settings::head(&mut tx).await?;
        append::note(&mut tx, &head, now, &Upkeep::Forgotten { incident: id.clone(), entries }).await?;
        tx.commit().await.map_err(error())?;
        Ok(entries)
    }

    /// Removes the heads at the chain's beginning whose bodies are gone, and general records that old.
    async fn cut(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        let error = || failed("cut", "the beginning of the records");
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
        let Some(last) = last_to_cut(&mut tx, before).await? else { return Ok(0) };
        let head = settings::head(&mut tx).await?;
        let checkpoint = Upkeep::Checkpoint { through: last.seq, hash: last.hash };
        append::note(&mut tx, &head, now, &checkpoint).await?;
        let cut = sqlx::query("DELETE FROM records WHERE seq <= ?")
            .bind(last.seq.cast_signed())
            .execute(&mut *tx)
            .await
            .map_err(error())?;
        tx.commit().await.map_err(error())?;
        Ok(cut.rows_affected())
    }
}

async fn last_to_cut(
    tx: &mut Transaction<'_, Sqlite>,
    before: Timestamp,
) -> Result<Option<Head>, StoreError> {
    let error = || failed("look for", "records to cut");
    let row = sqlx::query(
        "SELECT seq, incident, number, at, prev, digest, hash, body,
                (SELECT COUNT(*) FROM records AS older WHERE older.seq <= records.seq) AS older
         FROM records
         WHERE seq < (SELECT COALESCE(MIN(seq), 9223372036854775807) FROM records
                      WHERE body IS NOT NULL AND (incident <> '' OR at >= ?))
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(nanos(before))
    .fetch_optional(&mut **tx)
    .await
    .map_err(error())?;
    let Some(row) = row else { return Ok(None) };
    let older: i64 = row::get(&row, "older")?;
    Ok((older >= WORTH_CUTTING).then_some(row::record(&row)?.head()))
}
