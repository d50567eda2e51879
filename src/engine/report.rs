//! From the board to the incidents: what shows, held against what is recorded, and what is due between them.
//!
//! Asks `grouping` and enters what it says; decides nothing itself but one thing: the absence of findings in
//! a view that is not fresh means nothing, so nothing is resolved then.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::clock;
use super::offer;
use super::refused::Refused;
use super::shared::Shared;
use crate::incident::grouping::{self, Due, Group, Judgement, Rules, counts_differ};
use crate::incident::{Entry, Evidence, Finding, Incident, IncidentId, IncidentKey, Members, Status, Text};

/// How soon an absence that proves nothing yet is looked at again.
const DOUBT: SignedDuration = SignedDuration::from_secs(2);

/// After so many entries an incident is told half as often as at first, after twice as many a third as often …
const OFTEN: u64 = 20;
/// … and never more seldom than this.
const SELDOM: SignedDuration = SignedDuration::from_mins(10);

/// What the board says of a key at one moment.
struct Shown {
    judgement: Judgement,
    finding: Arc<Finding>,
    evidence: Arc<Evidence>,
    members: Members,
    is_empty: bool,
}

impl Shared {
    /// Holds one group against its incident, and enters what is due.
    pub(super) async fn report(&self, key: &IncidentKey) -> Result<(), Refused> {
        let now = clock::now();
        let rules = &self.options.rules;
        let known = self.ledger.newest(key).filter(|known| grouping::comes_back(known, rules, now));
        let Some(shown) = self.shown(key, known.as_deref(), now) else { return Ok(()) };
        if let Some(at) = shown.judgement.again {
            self.keys.add_at(key.clone(), at);
        }
        let Some(due) = shown.judgement.due.clone() else {
            self.clear_away(key, known.as_deref(), &shown);
            return Ok(());
        };
        if due == Due::Resolve && !self.is_absence(key, now) {
            self.keys.add_at(key.clone(), now.checked_add(DOUBT).unwrap_or(now));
            return Ok(());
        }
        self.enter(key, known.as_deref(), due, shown).await?;
        self.board.lock().told(key, now);
        self.keys.add(key.clone());
        Ok(())
    }

    fn shown(&self, key: &IncidentKey, known: Option<&Incident>, now: Timestamp) -> Option<Shown> {
        let absorbs = self.absorbs(&key.condition);
        let board = self.board.lock();
        let group = board.group(key)?;
        let wider = self.wider(group);
        let members = board.members(key, &absorbs);
        let rules = self.patient_rules(known);
        let judgement = grouping::judge(group, known, wider.as_ref(), &members, &rules, now);
        let (finding, evidence) = (Arc::clone(&group.finding), Arc::clone(&group.evidence));
        Some(Shown { judgement, finding, evidence, members, is_empty: group.is_empty() })
    }

    /// The more an incident has told already, the more seldom it only counts or rewords: what lasts for days
    /// must not fill the store.
    fn patient_rules(&self, known: Option<&Incident>) -> Rules {
        let rules = self.options.rules.clone();
        let told = known.map_or(0, |known| i32::try_from(known.version / OFTEN).unwrap_or(i32::MAX));
        let longer = rules.tell_every.saturating_mul(told.saturating_add(1));
        Rules { tell_every: longer.min(SELDOM.max(rules.tell_every)), ..rules }
    }

    /// The open incident that takes a group in.
    fn wider(&self, group: &Group) -> Option<IncidentId> {
        let takes_in = |other: &Arc<Incident>| {
            let (key, open) = (&other.finding.key, other.status == Status::Open);
            let wide = key.place.scope > group.finding.key.place.scope;
            open && wide && grouping::covers(key, &self.absorbs(&key.condition), &group.finding)
        };
        self.ledger.held().into_iter().find(takes_in).map(|other| other.id.clone())
    }

    fn is_absence(&self, key: &IncidentKey, now: Timestamp) -> bool {
        let settle = self.options.rules.settle;
        self.seat(&key.cluster).is_some_and(|seat| seat.view(now).shows_absence(settle, now))
    }

    async fn enter(
        &self,
        key: &IncidentKey,
        known: Option<&Incident>,
        due: Due,
        shown: Shown,
    ) -> Result<(), Refused> {
        let ends_or_begins = matches!(due, Due::Open | Due::Reopen | Due::Resolve);
        match known {
            None => self.open(shown).await?,
            Some(known) => {
                let version = known.version;
                let entries = entries(&due, &shown, known);
                let told = |incident: &Incident, _: Timestamp| -> Result<Vec<Entry>, Refused> {
                    // Judged on another state than this: the key comes up again, and is judged anew.
                    Ok(if incident.version == version { entries.clone() } else { Vec::new() })
                };
                let changed = self.change(&known.id, told).await?;
                self.ask_for_offers(&changed, &due);
            }
        }
        if ends_or_begins {
            self.wake_covered(key);
        }
        Ok(())
    }

