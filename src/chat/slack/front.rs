//! What is done with what was heard: who it was, what the desk answers, where the answer is shown.
//!
//! Takes from the inbox and works on several at once. Whoever cannot be recognised is refused before the desk
//! is asked. Refuses to decide anything else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::aloud::Aloud;
use super::answer::{Asking, Shown};
use super::homes::Homes;
use super::identity::People;
use super::inbound::{Asker, Inbound, Place, What};
use super::inbox::Taken;
use super::manifest::DIAGNOSE;
use super::platform::Channels;
use super::web::Web;
use crate::chat::answer::Answer;
use crate::chat::card::{Card, Tone};
use crate::chat::desk::{Desk, Errand};
use crate::chat::hands;
use crate::chat::identity::Caller;
use crate::chat::outbox::Outbox;
use crate::chat::owed::Owing;
use crate::chat::paper::Paper;
use crate::chat::pointed::pointed;
use crate::chat::press::Press;
use crate::chat::waiting::{self, Meanwhile, Shows, Waiting};
use crate::incident::Text;

/// After so long somebody is shown that it is being worked on; a modal can be opened for three seconds only.
const PATIENCE: Duration = Duration::from_millis(1_200);
/// By then an acknowledgement has reached Slack, whatever the disk did.
const ACKNOWLEDGED: Duration = Duration::from_millis(250);
/// A response URL takes five answers: these, the last one, and one in reserve.
const BY_RESPONSE: u32 = 3;
/// A message can be edited as often as one likes; nobody reads more.
const BY_EDIT: u32 = 10;

/// Where clicks and commands are answered.
pub(super) struct Front {
    pub(super) web: Arc<Web>,
    pub(super) people: Arc<People>,
    pub(super) paper: Paper,
    pub(super) desk: Desk,
    pub(super) owing: Owing,
    pub(super) outbox: Outbox<Channels>,
    pub(super) homes: Homes,
}

/// The answer to a mention, in its thread.
fn aloud(place: &Place, key: &str) -> Option<Aloud> {
    let thread = place.thread.as_ref().or(place.message.as_ref())?;
    Some(Aloud::new(place.channel.as_ref()?, thread, key))
}

/// How long, and how often, somebody waits.
fn waiting(taken: Instant, what: &What) -> Waiting {
    let times = match what {
        What::Commanded { .. } | What::Shortcut { .. } => BY_RESPONSE,
        What::Mentioned { .. } => BY_EDIT,
        What::Pressed { .. } | What::Filled { .. } | What::HomeOpened | What::Nothing => 0,
    };
    Waiting::times(times).patient(taken, PATIENCE)
}

/// Somebody who waits for an answer, and where they see what is there so far.
struct Looking<'f> {
    front: &'f Front,
    asking: &'f mut Asking,
    what: &'f What,
    key: &'f str,
}

impl Shows for Looking<'_> {
    async fn show(&mut self, next: Meanwhile) -> waiting::Shown {
        self.front.meanwhile(self.asking, self.what, self.key, next).await;
        waiting::Shown::Done
    }
}

impl Front {
    /// Answers until `stop`, and finishes what was begun.
    pub(super) async fn run(self, taken: mpsc::Receiver<Taken>, stop: CancellationToken) {
        let front = Arc::new(self);
        let each = |next| {
            let front = Arc::clone(&front);
            async move { Box::pin(front.answer(next)).await }
        };
        tokio::join!(front.keep_homes(&stop), hands::work("Slack", taken, stop.clone(), each));
    }

    async fn answer(&self, taken: Taken) {
        let key = taken.inbound.key.clone();
        self.owing.written().await;
        match self.serve(taken).await {
            Shown::Yes | Shown::Never => self.owing.answered(&key).await,
            Shown::Later => self.owing.put_off(&key),
        }
    }

    async fn serve(&self, taken: Taken) -> Shown {
        let Taken { inbound, at, since } = taken;
        let mut asking = self.asking(&inbound, since);
        let Inbound { key, by, what, .. } = inbound;
        if what == What::HomeOpened {
            self.open_home(&by).await;
            return Shown::Yes;
        }
        let errand = Errand { since, doubt: None, ..Errand::default() };
        let news = errand.progress.subscribe();
        let answer = Box::pin(async {
            match self.caller(&by).await {
                Ok(caller) => {
                    let errand = Errand { doubt: self.people.doubt(), ..errand };
                    self.ask(&caller, &what, &errand).await
                }
                Err(why) => Answer::only(Card::sentence(Tone::Warning, why)),
            }
        });
        let mut looking = Looking { front: self, asking: &mut asking, what: &what, key: &key };
        let answer = waiting(at, &what).until(answer, news, &mut looking).await;
        metrics::histogram!("kubemend_slack_answer_seconds").record(at.elapsed().as_secs_f64());
        if since.is_some() && matches!(what, What::Mentioned { .. }) && asking.aloud.is_none() {
            asking.aloud = self.spoken(&asking, &key).await;
        }
        if since.is_none() && matches!(what, What::Filled { .. }) {
            // The acknowledgement changes the window, too; it must have come before.
            waiting::until(Some((at + ACKNOWLEDGED).into())).await;
        }
        let shown = asking.show(&answer).await;
        if let Answer::Sheet(card) = &answer {
            self.go_on(card, asking.place.channel.as_ref()).await;
        }
        shown
    }

