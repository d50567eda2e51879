//! Who is signed in.
//!
//! Owns the table in memory; the store keeps the same, so that a restart logs nobody out. A session ends when
//! it was not used for long, after its longest time, at sign-out, and when the credential that opened it is no
//! longer configured. Refuses to keep a session's id: its digest is enough to recognise it.

use std::collections::{BTreeSet, HashMap};
use std::mem;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::pages::Notice;
use super::secret::Secret;
use super::settings::SessionSettings;
use crate::engine::{Handle, Refused, Session};
use crate::incident::{Actor, Digest, Text};

/// How old the stored time of last use may be.
const STALE: SignedDuration = SignedDuration::from_mins(5);
/// Notices that wait to be shown; older ones are dropped.
const MOST_NOTICES: usize = 4;

/// Somebody who was just recognised, and what vouches for them.
#[derive(Clone, Debug)]
pub struct Pass {
    pub who: Actor,
    /// Roles that come with the sign-in.
    pub roles: Vec<Text>,
    /// Names the token or provider; a session ends when it is no longer configured.
    pub credential: Digest,
}

/// The table.
pub(super) struct Sessions {
    engine: Handle,
    settings: SessionSettings,
    held: Mutex<HashMap<Digest, Held>>,
}

struct Held {
    session: Session,
    /// The time of last use as the store has it.
    stored: Timestamp,
    notices: Vec<Notice>,
}

impl Sessions {
    /// Everybody who was signed in when kubemend stopped, by credentials that are still configured.
    pub(super) async fn open(
        engine: Handle,
        settings: SessionSettings,
        credentials: &BTreeSet<Digest>,
    ) -> Result<Self, Refused> {
        let sessions = Self { engine, settings, held: Mutex::default() };
        let now = sessions.engine.now();
        for (id, session) in sessions.engine.sessions().await? {
            if credentials.contains(&session.credential) && sessions.is_on(&session, now) {
                sessions.engine.admit(&session.who, &session.roles);
                let held = Held { stored: session.seen, session, notices: Vec::new() };
                sessions.held.lock().insert(id, held);
            } else {
                sessions.engine.end_session(&id).await?;
            }
        }
        Ok(sessions)
    }

    /// Signs somebody in, under a name that did not exist before.
    pub(super) async fn begin(&self, pass: Pass) -> Result<Secret, Refused> {
        let Pass { who, roles, credential } = pass;
        let (secret, now) = (Secret::random(), self.engine.now());
        let longest = SignedDuration::from_hours(self.settings.longest_hours.into());
        let ends = now.checked_add(longest).unwrap_or(Timestamp::MAX);
        let session = Session { who, roles, credential, begun: now, ends, seen: now };
        self.engine.keep_session(&secret.digest(), &session, self.settings.most).await?;
        self.engine.admit(&session.who, &session.roles);
        let mut held = self.held.lock();
        held.retain(|_, held| self.is_on(&held.session, now));
        while held.len() >= self.settings.most as usize {
            let oldest = held.iter().min_by_key(|(_, held)| held.session.seen).map(|(id, _)| id.clone());
            oldest.and_then(|id| held.remove(&id));
        }
        held.insert(secret.digest(), Held { stored: now, session, notices: Vec::new() });
        Ok(secret)
    }

    /// Whose session it is, if it is on.
    pub(super) async fn find(&self, id: &Digest) -> Option<Actor> {
        let now = self.engine.now();
        let (who, stale) = {
            let mut table = self.held.lock();
            let held = table.get_mut(id)?;
            if !self.is_on(&held.session, now) {
                table.remove(id);
                return None;
            }
            held.session.seen = now;
            let stale = now.duration_since(held.stored) >= STALE;
            if stale {
                held.stored = now;
            }
            (held.session.who.clone(), stale)
        };
        if stale && let Err(error) = self.engine.touch_session(id, now).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the use of a session could not be noted"
            );
        }
        Some(who)
    }

    /// Whether the session is on, without counting as use: for pages that keep themselves up to date.
    pub(super) fn holds(&self, id: &Digest) -> bool {
        let now = self.engine.now();
        self.held.lock().get(id).is_some_and(|held| self.is_on(&held.session, now))
    }

    /// Signs out. The store may fail; here it is over in any case.
    pub(super) async fn end(&self, id: &Digest) -> Result<(), Refused> {
        let ended = self.held.lock().remove(id);
        if let Some(held) = ended {
            let who = &held.session.who;
            let elsewhere = self.held.lock().values().any(|other| other.session.who == *who);
            if !elsewhere {
                self.engine.dismiss(who);
            }
        }
        self.engine.end_session(id).await
    }

    /// Something to show on the next page.
    pub(super) fn tell(&self, id: &Digest, notice: Notice) {
        if let Some(held) = self.held.lock().get_mut(id) {
            if held.notices.len() >= MOST_NOTICES {
                held.notices.remove(0);
            }
            held.notices.push(notice);
        }
    }

    /// What is to be shown, once.
    pub(super) fn take_notices(&self, id: &Digest) -> Vec<Notice> {
        self.held.lock().get_mut(id).map(|held| mem::take(&mut held.notices)).unwrap_or_default()
    }

    fn is_on(&self, session: &Session, now: Timestamp) -> bool {
        let idle = SignedDuration::from_hours(self.settings.idle_hours.into());
        now < session.ends && now.duration_since(session.seen) < idle
    }
}
