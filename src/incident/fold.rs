//! The fold: an incident is its entries applied in order.
//!
//! Owns which entry may follow which. [`apply`] is total: for any state and any entry it gives the new state
//! or names why the entry may not stand there. Refuses clocks and randomness, so that the same entries give
//! the same incident on every machine and in every version that reads them.

mod execution;
mod illegal;
mod proposal;

use jiff::Timestamp;

pub use illegal::Illegal;

use super::{Digest, Entry, Finding, Incident, IncidentId, Members, Status};

/// The incident after `entry`; `state` is `None` before the first one.
pub fn apply(
    state: Option<Incident>,
    id: &IncidentId,
    at: Timestamp,
    entry: &Entry,
) -> Result<Incident, Illegal> {
    let Some(mut incident) = state else { return open(id, at, entry) };
    if incident.id != *id {
        return Err(Illegal::OtherIncident { here: incident.id, entry: id.clone() });
    }
    step(&mut incident, at, entry)?;
    incident.changed = incident.changed.max(at);
    incident.version += 1;
    Ok(incident)
}

/// Raised when the fold makes another state of the same entries without another shape of [`Incident`].
///
/// Whatever changes here, an entry that was legal once stays legal: the records hold it.
const REVISION: u32 = 2;

/// Names what this program makes of entries. A state that was stored under another mark is folded anew.
pub fn fold_mark() -> Digest {
    Digest::of(&(REVISION, schemars::schema_for!(Incident)))
}

/// The incident that `entries` add up to; `None` for no entries.
pub fn replay<'a>(
    id: &IncidentId,
    entries: impl IntoIterator<Item = (Timestamp, &'a Entry)>,
) -> Result<Option<Incident>, Illegal> {
    entries.into_iter().try_fold(None, |state, (at, entry)| apply(state, id, at, entry).map(Some))
}

fn open(id: &IncidentId, at: Timestamp, entry: &Entry) -> Result<Incident, Illegal> {
    let Entry::Opened { finding, evidence: _, members } = entry else { return Err(Illegal::NotOpened) };
    Ok(Incident {
        id: id.clone(),
        status: Status::Open,
        finding: finding.as_ref().clone(),
        members: counted(&Members::default(), members),
        opened: at,
        changed: at,
        version: 1,
        silenced_until: None,
        reopened: 0,
        came_back: None,
        proposals: std::collections::BTreeMap::new(),
        executions: std::collections::BTreeMap::new(),
    })
}

fn step(incident: &mut Incident, at: Timestamp, entry: &Entry) -> Result<(), Illegal> {
    match entry {
        Entry::Opened { .. } => Err(Illegal::AlreadyOpened),
        Entry::Updated { finding, evidence: _ } => update(incident, finding),
        Entry::MembersChanged { members } => change_members(incident, members),
        Entry::Absorbed { into } => absorb(incident, into),
        Entry::Released => release(incident),
        Entry::Resolved => resolve(incident, at),
        Entry::Reopened { finding, evidence: _, members } => reopen(incident, at, finding, members),
        Entry::Silenced { until, by: _, note: _ } => silence(incident, at, *until),
        Entry::Unsilenced { by: _ } => unsilence(incident),
        Entry::Proposed { proposal } => proposal::propose(incident, proposal),
        Entry::Decided { proposal, decision } => proposal::decide(incident, at, proposal, decision),
        Entry::Expired { proposal } => proposal::expire(incident, at, proposal),
        Entry::Stale { proposal, why } => proposal::stale(incident, proposal, why),
        Entry::Superseded { proposal, by } => proposal::supersede(incident, proposal, by),
        Entry::ExecutionStarted { execution, proposal, digest, approvers } => {
            execution::start(incident, at, execution, proposal, digest, approvers)
        }
        Entry::ChangeIntended { execution, index } => execution::intend(incident, execution, *index),
        Entry::ChangeDone { execution, index, outcome } => {
            execution::record(incident, execution, *index, outcome)
        }
        Entry::ExecutionFinished { execution, outcome } => {
            execution::finish(incident, at, execution, outcome)
        }
        Entry::Verified { execution, verdict, checks } => {
            execution::verify(incident, execution, *verdict, checks)
        }
        Entry::Settled { execution, index, applied, by } => {
            execution::settle(incident, at, execution, *index, *applied, by)
        }
        Entry::Noted { text: _ } => Ok(()),
    }
}

