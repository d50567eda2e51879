//! Working on one incident: step after step as long as one is due, then its proposals.
//!
//! Whoever takes an incident from the agenda has it alone until it is done, so its effects come one after the
//! other. What cannot be done now comes back later.

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::clock;
use super::execute::Progress;
use super::refused::Refused;
use super::shared::Shared;
use crate::incident::{IncidentId, Step, next};

/// After a failure, or when nothing can be done at this moment.
const LATER: SignedDuration = SignedDuration::from_secs(2);

impl Shared {
    /// Works on the incident until nothing is due, and says when to come again.
    pub(super) async fn drive(&self, id: &IncidentId, stop: &CancellationToken) {
        match self.steps(id, stop).await {
            Ok(Some(again)) => self.incidents.add_at(id.clone(), again),
            Ok(None) => {}
            Err(Refused::NoIncident(_)) => self.offers.lock().forget(id),
            Err(refused) => {
                let chain: &dyn std::error::Error = &refused;
                tracing::warn!(incident.id = %id, error = chain, "incident {id} could not be worked on; trying again");
                self.incidents.add_at(id.clone(), later(LATER));
            }
        }
    }

    async fn steps(&self, id: &IncidentId, stop: &CancellationToken) -> Result<Option<Timestamp>, Refused> {
        loop {
            let incident = self.ledger.get(id).await?;
            let due = next(&incident, clock::now(), self.brake());
            let Some(step) = due.step else {
                let offers = self.propose(&incident).await?;
                return Ok(soonest(due.again, offers));
            };
            if stop.is_cancelled() {
                return Ok(None);
            }
            let pause = if matches!(step, Step::Verify { .. }) { self.verify_every() } else { LATER };
            match self.step(&incident, &step).await? {
                Progress::Made => {}
                Progress::Later => return Ok(soonest(due.again, Some(later(pause)))),
            }
        }
    }

    fn verify_every(&self) -> SignedDuration {
        SignedDuration::try_from(self.options.verify_every).unwrap_or(LATER)
    }
}

fn soonest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

fn later(by: SignedDuration) -> Timestamp {
    clock::now().checked_add(by).unwrap_or(Timestamp::MAX)
}
