//! Showing an answer where its asker is: in a modal, as a message only they see, or in the channel.
//!
//! Slack's ways of answering run out (a trigger after three seconds, a response URL after five uses or half an
//! hour), so each has another one behind it. A rate limit or an outage delays an answer; it is tried again for
//! as long as somebody may wait for it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::inbound::{Asker, Place};
use super::views;
use super::web::{Web, WebError};
use crate::chat::answer::{Answer, Audience};
use crate::chat::card::Card;
use crate::chat::layout::LayoutError;
use crate::chat::paper::Paper;

/// How often an answer is tried, and the longest pause between two tries.
const TRIES: u32 = 6;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

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
}

/// Why an answer could not be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unshown {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Web(#[from] WebError),
    #[error("there is no way left to reach whoever asked")]
    NoWay,
}

impl Asking {
    /// Shows an answer; a failure is logged, because nobody is left to tell.
    pub(super) async fn show(&mut self, answer: &Answer) {
        if let Err(error) = self.try_show(answer).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, slack.user = %self.by.user, "an answer could not be shown to {}", self.by.user);
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
                self.modal(view).await
            }
            Answer::Sheet(card) => {
                let view = views::sheet(&self.paper, card)?;
                match self.modal(view).await {
                    Err(Unshown::NoWay) => self.only(card).await,
                    shown => shown,
                }
            }
            Answer::Card { card, to: Audience::Asker } if self.view.is_some() => {
                let view = views::sheet(&self.paper, card)?;
                self.modal(view).await
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
            return self.again("views.update", &arguments).await.map(drop).map_err(Unshown::from);
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
        let body = views::message(&self.paper, card)?;
        if let Some(url) = self.place.response_url.clone() {
            let mut body = body.clone();
            body["response_type"] = json!("ephemeral");
            body["replace_original"] = json!(self.shown);
            if self.respond(&url, &body).await.is_ok() {
                self.shown = true;
                return Ok(());
            }
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

/// Certainly not done, and worth another try. An answer whose fate is unknown is not sent twice.
fn passes(error: &WebError) -> bool {
    match error {
        WebError::RateLimited { .. } | WebError::NotSent { .. } => true,
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
