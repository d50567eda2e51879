//! What is done with what was heard: who it was, what the desk answers, where the answer is shown.
//!
//! Takes from the inbox and works on several at once. Whoever cannot be recognised is refused before the desk is
//! asked, and what Discord told the person had failed is not done behind their back. Refuses to decide anything
//! else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::ack::{Acker, Deferred, First, Open, Unanswered, deferral};
use super::again::{self, Standing};
use super::answer::{Asking, Outcome};
use super::completion;
use super::forms::Forms;
use super::identity::People;
use super::inbound::{Inbound, What};
use super::inbox::{Taken, keep};
use super::views;
use super::web::Web;
use crate::chat::answer::{Answer, Form};
use crate::chat::card::{Card, Tone};
use crate::chat::desk::{Desk, Errand, Typing};
use crate::chat::hands;
use crate::chat::identity::{Caller, Unheard};
use crate::chat::owed::Owing;
use crate::chat::paper::Paper;
use crate::chat::pointed::pointed;
use crate::chat::waiting::Waiting;
use crate::incident::Text;

/// For so long it is looked whether there are questions, before the click is acknowledged without them.
const LOOKING: Duration = Duration::from_millis(1_200);
/// How many are acknowledged at once.
const ACKNOWLEDGED_AT_ONCE: usize = 512;
/// How many can wait to be worked on after that.
const PLACES: usize = 1_000;

/// So often what is there so far is shown: nobody reads more.
const SO_FAR: u32 = 10;

/// Where clicks and commands are answered.
pub(super) struct Front {
    pub(super) web: Arc<Web>,
    pub(super) people: People,
    pub(super) paper: Paper,
    pub(super) desk: Desk,
    pub(super) owing: Owing,
    /// Where incidents are told.
    pub(super) channels: BTreeSet<Text>,
    pub(super) forms: Arc<Forms>,
}

type Heard = Result<Caller, Unheard>;

/// Something that was acknowledged and is still to be done.
struct Ready {
    caller: Heard,
    inbound: Inbound,
    how: Deferred,
    at: Instant,
    since: Option<Timestamp>,
}

impl Front {
    /// Answers until `stop`, and finishes what was begun. What is acknowledged here is not kept waiting by what is
    /// worked on: a cluster that does not answer holds no click up.
    pub(super) async fn run(self, taken: mpsc::Receiver<Taken>, stop: CancellationToken) {
        let (front, (send, ready)) = (Arc::new(self), mpsc::channel(PLACES));
        let acknowledge = |next| {
            let (front, send) = (Arc::clone(&front), send.clone());
            async move {
                if let Some(ready) = Box::pin(front.acknowledge(next)).await {
                    // Without anybody to work on it kubemend has stopped.
                    let _ = send.send(ready).await;
                }
            }
        };
        let finish = |next| {
            let front = Arc::clone(&front);
            async move { Box::pin(front.finish(next)).await }
        };
        let acknowledged = CancellationToken::new();
        let first = async {
            hands::work_many(ACKNOWLEDGED_AT_ONCE, "Discord", taken, stop, acknowledge).await;
            acknowledged.cancel();
        };
        tokio::join!(first, hands::work("Discord", ready, acknowledged.clone(), finish));
    }

    /// Sees to it that Discord has an answer, and the whole one where that is possible at once.
    async fn acknowledge(&self, taken: Taken) -> Option<Ready> {
        let Taken { inbound, at, ack, since } = taken;
        let caller = Caller::of(self.people.who(&inbound.by, self.desk.engine().now()));
        let acknowledged = match ack {
            Acker::Open(open) => match &inbound.what {
                What::Completing { .. } => {
                    let choices = self.complete(&caller, &inbound.what);
                    open.answer(First::Choices(choices)).await.map(|()| None)
                }
                _ => self.open(open, &caller, &inbound).await,
            },
            Acker::Deferred(acked) => {
                let how = acked.how();
                acked.arrived().await.map(|()| Some(how))
            }
        };
        match acknowledged {
            Ok(Some(how)) | Err(Unanswered::Meanwhile(how)) => {
                Some(Ready { caller, inbound, how, at, since })
            }
            // All is shown, and what is filled in comes as something new.
            Ok(None) => None,
            // Discord told the person that it failed, which was logged where it happened.
            Err(Unanswered::TooLate | Unanswered::Twice | Unanswered::Web(_)) => {
                self.owing.answered(&inbound.key).await;
                None
            }
        }
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
        if let Some(modal) = modal {
            let shown = open.answer(First::Modal(modal)).await.map(|()| None);
            if let Err(Unanswered::Meanwhile(_)) = &shown {
                keep(&self.owing, inbound).in_time().await;
            }
            return shown;
        }
        let how = deferral(&inbound.what).unwrap_or(Deferred::Quietly);
        keep(&self.owing, inbound).in_time().await;
        open.answer(First::Defer(how)).await.map(|()| Some(how))
    }

