//! What pages show beyond single incidents: everything that is on, what somebody may do, steps for a person, the
//! records as they are verified.

use std::sync::Arc;

use jiff::Timestamp;

use super::clock;
use super::handle::Handle;
use super::refused::Refused;
use crate::gate::{self, Policy, Right};
use crate::incident::chain::{Head, Record, Verified};
use crate::incident::{
    Actor, BrokenChain, Decision, DecisionKind, Evidence, Incident, Proposal, ProposalId, ProposalRecord,
    ProposalState, Status, Text,
};
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

    /// The proposals that await somebody's decision: those that they may approve and have not decided about, in
    /// the order in which they expire. The gate's own judgement.
    pub fn awaiting(&self, who: &Actor) -> Vec<(Arc<Incident>, ProposalId)> {
        let (policy, now) = (self.shared.policy(), clock::now());
        let mut found = Vec::new();
        for incident in self.shared.ledger.held() {
            let open = incident.proposals.values().filter(|record| record.state == ProposalState::Open);
            for record in open.filter(|record| may_approve(&policy, who, &incident, record, now)) {
                let Proposal { id, expires, .. } = &record.proposal;
                found.push((*expires, Arc::clone(&incident), id.clone()));
            }
        }
        found.sort_by(|(one, _, a), (other, _, b)| (one, a).cmp(&(other, b)));
        found.into_iter().map(|(_, incident, id)| (incident, id)).collect()
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

/// Whether an approval of theirs would be recorded now.
fn may_approve(
    policy: &Policy,
    who: &Actor,
    incident: &Incident,
    record: &ProposalRecord,
    now: Timestamp,
) -> bool {
    let proposal = &record.proposal;
    let decision = Decision {
        kind: DecisionKind::Approve,
        by: who.clone(),
        digest: proposal.digest.clone(),
        at: now,
        note: Text::default(),
    };
    let typed = proposal.policy.typed_confirmation.as_deref();
    matches!(incident.status, Status::Open)
        && gate::decide(policy, record, &incident.finding, &decision, typed, now).is_ok()
}
