//! Chat, as the configuration wants it: words, layouts and routes once, and the platforms that are configured.

use std::sync::Arc;

use axum::Router;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::StartError;
use crate::chat::console::pages::{ChatLink, LinkState};
use crate::chat::desk::Desk;
use crate::chat::discord::{self, Discord};
use crate::chat::layout::Layouts;
use crate::chat::link::Link;
use crate::chat::paper::Paper;
use crate::chat::route::Routes;
use crate::chat::settings::Settings;
use crate::chat::slack::{self, Slack};
use crate::chat::templates::{Mistake, lines};
use crate::chat::words::Words;
use crate::config::Secrets;
use crate::engine::Handle;
use crate::ops::NotReady;

/// The platforms, ready to run.
pub(super) struct Platforms {
    slack: Option<Slack>,
    discord: Option<Discord>,
}

impl Platforms {
    /// Builds what is configured. Nothing is opened or sent yet.
    pub(super) fn build(settings: &Settings, secrets: &Secrets, engine: &Handle) -> Result<Self, StartError> {
        if settings.slack.is_none() && settings.discord.is_none() {
            return Ok(Self { slack: None, discord: None });
        }
        let folder = settings.templates.as_deref();
        let words = Arc::new(Words::load(&settings.locale, folder).map_err(|wrong| mistaken(&wrong))?);
        let layouts = Arc::new(Layouts::load(folder).map_err(|wrong| mistaken(&wrong))?);
        let routes = Routes::new(settings).map_err(|wrong| {
            let lines: Vec<String> =
                wrong.iter().map(|wrong| format!("chat.{}: {}", wrong.path, wrong.what)).collect();
            StartError::Chat(lines.join("\n"))
        })?;
        let desk = Desk::new(engine.clone(), Arc::clone(&words));
        let (paper, routes) = (Paper { layouts, words }, Arc::new(routes));
        let slack = match (&settings.slack, &secrets.slack) {
            (Some(own), Some(secrets)) => {
                let (desk, paper, routes) = (desk.clone(), paper.clone(), Arc::clone(&routes));
                let parts = slack::Parts { settings: own, secrets, desk, paper, routes };
                Some(Slack::new(parts).map_err(|error| StartError::Chat(error.to_string()))?)
            }
            (None, _) | (_, None) => None,
        };
        let discord = match (&settings.discord, &secrets.discord) {
            (Some(own), Some(secrets)) => {
                let parts = discord::Parts { settings: own, secrets, desk, paper, routes };
                Some(Discord::new(parts).map_err(|error| StartError::Chat(error.to_string()))?)
            }
            (None, _) | (_, None) => None,
        };
        Ok(Self { slack, discord })
    }

    /// How each link stands.
    pub(super) fn links(&self) -> Vec<Link> {
        self.slack.iter().map(Slack::link).chain(self.discord.iter().map(Discord::link)).collect()
    }

    /// The routes that platforms call.
    pub(super) fn routes(&mut self) -> Router {
        let slack = self.slack.as_mut().map(Slack::routes).unwrap_or_default();
        slack.merge(self.discord.as_mut().map(Discord::routes).unwrap_or_default())
    }

    /// Asks the platforms, for a moment, who is in which groups: before anything is carried out.
    pub(super) async fn meet(&self) {
        if let Some(slack) = &self.slack {
            slack.meet().await;
        }
    }

    /// Runs all of them beside what else is in `tasks`.
    pub(super) fn spawn(self, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        if let Some(slack) = self.slack {
            tasks.spawn(slack.run(stop.clone()));
        }
        if let Some(discord) = self.discord {
            tasks.spawn(discord.run(stop.clone()));
        }
    }
}

fn mistaken(mistakes: &[Mistake]) -> StartError {
    StartError::Chat(lines(mistakes))
}

/// The platforms that cannot be heard, if none can. While one of them is heard kubemend is of use: not to be ready
/// would keep that one's requests away, too.
pub(super) fn waiting(links: &[Link]) -> Vec<NotReady> {
    let deaf = links.iter().filter_map(|link| Some((link.hearing.platform(), link.hearing.deaf()?)));
    let deaf: Vec<_> = deaf.collect();
    if deaf.len() < links.len() {
        return Vec::new();
    }
    deaf.into_iter()
        .map(|(platform, deaf)| NotReady {
            what: platform.into(),
            why: format!("cannot be heard since {}: {}", deaf.since, deaf.why),
        })
        .collect()
}

/// The links as the page of status shows them.
pub(super) fn shown(links: &[Link]) -> Vec<ChatLink> {
    links.iter().map(show).collect()
}

fn show(link: &Link) -> ChatLink {
    let (backlog, deaf, heard) = (link.backlog(), link.hearing.deaf(), link.hearing.heard());
    let state = match (&deaf, link.hearing.was_heard()) {
        (None, _) => LinkState::Connected,
        (Some(_), false) => LinkState::Connecting,
        (Some(_), true) => LinkState::Down,
    };
    let name = match link.hearing.platform() {
        "slack" => "Slack",
        "discord" => "Discord",
        other => other,
    };
    ChatLink {
        name: name.to_owned(),
        state,
        since: deaf.as_ref().map(|deaf| deaf.since).or(heard),
        waiting: u64::try_from(backlog.waiting).unwrap_or(u64::MAX),
        trouble: deaf.map(|deaf| deaf.why).or(backlog.trouble),
    }
}
