//! What is done with what was heard: who it was, what the desk answers, where the answer is shown.
//!
//! Takes from the inbox and works on several at once. Whoever cannot be recognised is refused before the desk
//! is asked. Refuses to decide anything else.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::answer::Asking;
use super::identity::People;
use super::inbound::{Inbound, What};
use super::inbox::Taken;
use super::manifest::DIAGNOSE;
use super::views;
use super::web::Web;
use crate::chat::answer::Answer;
use crate::chat::card::{Card, Tone};
use crate::chat::desk::Desk;
use crate::chat::hands;
use crate::chat::identity::Caller;
use crate::chat::paper::Paper;
use crate::chat::pointed::pointed;

/// After so long somebody is shown that it is being worked on; a modal can be opened for three seconds only.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// Where clicks and commands are answered.
pub(super) struct Front {
    pub(super) web: Arc<Web>,
    pub(super) people: People,
    pub(super) paper: Paper,
    pub(super) desk: Desk,
}

impl Front {
    /// Answers until `stop`, and finishes what was begun.
    pub(super) async fn run(self, taken: mpsc::Receiver<Taken>, stop: CancellationToken) {
        let front = Arc::new(self);
        let each = |next| {
            let front = Arc::clone(&front);
            async move { Box::pin(front.answer(next)).await }
        };
        hands::work("Slack", taken, stop, each).await;
    }

    async fn answer(&self, taken: Taken) {
        let Taken { inbound, at } = taken;
        let Inbound { by, place, what, .. } = inbound;
        let view = matches!(what, What::Filled { .. }).then(|| place.view.as_ref().map(ToString::to_string));
        let mut asking = Asking {
            web: Arc::clone(&self.web),
            paper: self.paper.clone(),
            by: by.clone(),
            place: place.clone(),
            view: view.flatten(),
            shown: false,
        };
        let caller = async {
            match self.people.who(&by).await {
                Ok(user) => Caller::of(user)
                    .map_err(|why| self.paper.words.say("slack.unheard", &json!({"why": why.to_string()}))),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "{} cannot be recognised",
                        by.user
                    );
                    Err(self.paper.words.word("slack.unverified"))
                }
            }
        };
        if what == What::HomeOpened {
            if let Ok(caller) = caller.await {
                self.home(&caller).await;
            }
            return;
        }
        let answer = async {
            match caller.await {
                Ok(caller) => self.ask(&caller, &what).await,
                Err(why) => Answer::only(Card::sentence(Tone::Warning, why)),
            }
        };
        let mut answer = std::pin::pin!(answer);
        let patience = PATIENCE.saturating_sub(at.elapsed());
        let early = tokio::time::timeout(patience, &mut answer).await;
        let answer = if let Ok(answer) = early {
            answer
        } else {
            self.pacify(&mut asking, &what).await;
            answer.await
        };
        metrics::histogram!("kubemend_slack_answer_seconds").record(at.elapsed().as_secs_f64());
        asking.show(&answer).await;
    }

    async fn ask(&self, caller: &Caller, what: &What) -> Answer {
        match what {
            What::Pressed { id } => self.desk.press(caller, id).await,
            What::Filled { form, values } => self.desk.submit(caller, form, values).await,
            What::Commanded { text } | What::Mentioned { text } => self.desk.command(caller, text).await,
            What::Shortcut { callback, text } if callback == DIAGNOSE => match pointed(text) {
                Some(line) => self.desk.command(caller, &line).await,
                None => Answer::only(Card::sentence(Tone::Neutral, self.paper.words.word("slack.pointless"))),
            },
            What::Shortcut { .. } | What::HomeOpened | What::Nothing => Answer::Quiet,
        }
    }

    /// Something to see while the answer is made; the answer takes its place.
    async fn pacify(&self, asking: &mut Asking, what: &What) {
        match what {
            What::Pressed { .. } => asking.open_working().await,
            What::Commanded { .. } | What::Shortcut { .. } => {
                let card = Card::sentence(Tone::Neutral, self.paper.words.word("slack.looking"));
                asking.show(&Answer::only(card)).await;
            }
            What::Filled { .. } | What::Mentioned { .. } | What::HomeOpened | What::Nothing => {}
        }
    }

    /// The app's home: what is open, and what waits for a decision.
    async fn home(&self, caller: &Caller) {
        let card = match self.desk.command(caller, "incidents").await {
            Answer::Card { card, .. } | Answer::Sheet(card) => card,
            Answer::Form(_) | Answer::Quiet => return,
        };
        let published = match views::home(&self.paper, &card) {
            Ok(view) => {
                let arguments = json!({"user_id": caller.actor.id, "view": view});
                self.web.post("views.publish", &arguments).await.map(drop).map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = published {
            tracing::warn!(error, slack.user = %caller.actor.id, "the home of {} is not shown", caller.actor.id);
        }
    }
}
