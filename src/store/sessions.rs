//! Who is signed in to the console, so that a restart logs nobody out.
//!
//! Keeps digests of session ids, never an id: what is read from this table lets nobody in. Refuses to judge
//! whether a session still holds; it forgets those whose end lies behind, and the ones longest unused where
//! there are too many.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use super::error::failed;
use super::row::{self, nanos};
use super::{Store, StoreError};
use crate::incident::{Actor, Digest, Text};

/// The form of the database that brought the table.
pub(super) const FORM: &str = "
CREATE TABLE sessions (
    -- the SHA-256 of the session's id
    id         TEXT PRIMARY KEY,
    seen       INTEGER NOT NULL,
    ends       INTEGER NOT NULL,
    state      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_use ON sessions (seen);
";

/// Somebody who is signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    pub who: Actor,
    /// Roles that came with the sign-in (a provider's groups), beside those of the configuration.
    pub roles: Vec<Text>,
    /// Names the token or provider that vouched, by a digest.
    pub credential: Digest,
    pub begun: Timestamp,
    /// When it ends, used or not.
    pub ends: Timestamp,
    /// When it was last used, to within a few minutes.
    pub seen: Timestamp,
}

impl Store {
    /// Keeps a session; of more than `most`, the longest unused are forgotten.
    pub async fn keep_session(&self, id: &Digest, session: &Session, most: u32) -> Result<(), StoreError> {
        let error = || failed("keep", "a session");
        let state = serde_json::to_string(session).expect("plain data always serialises");
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(error())?;
        sqlx::query("DELETE FROM sessions WHERE ends <= ?")
            .bind(nanos(session.seen))
            .execute(&mut *tx)
            .await
            .map_err(error())?;
        sqlx::query(
            "INSERT INTO sessions (id, seen, ends, state) VALUES (?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, ends = excluded.ends, state = excluded.state",
        )
        .bind(id.as_str())
        .bind(nanos(session.seen))
        .bind(nanos(session.ends))
        .bind(state)
        .execute(&mut *tx)
        .await
        .map_err(error())?;
        sqlx::query(
            "DELETE FROM sessions WHERE id NOT IN (SELECT id FROM sessions ORDER BY seen DESC LIMIT ?)",
        )
        .bind(most)
        .execute(&mut *tx)
        .await
        .map_err(error())?;
        tx.commit().await.map_err(error())
    }

    /// All sessions that may still hold, longest unused first.
    pub async fn sessions(&self) -> Result<Vec<(Digest, Session)>, StoreError> {
        let rows = sqlx::query("SELECT id, seen, state FROM sessions ORDER BY seen")
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read", "the sessions"))?;
        rows.iter().map(session).collect()
    }

    /// Notes that a session was used. Nothing changes where it has ended.
    pub async fn touch_session(&self, id: &Digest, seen: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET seen = ? WHERE id = ?")
            .bind(nanos(seen))
            .bind(id.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed("keep", "a session"))?;
        Ok(())
    }

    /// Ends a session.
    pub async fn end_session(&self, id: &Digest) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE id = ?")
            .bind(id.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed("end", "a session"))?;
        Ok(())
    }
}

fn session(row: &sqlx::sqlite::SqliteRow) -> Result<(Digest, Session), StoreError> {
    let malformed = |why: &str| StoreError::Malformed { what: "a session".into(), why: why.into() };
    let id: String = row.try_get("id").map_err(failed("read", "a session"))?;
    let id = Digest::parse(&id).ok_or_else(|| malformed("its id is no digest"))?;
    let seen: i64 = row.try_get("seen").map_err(failed("read", "a session"))?;
    let seen = Timestamp::from_nanosecond(seen.into()).map_err(|_| malformed("its time is out of range"))?;
    let state: String = row.try_get("state").map_err(failed("read", "a session"))?;
    let session: Session = row::parse("a session".into(), &state)?;
    Ok((id, Session { seen, ..session }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Via;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    fn session(seen: i64) -> Session {
        let who = Actor { via: Via::Console, id: "alice".into(), name: "Alice".into() };
        let credential = Digest::of_bytes(b"token");
        Session {
            who,
            roles: vec!["viewer".into()],
            credential,
            begun: at(0),
            ends: at(1000),
            seen: at(seen),
        }
    }

    async fn ids(store: &Store) -> Vec<Digest> {
        store.sessions().await.expect("read").into_iter().map(|(id, _)| id).collect()
    }

    #[tokio::test]
    async fn a_session_is_there_until_it_is_ended() {
        let store = Store::memory().await.expect("memory");
        let id = Digest::of_bytes(b"secret");
        store.keep_session(&id, &session(5), 10).await.expect("kept");
        store.touch_session(&id, at(9)).await.expect("touched");
        assert_eq!(store.sessions().await.expect("read"), [(id.clone(), session(9))]);
        store.end_session(&id).await.expect("ended");
        store.touch_session(&id, at(10)).await.expect("nothing to touch");
        assert_eq!(ids(&store).await, []);
    }

    #[tokio::test]
    async fn the_ended_and_the_longest_unused_make_room() {
        let store = Store::memory().await.expect("memory");
        let id = |n: u8| Digest::of_bytes(&[n]);
        for n in 0..4 {
            store.keep_session(&id(n), &session(n.into()), 3).await.expect("kept");
        }
        assert_eq!(ids(&store).await, [id(1), id(2), id(3)]);
        store.keep_session(&id(9), &Session { ends: at(3000), ..session(2000) }, 3).await.expect("kept");
        assert_eq!(ids(&store).await, [id(9)], "the others ended at 1000");
    }
}
