//! The incidents as they stand, and the one way to change them.
//!
//! Owns the order of changes: for one incident they come one after the other, each decided on the state that
//! the one before left. Every change is stored before anybody hears of it. Refuses to decide: what is to be
//! entered is told by a function of the state, which is asked again when somebody else was faster.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::clock;
use super::refused::Refused;
use super::update::Update;
use crate::incident::{Entry, Incident, IncidentId, IncidentKey, Recorded, Status, apply};
use crate::store::{Append, Store, StoreError};

/// How often a change is decided anew because somebody else was faster.
const MOST_TRIES: usize = 5;

/// Incidents in memory in front of the store.
pub(super) struct Ledger {
    store: Store,
    held: Mutex<Held>,
    turns: Mutex<HashMap<IncidentId, Arc<tokio::sync::Mutex<()>>>>,
    news: broadcast::Sender<Update>,
}

/// All incidents that are on, and those that ended lately.
#[derive(Default)]
struct Held {
    incidents: HashMap<IncidentId, Arc<Incident>>,
    /// The newest incident of each key among them.
    by_key: HashMap<IncidentKey, IncidentId>,
}

impl Held {
    fn put(&mut self, incident: Arc<Incident>) {
        let key = incident.finding.key.clone();
        let newest = self.by_key.get(&key).and_then(|id| self.incidents.get(id));
        if newest.is_none_or(|newest| newest.opened <= incident.opened) {
            self.by_key.insert(key, incident.id.clone());
        }
        self.incidents.insert(incident.id.clone(), incident);
    }

    fn retain(&mut self, keep: impl Fn(&Incident) -> bool) {
        self.incidents.retain(|_, incident| keep(incident));
        let incidents = &self.incidents;
        self.by_key.retain(|_, id| incidents.contains_key(id));
    }
}

impl Ledger {
    /// The ledger of a store, with everything in memory that is on or ended after `since`.
    pub(super) async fn load(
        store: Store,
        since: Timestamp,
        updates_kept: usize,
    ) -> Result<Self, StoreError> {
        let mut held = Held::default();
        for incident in store.current(since).await? {
            held.put(Arc::new(incident));
        }
        Ok(Self {
            store,
            held: Mutex::new(held),
            turns: Mutex::default(),
            news: broadcast::channel(updates_kept.max(1)).0,
        })
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Update> {
        self.news.subscribe()
    }

    /// All incidents in memory: those that are on, and some that ended.
    pub(super) fn held(&self) -> Vec<Arc<Incident>> {
        self.held.lock().incidents.values().cloned().collect()
    }

    /// The incident, as it stands.
    pub(super) async fn get(&self, id: &IncidentId) -> Result<Arc<Incident>, Refused> {
        if let Some(incident) = self.held.lock().incidents.get(id) {
            return Ok(Arc::clone(incident));
        }
        let found = self.store.incident(id).await.map_err(Refused::Store)?;
        found.map(Arc::new).ok_or_else(|| Refused::NoIncident(id.clone()))
    }

    /// The newest incident of that key that is on or ended lately.
    pub(super) fn newest(&self, key: &IncidentKey) -> Option<Arc<Incident>> {
        let held = self.held.lock();
        held.by_key.get(key).and_then(|id| held.incidents.get(id)).map(Arc::clone)
    }

    /// Opens an incident.
    pub(super) async fn open(&self, entry: Entry) -> Result<Arc<Incident>, Refused> {
        let id = self.store.new_incident().await.map_err(Refused::Store)?;
        let at = clock::now();
        let state = apply(None, &id, at, &entry)?;
        self.put(state, vec![(at, entry)]).await.map_err(Refused::Store)
    }

    /// Enters what `decide` says of the incident as it stands; nothing, if it says nothing. Whoever else
    /// wants to change the incident waits for their turn.
    pub(super) async fn change<E: From<Refused>>(
        &self,
        id: &IncidentId,
        mut decide: impl FnMut(&Incident, Timestamp) -> Result<Vec<Entry>, E>,
    ) -> Result<Arc<Incident>, E> {
        let turn = self.turn(id);
        let _mine = turn.lock().await;
        for _ in 0..MOST_TRIES {
            let before = self.get(id).await?;
            let now = clock::now().max(before.changed);
            let entries = decide(&before, now)?;
            if entries.is_empty() {
                return Ok(before);
            }
            let state = fold(&before, now, &entries)?;
            let entries = entries.into_iter().map(|entry| (now, entry)).collect();
            match self.put(state, entries).await {
                Ok(incident) => return Ok(incident),
                Err(StoreError::Conflict { .. }) => self.forget(id),
                Err(error) => return Err(Refused::Store(error).into()),
            }
        }
        Err(Refused::Busy(id.clone()).into())
    }

    /// Drops what ended before `then` from memory; the store keeps it.
    pub(super) fn tidy(&self, then: Timestamp) {
        self.held.lock().retain(|incident| match &incident.status {
            Status::Open | Status::Absorbed { .. } => true,
            Status::Resolved { .. } => {
                incident.changed >= then || incident.executions.values().any(|x| x.state.is_changing())
            }
        });
        self.turns.lock().retain(|_, turn| Arc::strong_count(turn) > 1);
    }

    fn turn(&self, id: &IncidentId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.turns.lock().entry(id.clone()).or_default())
    }

    fn forget(&self, id: &IncidentId) {
        self.held.lock().incidents.remove(id);
    }

    async fn put(
        &self,
        state: Incident,
        entries: Vec<(Timestamp, Entry)>,
    ) -> Result<Arc<Incident>, StoreError> {
        let append = Append { state, entries };
        let recorded = self.store.append(&append).await?;
        let incident = Arc::new(append.state);
        self.held.lock().put(Arc::clone(&incident));
        for recorded in recorded {
            self.tell(recorded, &incident);
        }
        Ok(incident)
    }

    fn tell(&self, recorded: Recorded, incident: &Arc<Incident>) {
        metrics::counter!("kubemend_entries_total", "type" => kind(&recorded.entry)).increment(1);
        // Nobody listening is no failure: the store has it.
        let _ = self.news.send(Update { recorded: Arc::new(recorded), incident: Arc::clone(incident) });
    }
}

fn fold(before: &Incident, now: Timestamp, entries: &[Entry]) -> Result<Incident, Refused> {
    let step = |state: Incident, entry: &Entry| {
        let id = state.id.clone();
        apply(Some(state), &id, now, entry)
    };
    Ok(entries.iter().try_fold(before.clone(), step)?)
}

/// The entry's type, for metrics: a closed set.
fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Opened { .. } => "opened",
        Entry::Updated { .. } => "updated",
        Entry::MembersChanged { .. } => "membersChanged",
        Entry::Absorbed { .. } => "absorbed",
        Entry::Released => "released",
        Entry::Resolved => "resolved",
        Entry::Reopened { .. } => "reopened",
        Entry::Silenced { .. } => "silenced",
        Entry::Unsilenced { .. } => "unsilenced",
        Entry::Proposed { .. } => "proposed",
        Entry::Decided { .. } => "decided",
        Entry::Expired { .. } => "expired",
        Entry::Stale { .. } => "stale",
        Entry::Superseded { .. } => "superseded",
        Entry::ExecutionStarted { .. } => "executionStarted",
        Entry::ChangeIntended { .. } => "changeIntended",
        Entry::ChangeDone { .. } => "changeDone",
        Entry::ExecutionFinished { .. } => "executionFinished",
        Entry::Verified { .. } => "verified",
        Entry::Settled { .. } => "settled",
        Entry::Noted { .. } => "noted",
    }
}
