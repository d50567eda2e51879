//! Showing an answer where its asker is: in a modal, as a message only they see, or in the channel.
//!
//! Slack's ways of answering run out (a trigger after three seconds, a response URL after five uses or half an
//! hour), so each has another one behind it. A rate limit or an outage delays an answer: after a few tries it is put
//! off, and taken up again from what is owed (`chat::owed`) for as long as somebody may wait for it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::aloud::{Aloud, Silent};
use super::inbound::{Asker, Place};
use super::views;
use super::web::{Web, WebError};
use crate::chat::answer::{Answer, Audience};
use crate::chat::card::{Card, Tone};
use crate::chat::layout::LayoutError;
use crate::chat::paper::Paper;

/// How often an answer is tried, and the longest pause between two tries; longer ones put it off.
const TRIES: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What is there so far is worth no more waiting than this.
const SO_FAR: Duration = Duration::from_secs(3);

/// Somebody who waits for an answer.
pub(super) struct Asking {
    pub(super) web: Arc<Web>,
    pub(super) paper: Paper,
    pub(super) by: Asker,
    pub(super) place: Place,
    /// The modal that is open for this answer.
    pub(super) view: Option<String>,
    /// Whether something was shown before that this answer replaces.
    pub(super) shown: bool,
    /// The message that this answer grows in, where everybody sees it.
    pub(super) aloud: Option<Aloud>,
    /// When it was asked, if it is taken up again.
    pub(super) since: Option<Timestamp>,
}

/// What became of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    Yes,
    /// It may be shown when Slack answers again.
    Later,
    /// There is no way to show it.
    Never,
}

/// Why an answer could not be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unshown {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Web(#[from] WebError),
    #[error(transparent)]
    Silent(#[from] Silent),
    #[error("there is no way left to reach whoever asked")]
    NoWay,
}

impl Unshown {
    /// Whether another try may help. Showing twice what only one person sees does no harm.
    fn may_pass(&self) -> bool {
        match self {
            Self::Web(error) | Self::Silent(Silent::Web(error)) => error.code().is_none(),
            Self::Layout(_) | Self::Silent(Silent::Layout(_)) | Self::NoWay => false,
        }
    }
}

impl Asking {
    /// Shows an answer. One that cannot be shown at all is logged, because nobody is left to tell.
    pub(super) async fn show(&mut self, answer: &Answer) -> Shown {
        let error = match self.try_show(answer).await {
            Ok(()) => return Shown::Yes,
            Err(error) => error,
        };
        let (later, error) = (error.may_pass(), &error as &dyn std::error::Error);
        let user = &self.by.user;
        if later {
            tracing::info!(error, slack.user = %user, "an answer to {user} waits for Slack");
            return Shown::Later;
        }
        tracing::warn!(error, slack.user = %user, "an answer could not be shown to {user}");
        Shown::Never
    }

    /// Shows what is there so far, once; without it the answer comes all the same.
    pub(super) async fn show_so_far(&mut self, card: &Card) {
        let shown = tokio::time::timeout(SO_FAR, async {
            if let Some(aloud) = &mut self.aloud {
                return aloud.show(&self.web, &self.paper, card).await.map_err(Unshown::from);
            }
            let url = self.place.response_url.clone().ok_or(Unshown::NoWay)?;
            let mut body = views::message(&self.paper, card)?;
            body["response_type"] = json!("ephemeral");
            body["replace_original"] = json!(self.shown);
            self.web.respond(&url, &body).await?;
            self.shown = true;
            Ok(())
        });
        if let Ok(Err(error)) = shown.await {
            tracing::debug!(error = &error as &dyn std::error::Error, "what is there so far is not shown");
        }
    }

    async fn try_show(&mut self, answer: &Answer) -> Result<(), Unshown> {
        match answer {
            Answer::Quiet if self.view.is_some() => {
                let done = views::done(&self.paper)?;
                self.modal(done).await
            }
            Answer::Quiet => Ok(()),
            Answer::Form(form) => {
                let view = views::form(&self.paper, form, &self.note())?;
                match self.modal(view).await {
                    Err(Unshown::NoWay) => {
                        let late = Card::sentence(Tone::Warning, self.paper.words.word("slack.late"));
                        self.only(&late).await
                    }
                    shown => shown,
                }
            }
            Answer::Sheet(card) => {
                let view = views::sheet(&self.paper, card, &self.note())?;
                match self.modal(view).await {
                    Err(Unshown::NoWay) => self.only(card).await,
                    shown => shown,
                }
            }
            Answer::Card { card, to: Audience::Asker } if self.view.is_some() => {
                let view = views::sheet(&self.paper, card, &self.note())?;
                match self.modal(view).await {
                    Err(Unshown::NoWay) => self.only(card).await,
                    shown => shown,
                }
            }
            Answer::Card { card, to: Audience::Asker } => self.only(card).await,
            Answer::Card { card, to: Audience::Channel } => self.everybody(card).await,
        }
    }

    /// Opens a modal that says that something is being worked on, if that is still possible.
    pub(super) async fn open_working(&mut self) {
        // Without it the answer comes another way.
        let _ = self.modal(views::working()).await;
    }

