//! What chat asks of the store beside its messages: answers that are owed, when a platform was heard, and who was
//! in which groups before a restart.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::clock;
use super::handle::Handle;
use super::refused::Refused;
use super::shared::{Known, Shared};
use crate::incident::{Actor, Text};
use crate::store::{Membership, Owed, StoreError};

/// After a restart what a platform said of groups counts for so long from when it was said. By then the platform
/// has been asked again.
const GROUPS_LIVE: SignedDuration = SignedDuration::from_mins(15);
/// What has not changed is stored again so often.
const STORED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Who was in groups is known for so long, so that the platform can be asked about them.
const GROUPS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

impl Handle {
    /// Keeps what is owed and forgets what was answered. It is on the disk when this returns.
    pub async fn change_owed(
        &self,
        platform: &str,
        owed: &[Owed],
        answered: &[String],
    ) -> Result<(), Refused> {
        self.store().change_owed(platform, owed, answered).await.map_err(Refused::Store)
    }

    /// What is owed on a platform, oldest first; what nobody waits for any more is forgotten.
    pub async fn owed(&self, platform: &str) -> Result<Vec<Owed>, Refused> {
        self.store().owed(platform, clock::now()).await.map_err(Refused::Store)
    }

    /// Notes that a platform was heard at that time.
    pub async fn put_heard(&self, platform: &str, at: Timestamp) -> Result<(), Refused> {
        self.store().put_heard(platform, at).await.map_err(Refused::Store)
    }

    /// When a platform was last heard, this time or before the last restart.
    pub async fn heard(&self, platform: &str) -> Result<Option<Timestamp>, Refused> {
        self.store().heard(platform).await.map_err(Refused::Store)
    }

    /// What its platform says of somebody's groups right now: it counts at once ([`Self::put_groups`]), and for a
    /// while after a restart.
    pub async fn meet(&self, who: &Actor, groups: BTreeSet<Text>) {
        let now = clock::now();
        if !self.shared().is_worth_storing(who, &groups, now) {
            return;
        }
        let member = Membership { via: who.via, id: who.id.clone(), said: now, groups };
        let forget = now.checked_sub(GROUPS_KEPT).unwrap_or(Timestamp::MIN);
        if let Err(error) = self.store().put_membership(&member, forget).await {
            let chain: &dyn std::error::Error = &error;
            tracing::warn!(error = chain, actor.id = %who.id, "the groups of {} are not kept over a restart", who.name);
        }
    }

    /// Everybody who was in a group lately, as it was last said: to ask their platform about.
    pub async fn memberships(&self) -> Result<Vec<Membership>, Refused> {
        self.store().memberships().await.map_err(Refused::Store)
    }
}

impl Shared {
    /// Puts somebody's groups in force; says whether that is to be stored: when it changed, and now and then.
    fn is_worth_storing(&self, who: &Actor, groups: &BTreeSet<Text>, now: Timestamp) -> bool {
        let known = self.put_groups(who, groups.clone());
        let key = (who.via, who.id.clone());
        let mut said = self.members_said.lock();
        let stored = said.get(&key).is_some_and(|at| now.duration_since(*at) < STORED_EVERY);
        let due = match known {
            Known::Anew => true,
            Known::AsBefore => !stored,
            Known::InNone => false,
        };
        if due && groups.is_empty() {
            said.remove(&key);
        } else if due {
            said.insert(key, now);
        }
        due
    }

    /// What was said of groups shortly before a restart counts after it.
    pub(super) async fn remember_members(&self) -> Result<(), StoreError> {
        let since = clock::now().checked_sub(GROUPS_LIVE).unwrap_or(Timestamp::MIN);
        for member in self.ledger.store().memberships().await? {
            let Membership { via, id, said, groups } = member;
            if said >= since {
                let name = id.clone();
                let _ = self.put_groups(&Actor { via, id, name }, groups);
            }
        }
        Ok(())
    }
}
