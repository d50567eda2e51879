//! Telling a channel that nothing could be heard for a while, and what was missed.
//!
//! Told once in each channel, through the outbox.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::card::Card;
use super::hearing::Gap;
use super::outbox::{Outbox, Platform};
use super::tell::{Asked, Missed, Teller};
use super::words::Words;
use crate::engine::Handle;
use crate::incident::chain::Audited;
use crate::incident::{Entry, ProposalState, Text};

/// How many of the newest entries are looked through.
const ENTRIES: u32 = 500;
/// How many open incidents are looked through.
const INCIDENTS: u32 = 500;

/// Tells of gaps.
pub(super) struct GapTeller<P> {
    pub(super) engine: Handle,
    pub(super) words: Arc<Words>,
    pub(super) outbox: Outbox<P>,
    pub(super) channels: Vec<Text>,
}

impl<P: Platform> GapTeller<P> {
    /// Tells every gap that ends, until `stop`.
    pub(super) async fn run(self, mut gaps: mpsc::Receiver<Gap>, stop: CancellationToken) {
        loop {
            let gap = tokio::select! {
                () = stop.cancelled() => return,
                gap = gaps.recv() => gap,
            };
            let Some(gap) = gap else { return stop.cancelled().await };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.tell(&gap) => {}
            }
        }
    }

    async fn tell(&self, gap: &Gap) {
        self.tell_with(gap, &BTreeMap::new()).await;
    }

    /// Tells a gap, and in each channel what was asked there meanwhile and is not answered any more.
    pub(super) async fn tell_with(&self, gap: &Gap, asked: &BTreeMap<Text, Vec<Asked>>) {
        let missed = self.missed(gap).await;
        let name = format!("gap {}", gap.from);
        for channel in &self.channels {
            let here = asked.get(channel).map(Vec::as_slice).unwrap_or_default();
            let card = self.card(gap, missed, here);
            if let Err(refused) = self.outbox.announce(channel, &name, &card).await {
                let chain: &dyn std::error::Error = &refused;
                tracing::warn!(error = chain, chat.channel = %channel, "a gap cannot be told in {channel}");
            }
        }
    }

    fn card(&self, gap: &Gap, missed: Missed, asked: &[Asked]) -> Card {
        let book = self.engine.book();
        let teller = Teller { words: &self.words, book: &book };
        teller.asked(teller.gap(gap, missed), asked)
    }

    /// What the engine recorded in that time. Without an answer the gap is told without it.
    async fn missed(&self, gap: &Gap) -> Missed {
        let newest = self.engine.newest().await.unwrap_or_default();
        let after = newest.saturating_sub(u64::from(ENTRIES));
        let entries = self.engine.entries_after(after, ENTRIES).await.unwrap_or_default();
        let within = entries.iter().filter_map(|entry| match entry {
            Audited::Incident(recorded) => Some(recorded),
            Audited::General(_) => None,
        });
        let within: Vec<_> = within.filter(|entry| entry.at >= gap.from && entry.at <= gap.to).collect();
        let touched: BTreeSet<_> = within.iter().map(|recorded| &recorded.incident).collect();
        let expired =
            within.iter().filter(|recorded| matches!(recorded.entry, Entry::Expired { .. })).count();
        let filter = crate::engine::IncidentFilter {
            status: Some(crate::engine::StatusFilter::Open),
            ..crate::engine::IncidentFilter::default()
        };
        let open = self.engine.incidents(&filter, INCIDENTS).await.unwrap_or_default();
        let waiting = open.iter().flat_map(|incident| incident.proposals.values());
        let waiting = waiting.filter(|record| record.state == ProposalState::Open).count();
        Missed { entries: within.len(), incidents: touched.len(), expired, waiting }
    }
}
