//! Chat, as the configuration wants it: words, layouts, routes, and the platforms that are configured.

use std::sync::Arc;

use super::StartError;
use crate::chat::desk::Desk;
use crate::chat::layout::Layouts;
use crate::chat::route::Routes;
use crate::chat::settings::Settings;
use crate::chat::slack::hearing::Hearing;
use crate::chat::slack::paper::Paper;
use crate::chat::slack::settings::Secrets;
use crate::chat::slack::{Parts, Slack};
use crate::chat::words::Words;
use crate::engine::Handle;
use crate::ops::NotReady;

/// Slack, if it is configured.
pub(super) fn slack(
    settings: &Settings,
    secrets: Option<&Secrets>,
    engine: &Handle,
) -> Result<Option<Slack>, StartError> {
    let (Some(own), Some(secrets)) = (&settings.slack, secrets) else { return Ok(None) };
    let mistaken = |mistakes: Vec<crate::chat::templates::Mistake>| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        StartError::Chat(lines.join("\n"))
    };
    let folder = settings.templates.as_deref();
    let words = Arc::new(Words::load(&settings.locale, folder).map_err(mistaken)?);
    let layouts = Arc::new(Layouts::load(folder).map_err(mistaken)?);
    let routes = Routes::new(settings).map_err(|wrong| {
        let lines: Vec<String> =
            wrong.iter().map(|wrong| format!("chat.{}: {}", wrong.path, wrong.what)).collect();
        StartError::Chat(lines.join("\n"))
    })?;
    let desk = Desk::new(engine.clone(), Arc::clone(&words));
    let paper = Paper { layouts, words };
    let parts = Parts { settings: own, secrets, desk, paper, routes: Arc::new(routes) };
    Slack::new(parts).map(Some).map_err(|error| StartError::Chat(error.to_string()))
}

/// Whether Slack can be heard.
pub(super) fn waiting(hearing: Option<&Hearing>) -> Option<NotReady> {
    let deaf = hearing?.deaf()?;
    Some(NotReady {
        what: "slack".into(),
        why: format!("cannot be heard since {}: {}", deaf.since, deaf.why),
    })
}
