//! Which incident a finding belongs to, and what an incident should hear of its findings.
//!
//! Owns the board: every subject that shows something right now, grouped by what one incident covers. And
//! the judgement: from a group as it is and the incident as it stands, the one thing that is due between
//! them. A question to two states, asked as often as one likes: nothing here remembers an event.
//! Refuses to store, to send, and to know the time.

mod judge;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

pub use judge::{Due, Judgement, Rules, comes_back, counts_differ, judge};

use super::{ConditionId, Evidence, Finding, IncidentKey, Members, ObjectRef, Text};

/// All subjects with findings, by key.
#[derive(Debug, Default)]
pub struct Board {
    groups: BTreeMap<IncidentKey, Group>,
    /// Which groups a subject is in: few.
    subjects: HashMap<ObjectRef, BTreeSet<IncidentKey>>,
}

/// The subjects that show one condition at one place.
#[derive(Clone, Debug)]
pub struct Group {
    /// The finding that is told, and what it rests on.
    pub finding: Arc<Finding>,
    pub evidence: Arc<Evidence>,
    /// Since when it is so, as far as any member's evidence shows.
    pub since: Timestamp,
    /// Since when no subject shows it; `None` while one does.
    pub clear: Option<Timestamp>,
    /// When the incident last heard of the finding or the members.
    pub told: Option<Timestamp>,
    /// Subjects without their uid, and the uid.
    members: BTreeMap<ObjectRef, Text>,
}

impl Board {
    /// What diagnosis says of a subject now; nothing, if it is well or gone. Gives the keys whose groups
    /// this touches.
    pub fn show(
        &mut self,
        subject: &ObjectRef,
        findings: Vec<Finding>,
        evidence: &Arc<Evidence>,
        at: Timestamp,
    ) -> BTreeSet<IncidentKey> {
        let name = without_uid(subject);
        let before = self.subjects.remove(&name).unwrap_or_default();
        let mut now = BTreeSet::new();
        for finding in findings {
            now.insert(finding.key.clone());
            self.enter(&name, &subject.uid, finding, evidence, at);
        }
        for key in before.difference(&now) {
            self.leave(key, &name, at);
        }
        let touched = before.union(&now).cloned().collect();
        if !now.is_empty() {
            self.subjects.insert(name, now);
        }
        touched
    }

    /// An incident that was open before this process began: its group exists, and whether anything is in it
    /// will be seen.
    pub fn expect(&mut self, finding: &Finding, evidence: Arc<Evidence>, at: Timestamp) {
        self.groups.entry(finding.key.clone()).or_insert_with(|| Group {
            finding: Arc::new(finding.clone()),
            evidence,
            since: finding.since.unwrap_or(at).min(at),
            clear: Some(at),
            told: None,
            members: BTreeMap::new(),
        });
    }

    /// The group of that key.
    pub fn group(&self, key: &IncidentKey) -> Option<&Group> {
        self.groups.get(key)
    }

    /// The incident heard of the group.
    pub fn told(&mut self, key: &IncidentKey, at: Timestamp) {
        if let Some(group) = self.groups.get_mut(key) {
            group.told = Some(at);
        }
    }

    /// Nothing is in the group and no incident is about it.
    pub fn forget(&mut self, key: &IncidentKey) {
        if self.groups.get(key).is_some_and(|group| group.members.is_empty()) {
            self.groups.remove(key);
        }
    }

    /// The keys of all groups.
    pub fn keys(&self) -> impl Iterator<Item = &IncidentKey> {
        self.groups.keys()
    }

    /// Every subject that shows something.
    pub fn subjects(&self) -> impl Iterator<Item = ObjectRef> + '_ {
        self.groups.values().flat_map(Group::subjects)
    }

    /// Everything an incident of `key` covers: its own group, and those groups that it absorbs.
    pub fn members(&self, key: &IncidentKey, absorbs: Absorbs<'_>) -> Members {
        let mut all: BTreeMap<&ObjectRef, &Text> = BTreeMap::new();
        for (other, group) in &self.groups {
            if other == key || covers(key, absorbs, &group.finding) {
                all.extend(&group.members);
            }
        }
        let listed = all.iter().take(Members::LISTED).map(|(name, uid)| with_uid(name, uid)).collect();
        let now = u32::try_from(all.len()).unwrap_or(u32::MAX);
        Members { now, peak: now, listed }
    }

    /// The keys of groups that an incident of `key` absorbs.
    pub fn covered(&self, key: &IncidentKey, absorbs: Absorbs<'_>) -> Vec<IncidentKey> {
        let inside = |group: &&Group| covers(key, absorbs, &group.finding);
        self.groups.values().filter(inside).map(|group| group.finding.key.clone()).collect()
    }

    fn enter(
        &mut self,
        name: &ObjectRef,
        uid: &Text,
        finding: Finding,
        evidence: &Arc<Evidence>,
        at: Timestamp,
    ) {
        let since = finding.since.unwrap_or(at).min(at);
        let key = finding.key.clone();
        let finding = Arc::new(finding);
        let group = self.groups.entry(key).or_insert_with(|| Group {
            finding: Arc::clone(&finding),
            evidence: Arc::clone(evidence),
            since,
            clear: None,
            told: None,
            members: BTreeMap::new(),
        });
        // A group that was empty begins anew: what was before it cleared does not count for the hold-off.
        group.since = if group.clear.take().is_some() { since } else { group.since.min(since) };
        group.members.insert(name.clone(), uid.clone());
        if group.should_tell(&finding) {
            group.finding = finding;
            group.evidence = Arc::clone(evidence);
        }
    }

    fn leave(&mut self, key: &IncidentKey, name: &ObjectRef, at: Timestamp) {
        let Some(group) = self.groups.get_mut(key) else { return };
        group.members.remove(name);
        if group.members.is_empty() {
            group.clear = Some(at);
        }
    }
}

impl Group {
    /// The subjects in it.
    pub fn subjects(&self) -> impl Iterator<Item = ObjectRef> + '_ {
        self.members.iter().map(|(name, uid)| with_uid(name, uid))
    }

    /// How many subjects are in it.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no subject shows it now.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// One finding speaks for the group: the gravest; among equals the one that already does, as long as
    /// its subject is there.
    fn should_tell(&self, other: &Finding) -> bool {
        let told = without_uid(&self.finding.subject);
        let gone = !self.members.contains_key(&told);
        gone || other.severity > self.finding.severity || without_uid(&other.subject) == told
    }
}

/// Which conditions an incident takes in, as its playbook says.
pub type Absorbs<'a> = &'a dyn Fn(&ConditionId) -> bool;

/// Whether an incident of `key` that absorbs those conditions takes in `finding`.
pub fn covers(key: &IncidentKey, absorbs: Absorbs<'_>, finding: &Finding) -> bool {
    key.cluster == finding.key.cluster
        && key.place.scope > finding.key.place.scope
        && absorbs(&finding.key.condition)
        && finding.places.contains(&key.place)
}

/// Pods come back under their old name with a new uid; for counting they are the same subject.
fn without_uid(subject: &ObjectRef) -> ObjectRef {
    ObjectRef { uid: Text::default(), ..subject.clone() }
}

fn with_uid(name: &ObjectRef, uid: &Text) -> ObjectRef {
    ObjectRef { uid: uid.clone(), ..name.clone() }
}

#[cfg(test)]
mod tests;
