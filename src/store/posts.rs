//! What was posted where: one row for each subject and channel, so that no message is ever posted twice.
//!
//! Knows nothing of platforms: names, nonces and digests are text here. Refuses to decide what is due.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::row::{self, nanos};
use super::{Store, StoreError};
use crate::incident::{Digest, Text};

/// Which message: of what, in which channel of which platform.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostKey {
    pub platform: Text,
    pub channel: Text,
    /// An incident's id, or a word and a name for what is about no single one: `digest:…`, `notice:…`.
    pub subject: Text,
}

/// One message and how far it got.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Posting {
    pub key: PostKey,
    /// By which the platform can be asked for it.
    pub nonce: Text,
    pub state: PostState,
    /// The digest of what was last shown.
    pub shown: Option<Digest>,
    pub notes: NoteCursor,
    /// How often it was posted anew because somebody removed it.
    pub reposted: u32,
    /// The texts that went on in its thread because it could not hold them, by their digests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continued: Vec<Digest>,
    /// What stands in it that no incident tells: the text of a notice.
    #[serde(default)]
    pub text: Text,
    /// The route that chose the channel.
    #[serde(default)]
    pub route: Text,
    pub since: Timestamp,
    pub changed: Timestamp,
    /// Nothing more will happen to it unless its subject changes.
    pub settled: bool,
}

/// Where a message stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum PostState {
    /// To be posted; nothing was sent yet.
    Wanted,
    /// About to be sent, or sent; whether it arrived is not known.
    Sending,
    Posted {
        message: Text,
        thread: Option<Text>,
    },
    /// Told within another message: the subject of that one.
    Gathered {
        into: Text,
    },
    /// It cannot be; the reason is for people.
    Abandoned {
        why: Text,
    },
}

/// How far a message's thread tells the entries of its incident.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteCursor {
    /// Entries up to this number are told.
    pub told: u64,
    /// A reply that is about to be sent, or sent: entries up to this number.
    pub sending: Option<Noting>,
}

/// A reply under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Noting {
    pub to: u64,
    pub nonce: Text,
}

impl Store {
    /// Stores a message's state, in the place of the one before.
    pub async fn put_posting(&self, posting: &Posting) -> Result<(), StoreError> {
        let body = serde_json::to_string(posting).expect("plain data always serialises");
        let PostKey { platform, channel, subject } = &posting.key;
        sqlx::query(
            "INSERT INTO posts (platform, channel, subject, settled, changed, body) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (platform, channel, subject)
             DO UPDATE SET settled = excluded.settled, changed = excluded.changed, body = excluded.body",
        )
        .bind(platform.as_str())
        .bind(channel.as_str())
        .bind(subject.as_str())
        .bind(posting.settled)
        .bind(nanos(posting.changed))
        .bind(body)
        .execute(&self.writer)
        .await
        .map_err(failed("store", format!("the message about {subject}")))?;
        Ok(())
    }

    /// The messages about a subject on a platform.
    pub async fn postings(&self, platform: &str, subject: &str) -> Result<Vec<Posting>, StoreError> {
        let rows = sqlx::query(
            "SELECT body FROM posts WHERE platform = ? AND subject = ? ORDER BY channel LIMIT 100",
        )
        .bind(platform)
        .bind(subject)
        .fetch_all(&self.reader)
        .await
        .map_err(failed("read", format!("the messages about {subject}")))?;
        rows.iter().map(posting).collect()
    }

    /// Messages of a platform to which something may still happen, oldest change first.
    pub async fn unsettled_postings(&self, platform: &str, limit: u32) -> Result<Vec<Posting>, StoreError> {
        let rows =
            sqlx::query("SELECT body FROM posts WHERE platform = ? AND settled = 0 ORDER BY changed LIMIT ?")
                .bind(platform)
                .bind(limit)
                .fetch_all(&self.reader)
                .await
                .map_err(failed("read", "the unsettled messages"))?;
        rows.iter().map(posting).collect()
    }

    /// The subject of a message, by the platform's name for it.
    pub async fn posting_of(
        &self,
        platform: &str,
        channel: &str,
        message: &str,
    ) -> Result<Option<Posting>, StoreError> {
        let row = sqlx::query(
            "SELECT body FROM posts WHERE platform = ? AND channel = ?
             AND json_extract(body, '$.state.message') = ? LIMIT 1",
        )
        .bind(platform)
        .bind(channel)
        .bind(message)
        .fetch_optional(&self.reader)
        .await
        .map_err(failed("read", "a message"))?;
        row.as_ref().map(posting).transpose()
    }

    /// Messages that were gathered into another.
    pub async fn gathered(&self, key: &PostKey, limit: u32) -> Result<Vec<Posting>, StoreError> {
        let rows = sqlx::query(
            "SELECT body FROM posts WHERE platform = ? AND channel = ?
             AND json_extract(body, '$.state.into') = ? ORDER BY changed DESC LIMIT ?",
        )
        .bind(key.platform.as_str())
        .bind(key.channel.as_str())
        .bind(key.subject.as_str())
        .bind(limit)
        .fetch_all(&self.reader)
        .await
        .map_err(failed("read", format!("what was gathered into {}", key.subject)))?;
        rows.iter().map(posting).collect()
    }

    /// Forgets messages that nothing happened to since `before`: settled ones, and those whose incident is
    /// forgotten.
    pub async fn forget_postings(&self, before: Timestamp) -> Result<u64, StoreError> {
        let gone = sqlx::query(
            "DELETE FROM posts WHERE changed < ? AND (settled = 1
             OR subject LIKE 'i-%' AND subject NOT IN (SELECT id FROM incidents))",
        )
        .bind(nanos(before))
        .execute(&self.writer)
        .await
        .map_err(failed("forget", "old messages"))?;
        Ok(gone.rows_affected())
    }
}

fn posting(from: &SqliteRow) -> Result<Posting, StoreError> {
    let body: String = from.try_get("body").map_err(failed("read the column", "body"))?;
    row::parse("a message".to_owned(), &body)
}
