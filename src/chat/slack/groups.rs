//! Who is in which user groups, renewed for everybody whose decisions may rest on it.
//!
//! A role given to a group counts as long as Slack says that somebody is in it. It is asked at the start, before
//! anything is carried out, and again within the lifetime that the settings give; where Slack does not answer for
//! long, what it said counts no more.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::identity::{People, STRETCH};
use crate::engine::Handle;
use crate::incident::{Actor, Via};

/// Renews groups until `stop`.
pub(super) async fn keep(people: &People, engine: &Handle, lives: Duration, stop: &CancellationToken) {
    let (mut every, mut known) = (tokio::time::interval(lives), Instant::now());
    every.tick().await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        if renew(people, engine).await {
            known = Instant::now();
        } else if known.elapsed() >= lives * STRETCH {
            forget(engine).await;
        }
    }
}

/// Asks once for all; says whether Slack answered.
pub(super) async fn renew(people: &People, engine: &Handle) -> bool {
    let members = match engine.memberships().await {
        Ok(members) => members,
        Err(refused) => {
            let chain: &dyn std::error::Error = &refused;
            tracing::warn!(error = chain, "who was in groups cannot be read");
            return false;
        }
    };
    let members: Vec<_> = members.into_iter().filter(|member| member.via == Via::Slack).collect();
    if members.is_empty() {
        return true;
    }
    let Some(groups) = people.all_groups().await else { return false };
    for member in members {
        let now = groups.get(&member.id).cloned().unwrap_or_default();
        let who = Actor { via: member.via, name: member.id.clone(), id: member.id };
        engine.meet(&who, now).await;
    }
    true
}

/// What Slack said long ago counts no more; it is asked again about the same people.
async fn forget(engine: &Handle) {
    for member in engine.memberships().await.unwrap_or_default() {
        if member.via == Via::Slack {
            let who = Actor { via: member.via, name: member.id.clone(), id: member.id };
            engine.put_groups(&who, std::collections::BTreeSet::new());
        }
    }
}
