//! What is due between a group and its incident.

use jiff::{SignedDuration, Timestamp};

use super::Group;
use crate::incident::{Finding, Incident, IncidentId, Members, Status};

/// How patient kubemend is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// How much of a playbook's hold-off is waited, in percent: 100 as written, 0 none.
    pub hold_off_percent: u32,
    /// How long nothing must show before an incident is resolved.
    pub settle: SignedDuration,
    /// How long after its end an incident comes back instead of a new one beginning.
    pub reopen_within: SignedDuration,
    /// The least time between two entries that only count members or reword the finding.
    pub tell_every: SignedDuration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            hold_off_percent: 100,
            settle: SignedDuration::from_secs(30),
            reopen_within: SignedDuration::from_hours(1),
            tell_every: SignedDuration::from_secs(15),
        }
    }
}

/// The one entry that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Due {
    Open,
    Reopen,
    Update,
    Recount,
    Absorb { into: IncidentId },
    Release,
    Resolve,
}

/// What is due now, and when to ask again if nothing changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Judgement {
    pub due: Option<Due>,
    pub again: Option<Timestamp>,
}

/// Compares what shows with what the incident says. `wider` is the incident that covers the group, if one
/// is on; `members` are the group's, counted as the incident counts them.
pub fn judge(
    group: &Group,
    incident: Option<&Incident>,
    wider: Option<&IncidentId>,
    members: &Members,
    rules: &Rules,
    now: Timestamp,
) -> Judgement {
    match incident.map(|incident| (incident, &incident.status)) {
        None => beginning(group, wider, rules, now, Due::Open),
        Some((_, Status::Resolved { .. })) => beginning(group, wider, rules, now, Due::Reopen),
        Some((incident, Status::Open)) => lasting(group, incident, wider, members, rules, now),
        Some((incident, Status::Absorbed { into })) => {
            if wider != Some(into) && !group.is_empty() {
                return now_due(Due::Release);
            }
            lasting(group, incident, None, members, rules, now)
        }
    }
}

/// Whether a resolved incident is the one that comes back.
pub fn comes_back(incident: &Incident, rules: &Rules, now: Timestamp) -> bool {
    match &incident.status {
        Status::Resolved { at } => later(*at, rules.reopen_within) > now,
        Status::Open | Status::Absorbed { .. } => true,
    }
}

fn beginning(
    group: &Group,
    wider: Option<&IncidentId>,
    rules: &Rules,
    now: Timestamp,
    due: Due,
) -> Judgement {
    if group.is_empty() || wider.is_some() {
        return Judgement::default();
    }
    let percent = i64::from(group.finding.hold_off_seconds) * i64::from(rules.hold_off_percent);
    let hold_off = SignedDuration::from_millis(percent * 10);
    due_from(later(group.since, hold_off), now, due)
}

fn lasting(
    group: &Group,
    incident: &Incident,
    wider: Option<&IncidentId>,
    members: &Members,
    rules: &Rules,
    now: Timestamp,
) -> Judgement {
    if let Some(clear) = group.clear {
        return due_from(later(clear, rules.settle), now, Due::Resolve);
    }
    if let Some(into) = wider {
        return now_due(Due::Absorb { into: into.clone() });
    }
    let due = if worth_telling(&incident.finding, &group.finding) {
        Due::Update
    } else if counts_differ(members, &incident.members) {
        Due::Recount
    } else {
        return Judgement::default();
    };
    if urgent(&incident.finding, &group.finding) {
        return now_due(due);
    }
    let told = group.told.unwrap_or(incident.changed);
    due_from(later(told, pace(incident, rules, now)), now, due)
}

/// Whether what shows is another count, or other subjects, than an incident says.
pub fn counts_differ(shown: &Members, told: &Members) -> bool {
    shown.now != told.now || shown.listed != told.listed
}

/// The older an incident, the less often its members are recounted: what flaps for a week must not fill the
/// records.
fn pace(incident: &Incident, rules: &Rules, now: Timestamp) -> SignedDuration {
    let age = now.duration_since(incident.opened);
    rules.tell_every.max((age / 20).min(SLOWEST_PACE))
}

const SLOWEST_PACE: SignedDuration = SignedDuration::from_mins(10);

/// Whether people should hear the new wording. Quotes alone change with every back-off and are no news.
fn worth_telling(old: &Finding, new: &Finding) -> bool {
    urgent(old, new)
        || old.cause != new.cause
        || old.title != new.title
        || old.variables != new.variables
        || old.also_possible != new.also_possible
        || old.places != new.places
        || old.playbook != new.playbook
}

fn urgent(old: &Finding, new: &Finding) -> bool {
    new.severity > old.severity
}

fn now_due(due: Due) -> Judgement {
    Judgement { due: Some(due), again: None }
}

fn due_from(at: Timestamp, now: Timestamp, due: Due) -> Judgement {
    if at <= now { now_due(due) } else { Judgement { due: None, again: Some(at) } }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
