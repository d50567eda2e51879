//! Wires the console: whom a token lets in, and what is wrong with where it listens.

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use super::{Occasion, StartError};
use crate::api::auth::Tokens;
use crate::chat::console::{Console, Parts, Pass, Settings};
use crate::config::Secrets;
use crate::engine::Handle;
use crate::incident::{Actor, Digest, Via};

/// The console, if it is wanted.
pub(super) async fn console(
    occasion: Occasion,
    settings: &Settings,
    engine: &Handle,
    tokens: &Tokens,
    secrets: Secrets,
    stop: &CancellationToken,
) -> Result<Option<Console>, StartError> {
    if !settings.enabled {
        return Ok(None);
    }
    let oidc = secrets.oidc;
    let credentials: BTreeSet<Digest> = tokens.iter().map(|token| token.hash.credential()).collect();
    let parts = Parts {
        engine: engine.clone(),
        settings: settings.clone(),
        client_secret: oidc,
        door: door(tokens.clone()),
        credentials,
        chat: Box::new(Vec::new),
        cards: Box::new(|_, _| None),
        demo: occasion == Occasion::Demo,
        stop: stop.clone(),
    };
    Console::open(parts).await.map(Some).map_err(StartError::Console)
}

/// Whoever has a token is the same person on the pages.
fn door(tokens: Tokens) -> crate::chat::console::Door {
    Box::new(move |text| {
        let token = tokens.find(text)?;
        let who = Actor { via: Via::Console, ..token.actor.clone() };
        Some(Pass { who, roles: Vec::new(), credential: token.hash.credential() })
    })
}
