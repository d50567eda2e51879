//! What pages show beyond single incidents: everything that is on, what somebody may do, steps for a person, the
//! records as they are verified.

use std::sync::Arc;

use super::handle::Handle;
use super::refused::Refused;
use crate::gate::{self, Right};
use crate::incident::chain::{Head, Record, Verified};
use crate::incident::{Actor, BrokenChain, Evidence, Incident};
use crate::playbook;
use crate::store::StoreError;

/// What is worth offering to somebody. It promises nothing: the gate judges each wish.
#[expect(clippy::struct_excessive_bools, reason = "four independent rights")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MayDo {
    /// Whether they may approve anything at all.
    pub decide: bool,
    pub silence: bool,
    pub pause: bool,
    pub audit: bool,
}

impl Handle {
    /// All incidents that are on, and some that ended lately.
    pub fn current(&self) -> Vec<Arc<Incident>> {
        self.shared.ledger.held()
    }

    /// What to offer to somebody.
    pub fn may(&self, who: &Actor) -> MayDo {
        let policy = self.shared.policy();
        let can = |right| gate::can(&policy, who, right).is_ok();
        MayDo {
            decide: policy.may_anything(who),
            silence: can(Right::Silence),
            pause: can(Right::Pause),
            audit: can(Right::Audit),
        }
    }

    /// Exact steps for a person, in Markdown; `None` where no playbook in force knows the condition.
    pub fn manual(&self, incident: &Incident, evidence: &Evidence) -> Option<String> {
        let book = self.shared.book();
        let playbook = book.get(&incident.finding.condition)?;
        Some(playbook::manual(playbook, &incident.finding, evidence))
    }

    /// The newest record's number and digest.
    pub async fn head(&self) -> Result<Head, Refused> {
        self.shared.ledger.store().head().await.map_err(Refused::Store)
    }

    /// The records after number `after`, as they are verified; a page at a time, empty at the end.
    pub async fn export(&self, who: &Actor, after: u64) -> Result<Vec<Record>, Refused> {
        gate::can(&self.shared.policy(), who, Right::Audit)?;
        self.shared.ledger.store().export(after).await.map_err(Refused::Store)
    }

    /// Verifies the whole chain of records. Takes as long as there are many.
    pub async fn verify(&self, who: &Actor) -> Result<Result<Verified, BrokenChain>, Refused> {
        gate::can(&self.shared.policy(), who, Right::Audit)?;
        match self.shared.ledger.store().verify().await {
            Ok(verified) => Ok(Ok(verified)),
            Err(StoreError::Broken(broken)) => Ok(Err(broken)),
            Err(error) => Err(Refused::Store(error)),
        }
    }
}