    async fn open(&self, shown: Shown) -> Result<(), Refused> {
        let Shown { finding, evidence, members, .. } = shown;
        let entry = Entry::Opened {
            finding: Box::new(finding.as_ref().clone()),
            evidence: Box::new(evidence.as_ref().clone()),
            members,
        };
        let opened = self.ledger.open(entry).await?;
        tracing::info!(
            incident.id = %opened.id, condition = %opened.finding.condition, subject = %opened.finding.subject,
            "incident {} opened: {} ({})", opened.id, opened.finding.title, opened.finding.key,
        );
        self.offers.lock().ask(&opened.id);
        self.incidents.add(opened.id.clone());
        Ok(())
    }

    fn ask_for_offers(&self, incident: &Incident, due: &Due) {
        match due {
            Due::Open | Due::Reopen | Due::Update | Due::Recount | Due::Release => {
                self.offers.lock().ask(&incident.id);
            }
            Due::Absorb { .. } => {}
            Due::Resolve => self.offers.lock().forget(&incident.id),
        }
        if matches!(due, Due::Reopen | Due::Resolve) {
            tracing::info!(incident.id = %incident.id, "incident {} is {}", incident.id, word(&incident.status));
        }
    }

    /// A wider incident began or ended: those that it covers are absorbed or released.
    fn wake_covered(&self, key: &IncidentKey) {
        let absorbs = self.absorbs(&key.condition);
        for covered in self.board.lock().covered(key, &absorbs) {
            self.keys.add(covered);
        }
    }

    /// Nothing shows and no incident is on: nothing needs to be remembered.
    fn clear_away(&self, key: &IncidentKey, known: Option<&Incident>, shown: &Shown) {
        let is_on = known.is_some_and(|known| !matches!(known.status, Status::Resolved { .. }));
        if shown.is_empty && !is_on {
            self.board.lock().forget(key);
        }
    }
}

fn entries(due: &Due, shown: &Shown, known: &Incident) -> Vec<Entry> {
    let finding = || Box::new(shown.finding.as_ref().clone());
    let evidence = || Box::new(shown.evidence.as_ref().clone());
    let members = || shown.members.clone();
    match due {
        // Opened elsewhere, where there is no incident yet.
        Due::Open => Vec::new(),
        Due::Reopen => {
            vec![Entry::Reopened { finding: finding(), evidence: evidence(), members: members() }]
        }
        // Told together: what is reworded at every turn, as by a count of restarts, would never be recounted.
        Due::Update => {
            let recount = counts_differ(&shown.members, &known.members)
                .then(|| Entry::MembersChanged { members: members() });
            std::iter::once(Entry::Updated { finding: finding(), evidence: evidence() })
                .chain(recount)
                .collect()
        }
        Due::Recount => vec![Entry::MembersChanged { members: members() }],
        Due::Absorb { into } => {
            let why = Text::from(format!("the wider incident {into} took over"));
            let withdrawn = offer::withdrawn(known, &[]).into_iter();
            let stale = withdrawn.map(|id| Entry::Stale { proposal: id.clone(), why: why.clone() });
            std::iter::once(Entry::Absorbed { into: into.clone() }).chain(stale).collect()
        }
        Due::Release => vec![Entry::Released],
        Due::Resolve => vec![Entry::Resolved],
    }
}

fn word(status: &Status) -> &'static str {
    match status {
        Status::Open => "open again",
        Status::Absorbed { .. } => "part of a wider one",
        Status::Resolved { .. } => "resolved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::samples::{auth_missing, fold, members, opened, proposal};

    #[test]
    fn what_a_wider_incident_takes_in_keeps_no_proposal_of_its_own() {
        let (finding, made) = (auth_missing("a"), proposal(&"i-1.p1".into(), 1));
        let known = fold(&[opened(), Entry::Proposed { proposal: Box::new(made.clone()) }]);
        let shown = Shown {
            judgement: Judgement::default(),
            finding: Arc::new(finding),
            evidence: Arc::default(),
            members: members(1),
            is_empty: false,
        };
        let entries = entries(&Due::Absorb { into: "i-2".into() }, &shown, &known);
        let why = "the wider incident i-2 took over".into();
        assert_eq!(entries[1..], [Entry::Stale { proposal: made.id.clone(), why }]);
        let absorbed = entries.iter().try_fold(known, |state, entry| {
            let (id, at) = (state.id.clone(), state.changed);
            crate::incident::apply(Some(state), &id, at, entry)
        });
        assert!(!absorbed.expect("legal").proposals[&made.id].is_live());
    }
}
