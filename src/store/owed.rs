//! What chat must not forget over a restart beside its messages: answers that are owed, since when a platform
//! was last heard, and which groups somebody was in.
//!
//! Knows nothing of platforms: an owed answer is text here. It may hold a way to answer (a URL, a token), so it
//! is deleted as soon as the answer was shown, and at its end in any case; SQLite overwrites what it deletes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::row::{self, get, nanos};
use super::{Store, StoreError};
use crate::incident::{Text, Via};

/// The form of the database that brought the tables.
pub(super) const FORM: &str = "
CREATE TABLE owed (
    platform   TEXT NOT NULL,
    -- the platform's own name for what was asked
    key        TEXT NOT NULL,
    since      INTEGER NOT NULL,
    ends       INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (platform, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX owed_by_end ON owed (ends);

CREATE TABLE heard (
    platform   TEXT PRIMARY KEY,
    at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    via        TEXT NOT NULL,
    id         TEXT NOT NULL,
    said       INTEGER NOT NULL,
    groups     TEXT NOT NULL,
    PRIMARY KEY (via, id)
) STRICT, WITHOUT ROWID;
";

/// No more answers are owed on a platform; what comes beyond is answered without being kept.
const MOST_OWED: u32 = 5_000;
/// No more people are kept with their groups.
const MOST_MEMBERS: u32 = 20_000;

/// Something that was acknowledged and is not answered yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owed {
    /// The same however often it is delivered.
    pub key: String,
    pub since: Timestamp,
    /// From then on nobody waits for the answer.
    pub ends: Timestamp,
    /// Who, what and where to answer, as the platform wrote it.
    pub body: String,
}

/// Who was in which groups, and when the platform said so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Membership {
    pub via: Via,
    pub id: Text,
    pub said: Timestamp,
    pub groups: BTreeSet<Text>,
}

impl Store {
    /// Keeps what is owed and forgets what was answered, together.
    pub async fn change_owed(
        &self,
        platform: &str,
        owed: &[Owed],
        answered: &[String],
    ) -> Result<(), StoreError> {
        let error = || failed("keep", "the answers that are owed");
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
        for key in answered {
            sqlx::query("DELETE FROM owed WHERE platform = ? AND key = ?")
                .bind(platform)
                .bind(key)
                .execute(&mut *tx)
                .await
                .map_err(error())?;
        }
        for Owed { key, since, ends, body } in owed {
            sqlx::query(
                "INSERT INTO owed (platform, key, since, ends, body)
                 SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT COUNT(*) FROM owed WHERE platform = ?1) < ?6
                 ON CONFLICT (platform, key) DO NOTHING",
            )
            .bind(platform)
            .bind(key)
            .bind(nanos(*since))
            .bind(nanos(*ends))
            .bind(body)
            .bind(MOST_OWED)
            .execute(&mut *tx)
            .await
            .map_err(error())?;
        }
        tx.commit().await.map_err(error())
    }

    /// What is owed on a platform, oldest first. What ended before `now` is forgotten.
    pub async fn owed(&self, platform: &str, now: Timestamp) -> Result<Vec<Owed>, StoreError> {
        let error = || failed("read", "the answers that are owed");
        sqlx::query("DELETE FROM owed WHERE ends <= ?")
            .bind(nanos(now))
            .execute(&self.writer)
            .await
            .map_err(error())?;
        let rows = sqlx::query("SELECT key, since, ends, body FROM owed WHERE platform = ? ORDER BY since")
            .bind(platform)
            .fetch_all(&self.reader)
            .await
            .map_err(error())?;
        rows.iter().map(owed).collect()
    }

    /// Notes that a platform was heard at that time.
    pub async fn put_heard(&self, platform: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO heard (platform, at) VALUES (?, ?)
             ON CONFLICT (platform) DO UPDATE SET at = MAX(at, excluded.at)",
        )
        .bind(platform)
        .bind(nanos(at))
        .execute(&self.writer)
        .await
        .map_err(failed("note", format!("that {platform} was heard")))?;
        Ok(())
    }

    /// When a platform was last heard.
    pub async fn heard(&self, platform: &str) -> Result<Option<Timestamp>, StoreError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT at FROM heard WHERE platform = ?")
            .bind(platform)
            .fetch_optional(&self.reader)
            .await
            .map_err(failed("read", format!("when {platform} was heard")))?;
        Ok(found.and_then(|at| Timestamp::from_nanosecond(i128::from(at)).ok()))
    }

    /// Keeps which groups somebody is in; whoever is in none is forgotten, and so is what was said before
    /// `forget`.
    pub async fn put_membership(&self, member: &Membership, forget: Timestamp) -> Result<(), StoreError> {
        let error = || failed("keep", format!("the groups of {}", member.id));
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
        sqlx::query("DELETE FROM members WHERE via = ? AND id = ? OR said < ?")
            .bind(via(member.via))
            .bind(member.id.as_str())
            .bind(nanos(forget))
            .execute(&mut *tx)
            .await
            .map_err(error())?;
        if !member.groups.is_empty() {
            let groups = serde_json::to_string(&member.groups).expect("plain data always serialises");
            sqlx::query(
                "INSERT INTO members (via, id, said, groups)
                 SELECT ?, ?, ?, ? WHERE (SELECT COUNT(*) FROM members) < ?",
            )
            .bind(via(member.via))
            .bind(member.id.as_str())
            .bind(nanos(member.said))
            .bind(groups)
            .bind(MOST_MEMBERS)
            .execute(&mut *tx)
            .await
            .map_err(error())?;
        }
        tx.commit().await.map_err(error())
    }

    /// Everybody whose groups are kept.
    pub async fn memberships(&self) -> Result<Vec<Membership>, StoreError> {
        let rows = sqlx::query("SELECT via, id, said, groups FROM members ORDER BY via, id")
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read", "who is in which groups"))?;
        rows.iter().map(membership).collect()
    }
}

fn owed(from: &SqliteRow) -> Result<Owed, StoreError> {
    Ok(Owed {
        key: get(from, "key")?,
        since: moment(from, "since")?,
        ends: moment(from, "ends")?,
        body: get(from, "body")?,
    })
}

fn membership(from: &SqliteRow) -> Result<Membership, StoreError> {
    let what = || "who is in which groups".to_owned();
    Ok(Membership {
        via: row::parse(what(), &format!("{:?}", get::<String>(from, "via")?))?,
        id: get::<String>(from, "id")?.into(),
        said: moment(from, "said")?,
        groups: row::parse(what(), &get::<String>(from, "groups")?)?,
    })
}

fn moment(from: &SqliteRow, name: &'static str) -> Result<Timestamp, StoreError> {
    let nanos: i64 = get(from, name)?;
    Ok(Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// As it stands in entries.
fn via(via: Via) -> &'static str {
    match via {
        Via::Api => "api",
        Via::Console => "console",
        Via::Terminal => "terminal",
        Via::Slack => "slack",
        Via::Discord => "discord",
        Via::Auto => "auto",
    }
}
