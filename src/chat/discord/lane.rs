//! The lane on which answers to interactions of the gateway go out: each at once, each by itself, tried until
//! its three seconds are over.
//!
//! Nothing else is sent here, so that no post can keep an answer waiting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ack::Unanswered;
use super::inbound::Place;
use super::web::{Web, WebError};
use crate::chat::owed::Kept;

/// How many answers can be under way.
const PLACES: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(150);

/// Where answers to interactions of the gateway are sent from.
#[derive(Clone, Debug)]
pub(super) struct Lane(mpsc::Sender<Job>);

/// An answer to be sent.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) place: Place,
    pub(super) body: Value,
    pub(super) good_until: Instant,
    /// What must be on the disk before, if the disk does not take too long.
    pub(super) kept: Kept,
    pub(super) tell: oneshot::Sender<Result<(), Unanswered>>,
}

/// No more answers can be under way.
#[derive(Debug)]
pub(super) struct Crowded;

impl Lane {
    pub(super) fn new() -> (Self, mpsc::Receiver<Job>) {
        let (lane, jobs) = mpsc::channel(PLACES);
        (Self(lane), jobs)
    }

    pub(super) fn send(&self, job: Job) -> Result<(), Crowded> {
        self.room()?.send(job);
        Ok(())
    }

    /// Room for an answer.
    pub(super) fn room(&self) -> Result<mpsc::Permit<'_, Job>, Crowded> {
        self.0.try_reserve().map_err(|_| {
            tracing::error!("{PLACES} answers to Discord are under way already; another one was not sent");
            Crowded
        })
    }
}

/// Sends what comes until `stop`, and finishes what was begun: it has three seconds anyhow.
pub(super) async fn run(web: Arc<Web>, mut jobs: mpsc::Receiver<Job>, stop: CancellationToken) {
    let mut under_way = JoinSet::new();
    loop {
        let job = tokio::select! {
            biased;
            job = jobs.recv() => job,
            Some(_) = under_way.join_next() => continue,
            () = stop.cancelled() => break,
        };
        let Some(job) = job else { break };
        let web = Arc::clone(&web);
        under_way.spawn(async move { deliver(&web, job).await });
    }
    jobs.close();
    while let Ok(job) = jobs.try_recv() {
        let web = Arc::clone(&web);
        under_way.spawn(async move { deliver(&web, job).await });
    }
    while under_way.join_next().await.is_some() {}
}

async fn deliver(web: &Web, mut job: Job) {
    std::mem::take(&mut job.kept).in_time().await;
    let mut tries = 0_u32;
    let outcome = loop {
        tries += 1;
        let error = match web.callback(&job.place, &job.body).await {
            Ok(()) => break Ok(()),
            Err(error) => error,
        };
        match error.code() {
            Some(10_062) => break Err(Unanswered::TooLate),
            // An earlier try of our own arrived after all.
            Some(40_060) if tries > 1 => break Ok(()),
            Some(40_060) => break Err(Unanswered::Twice),
            Some(_) => break Err(error.into()),
            None => {}
        }
        let wait = match &error {
            WebError::RateLimited { after, .. } => *after,
            _ => PAUSE,
        };
        if Instant::now() + wait >= job.good_until {
            break Err(error.into());
        }
        pause(wait).await;
    };
    let label = match &outcome {
        Ok(()) => "ok",
        Err(Unanswered::TooLate) => "too_late",
        Err(Unanswered::Twice) => "twice",
        Err(Unanswered::Meanwhile(_) | Unanswered::Web(_)) => "failed",
    };
    metrics::counter!("kubemend_discord_acknowledged_total", "outcome" => label).increment(1);
    if let Err(why) = &outcome {
        let why: &dyn std::error::Error = why;
        tracing::warn!(error = why, "an interaction of Discord was not acknowledged");
    }
    // Nobody need wait for it.
    let _ = job.tell.send(outcome);
}

#[expect(clippy::disallowed_methods, reason = "a pause within the three seconds of an interaction")]
pub(super) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
