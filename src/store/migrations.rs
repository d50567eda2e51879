//! The database's forms, in order. Forward only: a form once shipped is never edited, only followed.

use sqlx::{Row as _, SqlitePool};

use super::error::failed;
use super::{StoreError, owed, sessions};

/// The statements that lead from form `index` to form `index + 1`.
pub(super) const FORMS: &[&str] = &[FORM_1, FORM_2, sessions::FORM, owed::FORM];

const FORM_1: &str = "
CREATE TABLE incidents (
    id         TEXT PRIMARY KEY,
    number     INTEGER NOT NULL UNIQUE,
    version    INTEGER NOT NULL,
    cluster    TEXT NOT NULL,
    namespace  TEXT NOT NULL,
    condition  TEXT NOT NULL,
    severity   INTEGER NOT NULL,
    status     TEXT NOT NULL,
    -- 1 while a proposal or an execution is not over
    busy       INTEGER NOT NULL,
    opened     INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    resolved   INTEGER,
    -- what a search looks at, in lower case
    search     TEXT NOT NULL,
    state      TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_on ON incidents (number) WHERE status <> 'resolved' OR busy = 1;
CREATE INDEX incidents_resolved ON incidents (resolved) WHERE resolved IS NOT NULL;

CREATE TABLE records (
    seq        INTEGER PRIMARY KEY,
    incident   TEXT NOT NULL,
    number     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    actor      TEXT NOT NULL,
    prev       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    hash       TEXT NOT NULL,
    -- NULL once the incident is forgotten
    body       TEXT
) STRICT;
CREATE UNIQUE INDEX records_of_incident ON records (incident, number) WHERE incident <> '';
CREATE INDEX records_by_time ON records (at);

CREATE TABLE settings (
    name       TEXT PRIMARY KEY,
    value      TEXT NOT NULL
) STRICT;
";

const FORM_2: &str = "
CREATE TABLE posts (
    platform   TEXT NOT NULL,
    channel    TEXT NOT NULL,
    subject    TEXT NOT NULL,
    -- 1 when nothing more happens to the message unless its subject changes
    settled    INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (platform, channel, subject)
) STRICT;
CREATE INDEX posts_of_subject ON posts (platform, subject);
CREATE INDEX posts_unsettled ON posts (platform, changed) WHERE settled = 0;
";

/// Brings the database to the newest form, each step in a transaction of its own.
pub(super) async fn run(pool: &SqlitePool, path: &str) -> Result<(), StoreError> {
    let known = i64::try_from(FORMS.len()).unwrap_or(i64::MAX);
    let found = form(pool, path).await?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    for (version, statements) in (1..).zip(FORMS) {
        if version > found {
            advance(pool, path, version, statements).await?;
        }
    }
    Ok(())
}

async fn form(pool: &SqlitePool, path: &str) -> Result<i64, StoreError> {
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")
        .execute(pool)
        .await
        .map_err(failed("read the form of", path))?;
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version")
        .fetch_one(pool)
        .await
        .map_err(failed("read the form of", path))?;
    row.try_get("version").map_err(failed("read the form of", path))
}

pub(super) async fn advance(
    pool: &SqlitePool,
    path: &str,
    version: i64,
    statements: &'static str,
) -> Result<(), StoreError> {
    let error = || failed("bring to its next form", path);
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
    sqlx::raw_sql(statements).execute(&mut *tx).await.map_err(error())?;
    sqlx::query("INSERT INTO schema_version (version) VALUES (?)")
        .bind(version)
        .execute(&mut *tx)
        .await
        .map_err(error())?;
    tx.commit().await.map_err(error())
}
