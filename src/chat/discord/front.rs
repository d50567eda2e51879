//! What is done with what was heard: who it was, what the desk answers, where the answer is shown.
//!
//! Takes from the inbox and works on several at once. Whoever cannot be recognised is refused before the desk is
//! asked, and what Discord told the person had failed is not done behind their back. Refuses to decide anything
//! else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::ack::{Acker, Deferred, First, Open, Unanswered};
use super::answer::Asking;
use super::completion;
use super::forms::Forms;
use super::identity::People;
use super::inbound::{Inbound, What};
use super::inbox::Taken;
use super::views;
use super::web::Web;
use crate::chat::answer::{Answer, Form};
use crate::chat::card::{Card, Tone};
use crate::chat::desk::{Desk, Typing};
use crate::chat::hands;
use crate::chat::identity::{Caller, Unheard};
use crate::chat::paper::Paper;
use crate::chat::pointed::pointed;
use crate::incident::Text;

/// For so long it is looked whether there are questions, before the click is acknowledged without them.
const LOOKING: Duration = Duration::from_millis(1_200);

/// Where clicks and commands are answered.
pub(super) struct Front {
    pub(super) web: Arc<Web>,
    pub(super) people: People,
    pub(super) paper: Paper,
    pub(super) desk: Desk,
    /// Where incidents are told.
    pub(super) channels: BTreeSet<Text>,
    pub(super) forms: Arc<Forms>,
}

type Heard = Result<Caller, Unheard>;

impl Front {
    /// Answers until `stop`, and finishes what was begun.
    pub(super) async fn run(self, taken: mpsc::Receiver<Taken>, stop: CancellationToken) {
        let front = Arc::new(self);
        let each = |next| {
            let front = Arc::clone(&front);
            async move { Box::pin(front.answer(next)).await }
        };
        hands::work("Discord", taken, stop, each).await;
    }

    async fn answer(&self, taken: Taken) {
        let Taken { inbound, at, ack } = taken;
        let caller = Caller::of(self.people.who(&inbound.by, self.desk.engine().now()));
        if let (Acker::Open(_), What::Completing { .. }) = (&ack, &inbound.what) {
            let Acker::Open(open) = ack else { return };
            // Whoever types on sees the next completion; nobody waits for this one.
            let _ = open.answer(First::Choices(self.complete(&caller, &inbound.what))).await;
            return;
        }
        let acknowledged = match ack {
            Acker::Deferred(acked) => {
                let how = acked.how();
                acked.arrived().await.map(|()| Some(how))
            }
            Acker::Open(open) => self.open(open, &caller, &inbound).await,
        };
        match acknowledged {
            Ok(Some(how)) | Err(Unanswered::Meanwhile(how)) => self.finish(&caller, inbound, how).await,
            // Questions are shown; what is filled in comes as something new.
            Ok(None) => {}
            // Discord told the person that it failed. It was logged where it happened.
            Err(Unanswered::TooLate | Unanswered::Twice | Unanswered::Web(_)) => return,
        }
        metrics::histogram!("kubemend_discord_answer_seconds").record(at.elapsed().as_secs_f64());
    }

    /// Shows the questions that a click leads to, or acknowledges it: then says how.
    async fn open(
        &self,
        open: Open,
        caller: &Heard,
        inbound: &Inbound,
    ) -> Result<Option<Deferred>, Unanswered> {
        let asks = async {
            let caller = caller.as_ref().ok()?;
            self.questions(caller, pressed(&inbound.what)?).await
        };
        let patience = LOOKING.min(open.by().saturating_duration_since(Instant::now()));
        let form = tokio::time::timeout(patience, asks).await.ok().flatten();
        let modal = form.map(|form| views::modal(&self.paper, &form)).transpose();
        let modal = modal.unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "questions cannot be laid out");
            None
        });
        match modal {
            Some(modal) => open.answer(First::Modal(modal)).await.map(|()| None),
            None => open.answer(First::Defer(Deferred::Quietly)).await.map(|()| Some(Deferred::Quietly)),
        }
    }

    async fn questions(&self, caller: &Caller, id: &str) -> Option<Form> {
        let kept = self.forms.get(id, Instant::now()).filter(|_| self.desk.knows(caller));
        match kept {
            Some(form) => Some(form),
            None => self.desk.asks(caller, id).await,
        }
    }

    /// Does what was wanted, and shows what came of it.
    async fn finish(&self, caller: &Heard, inbound: Inbound, how: Deferred) {
        let Inbound { by, place, what, key: _ } = inbound;
        let answer = match caller {
            Ok(caller) => self.ask(caller, &what).await,
            Err(why) => Answer::only(Card::sentence(Tone::Warning, self.unheard(*why))),
        };
        let told_here = place.channel.as_ref().is_some_and(|channel| self.channels.contains(channel));
        let (web, paper, forms) = (Arc::clone(&self.web), self.paper.clone(), Arc::clone(&self.forms));
        Asking { web, paper, forms, by, place, how, told_here }.show(&answer).await;
    }

    async fn ask(&self, caller: &Caller, what: &What) -> Answer {
        match what {
            What::Pressed { .. } | What::Chosen { .. } => match pressed(what) {
                Some(id) => self.desk.press(caller, id).await,
                None => Answer::Quiet,
            },
            What::Filled { form, values } => self.desk.submit(caller, form, values).await,
            What::Commanded { line } => self.desk.command(caller, line).await,
            What::Pointed { name: _, text } => match pointed(text) {
                Some(line) => self.desk.command(caller, &line).await,
                None => {
                    Answer::only(Card::sentence(Tone::Neutral, self.paper.words.word("discord.pointless")))
                }
            },
            What::Completing { .. } | What::Nothing => Answer::Quiet,
        }
    }

    /// What may be meant; nothing for whoever is not heard.
    fn complete(&self, caller: &Heard, what: &What) -> Vec<serde_json::Value> {
        let (Ok(caller), What::Completing { command, option, typed, others }) = (caller, what) else {
            return Vec::new();
        };
        let typing = Typing { command, option, typed, others };
        completion::choices(&self.desk.complete(caller, &typing))
    }

    fn unheard(&self, why: Unheard) -> String {
        match why {
            Unheard::Elsewhere => self.paper.words.word("discord.elsewhere"),
            Unheard::Guest
            | Unheard::Bot
            | Unheard::Deactivated
            | Unheard::Silenced
            | Unheard::Pending
            | Unheard::Nobody => self.paper.words.say("discord.unheard", &json!({"why": why.to_string()})),
        }
    }
}

/// What a button or a menu stands for.
fn pressed(what: &What) -> Option<&str> {
    match what {
        What::Pressed { id } => Some(id),
        What::Chosen { values, .. } => values.first().map(String::as_str),
        What::Filled { .. }
        | What::Commanded { .. }
        | What::Pointed { .. }
        | What::Completing { .. }
        | What::Nothing => None,
    }
}
