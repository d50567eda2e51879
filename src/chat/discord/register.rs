//! Registering the commands at Discord: looked at once at the start, and written only where something differs.
//!
//! Discord allows 200 new commands a day and a guild; a write of the same list costs nothing of that but is not
//! made either.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::registration::{Scope, commands, differ};
use super::settings::Settings;
use super::web::{Route, Web, WebError};
use crate::incident::Text;

/// The first pause after a failure; it doubles.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Where commands are registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Where {
    /// In this guild, at once.
    Guild(Text),
    Everywhere,
}

/// What came of a look at the registration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registered {
    /// It was as it should be.
    Already,
    /// It differed, and was written.
    Anew,
    /// It differs, and was not written.
    Differs,
}

/// Sees to it that the configured guilds have the commands.
pub(super) struct Registrar {
    web: Arc<Web>,
    application: Text,
    guilds: Vec<Text>,
}

impl Registrar {
    pub(super) fn new(web: Arc<Web>, settings: &Settings) -> Self {
        Self { web, application: settings.application_id.clone(), guilds: settings.guilds.clone() }
    }

    /// Registers in each guild, then waits for `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let all = async {
            for guild in &self.guilds {
                self.see_to(guild).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = all => {}
        }
        stop.cancelled().await;
    }

    async fn see_to(&self, guild: &Text) {
        let (place, mut wait) = (Where::Guild(guild.clone()), PAUSE);
        loop {
            let error = match register(&self.web, &self.application, &place, true).await {
                Ok(Registered::Anew) => {
                    return tracing::info!(discord.guild = %guild, "the commands are registered in {guild}");
                }
                Ok(Registered::Already | Registered::Differs) => return,
                Err(error) => error,
            };
            let refused = error.status().is_some();
            let chain: &dyn std::error::Error = &error;
            tracing::warn!(error = chain, discord.guild = %guild, "the commands are not registered in {guild}; `kubemend doctor` says why");
            if refused {
                // The same would be refused again.
                return;
            }
            let asked = match &error {
                WebError::RateLimited { after, .. } => *after,
                WebError::Api { .. } | WebError::NotSent { .. } | WebError::Unknown { .. } => Duration::ZERO,
            };
            pause(wait.max(asked)).await;
            wait = wait.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }
}

/// Looks whether the commands are there as they should be; writes them where not, if `write` says so.
pub async fn register(
    web: &Web,
    application: &str,
    place: &Where,
    write: bool,
) -> Result<Registered, WebError> {
    let (scope, wanted) = wanted(place);
    let held = match place {
        Where::Guild(guild) => {
            Route::get("applications/{}/guilds/{}/commands", &[application, guild.as_str()])
        }
        Where::Everywhere => Route::get("applications/{}/commands", &[application]),
    };
    let held = web.call(&held.with("with_localizations=true"), None).await?;
    if !differ(&wanted, held.as_array().map_or(&[][..], Vec::as_slice), scope) {
        return Ok(Registered::Already);
    }
    if !write {
        return Ok(Registered::Differs);
    }
    let all = match place {
        Where::Guild(guild) => {
            Route::put("applications/{}/guilds/{}/commands", &[application, guild.as_str()])
        }
        Where::Everywhere => Route::put("applications/{}/commands", &[application]),
    };
    web.call(&all, Some(&json!(wanted))).await?;
    Ok(Registered::Anew)
}

/// What should be registered there.
pub fn wanted(place: &Where) -> (Scope, Vec<Value>) {
    let scope = match place {
        Where::Guild(_) => Scope::Guild,
        Where::Everywhere => Scope::Global,
    };
    (scope, commands(scope))
}

#[expect(clippy::disallowed_methods, reason = "a pause between two tries")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
