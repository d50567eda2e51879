//! The one loop: input, entry, store, next step, effect, input.
//!
//! Owns the order of things: what the clusters show becomes findings on the board; the board held against the
//! incidents gives entries; entries are stored, then told; what an incident asks for next is done, and what
//! came of it is entered again. Deciding lives in the pure rooms (`incident`, `diagnosis`, `playbook`,
//! `actions`, `gate`) and in the pure files here (`offer`, `checks`); doing makes no choices.
//!
//! Refuses to know HTTP, chat and configuration files. People come in through [`Handle`].
//!
//! # The tasks
//!
//! | task | takes from | gives to |
//! |---|---|---|
//! | one listener a cluster | the cluster's changes | subjects to look at |
//! | lookers | subjects | the board, and the keys it touches |
//! | one reporter | keys | entries; incidents to work on |
//! | workers | incidents | steps, effects, proposals |
//! | one round a cluster | the clock | everything unhealthy, looked at again |
//! | the sweep | the clock | retention |
//!
//! Every list between them is bounded and holds each thing once. A step is stored before the next is asked
//! for, so that a process that ends anywhere leaves a state in which `incident::next` names what to do.

mod agenda;
mod ask;
mod checks;
mod clock;
mod drive;
mod execute;
mod failpoint;
mod handle;
mod ledger;
mod look;
mod names;
mod offer;
mod options;
mod owed;
mod planning;
mod posts;
mod propose;
mod reading;
mod reconcile;
mod refused;
mod report;
#[cfg(test)]
pub(crate) mod rig;
mod seat;
mod sessions;
mod share;
mod shared;
mod status;
#[cfg(test)]
mod tests;
mod update;
mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use ask::{Cause, Diagnosed};
pub use failpoint::{CrashAt, Failpoint, UnknownFailpoint};
pub use handle::{Handle, IncidentView};
pub use names::Naming;
pub use options::Options;
pub use reading::MayDo;
pub use refused::{Kind, Refused};
pub use seat::Post;
pub use status::{ClusterState, EngineStatus, KindState};
pub use update::Update;

pub use crate::cluster::{Found, Piece, Tell};
pub use crate::gate::glob_matches;
pub use crate::playbook::Playbook;
pub use crate::playbook::{Book, nearest};
pub use crate::store::{
    AuditFilter, IncidentFilter, Membership, NoteCursor, Noting, Order, Owed, Pause, PostKey, PostState,
    Posting, Session, StatusFilter,
};

use crate::cluster::ClusterChange;
use crate::gate::Policy;
use crate::incident::Text;
use crate::store::{Store, StoreError};
use look::Reading;
use seat::Seat;
use shared::Shared;

/// What the engine is made of.
pub struct Parts {
    pub options: Options,
    pub store: Store,
    pub book: Book,
    pub policy: Policy,
    /// The clusters, each with its clients.
    pub posts: Vec<Post>,
}

/// The engine, ready to run.
pub struct Engine {
    shared: Arc<Shared>,
}

impl Engine {
    /// Reads what was going on from the store. Nothing happens before [`Self::run`].
    pub async fn new(parts: Parts) -> Result<Self, StoreError> {
        let Parts { options, store, book, policy, posts } = parts;
        let since = clock::now().checked_sub(options.rules.reopen_within).unwrap_or(Timestamp::MIN);
        let paused = store.pause().await?.is_some();
        let ledger = ledger::Ledger::load(store, since, options.updates_kept).await?;
        let seats: BTreeMap<Text, Seat> =
            posts.into_iter().map(|post| (post.cluster.name().clone(), Seat::new(post))).collect();
        let shared = Arc::new(Shared::new(options, ledger, seats, book, policy, paused));
        shared.take_up().await?;
        shared.remember_members().await?;
        Ok(Self { shared })
    }

    /// What people and other rooms talk to.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.shared))
    }

    /// Runs until `stop`, and finishes the steps that are under way.
    pub async fn run(self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        for name in self.shared.seats.keys() {
            tasks.spawn(listen(Arc::clone(&self.shared), name.clone(), stop.clone()));
            tasks.spawn(go_round(Arc::clone(&self.shared), name.clone(), stop.clone()));
        }
        for _ in 0..self.shared.options.looks_at_once.max(1) {
            tasks.spawn(look(Arc::clone(&self.shared), stop.clone()));
        }
        for _ in 0..self.shared.options.steps_at_once.max(1) {
            tasks.spawn(work(Arc::clone(&self.shared), stop.clone()));
        }
        tasks.spawn(report(Arc::clone(&self.shared), stop.clone()));
        tasks.spawn(sweep(Arc::clone(&self.shared), stop.clone()));
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of the engine broke off; kubemend stops, so that it is started anew");
                stop.cancel();
            }
        }
    }
}

/// Takes a cluster's changes for subjects to look at.
async fn listen(shared: Arc<Shared>, name: Text, stop: CancellationToken) {
    let Some(seat) = shared.seat(&name) else { return };
    loop {
        let change = tokio::select! {
            () = stop.cancelled() => return,
            change = seat.cluster.changes().next() => change,
        };
        match change {
            ClusterChange::Changed(subject) | ClusterChange::Gone(subject) => {
                shared.subjects.add(seat::by_name(subject));
            }
            ClusterChange::Everything => seat.ask_for_round(),
        }
    }
}

/// Looks through everything of a cluster now and then, and when the cluster says that something was missed.
async fn go_round(shared: Arc<Shared>, name: Text, stop: CancellationToken) {
    let Some(seat) = shared.seat(&name) else { return };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = seat.next_round(shared.options.reconcile_every) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.look_through(seat) => {}
        }
    }
}

async fn look(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let subject = tokio::select! {
            () = stop.cancelled() => return,
            subject = shared.subjects.next() => subject,
        };
        shared.look(&subject, Reading::Shared).await;
        shared.subjects.done(&subject);
    }
}

async fn report(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let key = tokio::select! {
            () = stop.cancelled() => return,
            key = shared.keys.next() => key,
        };
        if let Err(refused) = shared.report(&key).await {
            let chain: &dyn std::error::Error = &refused;
            tracing::warn!(error = chain, "what shows of {key} could not be recorded; trying again");
            shared.keys.add_at(key.clone(), clock::now() + jiff::SignedDuration::from_secs(2));
        }
        shared.keys.done(&key);
    }
}

async fn work(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let id = tokio::select! {
            () = stop.cancelled() => return,
            id = shared.incidents.next() => id,
        };
        shared.drive(&id, &stop).await;
        shared.incidents.done(&id);
    }
}

async fn sweep(shared: Arc<Shared>, stop: CancellationToken) {
    let mut every = tokio::time::interval(shared.options.sweep_every);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => shared.sweep().await,
        }
    }
}
