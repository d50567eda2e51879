//! What comes with a wish besides its words: whether it was acknowledged long ago, where what is found on the way
//! can be told, what the platform could not say of the asker.
//!
//! A wish that is taken up again (after a restart, or because its answer could not be shown) is not carried out
//! twice: what it did is found in the record and told. What it did not do is done only if it was asked a moment
//! ago; a change that comes out of nowhere minutes later helps nobody.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::watch;

use super::{Desk, Reply, no};
use crate::chat::answer::Answer;
use crate::chat::card::Card;
use crate::chat::command::Wish;
use crate::chat::press::Press;
use crate::engine::Refused;
use crate::incident::chain::{Audited, Upkeep};
use crate::incident::{
    Actor, DecisionKind, Entry, ExecutionId, IncidentId, Proposal, ProposalId, Recorded, Text,
};

/// A change that was asked for longer ago is not carried out any more.
const LATE: SignedDuration = SignedDuration::from_mins(5);
/// How many of the newest records are looked through for a pause.
const RECORDS: u32 = 500;

/// What comes with a wish.
#[derive(Debug)]
pub struct Errand {
    /// When it was acknowledged, if it is taken up again.
    pub since: Option<Timestamp>,
    /// Where the newest of what was found on the way stands.
    pub progress: watch::Sender<Option<Card>>,
    /// Why the platform cannot say which groups the asker is in, if it cannot.
    pub doubt: Option<String>,
}

impl Default for Errand {
    fn default() -> Self {
        Self { since: None, progress: watch::channel(None).0, doubt: None }
    }
}

/// Something that a wish changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    Decide { proposal: ProposalId, kind: DecisionKind },
    Undo { execution: ExecutionId },
    Run { incident: IncidentId, remedy: Text },
    Silence { incident: IncidentId },
    Unsilence { incident: IncidentId },
    Settle { execution: ExecutionId, index: u32 },
    Pause,
    Resume,
}

impl Deed {
    /// What a press changes, if it does.
    pub(super) fn of_press(press: &Press) -> Option<Self> {
        Some(match press {
            Press::Approve { proposal, .. } | Press::Confirm { proposal, .. } => {
                Self::Decide { proposal: proposal.clone(), kind: DecisionKind::Approve }
            }
            Press::Deny { proposal, .. } => {
                Self::Decide { proposal: proposal.clone(), kind: DecisionKind::Deny }
            }
            Press::Withdraw { proposal, .. } => {
                Self::Decide { proposal: proposal.clone(), kind: DecisionKind::Withdraw }
            }
            Press::Undo { execution } => Self::Undo { execution: execution.clone() },
            Press::Settle { execution, index, .. } => {
                Self::Settle { execution: execution.clone(), index: *index }
            }
            Press::Silence { incident, .. } | Press::Dismiss { incident } => {
                Self::Silence { incident: incident.clone() }
            }
            Press::Unsilence { incident } => Self::Unsilence { incident: incident.clone() },
            Press::Run { incident, remedy } => {
                Self::Run { incident: incident.clone(), remedy: remedy.clone() }
            }
            Press::Preview { .. } | Press::Show { .. } => return None,
        })
    }

    /// What a command changes, if it does.
    pub(super) fn of_wish(wish: &Wish) -> Option<Self> {
        Some(match wish {
            Wish::Run { incident, remedy, .. } => {
                Self::Run { incident: incident.clone(), remedy: remedy.clone() }
            }
            Wish::Deny { proposal, .. } => {
                Self::Decide { proposal: proposal.clone(), kind: DecisionKind::Deny }
            }
            Wish::Undo { execution } => Self::Undo { execution: execution.clone() },
            Wish::Silence { incident, .. } => Self::Silence { incident: incident.clone() },
            Wish::Pause => Self::Pause,
            Wish::Resume => Self::Resume,
            Wish::Help { .. }
            | Wish::Status
            | Wish::Incidents(_)
            | Wish::Show { .. }
            | Wish::Diagnose { .. }
            | Wish::Actions { .. }
            | Wish::Approve { .. }
            | Wish::Audit { .. }
            | Wish::WhoAmI => return None,
        })
    }

    /// The incident it is about; nothing for what is about all of them.
    fn incident(&self) -> Option<IncidentId> {
        let of = |proposal: &str| proposal.rsplit_once(".p").map(|(id, _)| IncidentId::from(id));
        match self {
            Self::Decide { proposal, .. } => of(proposal.as_str()),
            Self::Undo { execution } | Self::Settle { execution, .. } => {
                of(execution.as_str().trim_start_matches("x-"))
            }
            Self::Run { incident, .. } | Self::Silence { incident } | Self::Unsilence { incident } => {
                Some(incident.clone())
            }
            Self::Pause | Self::Resume => None,
        }
    }

