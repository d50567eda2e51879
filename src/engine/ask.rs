//! What people ask for by hand: one look at one object, and a remedy with chosen parameters.
//!
//! A look records nothing. A request puts a proposal forward in the asker's name; it must be approved like
//! any other, and the choices for its parameters are those that the evidence gives.

use std::collections::BTreeMap;

use super::handle::Handle;
use super::offer;
use super::planning::{Draft, NoDraft};
use super::propose::Offered;
use super::refused::Refused;
use super::shared::Shared;
use crate::cluster::Tell;
use crate::gate;
use crate::incident::{
    Actor, Candidate, Evidence, Finding, Gap, IncidentId, Mode, ObjectRef, ProposalId, Remedy, Text,
};
use crate::playbook;

/// What one look at one object showed.
#[derive(Clone, Debug)]
pub struct Diagnosed {
    pub subject: ObjectRef,
    /// Whether the object is there at all.
    pub exists: bool,
    pub causes: Vec<Cause>,
    /// What could not be looked at.
    pub gaps: Vec<Gap>,
}

/// A finding, and what can be done about it.
#[derive(Clone, Debug)]
pub struct Cause {
    pub finding: Finding,
    pub remedies: Vec<Candidate>,
    /// Steps for a person, in Markdown.
    pub manual: String,
    /// The incident that is about it, if there is one.
    pub incident: Option<IncidentId>,
}

impl Handle {
    /// Looks at an object, once. Nothing is recorded.
    pub async fn diagnose(&self, who: &Actor, subject: &ObjectRef) -> Result<Diagnosed, Refused> {
        self.diagnose_telling(who, subject, &|_| {}).await
    }

    /// The same, telling what is there as it comes: which part of the evidence, and how much of it.
    pub async fn diagnose_telling(
        &self,
        who: &Actor,
        subject: &ObjectRef,
        tell: Tell<'_>,
    ) -> Result<Diagnosed, Refused> {
        self.known(who)?;
        let shared = self.shared();
        let evidence = shared.peek(subject, tell).await.ok_or_else(|| no_cluster(&subject.cluster))?;
        let book = shared.book();
        let cause = |finding: Finding| {
            let playbook = book.get(&finding.condition);
            let remedies = playbook.map(|playbook| playbook::remedies(playbook, &finding, &evidence));
            let manual = playbook.map(|playbook| playbook::manual(playbook, &finding, &evidence));
            Cause {
                remedies: remedies.unwrap_or_default(),
                manual: manual.unwrap_or_default(),
                incident: shared.ledger.newest(&finding.key).map(|incident| incident.id.clone()),
                finding,
            }
        };
        let causes = crate::diagnosis::diagnose(&book, &evidence).into_iter().map(cause).collect();
        Ok(Diagnosed {
            subject: evidence.seen.subject.clone(),
            exists: exists(&evidence),
            causes,
            gaps: evidence.seen.gaps.clone(),
        })
    }

    /// The remedies that fit an incident right now, with the choices for their parameters.
    pub async fn remedies(&self, who: &Actor, id: &IncidentId) -> Result<Vec<Candidate>, Refused> {
        self.known(who)?;
        let shared = self.shared();
        let incident = shared.ledger.get(id).await?;
        let Some((finding, sight)) = shared.fresh_finding(&incident).await else { return Ok(Vec::new()) };
        let book = shared.book();
        let playbook = book.get(&finding.condition);
        Ok(playbook
            .map(|playbook| playbook::remedies(playbook, &finding, &sight.evidence))
            .unwrap_or_default())
    }

    /// Puts a remedy forward with these parameters, in the place of an undecided proposal for it. What is not
    /// named takes the best choice.
    pub async fn request(
        &self,
        who: &Actor,
        id: &IncidentId,
        remedy: &Text,
        parameters: &BTreeMap<Text, Text>,
    ) -> Result<ProposalId, Refused> {
        self.known(who)?;
        let shared = self.shared();
        let incident = shared.ledger.get(id).await?;
        if !offer::may_offer(&incident) {
            let why = "the incident is over, or something is being carried out for it right now";
            return Err(Refused::Impossible(why.to_owned()));
        }
        let cluster = &incident.finding.key.cluster;
        let seat = shared.seat(cluster).ok_or_else(|| no_cluster(cluster))?;
        let Some((finding, sight)) = shared.fresh_finding(&incident).await else {
            return Err(Refused::Impossible("the condition does not show at this moment".to_owned()));
        };
        let book = shared.book();
        let chosen = |playbook| playbook::chosen(playbook, &finding, &sight.evidence, remedy, parameters);
        let candidate = book
            .get(&finding.condition)
            .ok_or_else(|| Refused::Impossible(format!("no playbook is in force for {}", finding.condition)))
            .and_then(|playbook| chosen(playbook).map_err(Refused::Impossible))?;
        if candidate.mode == Mode::Observe {
            let why = format!("the playbook only shows {remedy}; it is not carried out");
            return Err(Refused::Impossible(why));
        }
        let draft = Draft {
            incident: &incident,
            candidate: &candidate,
            finding: &finding,
            evidence: &sight.evidence,
        };
        let plan = shared.plan(seat, &draft, &incident.next_proposal()).await.map_err(|no| match no {
            NoDraft::Refused(why) => Refused::Impossible(why),
            NoDraft::Unread(why) => Refused::Cluster { cluster: cluster.to_string(), why: why.to_string() },
        })?;
        let (preview, missing) = (seat.preview(&plan).await, seat.missing(&plan.rules).await);
        let offered = Offered {
            remedy: Remedy {
                id: candidate.remedy.clone(),
                title: candidate.title.clone(),
                parameters: candidate.parameters.clone(),
            },
            plan,
            preview,
            missing,
            undoes: None,
            requested_by: Some(who.clone()),
        };
        let old = incident.proposals.values().find(|record| {
            record.is_live()
                && record.decisions.is_empty()
                && record.proposal.undoes.is_none()
                && record.proposal.remedy.id == *remedy
        });
        let made = shared.put_forward(&incident.id, &offered, old.map(|record| &record.proposal.id)).await?;
        made.ok_or_else(|| Refused::Busy(incident.id.clone()))
    }

    fn known(&self, who: &Actor) -> Result<(), Refused> {
        let policy = self.shared().policy();
        let refusal = || gate::Refusal::Unknown { who: who.clone() };
        policy.person(who).map(drop).ok_or_else(|| Refused::Gate(refusal()))
    }
}

fn no_cluster(cluster: &Text) -> Refused {
    Refused::Cluster { cluster: cluster.to_string(), why: "it is not configured".to_owned() }
}

fn exists(evidence: &Evidence) -> bool {
    let seen = &evidence.seen;
    seen.pod.is_some()
        || seen.object.is_some()
        || seen.node.is_some()
        || !seen.owners.is_empty()
        || seen.subject.api.kind == "Namespace" && seen.namespace.is_some()
}

impl Shared {
    /// What is known about a subject right now; nobody else hears of it.
    async fn peek(&self, subject: &ObjectRef, tell: Tell<'_>) -> Option<Evidence> {
        let seat = self.seat(&subject.cluster)?;
        let subject = super::seat::by_name(subject.clone());
        Some(crate::diagnosis::assemble(self.gather_fresh(seat, &subject, tell).await))
    }
}
