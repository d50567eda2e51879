//! Showing an answer where its asker is: in the place of "thinking", as a further message, or in the channel.
//!
//! An interaction's token is good for fifteen minutes; behind it stands an ordinary message that calls nobody
//! but the asker. Only in a channel that kubemend tells incidents in does it say what was to be seen by the asker
//! alone; elsewhere it says that it came too late. A rate limit or an outage delays an answer: after a few tries it is
//! put off, and taken up again from what is owed (`chat::owed`) for as long as somebody may wait for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ack::Deferred;
use super::forms::Forms;
use super::inbound::{Asker, Place};
use super::views::{self, Shown};
use super::web::{File, Web, WebError};
use crate::chat::answer::{Answer, Audience};
use crate::chat::card::{Card, Tone};
use crate::chat::layout::LayoutError;
use crate::chat::paper::Paper;
use crate::chat::waiting::{self, Meanwhile, Shows};
use crate::incident::Digest;

/// How often an answer is tried, and the longest pause between two tries.
const TRIES: u32 = 6;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// So long Discord may take to know of a first answer.
const SETTLES: Duration = Duration::from_secs(5);
/// Unknown webhook: so far, or any more.
const EARLY: Option<u64> = Some(10_015);
/// For the asker alone.
const EPHEMERAL: u64 = 64;

/// Somebody who waits for an answer.
pub(super) struct Asking {
    pub(super) web: Arc<Web>,
    pub(super) paper: Paper,
    pub(super) forms: Arc<Forms>,
    pub(super) by: Asker,
    pub(super) place: Place,
    /// The interaction's id.
    pub(super) key: String,
    /// How it was acknowledged.
    pub(super) how: Deferred,
    /// Whether incidents are told in this channel anyhow.
    pub(super) told_here: bool,
}

/// What became of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Shown,
    /// It may be shown when Discord answers again.
    Later,
    /// There is no way to show it.
    Never,
}

/// Why an answer could not be shown.
#[derive(Debug, thiserror::Error)]
enum Unshown {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Web(#[from] WebError),
    #[error("there is no way left to reach whoever asked")]
    NoWay,
}

impl Unshown {
    /// Whether another try may help. Showing twice what only one person sees does no harm.
    fn may_pass(&self) -> bool {
        match self {
            Self::Web(error) => error.passes() || matches!(error, WebError::Unknown { .. }),
            Self::Layout(_) | Self::NoWay => false,
        }
    }
}

/// How an answer can be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// In the place of the first answer, for whoever sees that.
    Original,
    /// As a further message that the asker alone sees.
    Further,
}

/// Which way an answer to somebody goes, and whether the first answer must be taken away for it.
fn way(how: Deferred, to: Audience) -> (Way, bool) {
    match (how, to) {
        (Deferred::Thinking, _) | (Deferred::Aloud, Audience::Channel) => (Way::Original, false),
        // Everybody sees that kubemend is thinking, and what it thinks is not for everybody.
        (Deferred::Aloud, Audience::Asker) => (Way::Further, true),
        // The first answer is the message whose button was pressed.
        (Deferred::Quietly, _) => (Way::Further, false),
    }
}

impl Asking {
    /// Shows the answer itself. One that cannot be shown at all is logged, because nobody is left to tell.
    pub(super) async fn answer(&self, answer: &Answer) -> Outcome {
        let error = match self.try_show(answer).await {
            Ok(()) => return Outcome::Shown,
            Err(error) => error,
        };
        let (later, error) = (error.may_pass(), &error as &dyn std::error::Error);
        let user = &self.by.user;
        if later {
            tracing::info!(error, discord.user = %user, "an answer to {user} waits for Discord");
            return Outcome::Later;
        }
        tracing::warn!(error, discord.user = %user, "an answer could not be shown to {user}");
        Outcome::Never
    }