    /// Whether an entry is what this did.
    fn is(&self, entry: &Entry, who: &Actor) -> bool {
        let own = |by: &Actor| (by.via, &by.id) == (who.via, &who.id);
        match (self, entry) {
            (Self::Decide { proposal, kind }, Entry::Decided { proposal: of, decision }) => {
                proposal == of && *kind == decision.kind && own(&decision.by)
            }
            (Self::Undo { execution }, Entry::Proposed { proposal }) => {
                proposal.undoes.as_ref() == Some(execution) && proposal.requested_by.as_ref().is_some_and(own)
            }
            (Self::Run { remedy, .. }, Entry::Proposed { proposal }) => {
                proposal.remedy.id == *remedy && proposal.requested_by.as_ref().is_some_and(own)
            }
            (Self::Silence { .. }, Entry::Silenced { by, .. })
            | (Self::Unsilence { .. }, Entry::Unsilenced { by }) => own(by),
            (Self::Settle { execution, index }, Entry::Settled { execution: of, index: at, by, .. }) => {
                execution == of && index == at && own(by)
            }
            _ => false,
        }
    }
}

impl Desk {
    /// What is answered to a wish that is taken up again, where it must not be carried out (again). Reading
    /// can be repeated at any time.
    pub(super) async fn taken_up(
        &self,
        who: &Actor,
        deed: Option<&Deed>,
        errand: &Errand,
    ) -> Result<Option<Answer>, Refused> {
        let (Some(deed), Some(since)) = (deed, errand.since) else { return Ok(None) };
        let done = match deed.incident() {
            Some(incident) => self.done_since(who, deed, &incident, since).await?,
            None => self.braked_since(who, deed, since).await?,
        };
        let late = self.engine.now().duration_since(since) > LATE;
        Ok(done.or_else(|| late.then(|| no(self.words.word("answer.late")))))
    }

    async fn done_since(
        &self,
        who: &Actor,
        deed: &Deed,
        incident: &IncidentId,
        since: Timestamp,
    ) -> Result<Option<Answer>, Refused> {
        let view = match self.engine.incident(incident).await {
            Ok(view) => view,
            // The wish itself is told so.
            Err(Refused::NoIncident(_)) => return Ok(None),
            Err(refused) => return Err(refused),
        };
        let own = |recorded: &&Recorded| recorded.at >= since && deed.is(&recorded.entry, who);
        match view.entries.iter().rev().find(own) {
            Some(recorded) => self.what_it_did(incident, &recorded.entry).await.map(Some),
            None => Ok(None),
        }
    }

    /// The answer that an entry's wish had, or would have had.
    async fn what_it_did(&self, incident: &IncidentId, entry: &Entry) -> Reply {
        match entry {
            Entry::Decided { proposal, decision } => {
                let (_, record) = self.record(proposal).await?;
                let id = json!({"id": proposal});
                Ok(match decision.kind {
                    DecisionKind::Approve => self.approved(&record),
                    DecisionKind::Deny => self.done("answer.denied", &id),
                    DecisionKind::Withdraw => self.done("answer.withdrawn", &id),
                })
            }
            Entry::Proposed { proposal } => {
                let Proposal { id, undoes, .. } = proposal.as_ref();
                let key = if undoes.is_some() { "answer.undo" } else { "answer.requested" };
                self.put_forward(id, key).await
            }
            Entry::Settled { index, applied, .. } => {
                Ok(self.done("answer.settled", &json!({"index": index + 1, "applied": applied})))
            }
            Entry::Silenced { until, .. } => {
                Ok(self.done_at("answer.silenced", &json!({"id": incident}), *until))
            }
            Entry::Unsilenced { .. } => Ok(self.done("answer.unsilenced", &json!({"id": incident}))),
            _ => Ok(self.done("answer.was_done", &json!({}))),
        }
    }

    /// A brake that was pulled or let go since then: by this wish, or by somebody who came after.
    async fn braked_since(
        &self,
        who: &Actor,
        deed: &Deed,
        since: Timestamp,
    ) -> Result<Option<Answer>, Refused> {
        let newest = self.engine.newest().await?;
        let after = newest.saturating_sub(u64::from(RECORDS));
        let records = self.engine.entries_after(after, RECORDS).await?;
        let brakes = records.iter().filter_map(|record| match record {
            Audited::General(general) if general.at >= since => Some(&general.what),
            Audited::General(_) | Audited::Incident(_) => None,
        });
        let own = |by: &Actor| (by.via, &by.id) == (who.via, &who.id);
        let mut others = false;
        for brake in brakes {
            match (deed, brake) {
                (Deed::Pause, Upkeep::Paused { by }) if own(by) => {
                    return Ok(Some(self.done("answer.paused", &json!({}))));
                }
                (Deed::Resume, Upkeep::Resumed { by }) if own(by) => {
                    return Ok(Some(self.done("answer.resumed", &json!({}))));
                }
                (_, Upkeep::Paused { .. } | Upkeep::Resumed { .. }) => others = true,
                (_, Upkeep::Forgotten { .. } | Upkeep::Checkpoint { .. }) => {}
            }
        }
        Ok(others.then(|| no(self.words.word("answer.late"))))
    }
}
