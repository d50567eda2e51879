//! Playing a scenario: its acts one after the other, until the failure is there. Owns the order and the
//! deadline; refuses to go beyond the failing state except for the aftermath, which needs nobody.

use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use super::{Act, Scenario, apply};
use crate::sim::Stage;
use crate::sim::api::{DeleteOptions, Status, User, gvr};
use crate::sim::kubelet::{Command, NodeSpec};
use crate::sim::registry::Mode;
use crate::sim::tempo::later;

/// How often a state is looked for.
const GLANCE: Duration = Duration::from_millis(20);

/// Why a scenario could not be played.
#[derive(Debug, Error)]
pub enum PlayError {
    #[error("there is no scenario \"{0}\"")]
    Unknown(String),
    #[error("scenario {scenario}: the API refused an act")]
    Refused {
        scenario: &'static str,
        #[source]
        status: Status,
    },
    #[error("scenario {scenario}: the cluster did not get into the state of act {act} in time")]
    TooLate { scenario: &'static str, act: usize },
}

/// Plays the acts until the failing state is there, or somebody who was quick has repaired it already.
pub(in crate::sim) async fn play(stage: &Stage, scenario: &'static Scenario) -> Result<(), PlayError> {
    perform(stage, scenario.name, scenario.acts).await?;
    tokio::select! {
        failed = await_state(stage, scenario.broken, patience(stage)) => {
            failed.map_err(|()| PlayError::TooLate { scenario: scenario.name, act: scenario.acts.len() })
        }
        () = repaired(stage, scenario) => Ok(()),
    }
}

/// Returns when the scenario was not well and has been well for a while. (What comes up before it fails is well
/// for a moment, too.)
async fn repaired(stage: &Stage, scenario: &Scenario) {
    let (clock, steady) = (stage.api.clock(), patience(stage) / 10);
    let (mut was_hurt, mut well_since) = (false, None::<Timestamp>);
    loop {
        let now = clock.now();
        if (scenario.fixed)(&stage.api) {
            let since = *well_since.get_or_insert(now);
            if was_hurt && now >= later(since, steady) {
                return;
            }
        } else {
            (was_hurt, well_since) = (true, None);
        }
        clock.sleep(GLANCE).await;
    }
}

/// What happens afterwards by itself, as long as anybody waits for it.
pub(in crate::sim) async fn aftermath(stage: Stage, scenario: &'static Scenario) -> Result<(), PlayError> {
    for (index, act) in scenario.aftermath.iter().enumerate() {
        match act {
            // Nobody knows how long people take to repair something.
            Act::Until(state) => {
                let _ = await_state(&stage, *state, Duration::from_secs(u64::from(u32::MAX))).await;
            }
            other => do_act(&stage, scenario.name, index, other).await?,
        }
    }
    Ok(())
}

/// The healthy workloads around the scenarios.
pub(in crate::sim) async fn play_background(stage: &Stage) -> Result<(), PlayError> {
    perform(stage, "background", &[Act::Apply(include_str!("background.yaml"))]).await
}

async fn perform(stage: &Stage, scenario: &'static str, acts: &[Act]) -> Result<(), PlayError> {
    for (index, act) in acts.iter().enumerate() {
        do_act(stage, scenario, index, act).await?;
    }
    Ok(())
}

async fn do_act(stage: &Stage, scenario: &'static str, index: usize, act: &Act) -> Result<(), PlayError> {
    let refused = |status| PlayError::Refused { scenario, status };
    match act {
        Act::Apply(yaml) => apply::apply(&stage.api, yaml).map_err(refused)?,
        Act::ApplyMany(yaml, times) => {
            for number in 1..=*times {
                apply::apply(&stage.api, &yaml.replace("{index}", &format!("{number:02}")))
                    .map_err(refused)?;
            }
        }
        Act::Until(state) => await_state(stage, *state, patience(stage))
            .await
            .map_err(|()| PlayError::TooLate { scenario, act: index })?,
        Act::Rest(real) => stage.api.clock().sleep(stage.tempo.of(*real)).await,
        Act::DeletePod { namespace, name } => {
            let who = User::system("masters");
            stage
                .api
                .delete(&who, &gvr::PODS, Some(namespace), name, DeleteOptions::default())
                .map_err(refused)?;
        }
        Act::Strike { namespace, pod_prefix, exit } => {
            let command = Command::Strike {
                namespace: (*namespace).to_owned(),
                pod_prefix: (*pod_prefix).to_owned(),
                exit: exit(),
            };
            stage.command(command).await;
        }
        Act::Join { pool, nodes } => {
            for number in 1..=*nodes {
                stage.join(pooled(pool, number)).await;
            }
        }
        Act::LoseNodeOf { namespace, pod } => {
            let node = stage.api.get(&gvr::PODS, Some(namespace), pod);
            if let Some(node) = node.as_ref().and_then(|pod| pod["spec"]["nodeName"].as_str()) {
                stage.lose_node(node).await;
            }
        }
        Act::Return { pool } => stage.return_nodes(&format!("{pool}-")).await,
        Act::Outage { host, lasts } => {
            let until = stage.tempo.after(stage.api.clock().now(), *lasts);
            stage.world.write().registries.set_mode(host, Mode::Outage { until: Some(until) });
        }
        Act::LimitAnonymous { host } => {
            stage.world.write().registries.set_mode(host, Mode::RateLimitedAnonymous);
        }
    }
    Ok(())
}

fn pooled(pool: &str, number: usize) -> NodeSpec {
    let digits = pool.bytes().fold(0_usize, |sum, byte| sum * 31 + usize::from(byte)) % 200;
    NodeSpec {
        pool: Some(pool.to_owned()),
        ..NodeSpec::worker(&format!("{pool}-{number}"), &format!("10.201.{digits}.{number}"))
    }
}

/// Ten minutes of real life, and never less than half a minute.
fn patience(stage: &Stage) -> Duration {
    stage.tempo.of(Duration::from_mins(10)).max(Duration::from_secs(30))
}

async fn await_state(
    stage: &Stage,
    state: fn(&crate::sim::api::ApiServer) -> bool,
    patience: Duration,
) -> Result<(), ()> {
    let clock = stage.api.clock();
    let deadline: Timestamp = later(clock.now(), patience);
    while !state(&stage.api) {
        if clock.now() >= deadline {
            return Err(());
        }
        clock.sleep(GLANCE).await;
    }
    Ok(())
}
