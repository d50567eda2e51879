//! Wires the console: whom a token lets in, and what is wrong with where it listens.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Occasion, StartError};
use crate::api::auth::Tokens;
use crate::chat::console::{Console, Gallery, Parts, Pass, Settings};
use crate::chat::link::Link;
use crate::engine::Handle;
use crate::incident::{Actor, Digest, Via};

/// The console, if it is wanted.
pub(super) async fn console(
    occasion: Occasion,
    (settings, chat): (&Settings, &crate::chat::settings::Settings),
    engine: &Handle,
    tokens: &Tokens,
    client_secret: Option<String>,
    links: Vec<Link>,
    stop: &CancellationToken,
) -> Result<Option<Console>, StartError> {
    if !settings.enabled {
        return Ok(None);
    }
    let credentials: BTreeSet<Digest> = tokens.iter().map(|token| token.hash.credential()).collect();
    let parts = Parts {
        engine: engine.clone(),
        settings: settings.clone(),
        client_secret,
        door: door(tokens.clone()),
        credentials,
        chat: Box::new(move || super::chat::shown(&links)),
        cards: gallery(chat).samples(),
        demo: occasion == Occasion::Demo,
        stop: stop.clone(),
    };
    Console::open(parts).await.map(Some).map_err(StartError::Console)
}

/// How the other platforms would show the samples, from the templates in force.
fn gallery(chat: &crate::chat::settings::Settings) -> Arc<Gallery> {
    Arc::new(Gallery::new(chat.templates.clone(), std::slice::from_ref(&chat.locale)))
}

/// Whoever has a token is the same person on the pages.
fn door(tokens: Tokens) -> crate::chat::console::Door {
    Box::new(move |text| {
        let token = tokens.find(text)?;
        let who = Actor { via: Via::Console, ..token.actor.clone() };
        Some(Pass { who, roles: Vec::new(), credential: token.hash.credential() })
    })
}