    async fn questions(&self, caller: &Caller, id: &str) -> Option<Form> {
        let kept = self.forms.get(id, Instant::now()).filter(|_| self.desk.knows(caller));
        match kept {
            Some(form) => Some(form),
            None => self.desk.asks(caller, id).await,
        }
    }

    /// Does what was wanted, and shows what came of it; until that is shown it is owed.
    async fn finish(&self, ready: Ready) {
        let key = ready.inbound.key.clone();
        self.owing.written().await;
        let outcome = match self.as_it_stands(ready).await {
            Ok(ready) => self.serve(ready).await,
            Err(outcome) => outcome,
        };
        match outcome {
            Outcome::Shown | Outcome::Never => self.owing.answered(&key).await,
            Outcome::Later => self.owing.put_off(&key),
        }
    }

    /// What is taken up again, as it stands now; if nothing is to be done, what became of it.
    async fn as_it_stands(&self, ready: Ready) -> Result<Ready, Outcome> {
        let Some(since) = ready.since else { return Ok(ready) };
        let now = self.desk.engine().now();
        let (how, asked) = (ready.how, now.duration_since(since));
        match again::standing(&self.web, &ready.inbound, how, asked).await {
            Standing::Owed(by) => {
                let caller = Caller::of(self.people.who(&by, now));
                Ok(Ready { caller, inbound: Inbound { by, ..ready.inbound }, ..ready })
            }
            Standing::Void => Err(Outcome::Never),
            Standing::Unknown(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::info!(error, "what is owed waits for Discord");
                Err(Outcome::Later)
            }
        }
    }

    async fn serve(&self, ready: Ready) -> Outcome {
        let Ready { caller, inbound, how, at, since } = ready;
        let Inbound { by, place, what, key } = inbound;
        let told_here = place.channel.as_ref().is_some_and(|channel| self.channels.contains(channel));
        let (web, paper, forms) = (Arc::clone(&self.web), self.paper.clone(), Arc::clone(&self.forms));
        let mut asking = Asking { web, paper, forms, by, place, key, how, told_here };
        let errand = Errand { since, ..Errand::default() };
        let news = errand.progress.subscribe();
        let answer = Box::pin(async {
            match &caller {
                Ok(caller) => self.ask(caller, &what, &errand).await,
                Err(why) => Answer::only(Card::sentence(Tone::Warning, self.unheard(*why))),
            }
        });
        let answer = Waiting::times(so_far(how)).until(answer, news, &mut asking).await;
        let outcome = asking.answer(&answer).await;
        metrics::histogram!("kubemend_discord_answer_seconds").record(at.elapsed().as_secs_f64());
        outcome
    }

    async fn ask(&self, caller: &Caller, what: &What, errand: &Errand) -> Answer {
        match what {
            What::Pressed { .. } | What::Chosen { .. } => match pressed(what) {
                Some(id) => self.desk.submit_on(caller, id, &BTreeMap::new(), errand).await,
                None => Answer::Quiet,
            },
            What::Filled { form, values } => self.desk.submit_on(caller, form, values, errand).await,
            What::Commanded { line } => self.desk.command_on(caller, line, errand).await,
            What::Pointed { name: _, text } => match pointed(text) {
                Some(line) => self.desk.command_on(caller, &line, errand).await,
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

/// How often what is there so far is shown. Behind a button that was acknowledged quietly stands its own message.
fn so_far(how: Deferred) -> u32 {
    match how {
        Deferred::Thinking | Deferred::Aloud => SO_FAR,
        Deferred::Quietly => 0,
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
