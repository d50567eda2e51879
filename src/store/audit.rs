//! Reading the records across incidents, and verifying all of them.

use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite};

use super::error::failed;
use super::row::{self, nanos};
use super::{Store, StoreError, refold, settings};
use crate::incident::chain::{Audited, Head, Record, Verified, Verifier};
use crate::incident::{BrokenChain, IncidentId};

/// How many records are held at once while verifying or exporting.
const PAGE: u32 = 256;

/// Which records. What is left out does not restrict.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditFilter {
    pub incident: Option<IncidentId>,
    /// An entry's type as its JSON names it: `decided`.
    pub kind: Option<String>,
    /// The verified identity behind it: `api:ann`.
    pub actor: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Only records with a larger number.
    pub after: Option<u64>,
    /// Only records with a smaller number.
    pub before: Option<u64>,
}

/// In which order, and from which end, a page is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}

impl Store {
    /// At most `limit` records. Forgotten ones are left out.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        order: Order,
        limit: u32,
    ) -> Result<Vec<Audited>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT seq, incident, number, at, prev, digest, hash, body FROM records WHERE body IS NOT NULL",
        );
        restrict(&mut query, filter);
        query.push(match order {
            Order::OldestFirst => " ORDER BY seq LIMIT ",
            Order::NewestFirst => " ORDER BY seq DESC LIMIT ",
        });
        query.push_bind(limit);
        let rows = query.build().fetch_all(&self.reader).await.map_err(failed("read", "the records"))?;
        rows.iter().filter_map(|row| row::audited(row).transpose()).collect()
    }

    /// The records after number `after`, as they are verified; a page at a time, empty at the end.
    pub async fn export(&self, after: u64) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, incident, number, at, prev, digest, hash, body FROM records
             WHERE seq > ? ORDER BY seq LIMIT ?",
        )
        .bind(after.cast_signed())
        .bind(PAGE)
        .fetch_all(&self.reader)
        .await
        .map_err(failed("read", format!("the records after {after}")))?;
        rows.iter().map(row::record).collect()
    }

    /// The last record, as the store remembers it beside the records.
    pub async fn head(&self) -> Result<Head, StoreError> {
        settings::read_head(&self.reader).await
    }

    /// Verifies the whole chain, and that each incident's state is what its entries add up to. Holds a page
    /// of records, or the entries of one incident, at a time.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        let (head, newest) = self.ends().await?;
        if newest > head.seq {
            let why = "it was not written by kubemend, which knows of no record so new".to_owned();
            return Err(BrokenChain { seq: newest, why }.into());
        }
        let mut verifier = Verifier::default();
        while verifier.head().seq < head.seq {
            let page = self.export(verifier.head().seq).await?;
            if page.is_empty() {
                break;
            }
            for record in page.iter().take_while(|record| record.seq <= head.seq) {
                verifier.take(record)?;
            }
        }
        let verified = verifier.finish()?;
        if verified.head != head {
            let why = format!("the newest records are missing: the last one was number {}", head.seq);
            return Err(BrokenChain { seq: verified.head.seq + 1, why }.into());
        }
        self.verify_states().await?;
        Ok(verified)
    }

    /// The head as it is remembered and the number of the newest record, at one moment: a running bot writes both
    /// together.
    async fn ends(&self) -> Result<(Head, u64), StoreError> {
        let error = || failed("read", "the end of the records");
        let mut tx = self.reader.begin().await.map_err(error())?;
        let head = settings::read_head(&mut *tx).await?;
        let newest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM records")
            .fetch_one(&mut *tx)
            .await
            .map_err(error())?;
        Ok((head, newest.cast_unsigned()))
    }

    async fn verify_states(&self) -> Result<(), StoreError> {
        let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM incidents ORDER BY number")
            .fetch_all(&self.reader)
            .await
            .map_err(failed("list", "the incidents"))?;
        for id in ids {
            self.verify_state(&IncidentId::from(id.as_str())).await?;
        }
        Ok(())
    }

    /// State and entries are read in one transaction, so that a running bot does not look broken.
    async fn verify_state(&self, id: &IncidentId) -> Result<(), StoreError> {
        let error = || failed("verify the state of", format!("incident {id}"));
        let mut tx = self.reader.begin().await.map_err(error())?;
        let state = sqlx::query("SELECT id, state FROM incidents WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(error())?;
        let Some(state) = state.as_ref().map(row::incident).transpose()? else { return Ok(()) };
        let why = match refold::folded(&mut tx, id).await? {
            Ok(folded) if folded.as_ref() == Some(&state) => return Ok(()),
            Ok(_) => format!("the stored state of {id} is not what its entries add up to"),
            Err(illegal) => format!("the entries of {id} do not follow one another: {illegal}"),
        };
        let last: i64 = sqlx::query_scalar(
            "SELECT COALESCE(MAX(seq), 0) FROM records WHERE incident = ? AND incident <> ''",
        )
        .bind(id.as_str())
        .fetch_one(&mut *tx)
        .await
        .map_err(error())?;
        Err(BrokenChain { seq: last.cast_unsigned(), why }.into())
    }
}

fn restrict(query: &mut QueryBuilder<Sqlite>, filter: &AuditFilter) {
    let AuditFilter { incident, kind, actor, since, until, after, before } = filter;
    if let Some(incident) = incident {
        query.push(" AND incident <> '' AND incident = ").push_bind(incident.as_str().to_owned());
    }
    if let Some(kind) = kind {
        query.push(" AND kind = ").push_bind(kind.clone());
    }
    if let Some(actor) = actor {
        query.push(" AND actor = ").push_bind(actor.clone());
    }
    if let Some(since) = since {
        query.push(" AND at >= ").push_bind(nanos(*since));
    }
    if let Some(until) = until {
        query.push(" AND at < ").push_bind(nanos(*until));
    }
    if let Some(after) = after {
        query.push(" AND seq > ").push_bind(after.cast_signed());
    }
    if let Some(before) = before {
        query.push(" AND seq < ").push_bind(before.cast_signed());
    }
}
