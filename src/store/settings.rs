//! The few values that belong to no incident: the head of the records, the counter of incidents, the brake.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, SqliteExecutor, Transaction};

use super::error::failed;
use super::{Store, StoreError, append, row};
use crate::incident::chain::{Head, Upkeep};
use crate::incident::{Actor, IncidentId};

const HEAD: &str = "head";
const INCIDENTS: &str = "incidents";
const PAUSE: &str = "pause";

/// Who pulled the brake, and when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    pub by: Actor,
    pub at: Timestamp,
}

impl Store {
    /// A new incident's id. It is never given twice, whether or not it is used.
    pub async fn new_incident(&self) -> Result<IncidentId, StoreError> {
        let error = || failed("count", "the incidents");
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
        let last: u64 = match get(&mut *tx, INCIDENTS).await? {
            Some(text) => row::parse("the counter of incidents".into(), &text)?,
            None => 0,
        };
        let number = last + 1;
        set(&mut tx, INCIDENTS, &number.to_string()).await?;
        tx.commit().await.map_err(error())?;
        Ok(IncidentId::from(format!("i-{number}").as_str()))
    }

    /// Whether the brake is on.
    pub async fn pause(&self) -> Result<Option<Pause>, StoreError> {
        let Some(text) = get(&self.reader, PAUSE).await? else { return Ok(None) };
        row::parse("the brake".into(), &text)
    }

    /// Puts the brake on. Nothing changes if it is.
    pub async fn set_pause(&self, by: &Actor, at: Timestamp) -> Result<Pause, StoreError> {
        if let Some(pause) = self.pause().await? {
            return Ok(pause);
        }
        let pause = Pause { by: by.clone(), at };
        self.brake(at, Some(&pause), &Upkeep::Paused { by: by.clone() }).await?;
        Ok(pause)
    }

    /// Lets the brake go. Nothing changes if it is off.
    pub async fn clear_pause(&self, by: &Actor, at: Timestamp) -> Result<(), StoreError> {
        if self.pause().await?.is_none() {
            return Ok(());
        }
        self.brake(at, None, &Upkeep::Resumed { by: by.clone() }).await
    }

    async fn brake(&self, at: Timestamp, pause: Option<&Pause>, what: &Upkeep) -> Result<(), StoreError> {
        let error = || failed("set", "the brake");
        let value = serde_json::to_string(&pause).expect("plain data always serialises");
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
        let head = head(&mut tx).await?;
        append::note(&mut tx, &head, at, what).await?;
        set(&mut tx, PAUSE, &value).await?;
        tx.commit().await.map_err(error())
    }
}

pub(super) async fn head(tx: &mut Transaction<'_, Sqlite>) -> Result<Head, StoreError> {
    read_head(&mut **tx).await
}

pub(super) async fn read_head(executor: impl SqliteExecutor<'_>) -> Result<Head, StoreError> {
    get(executor, HEAD).await?.map_or_else(|| Ok(Head::start()), |text| row::head(&text))
}

pub(super) async fn set_head(tx: &mut Transaction<'_, Sqlite>, head: &Head) -> Result<(), StoreError> {
    let value = serde_json::to_string(head).expect("plain data always serialises");
    set(tx, HEAD, &value).await
}

pub(super) async fn get(
    executor: impl SqliteExecutor<'_>,
    name: &'static str,
) -> Result<Option<String>, StoreError> {
    sqlx::query_scalar("SELECT value FROM settings WHERE name = ?")
        .bind(name)
        .fetch_optional(executor)
        .await
        .map_err(failed("read the setting", name))
}

pub(super) async fn set(
    tx: &mut Transaction<'_, Sqlite>,
    name: &'static str,
    value: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO settings (name, value) VALUES (?, ?)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(&mut **tx)
    .await
    .map_err(failed("write the setting", name))?;
    Ok(())
}
