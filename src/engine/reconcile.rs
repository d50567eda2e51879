//! Level, not edge: now and then everything is looked at, whether or not anything was heard of it.
//!
//! At the start this continues what was open before; later it finds what a lost event would have hidden, and
//! what is only a matter of time.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::{StreamExt as _, stream};
use jiff::Timestamp;

use super::clock;
use super::handle::evidence;
use super::look::Reading;
use super::seat::{Seat, by_name};
use super::shared::Shared;
use crate::incident::{Evidence, Incident, IncidentId, ObjectRef, Status, Text};
use crate::store::StoreError;

impl Shared {
    /// What was on before this process began goes on.
    pub(super) async fn take_up(&self) -> Result<(), StoreError> {
        let now = clock::now();
        for incident in self.ledger.held() {
            if !matches!(incident.status, Status::Resolved { .. }) {
                let evidence = self.last_evidence(&incident.id).await?;
                self.board.lock().expect(&incident.finding, Arc::new(evidence), now);
                self.keys.add(incident.finding.key.clone());
            }
            self.offers.lock().ask(&incident.id);
            self.incidents.add(incident.id.clone());
        }
        Ok(())
    }

    async fn last_evidence(&self, id: &IncidentId) -> Result<Evidence, StoreError> {
        let entry = self.ledger.store().newest_evidence(id).await?.map(|recorded| recorded.entry);
        Ok(entry.and_then(evidence).map(|evidence| *evidence).unwrap_or_default())
    }

    /// Looks at everything of one cluster that looks unhealthy or did until now.
    pub(super) async fn look_through(&self, seat: &Seat) {
        let began = clock::now();
        seat.view(began);
        let subjects = self.all_subjects(seat);
        let count = subjects.len();
        let looks =
            subjects.into_iter().map(|subject| async move { self.look(&subject, Reading::Shared).await });
        stream::iter(looks).buffer_unordered(self.options.looks_at_once).for_each(|_| async {}).await;
        let view = seat.view(clock::now());
        seat.looked_through(began);
        self.wake_keys(seat.cluster.name());
        self.measure();
        tracing::debug!(cluster = %seat.cluster.name(), ?view, "looked through {count} subjects");
    }

    fn all_subjects(&self, seat: &Seat) -> BTreeSet<ObjectRef> {
        let cluster = seat.cluster.name();
        let here = |subject: &ObjectRef| subject.cluster == *cluster;
        let mut all: BTreeSet<ObjectRef> = seat.cluster.suspects().into_iter().map(by_name).collect();
        all.extend(self.board.lock().subjects().filter(here).map(by_name));
        let on = |incident: &Arc<Incident>| !matches!(incident.status, Status::Resolved { .. });
        for incident in self.ledger.held().into_iter().filter(on) {
            let Incident { finding, members, .. } = incident.as_ref();
            all.extend(
                std::iter::once(&finding.subject)
                    .chain(&members.listed)
                    .filter(|s| here(s))
                    .cloned()
                    .map(by_name),
            );
        }
        all
    }

    fn wake_keys(&self, cluster: &Text) {
        let board = self.board.lock();
        for key in board.keys().filter(|key| key.cluster == *cluster) {
            self.keys.add(key.clone());
        }
    }

    /// Removes what is older than its retention, and lets go of what is over.
    pub(super) async fn sweep(&self) {
        const AT_ONCE: u32 = 500;
        let now = clock::now();
        let before = |by: jiff::SignedDuration| now.checked_sub(by).unwrap_or(Timestamp::MIN);
        self.ledger.tidy(before(self.options.rules.reopen_within));
        match self.ledger.store().sweep(before(self.options.retention), now, AT_ONCE).await {
            Ok(swept) if swept.incidents > 0 => {
                tracing::info!("forgot {} incidents that ended long ago", swept.incidents);
            }
            Ok(_) => {}
            Err(error) => {
                let chain: &dyn std::error::Error = &error;
                tracing::warn!(error = chain, "what is older than its retention could not be removed");
            }
        }
        if let Err(error) = self.ledger.store().forget_postings(before(self.options.retention)).await {
            let chain: &dyn std::error::Error = &error;
            tracing::warn!(error = chain, "old messages could not be forgotten");
        }
    }
}
