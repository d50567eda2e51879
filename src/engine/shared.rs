//! What the engine's tasks and its handles share.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};

use super::agenda::Agenda;
use super::checks::Holding;
use super::failpoint::{CrashAt, Failpoint};
use super::ledger::Ledger;
use super::options::Options;
use super::propose::Offers;
use super::refused::Refused;
use super::seat::Seat;
use crate::gate::Policy;
use crate::incident::grouping::Board;
use crate::incident::{
    Actor, Brake, ConditionId, Entry, ExecutionId, Incident, IncidentId, IncidentKey, ObjectRef, Text, Via,
};
use crate::playbook::Book;

/// No more keys, and no more incidents, wait for their turn.
const MOST_KEYS: usize = 50_000;
/// No more people are known by their groups.
const MOST_MEMBERS: usize = 20_000;

/// What was known of somebody's groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Known {
    /// Something else.
    Anew,
    AsBefore,
    /// That there are none.
    InNone,
}

/// State, queues and settings.
pub(super) struct Shared {
    pub options: Options,
    pub ledger: Ledger,
    pub seats: BTreeMap<Text, Seat>,
    pub board: Mutex<Board>,
    /// Subjects to look at.
    pub subjects: Agenda<ObjectRef>,
    /// Groups to hold against their incidents.
    pub keys: Agenda<IncidentKey>,
    /// Incidents to work on.
    pub incidents: Agenda<IncidentId>,
    /// When proposals were last made or compared.
    pub offers: Mutex<Offers>,
    /// Executions whose checks hold, and since when.
    pub holding: Mutex<HashMap<ExecutionId, Holding>>,
    /// Executions with a change in doubt, and since when the cluster is asked in vain.
    pub in_doubt: Mutex<HashMap<ExecutionId, Timestamp>>,
    /// When it was last stored who is in which groups.
    pub members_said: Mutex<HashMap<(Via, Text), Timestamp>>,
    paused: AtomicBool,
    book: RwLock<Arc<Book>>,
    policy: RwLock<Arc<Policy>>,
}

impl Shared {
    pub(super) fn new(
        options: Options,
        ledger: Ledger,
        seats: BTreeMap<Text, Seat>,
        book: Book,
        policy: Policy,
        paused: bool,
    ) -> Self {
        Self {
            subjects: Agenda::new(options.most_waiting),
            keys: Agenda::new(MOST_KEYS),
            incidents: Agenda::new(MOST_KEYS),
            options,
            ledger,
            seats,
            board: Mutex::default(),
            offers: Mutex::default(),
            holding: Mutex::default(),
            in_doubt: Mutex::default(),
            members_said: Mutex::default(),
            paused: AtomicBool::new(paused),
            book: RwLock::new(Arc::new(book)),
            policy: RwLock::new(Arc::new(policy)),
        }
    }

    pub(super) fn seat(&self, cluster: &Text) -> Option<&Seat> {
        self.seats.get(cluster)
    }

    /// The playbooks in force.
    pub(super) fn book(&self) -> Arc<Book> {
        Arc::clone(&self.book.read())
    }

    /// Who may do what.
    pub(super) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read())
    }

    pub(super) fn put_book(&self, book: Book) {
        *self.book.write() = Arc::new(book);
    }

    pub(super) fn put_policy(&self, policy: Policy) {
        let mut held = self.policy.write();
        *held = Arc::new(policy.with_members(Arc::clone(held.members())).with_guests_of(&held));
    }

    /// Remembers which groups somebody is in. Nobody beyond the limit is remembered, who then has no roles by
    /// groups: denied, not forgotten silently.
    pub(super) fn put_groups(&self, who: &Actor, groups: BTreeSet<Text>) -> Known {
        let key = (who.via, who.id.clone());
        let mut held = self.policy.write();
        if held.members().get(&key).map_or(groups.is_empty(), |known| *known == groups) {
            return if groups.is_empty() { Known::InNone } else { Known::AsBefore };
        }
        let mut members = held.members().as_ref().clone();
        if groups.is_empty() {
            members.remove(&key);
        } else if members.len() < MOST_MEMBERS || members.contains_key(&key) {
            members.insert(key, groups);
        } else {
            tracing::warn!(actor.id = %who.id, "too many people are in groups; {} is not remembered", who.name);
            return Known::InNone;
        }
        let policy = held.as_ref().clone().with_members(Arc::new(members));
        *held = Arc::new(policy);
        Known::Anew
    }

    /// Changes the policy, if `to` says into what. Two changes at once follow each other.
    pub(super) fn change_policy(&self, to: impl FnOnce(&Policy) -> Option<Policy>) {
        let mut policy = self.policy.write();
        if let Some(changed) = to(&policy) {
            *policy = Arc::new(changed);
        }
    }

    pub(super) fn brake(&self) -> Brake {
        if self.paused.load(Ordering::SeqCst) { Brake::On } else { Brake::Off }
    }

    pub(super) fn set_brake(&self, brake: Brake) {
        self.paused.store(brake == Brake::On, Ordering::SeqCst);
    }

    pub(super) fn pass(&self, here: Failpoint) {
        CrashAt::pass(self.options.crash_at.as_ref(), here);
    }

    /// Changes an incident and sees to what follows from it.
    pub(super) async fn change<E: From<Refused>>(
        &self,
        id: &IncidentId,
        decide: impl FnMut(&Incident, Timestamp) -> Result<Vec<Entry>, E>,
    ) -> Result<Arc<Incident>, E> {
        let changed = self.ledger.change(id, decide).await?;
        self.incidents.add(id.clone());
        Ok(changed)
    }

    /// Which conditions' incidents one of this condition takes in.
    pub(super) fn absorbs(&self, condition: &ConditionId) -> impl Fn(&ConditionId) -> bool + use<> {
        let (book, wider) = (self.book(), condition.clone());
        move |other| book.get(&wider).is_some_and(|playbook| playbook.takes_in(other))
    }
}
