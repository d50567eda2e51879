//! Registering the commands at Discord: looked at once at the start, and written only where something differs.
//!
//! Discord allows 200 new commands a day and a guild; a write of the same list costs nothing of that but is not
//! made either.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::registration::{MEND, Scope, commands, differ};
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

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guild(guild) => write!(f, "in server {guild}"),
            Self::Everywhere => f.write_str("everywhere"),
        }
    }
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

    /// Registers in each guild, or keeps up to date what was registered for all of them; then waits for `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let all = async {
            for place in self.places().await {
                self.see_to(&place).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = all => {}
        }
        stop.cancelled().await;
    }

    /// What somebody registered everywhere would show twice where it is registered in a guild, too.
    async fn places(&self) -> Vec<Where> {
        let everywhere = held(&self.web, &self.application, &Where::Everywhere).await;
        if everywhere.is_ok_and(|held| held.iter().any(|command| command["name"] == MEND)) {
            return vec![Where::Everywhere];
        }
        self.guilds.iter().cloned().map(Where::Guild).collect()
    }

    async fn see_to(&self, place: &Where) {
        let mut wait = PAUSE;
        loop {
            let error = match register(&self.web, &self.application, place, true).await {
                Ok(Registered::Anew) => return tracing::info!("the commands are registered {place}"),
                Ok(Registered::Already | Registered::Differs) => return,
                Err(error) => error,
            };
            let refused = error.status().is_some();
            warn(place, &error);
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
    if !differ(&wanted, &held(web, application, place).await?, scope) {
        return Ok(Registered::Already);
    }
    if !write {
        return Ok(Registered::Differs);
    }
    put(web, application, place, &wanted).await?;
    Ok(Registered::Anew)
}

/// The whole list at once.
async fn put(web: &Web, application: &str, place: &Where, commands: &[Value]) -> Result<(), WebError> {
    let route = match place {
        Where::Guild(guild) => {
            Route::put("applications/{}/guilds/{}/commands", &[application, guild.as_str()])
        }
        Where::Everywhere => Route::put("applications/{}/commands", &[application]),
    };
    web.call(&route, Some(&json!(commands))).await.map(drop)
}

/// What is registered there.
pub async fn held(web: &Web, application: &str, place: &Where) -> Result<Vec<Value>, WebError> {
    let route = match place {
        Where::Guild(guild) => {
            Route::get("applications/{}/guilds/{}/commands", &[application, guild.as_str()])
        }
        Where::Everywhere => Route::get("applications/{}/commands", &[application]),
    };
    let told = web.call(&route.with("with_localizations=true"), None).await?;
    Ok(told.as_array().cloned().unwrap_or_default())
}

/// Takes the commands away; whether there were any.
pub async fn unregister(web: &Web, application: &str, place: &Where) -> Result<bool, WebError> {
    if held(web, application, place).await?.is_empty() {
        return Ok(false);
    }
    put(web, application, place, &[]).await.map(|()| true)
}

/// What should be registered there.
pub fn wanted(place: &Where) -> (Scope, Vec<Value>) {
    let scope = match place {
        Where::Guild(_) => Scope::Guild,
        Where::Everywhere => Scope::Global,
    };
    (scope, commands(scope))
}

fn warn(place: &Where, error: &WebError) {
    let chain: &dyn std::error::Error = error;
    tracing::warn!(error = chain, "the commands are not registered {place}; `kubemend doctor` says why");
}

#[expect(clippy::disallowed_methods, reason = "a pause between two tries")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