fn update(incident: &mut Incident, finding: &Finding) -> Result<(), Illegal> {
    still_on(incident)?;
    same_key(incident, finding)?;
    incident.finding = finding.clone();
    Ok(())
}

fn change_members(incident: &mut Incident, members: &Members) -> Result<(), Illegal> {
    still_on(incident)?;
    incident.members = counted(&incident.members, members);
    Ok(())
}

fn absorb(incident: &mut Incident, into: &IncidentId) -> Result<(), Illegal> {
    if *into == incident.id {
        return Err(Illegal::AbsorbedByItself);
    }
    match &incident.status {
        Status::Open => {
            incident.status = Status::Absorbed { into: into.clone() };
            Ok(())
        }
        Status::Absorbed { into } => Err(Illegal::AlreadyAbsorbed { into: into.clone() }),
        Status::Resolved { .. } => Err(Illegal::AlreadyResolved),
    }
}

fn release(incident: &mut Incident) -> Result<(), Illegal> {
    match &incident.status {
        Status::Absorbed { .. } => {
            incident.status = Status::Open;
            Ok(())
        }
        Status::Open | Status::Resolved { .. } => Err(Illegal::NotAbsorbed),
    }
}

fn resolve(incident: &mut Incident, at: Timestamp) -> Result<(), Illegal> {
    still_on(incident)?;
    incident.status = Status::Resolved { at };
    incident.members = counted(&incident.members, &Members::default());
    Ok(())
}

fn reopen(
    incident: &mut Incident,
    at: Timestamp,
    finding: &Finding,
    members: &Members,
) -> Result<(), Illegal> {
    match &incident.status {
        Status::Resolved { .. } => {
            same_key(incident, finding)?;
            incident.status = Status::Open;
            incident.finding = finding.clone();
            incident.members = counted(&incident.members, members);
            incident.reopened = incident.reopened.saturating_add(1);
            incident.came_back = Some(at);
            Ok(())
        }
        Status::Open | Status::Absorbed { .. } => Err(Illegal::NotResolved),
    }
}

fn silence(incident: &mut Incident, at: Timestamp, until: Timestamp) -> Result<(), Illegal> {
    if until <= at {
        return Err(Illegal::SilenceOver { until });
    }
    incident.silenced_until = Some(until);
    Ok(())
}

fn unsilence(incident: &mut Incident) -> Result<(), Illegal> {
    incident.silenced_until.take().map(drop).ok_or(Illegal::NotSilenced)
}

fn still_on(incident: &Incident) -> Result<(), Illegal> {
    match &incident.status {
        Status::Open | Status::Absorbed { .. } => Ok(()),
        Status::Resolved { .. } => Err(Illegal::AlreadyResolved),
    }
}

fn same_key(incident: &Incident, finding: &Finding) -> Result<(), Illegal> {
    if incident.finding.key == finding.key {
        return Ok(());
    }
    Err(Illegal::OtherKey {
        here: Box::new(incident.finding.key.clone()),
        entry: Box::new(finding.key.clone()),
    })
}

/// What an entry says of the members, with the peak so far and the list held to its bound.
fn counted(before: &Members, said: &Members) -> Members {
    let mut listed = said.listed.clone();
    listed.truncate(Members::LISTED);
    Members { now: said.now, peak: before.peak.max(said.peak).max(said.now), listed }
}

#[cfg(test)]
mod tests;