    /// What a window cannot hold goes on in the thread of the incident's message.
    async fn go_on(&self, card: &Card, channel: Option<&Text>) {
        let incident =
            card.buttons().find_map(|button| Press::read(&button.id)).map(|press| press.incident());
        let Some(incident) = incident else { return };
        if let Err(refused) = self.outbox.continue_in_thread(&incident, channel, card).await {
            let chain: &dyn std::error::Error = &refused;
            tracing::warn!(error = chain, "the rest of what is known of {incident} is not shown");
        }
    }

    /// Somebody who waits: for what is taken up again a window cannot be opened any more.
    fn asking(&self, inbound: &Inbound, since: Option<Timestamp>) -> Asking {
        let mut place = inbound.place.clone();
        let answers_in_view = match inbound.what {
            What::Filled { .. } => true,
            // A button in a window.
            What::Pressed { .. } => place.response_url.is_none() && place.channel.is_none(),
            What::Commanded { .. }
            | What::Mentioned { .. }
            | What::Shortcut { .. }
            | What::HomeOpened
            | What::Nothing => false,
        };
        let view = place.view.as_ref().filter(|_| answers_in_view);
        let view = view.map(ToString::to_string);
        if view.is_some() {
            place.recall_from_note();
        }
        Asking {
            web: Arc::clone(&self.web),
            paper: self.paper.clone(),
            by: inbound.by.clone(),
            place,
            view,
            shown: false,
            aloud: None,
            since,
        }
    }

    /// Who it was, or why they are not heard.
    pub(super) async fn caller(&self, by: &Asker) -> Result<Caller, String> {
        match self.people.who(by).await {
            Ok(user) => Caller::of(user)
                .map_err(|why| self.paper.words.say("slack.unheard", &json!({"why": why.to_string()}))),
            Err(error) => {
                let chain: &dyn std::error::Error = &error;
                tracing::warn!(error = chain, "{} cannot be recognised", by.user);
                Err(self.paper.words.word("slack.unverified"))
            }
        }
    }

    async fn ask(&self, caller: &Caller, what: &What, errand: &Errand) -> Answer {
        match what {
            What::Pressed { id } => self.desk.submit_on(caller, id, &BTreeMap::new(), errand).await,
            What::Filled { form, values } => self.desk.submit_on(caller, form, values, errand).await,
            What::Commanded { text } | What::Mentioned { text } => {
                self.desk.command_on(caller, text, errand).await
            }
            What::Shortcut { callback, text } if callback == DIAGNOSE => {
                if let Some(line) = pointed(text) {
                    return self.desk.command_on(caller, &line, errand).await;
                }
                let said = self.paper.words.rich("slack.pointless", &json!({}));
                Answer::only(Card::said(Tone::Neutral, said))
            }
            What::Shortcut { .. } | What::HomeOpened | What::Nothing => Answer::Quiet,
        }
    }

    /// Something to see while the answer is made; the answer takes its place.
    async fn meanwhile(&self, asking: &mut Asking, what: &What, key: &str, next: Meanwhile) {
        match (what, next) {
            (What::Pressed { .. }, Meanwhile::Patience) => asking.open_working().await,
            (What::Commanded { .. } | What::Shortcut { .. }, Meanwhile::Patience) => {
                let card = Card::sentence(Tone::Neutral, self.paper.words.word("slack.looking"));
                asking.show_so_far(&card).await;
            }
            (What::Commanded { .. } | What::Shortcut { .. }, Meanwhile::SoFar(card)) => {
                asking.show_so_far(&card).await;
            }
            (What::Mentioned { .. }, Meanwhile::SoFar(card)) => {
                if asking.aloud.is_none() {
                    let spoken = if asking.since.is_some() { self.spoken(asking, key).await } else { None };
                    asking.aloud = spoken.or_else(|| aloud(&asking.place, key));
                }
                asking.show_so_far(&card).await;
            }
            (What::Pressed { .. } | What::Filled { .. } | What::HomeOpened | What::Nothing, _)
            | (What::Mentioned { .. }, Meanwhile::Patience) => {}
        }
    }

    /// The message that already answers a mention, where one does.
    async fn spoken(&self, asking: &Asking, key: &str) -> Option<Aloud> {
        let mut aloud = aloud(&asking.place, key)?;
        match aloud.look(&self.web).await {
            Ok(true) => Some(aloud),
            Ok(false) => None,
            Err(error) => {
                tracing::info!(error = &error as &dyn std::error::Error, "a thread cannot be looked through");
                None
            }
        }
    }
}