    /// Puts what is there so far where "thinking" stands, once. After the token's fifteen minutes only the answer
    /// itself is worth an ordinary message.
    async fn show_so_far(&self, card: &Card) -> waiting::Shown {
        let body = match views::message(&self.paper, card) {
            Ok(body) => body,
            Err(error) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "what is there so far is not shown"
                );
                return waiting::Shown::NoMore;
            }
        };
        match self.web.edit_original(&self.place, &body, None).await {
            Err(WebError::RateLimited { after, .. }) => waiting::Shown::Pause(after),
            // Over HTTP Discord may not have read the first answer yet.
            Err(error) if is_spent(&error) && error.code() != EARLY => waiting::Shown::NoMore,
            Err(error) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "what is there so far is not shown"
                );
                waiting::Shown::Done
            }
            Ok(_) => waiting::Shown::Done,
        }
    }

    async fn try_show(&self, answer: &Answer) -> Result<(), Unshown> {
        let (shown, to) = match answer {
            Answer::Quiet => return self.end().await,
            Answer::Form(form) => {
                self.forms.keep(form, Instant::now());
                let body = views::questions(&self.paper, form)?;
                (Shown { body, file: None }, Audience::Asker)
            }
            Answer::Sheet(card) => (views::sheet(&self.paper, card)?, Audience::Asker),
            Answer::Card { card, to } => (views::sheet(&self.paper, card)?, *to),
        };
        // What was asked for aloud and is meant to be looked at is looked at by everybody.
        let to = if matches!(answer, Answer::Sheet(_)) && self.how == Deferred::Aloud {
            Audience::Channel
        } else {
            to
        };
        self.send(&shown, to).await
    }

    /// Nothing is to be said: what said that something would come goes.
    async fn end(&self) -> Result<(), Unshown> {
        match self.how {
            Deferred::Quietly => Ok(()),
            Deferred::Thinking | Deferred::Aloud => Ok(self.web.delete_original(&self.place).await?),
        }
    }

    async fn send(&self, shown: &Shown, to: Audience) -> Result<(), Unshown> {
        let (way, takes_away) = way(self.how, to);
        if takes_away {
            // If it stays, it says only that kubemend thought.
            let _ = self.web.delete_original(&self.place).await;
        }
        match self.again(way, shown).await {
            Err(error) if is_spent(&error) => self.late(shown, to).await,
            outcome => Ok(outcome?),
        }
    }

    async fn again(&self, way: Way, shown: &Shown) -> Result<(), WebError> {
        let (mut tries, begun) = (1, Instant::now());
        loop {
            match self.once(way, shown).await {
                Err(error) if tries < TRIES && (passes(way, &error) || is_early(&error, begun)) => {
                    pause(&error, tries).await;
                }
                outcome => return outcome,
            }
            tries += 1;
        }
    }

    async fn once(&self, way: Way, Shown { body, file }: &Shown) -> Result<(), WebError> {
        match way {
            Way::Original => self.web.edit_original(&self.place, body, file.as_ref()).await.map(drop),
            Way::Further => {
                let mut body = body.clone();
                body["flags"] = json!(EPHEMERAL);
                self.web.follow_up(&self.place, &body, file.as_ref()).await.map(drop)
            }
        }
    }

    /// The token is spent: an ordinary message.
    async fn late(&self, shown: &Shown, to: Audience) -> Result<(), Unshown> {
        let channel = self.place.here().ok_or(Unshown::NoWay)?;
        let line = self.paper.words.word("discord.late");
        let (body, file): (Value, Option<&File>) = if to == Audience::Channel || self.told_here {
            (shown.body.clone(), shown.file.as_ref())
        } else {
            let card = Card::sentence(Tone::Neutral, self.paper.words.word("discord.too_late"));
            (views::message(&self.paper, &card)?, None)
        };
        let mut body = views::addressed(body, &self.by.user, &line);
        // However often it is tried, also by another kubemend after this one, it is posted once.
        body["nonce"] = json!(Digest::of_bytes(self.key.as_bytes()).as_str()[..24]);
        body["enforce_nonce"] = json!(true);
        let mut tries = 1;
        loop {
            match self.web.post(channel, &body, file).await {
                Err(error) if tries < TRIES && error.passes() => pause(&error, tries).await,
                outcome => return Ok(outcome.map(drop)?),
            }
            tries += 1;
        }
    }
}

impl Shows for Asking {
    async fn show(&mut self, next: Meanwhile) -> waiting::Shown {
        match next {
            // Discord itself says that kubemend is thinking.
            Meanwhile::Patience => waiting::Shown::Done,
            Meanwhile::SoFar(card) => self.show_so_far(&card).await,
        }
    }
}

/// Certainly not done, and worth another try; an edit may be made twice.
fn passes(way: Way, error: &WebError) -> bool {
    error.passes() || way == Way::Original && matches!(error, WebError::Unknown { .. })
}

/// Over HTTP the first answer is a response, and Discord may take longer to read that than kubemend takes for what
/// follows: until then it knows of no webhook.
fn is_early(error: &WebError, begun: Instant) -> bool {
    error.code() == EARLY && begun.elapsed() < SETTLES
}

/// The token is not good any more, or what it stands for is gone.
fn is_spent(error: &WebError) -> bool {
    match error.code() {
        // Unknown message, unknown webhook, unknown interaction, invalid webhook token.
        Some(10_008 | 10_015 | 10_062 | 50_027) => true,
        _ => matches!(error.status(), Some(401 | 404)),
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause between two tries")]
async fn pause(error: &WebError, tries: u32) {
    let own = Duration::from_millis(250).saturating_mul(1 << tries.min(6));
    let asked = match error {
        WebError::RateLimited { after, .. } => *after,
        WebError::Api { .. } | WebError::NotSent { .. } | WebError::Unknown { .. } => Duration::ZERO,
    };
    tokio::time::sleep(own.max(asked).min(LONGEST_PAUSE)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_person_may_see_is_never_put_where_everybody_looks() {
        assert_eq!(way(Deferred::Thinking, Audience::Asker), (Way::Original, false));
        assert_eq!(way(Deferred::Aloud, Audience::Channel), (Way::Original, false));
        assert_eq!(way(Deferred::Aloud, Audience::Asker), (Way::Further, true));
        assert_eq!(way(Deferred::Quietly, Audience::Asker), (Way::Further, false));
    }

    #[test]
    fn an_edit_may_be_made_twice_and_a_further_message_may_not() {
        let unknown = WebError::Unknown { route: "x", why: "HTTP 502".to_owned() };
        assert!(passes(Way::Original, &unknown) && !passes(Way::Further, &unknown));
        let not_sent = WebError::NotSent { route: "x", why: "refused".to_owned() };
        assert!(passes(Way::Further, &not_sent));
    }

    #[test]
    fn a_spent_token_is_told_from_other_refusals() {
        let refusal = |status, code| WebError::Api {
            route: "x",
            status,
            code,
            message: String::new(),
            path: String::new(),
        };
        assert!(is_spent(&refusal(401, 50_027)) && is_spent(&refusal(404, 10_015)));
        assert!(!is_spent(&refusal(400, 50_035)) && !is_spent(&refusal(403, 50_013)));
    }
}
