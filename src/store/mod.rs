//! Incidents and their records, durable.
//!
//! Owns the database: an incident's new entries and its new state go in together or not at all, under the
//! version that the writer saw; every record carries the digest of the one before (`incident::chain`).
//! Refuses to decide anything: it neither applies entries nor knows what is due.
//!
//! SQLite, with one connection that writes and a few that read. A commit is on the disk when `append`
//! returns (WAL, `synchronous=FULL`). The memory variant is the same code over SQLite's own memory database.

mod append;
mod audit;
mod error;
mod migrations;
mod owed;
mod posts;
mod read;
mod refold;
mod retention;
mod row;
mod sessions;
mod settings;

use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

pub use append::Append;
pub use audit::{AuditFilter, Order};
pub use error::StoreError;
pub use owed::{Membership, Owed};
pub use posts::{NoteCursor, Noting, PostKey, PostState, Posting};
pub use read::{IncidentFilter, StatusFilter};
pub use retention::Swept;
pub use sessions::Session;
pub use settings::Pause;

use error::failed;

const READERS: u32 = 4;
/// Of each reader, in KiB as SQLite writes it: behind it is the system's cache of the file.
const READERS_CACHE: &str = "-512";
const BUSY: Duration = Duration::from_secs(5);

/// The database. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
}

impl Store {
    /// Opens the database at `path`, creates it if it is not there (readable by its owner only), and brings
    /// it to the form this program knows.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let opening = |source| StoreError::Open { path: path.to_owned(), source };
        private_file(path).map_err(|source| StoreError::File { path: path.to_owned(), source })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // What is deleted is overwritten where that costs no further writes.
            .pragma("secure_delete", "fast")
            .busy_timeout(BUSY);
        let writer = pool(1).connect_with(options.clone()).await.map_err(opening)?;
        migrations::run(&writer, &path.display().to_string()).await?;
        let reading = options.pragma("query_only", "on").pragma("cache_size", READERS_CACHE);
        let reader = pool(READERS).connect_with(reading).await.map_err(opening)?;
        let store = Self { writer, reader };
        store.refold().await?;
        Ok(store)
    }

    /// Whether the database can be written right now. Changes nothing.
    pub async fn can_write(&self) -> Result<(), StoreError> {
        let transaction =
            self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed("write", "the database"))?;
        transaction.rollback().await.map_err(failed("write", "the database"))
    }

    /// A database that is gone when the last clone is dropped.
    pub async fn memory() -> Result<Self, StoreError> {
        let opening = |source| StoreError::Open { path: ":memory:".into(), source };
        let options = SqliteConnectOptions::new().in_memory(true);
        let writer = pool(1).connect_with(options).await.map_err(opening)?;
        migrations::run(&writer, ":memory:").await?;
        Ok(Self { reader: writer.clone(), writer })
    }

    /// Waits for what is being written and lets the file go.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(30))
}

/// The records tell who did what; nobody but the owner reads them. SQLite gives its side files the mode of
/// the database.
fn private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
