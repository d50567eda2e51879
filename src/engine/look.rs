//! One look at one subject: what is so, and what that means. The board keeps the answer.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::cluster::Tell;
use crate::diagnosis;
use crate::incident::{Evidence, Finding, Gathered, ObjectRef, Text, Wants};

use super::clock;
use super::seat::Seat;
use super::shared::Shared;

/// Looks that come within so long of each other are reported together: a storm is one report, not thousands.
const TOGETHER: SignedDuration = SignedDuration::from_millis(100);

/// Whether what was read for a sibling will do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// It will.
    Shared,
    /// Everything is read anew: somebody is going to decide on it.
    Fresh,
}

/// What a look showed.
pub(super) struct Sight {
    pub findings: Vec<Finding>,
    pub evidence: Arc<Evidence>,
}

impl Shared {
    /// Looks at a subject and puts on the board what shows. `None`: the cluster is not one of ours.
    pub(super) async fn look(&self, subject: &ObjectRef, reading: Reading) -> Option<Sight> {
        let seat = self.seat(&subject.cluster)?;
        let subject = &ObjectRef { uid: Text::default(), ..subject.clone() };
        let _turn = seat.turn(subject).await;
        let evidence = Arc::new(diagnosis::assemble(self.gather(seat, subject, reading).await));
        let findings =
            if has_no_pod(&evidence) { Vec::new() } else { diagnosis::diagnose(&self.book(), &evidence) };
        metrics::counter!("kubemend_looks_total", "found" => if findings.is_empty() { "nothing" } else { "something" })
            .increment(1);
        let seen = &evidence.seen.subject;
        let touched = self.board.lock().show(seen, findings.clone(), &evidence, evidence.seen.at);
        let soon = clock::now().checked_add(TOGETHER).unwrap_or(evidence.seen.at);
        for key in touched {
            self.keys.add_at(key, soon);
        }
        Some(Sight { findings, evidence })
    }

    /// Everything read anew, for somebody who asks by hand.
    pub(super) async fn gather_fresh(&self, seat: &Seat, subject: &ObjectRef, tell: Tell<'_>) -> Gathered {
        let now = clock::now();
        let gathered = seat.gather_telling(subject, Wants::default(), now, tell).await;
        let wants = gathered.pod.as_ref().map(diagnosis::wants_of_pod).unwrap_or_default();
        if wants == Wants::default() {
            return gathered;
        }
        let gathered = seat.gather_telling(subject, wants, now, tell).await;
        seat.share.lock().keep(&gathered, self.options.share_for);
        gathered
    }

    /// First what is at hand; then, if that leaves something open, what a request must tell.
    async fn gather(&self, seat: &Seat, subject: &ObjectRef, reading: Reading) -> Gathered {
        let now = clock::now();
        let mut gathered = seat.gather(subject, Wants::default(), now).await;
        let wants = gathered.pod.as_ref().map(diagnosis::wants_of_pod).unwrap_or_default();
        if wants == Wants::default() {
            return gathered;
        }
        let serves = self.options.share_for;
        if reading == Reading::Shared && seat.share.lock().fill(&mut gathered, serves) {
            return gathered;
        }
        let gathered = seat.gather(subject, wants, now).await;
        seat.share.lock().keep(&gathered, serves);
        gathered
    }
}

/// A pod that is gone, or is well: nothing of it is kept, and what its old events say is not so any more.
fn has_no_pod(evidence: &Evidence) -> bool {
    evidence.seen.subject.api.kind == "Pod" && evidence.seen.pod.is_none()
}