    async fn modal(&mut self, view: Value) -> Result<(), Unshown> {
        if let Some(open) = &self.view {
            let arguments = json!({"view_id": open, "view": view});
            return match self.again("views.update", &arguments).await {
                // Whoever filled it in has closed it.
                Err(error) if matches!(error.code(), Some("not_found" | "view_not_found")) => {
                    self.view = None;
                    Err(Unshown::NoWay)
                }
                told => told.map(drop).map_err(Unshown::from),
            };
        }
        let trigger = self.place.trigger.take().ok_or(Unshown::NoWay)?;
        let arguments = json!({"trigger_id": trigger, "view": view});
        match self.web.post("views.open", &arguments).await {
            Ok(told) => {
                self.view = told["view"]["id"].as_str().map(str::to_owned);
                Ok(())
            }
            Err(error) if is_spent(&error) => Err(Unshown::NoWay),
            Err(error) => Err(error.into()),
        }
    }

    async fn only(&mut self, card: &Card) -> Result<(), Unshown> {
        if let Some(aloud) = &mut self.aloud {
            return aloud.show(&self.web, &self.paper, card).await.map_err(Unshown::from);
        }
        let body = views::message(&self.paper, card)?;
        if let Some(url) = self.place.response_url.clone() {
            let mut body = body.clone();
            body["response_type"] = json!("ephemeral");
            body["replace_original"] = json!(self.shown);
            match self.respond(&url, &body).await {
                Ok(()) => {
                    self.shown = true;
                    return Ok(());
                }
                Err(error) if error.code().is_none() => return Err(error.into()),
                // Used up, or too old.
                Err(_) => {}
            }
        }
        if self.place.channel.is_none() && self.place.trigger.is_some() {
            // Pressed where there is no channel: in the app's home.
            let view = views::sheet(&self.paper, card, &self.note())?;
            return self.modal(view).await;
        }
        let channel = self.place.channel.clone().ok_or(Unshown::NoWay)?;
        let mut body = body;
        body["channel"] = json!(channel);
        body["user"] = json!(self.by.user);
        if let Some(thread) = &self.place.thread {
            body["thread_ts"] = json!(thread);
        }
        self.again("chat.postEphemeral", &body).await.map(drop).map_err(Unshown::from)
    }

    async fn everybody(&mut self, card: &Card) -> Result<(), Unshown> {
        let mut body = views::message(&self.paper, card)?;
        if self.since.is_some() && self.is_there(&body).await? {
            return Ok(());
        }
        if let Some(url) = self.place.response_url.clone() {
            body["response_type"] = json!("in_channel");
            body["replace_original"] = json!(self.shown);
            self.shown = true;
            return self.respond(&url, &body).await.map_err(Unshown::from);
        }
        body["channel"] = json!(self.place.channel.clone().ok_or(Unshown::NoWay)?);
        if let Some(thread) = self.place.thread.as_ref().or(self.place.message.as_ref()) {
            body["thread_ts"] = json!(thread);
        }
        self.again("chat.postMessage", &body).await.map(drop).map_err(Unshown::from)
    }

    /// Whether the same was posted for everybody since it was asked, before a restart.
    async fn is_there(&self, body: &Value) -> Result<bool, WebError> {
        let (Some(since), Some(channel)) = (self.since, &self.place.channel) else { return Ok(false) };
        let oldest = since.as_second().saturating_sub(1).to_string();
        let asked = [("channel", channel.as_str()), ("oldest", &oldest), ("limit", "100")];
        let told = match self.web.get("conversations.history", &asked).await {
            // Where kubemend is not, it cannot look.
            Err(error) if error.code().is_some() => return Ok(false),
            told => told?,
        };
        let mut messages = told["messages"].as_array().into_iter().flatten();
        Ok(messages.any(|message| message["bot_id"].is_string() && message["text"] == body["text"]))
    }

    async fn respond(&self, url: &str, body: &Value) -> Result<(), WebError> {
        let mut tries = 1;
        loop {
            match self.web.respond(url, body).await {
                Err(error) if tries < TRIES && passes(&error) => pause(&error, tries).await,
                outcome => return outcome,
            }
            tries += 1;
        }
    }

    async fn again(&self, method: &'static str, arguments: &Value) -> Result<Value, WebError> {
        let mut tries = 1;
        loop {
            match self.web.post(method, arguments).await {
                Err(error) if tries < TRIES && passes(&error) => pause(&error, tries).await,
                outcome => return outcome,
            }
            tries += 1;
        }
    }

    /// Where the modal was opened, for what is answered to it later.
    fn note(&self) -> String {
        json!({"channel": self.place.channel, "thread": self.place.thread}).to_string()
    }
}

/// Certainly not done, and worth another try at once.
fn passes(error: &WebError) -> bool {
    match error {
        WebError::RateLimited { after, .. } => *after <= LONGEST_PAUSE,
        WebError::NotSent { .. } => true,
        WebError::Unknown { why, .. } => why.starts_with("HTTP 5"),
        WebError::Api { .. } => false,
    }
}

fn is_spent(error: &WebError) -> bool {
    matches!(error.code(), Some("expired_trigger_id" | "exchanged_trigger_id" | "invalid_trigger_id"))
}

#[expect(clippy::disallowed_methods, reason = "a pause between two tries")]
async fn pause(error: &WebError, tries: u32) {
    let own = Duration::from_millis(500).saturating_mul(1 << tries.min(6));
    let asked = match error {
        WebError::RateLimited { after, .. } => *after,
        WebError::Api { .. } | WebError::NotSent { .. } | WebError::Unknown { .. } => Duration::ZERO,
    };
    tokio::time::sleep(own.max(asked).min(LONGEST_PAUSE)).await;
}
